"""The STAC item of a map validates: its core by pystac's own schemas, its model fields by stac-model."""

import json
from pathlib import Path

import pystac
import pytest
from pystac.validation.stac_validator import JsonSchemaSTACValidator
from stac_model.schema import SCHEMA_URI, MLModelProperties

from maps_place import card, mapped
from skred.maps.stac import EXTENSIONS


@pytest.fixture(scope="module", params=["fusion-cart", "sar-unet"])
def item(request, tmp_path_factory):
    import numpy as np  # noqa: PLC0415

    folder = tmp_path_factory.mktemp("stac")
    setting, detector = request.param.split("-")
    names = ("dndvi", "pre_vv", "post_vv") if setting == "fusion" else ("pre_vv", "post_vv")
    model = card(names, cell=request.param, setting=setting, detector=detector)
    maps = mapped(folder, np.pad(np.full((6, 6), 0.9), 10), model)
    return maps / f"toy-{request.param}.json"


def test_the_core_of_the_item_validates_offline(item):
    data = json.loads(item.read_text())
    # No package carries the extensions' schemas, and the network stays out of tests.
    data["stac_extensions"] = []
    pystac.Item.from_dict(data).validate(validator=JsonSchemaSTACValidator())


def test_the_model_is_described_as_the_mlm_extension_wants_it(item):
    properties = json.loads(item.read_text())["properties"]
    model = MLModelProperties.model_validate(properties)
    assert SCHEMA_URI in EXTENSIONS
    assert model.name == item.stem.removeprefix("toy-")
    [given] = model.input
    assert len(given.bands) == given.input.shape[-1] == len(given.value_scaling)
    assets = json.loads(item.read_text())["assets"]
    assert {name: assets[name]["roles"] for name in assets if name.startswith("model")} == {
        "model": ["mlm:model"],
        "model:tree.skops": ["mlm:weights"],
    }


def test_every_link_leads_to_a_file(item):
    for name, asset in json.loads(item.read_text())["assets"].items():
        assert not Path(asset["href"]).is_absolute()
        assert (item.parent / asset["href"]).is_file(), name


def test_place_and_time_are_those_of_the_event(item):
    data = json.loads(item.read_text())
    west, south, east, north = data["bbox"]
    assert 6.0 < west < east < 6.3
    assert 61.2 < south < north < 61.4
    assert data["properties"]["datetime"] == "2019-07-30T00:00:00Z"
    assert data["properties"]["proj:code"] == "EPSG:32632"
    assert "SIMULATED" in data["properties"]["description"]
