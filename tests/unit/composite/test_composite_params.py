import copy

import pytest
import yaml
from composite_raw_folder import PARAMS

from skred.composite.params import CompositeParams
from skred.core.errors import InputError
from skred.core.params import read_section


def read(tmp_path, part, key, value):
    params = copy.deepcopy(PARAMS)
    params["composite"][part][key] = value
    file = tmp_path / "params.yaml"
    file.write_text(yaml.safe_dump(params))
    return read_section(file, "composite", CompositeParams)


def test_the_switches_add_their_codes(tmp_path):
    assert read(tmp_path, "optical", "drop_unclassified", True).optical.dropped == {0, 1, 3, 7, 8, 9, 10, 11}
    assert read(tmp_path, "optical", "drop_snow", False).optical.dropped == {0, 1, 3, 8, 9, 10}


@pytest.mark.parametrize(
    ("part", "key", "value"),
    [
        ("optical", "drop_scl", [3, 8, 9]),  # 0 is no data and never clear
        ("optical", "drop_scl", [0, 7]),
        ("optical", "drop_scl", [0, 12]),
        ("optical", "mask_growth_m", -1),
        ("optical", "min_clear", 0),
        ("radar", "mean", "median"),
        ("radar", "min_passes", 0),
        ("radar", "speckle_filter", True),
    ],
)
def test_a_wrong_value_is_named_with_its_key(tmp_path, part, key, value):
    with pytest.raises(InputError, match=rf"params.yaml: composite\.{part}\.{key}"):
        read(tmp_path, part, key, value)
