"""What an evalscript's ``setup()`` asks for, in all the forms that the service documents, as one shape."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from skred.hub.errors import refuse
from skred.hub.payload import Payload, parse_payload
from skred.hub.request import USER_DATA

Mosaicking = Literal["SIMPLE", "ORBIT", "TILE"]
SampleType = Literal["INT8", "UINT8", "INT16", "UINT16", "FLOAT32", "AUTO"]
DTYPES = {"INT8": "int8", "UINT8": "uint8", "INT16": "int16", "UINT16": "uint16", "FLOAT32": "float32", "AUTO": "uint8"}
MAX_BANDS = 1000
WHERE = "evalscript->setup"


def _counted(bands: Any) -> Any:
    """The number of bands; they may be given as a list of names."""
    if isinstance(bands, list) and all(isinstance(name, str) for name in bands) and len(set(bands)) == len(bands):
        return len(bands)
    return bands


def _file_name(identifier: str) -> str:
    if not identifier or identifier == USER_DATA or set(identifier) & set("/\\\0"):
        raise ValueError(f"a name for a file, other than {USER_DATA}")
    return identifier


def _named(number: Any) -> Any:
    """NaN and the infinities come from the script as their names."""
    return float(number) if number in ("NaN", "Infinity", "-Infinity") else number


class _Input(Payload):
    bands: tuple[str, ...] = Field(min_length=1)
    units: str | tuple[str, ...] | None = None
    datasource: str | None = None
    mosaicking: Mosaicking | None = None
    metadata: tuple[Literal["bounds"], ...] = ()


class ScriptOutput(Payload):
    """One output: its name, number of bands and type (AUTO: 0..1 stretched to UINT8)."""

    id: Annotated[str, AfterValidator(_file_name)] = "default"
    bands: Annotated[int, BeforeValidator(_counted)] = Field(ge=1, le=MAX_BANDS)
    sample_type: SampleType = "AUTO"
    nodata_value: Annotated[float | None, BeforeValidator(_named)] = Field(default=None, allow_inf_nan=True)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(DTYPES[self.sample_type])

    @model_validator(mode="after")
    def _nodata_fits(self) -> ScriptOutput:
        value = self.nodata_value
        if value is not None and self.dtype.kind != "f":
            limits = np.iinfo(self.dtype)
            if not math.isfinite(value) or value != int(value) or not limits.min <= value <= limits.max:
                raise ValueError(f"a nodataValue that {self.sample_type} has")
        return self


class _Setup(Payload):
    input: tuple[_Input, ...] = Field(min_length=1)
    output: tuple[ScriptOutput, ...] = Field(min_length=1)
    mosaicking: Mosaicking | None = None


@dataclass(frozen=True)
class ScriptInput:
    """One input of the script, in the order of its bands; `units` gives a band's unit where the script names one.

    `mosaicking` is the input's own, or None where only that of the whole setup counts; `bounds` asks for the outlines
    of the tiles in the script's metadata.
    """

    datasource: str | None
    bands: tuple[str, ...]
    units: dict[str, str]
    mosaicking: Mosaicking | None
    bounds: bool


@dataclass(frozen=True)
class Setup:
    """Inputs and outputs as the script lists them, and the mosaicking of inputs without one of their own."""

    inputs: tuple[ScriptInput, ...]
    outputs: tuple[ScriptOutput, ...]
    mosaicking: Mosaicking


def read_setup(returned: Any) -> Setup:
    """The setup from what the script returned.

    Raises
    ------
    ServiceError
        It is not of a documented form, or asks for what is not supported offline; the key is named.
    """
    if not isinstance(returned, dict):
        refuse(WHERE, "must return an object with input and output")
    listed = {name: _listed(name, value) for name, value in returned.items()}
    raw = parse_payload(_Setup, json.dumps(listed), where=WHERE)
    ids = [output.id for output in raw.output]
    if len(set(ids)) < len(ids):
        refuse(f"{WHERE}->output", "must give each output an id of its own")
    inputs = tuple(_input(one, f"{WHERE}->input->{number}") for number, one in enumerate(raw.input))
    return Setup(inputs, raw.output, raw.mosaicking or "SIMPLE")


def with_bands(outputs: tuple[ScriptOutput, ...], bands: Any) -> tuple[ScriptOutput, ...]:
    """`outputs` with the numbers of bands that ``updateOutput`` left, by id.

    Raises
    ------
    ServiceError
        One is no number of bands.
    """
    changed = []
    for one in outputs:
        count = bands.get(one.id) if isinstance(bands, dict) else None
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MAX_BANDS:
            refuse(f"evalscript->updateOutput->{one.id}->bands", f"got {count!r}, wanted 1 to {MAX_BANDS}")
        changed.append(one.model_copy(update={"bands": count}))
    return tuple(changed)


def _listed(name: str, value: Any) -> Any:
    """`input` and `output` as a list of objects: ["B02"], {..} and [{..}] are all documented."""
    if name == "input" and isinstance(value, list) and value and all(isinstance(band, str) for band in value):
        return [{"bands": value}]
    if name in ("input", "output") and isinstance(value, dict):
        return [value]
    return value


def _input(one: _Input, where: str) -> ScriptInput:
    twice = sorted({band for band in one.bands if one.bands.count(band) > 1})
    if twice:
        refuse(f"{where}->bands", f"{twice[0]} is listed twice")
    return ScriptInput(one.datasource, one.bands, _units(one, where), one.mosaicking, "bounds" in one.metadata)


def _units(one: _Input, where: str) -> dict[str, str]:
    if one.units is None:
        return {}
    units = (one.units,) * len(one.bands) if isinstance(one.units, str) else one.units
    if len(units) != len(one.bands):
        refuse(f"{where}->units", f"got {len(units)} units for {len(one.bands)} bands")
    # dataMask is computed and has no unit to choose: one unit for all bands does not mean it
    return {band: unit.upper() for band, unit in zip(one.bands, units, strict=True) if band != "dataMask"}
