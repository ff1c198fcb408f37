"""JSON bodies into checked models: an unknown key or a wrong value is a 400 that names it."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, PlainValidator, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from skred.hub.errors import BAD_PAYLOAD, ServiceError, Violation
from skred.hub.items import BANDS


class Payload(BaseModel):
    """A part of a request: camelCase on the wire, and no key or type that the offline service would have to guess."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, alias_generator=to_camel, allow_inf_nan=False)


_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)


def rfc_3339(text: Any) -> dt.datetime:
    """The moment of an RFC 3339 time, in UTC. Raises ValueError that says what was wanted."""
    wanted = "an RFC 3339 time with its zone, such as 2019-07-01T00:00:00Z"
    if not isinstance(text, str) or not _RFC_3339.fullmatch(text):
        raise ValueError(wanted)
    try:
        return dt.datetime.fromisoformat(text.upper()).astimezone(dt.UTC)
    except (ValueError, OverflowError):  # the 30th of February; or before the year 1 in UTC
        raise ValueError(wanted) from None


Utc = Annotated[dt.datetime, PlainValidator(rfc_3339)]
T = TypeVar("T")


def parse_payload(model: type[T], text: str | bytes, *, where: str = "") -> T:
    """The JSON `text`, which stood at the path `where`, as a `model`.

    Raises
    ------
    ServiceError
        400 with every wrong parameter by its path.
    """
    try:
        return TypeAdapter(model).validate_json(text)
    except ValidationError as error:
        violations = [_violation(mistake, where) for mistake in error.errors(include_url=False, include_context=False)]
        message = "; ".join(f"{one.parameter}: {one.violation}" for one in violations)
        raise ServiceError(400, BAD_PAYLOAD, message, violations) from error


def _violation(mistake: Any, where: str) -> Violation:
    # pydantic puts the collection's name into the path of a data source; it is no key of the request
    parts = [str(part) for part in mistake["loc"] if part not in BANDS]
    if mistake["type"] == "json_invalid":  # nested too deeply, too
        return Violation(where or "body", f"is not JSON ({mistake['msg'].removeprefix('Invalid JSON: ')})")
    path = "->".join([*([where] if where else []), *parts]) or "body"
    if mistake["type"] == "extra_forbidden":
        return Violation(path, "is not supported by the offline service; leave it out")
    if mistake["type"] == "missing":
        return Violation(path, "must not be missing")
    wanted = mistake["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    return Violation(path, f"got {_short(mistake['input'])}, wanted {wanted}")


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
