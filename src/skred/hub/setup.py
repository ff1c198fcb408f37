"""What an evalscript's ``setup()`` asks for, in all the forms that the service documents, as one shape."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import Field

from skred.hub.errors import refuse
from skred.hub.payload import Payload, parse_payload

Mosaicking = Literal["SIMPLE", "ORBIT", "TILE"]
SampleType = Literal["INT8", "UINT8", "INT16", "UINT16", "FLOAT32", "AUTO"]


class _Input(Payload):
    bands: tuple[str, ...] = Field(min_length=1)
    units: str | tuple[str, ...] | None = None
    datasource: str | None = None
    mosaicking: Mosaicking | None = None


class ScriptOutput(Payload):
    """One output: its name, number of bands and type (AUTO: 0..1 stretched to UINT8)."""

    id: str = "default"
    bands: int = Field(ge=1, le=1000)
    sample_type: SampleType = "AUTO"
    nodata_value: float | None = None


class _Setup(Payload):
    input: tuple[_Input, ...] = Field(min_length=1)
    output: tuple[ScriptOutput, ...] = Field(min_length=1)
    mosaicking: Mosaicking | None = None


@dataclass(frozen=True)
class ScriptInput:
    """What the script reads from one data source; `units` gives a band's unit where the script names one."""

    datasource: str | None
    bands: tuple[str, ...]
    units: dict[str, str]
    mosaicking: Mosaicking


@dataclass(frozen=True)
class Setup:
    """Inputs, one per data source, and outputs, one per file."""

    inputs: tuple[ScriptInput, ...]
    outputs: tuple[ScriptOutput, ...]


def read_setup(returned: Any) -> Setup:
    """The setup from what the script returned.

    Raises
    ------
    ServiceError
        It is not of a documented form, or asks for what is not supported offline; the key is named.
    """
    where = "evalscript->setup"
    if not isinstance(returned, dict):
        refuse(where, "must return an object with input and output")
    raw = parse_payload(_Setup, {name: _listed(name, value) for name, value in returned.items()}, where=where)
    ids = [output.id for output in raw.output]
    if len(set(ids)) < len(ids):
        refuse(f"{where}->output", "must give each output an id of its own")
    return Setup(_merge(raw), raw.output)


def _listed(name: str, value: Any) -> Any:
    """`input` and `output` as a list of objects: ["B02"], {..} and [{..}] are all documented."""
    if name == "input" and isinstance(value, list) and value and all(isinstance(band, str) for band in value):
        return [{"bands": value}]
    if name in ("input", "output") and isinstance(value, dict):
        return [value]
    return value


def _merge(raw: _Setup) -> tuple[ScriptInput, ...]:
    """Input objects of one data source together: a script may list bands of other units apart."""
    merged: dict[str | None, ScriptInput] = {}
    for number, one in enumerate(raw.input):
        where = f"evalscript->setup->input->{number}"
        units = _units(one, where)
        mosaicking = one.mosaicking or raw.mosaicking or "SIMPLE"
        before = merged.get(one.datasource, ScriptInput(one.datasource, (), {}, mosaicking))
        twice = sorted(set(one.bands) & set(before.bands)) or sorted({b for b in one.bands if one.bands.count(b) > 1})
        if twice:
            refuse(f"{where}->bands", f"{twice[0]} is listed twice for one data source")
        if before.mosaicking != mosaicking:
            refuse(f"{where}->mosaicking", f"got {mosaicking} and {before.mosaicking} for one data source")
        merged[one.datasource] = ScriptInput(one.datasource, before.bands + one.bands, before.units | units, mosaicking)
    return tuple(merged.values())


def _units(one: _Input, where: str) -> dict[str, str]:
    if one.units is None:
        return {}
    units = (one.units,) * len(one.bands) if isinstance(one.units, str) else one.units
    if len(units) != len(one.bands):
        refuse(f"{where}->units", f"got {len(units)} units for {len(one.bands)} bands")
    return {band: unit.upper() for band, unit in zip(one.bands, units, strict=True) if band != "dataMask"}
