"""How a stage starts and ends: the code of its own checkout, and one line on standard error when it fails."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from skred.core.errors import SkredError


def run(main: Callable[[], None]) -> None:
    """Run the `main` of the stage module that was started with ``python -m``.

    Raises
    ------
    SystemExit
        With the error's exit code after a `SkredError`, whose one line goes to standard error.
    """
    _use_own_checkout()
    try:
        main()
    except SkredError as error:
        sys.stderr.write(f"skred: {error}\n")
        raise SystemExit(error.exit_code) from None


def checkout_of(folder: Path) -> Path | None:
    """The nearest folder at or above `folder` that holds ``src/skred``, or None."""
    return next(
        (root for root in [folder, *folder.parents] if (root / "src" / "skred" / "__init__.py").is_file()), None
    )


def _use_own_checkout() -> None:
    # An editable install points at one checkout. A queued or temporary `dvc exp`, or a second clone that shares the
    # environment, starts stages elsewhere: they would run the wrong code under the right hashes. So start again with
    # the sources of the checkout that we stand in.
    root = checkout_of(Path.cwd())
    if root is None:
        return
    ours, loaded = (root / "src").resolve(), Path(__file__).resolve().parents[2]
    if ours == loaded:
        return
    if os.environ.get("SKRED_SOURCES") == str(ours):
        raise SystemExit(f"skred: runs from {loaded} although started in {root}; remove what shadows {ours}")
    path = os.pathsep.join([str(ours), *filter(None, [os.environ.get("PYTHONPATH")])])
    environment = os.environ | {"PYTHONPATH": path, "SKRED_SOURCES": str(ours)}
    spec = sys.modules["__main__"].__spec__
    module = spec.name if spec is not None else "skred.stages"
    os.execve(sys.executable, [sys.executable, "-m", module, *sys.argv[1:]], environment)  # noqa: S606
