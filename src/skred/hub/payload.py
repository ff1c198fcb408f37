"""JSON bodies into checked models: an unknown key or a wrong value is a 400 that names it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel

from skred.hub.errors import BAD_PAYLOAD, ServiceError, Violation, refuse
from skred.hub.items import BANDS


class Payload(BaseModel):
    """A part of a request: camelCase on the wire, and no key that the offline service does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, allow_inf_nan=False)


Utc = Annotated[AwareDatetime, AfterValidator(lambda time: time.astimezone(dt.UTC))]
T = TypeVar("T")


def read_json(body: bytes) -> Any:
    """The JSON of a request body. Raises ServiceError when it is none."""
    try:
        return json.loads(body)
    except ValueError as error:
        refuse("body", f"is not JSON ({error})")


def parse_payload(model: type[T], data: Any, *, where: str = "") -> T:
    """`data`, which stood at the path `where`, as a `model`.

    Raises
    ------
    ServiceError
        400 with every wrong parameter by its path.
    """
    try:
        return TypeAdapter(model).validate_python(data)
    except ValidationError as error:
        violations = [_violation(mistake, where) for mistake in error.errors(include_url=False, include_context=False)]
        message = "; ".join(f"{one.parameter}: {one.violation}" for one in violations)
        raise ServiceError(400, BAD_PAYLOAD, message, violations) from error


def _violation(mistake: Any, where: str) -> Violation:
    # pydantic puts the collection's name into the path of a data source; it is no key of the request
    parts = [str(part) for part in mistake["loc"] if part not in BANDS]
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
