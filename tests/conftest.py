"""What the tests of more than one kind share."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest


@pytest.fixture
def mlflow_at() -> Iterator[Callable[[str], None]]:
    """``mlflow_at(uri)`` points MLflow at a store until the test ends: its setting is one for the whole process."""
    import mlflow  # noqa: PLC0415  # seconds of imports

    yield mlflow.set_tracking_uri
    mlflow.set_tracking_uri(None)
