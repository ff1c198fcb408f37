from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def repository(tmp_path):
    """The parameters and events of this repository, alone."""
    for file in [ROOT / "params.yaml", *ROOT.glob("data/events/*.yaml"), *ROOT.glob("experiments/*/*.yaml")]:
        copied = tmp_path / file.relative_to(ROOT)
        copied.parent.mkdir(parents=True, exist_ok=True)
        copied.write_bytes(file.read_bytes())
    return tmp_path
