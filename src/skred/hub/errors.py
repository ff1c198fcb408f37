"""The service's errors: what a request is refused with, in the JSON form that the service writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, NoReturn

BAD_PAYLOAD = "COMMON_BAD_PAYLOAD"
UNAUTHORIZED = "COMMON_UNAUTHORIZED"
RENDERER = "RENDERER_EXCEPTION"
NOT_FOUND = "COMMON_NOT_FOUND"
METHOD_NOT_ALLOWED = "COMMON_METHOD_NOT_ALLOWED"
RATE_LIMIT = "RATE_LIMIT_EXCEEDED"
INSUFFICIENT_UNITS = "ACCESS_INSUFFICIENT_PROCESSING_UNITS"
_USUAL = {
    400: (BAD_PAYLOAD, "Bad request"),
    401: (UNAUTHORIZED, "You are not authorized! Please provide a valid access token."),
    403: ("ACCESS_INSUFFICIENT_PERMISSIONS", "Insufficient permissions"),
    404: (NOT_FOUND, "Not found"),
    429: (RATE_LIMIT, "Rate limit exceeded"),
}


@dataclass(frozen=True)
class Violation:
    """One wrong parameter of a request; `parameter` is its path, such as ``output->width``."""

    parameter: str
    violation: str

    def body(self) -> dict[str, str]:
        return {"parameter": self.parameter, "violation": self.violation}


class ServiceError(Exception):
    """A request is refused: the HTTP status, the service's code and a message for a person."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        violations: Sequence[Violation] = (),
        *,
        headers: Sequence[tuple[str, str]] = (),
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.violations = status, code, message, tuple(violations)
        self.headers = tuple(headers)

    def body(self) -> dict[str, Any]:
        """The JSON answer."""
        error: dict[str, Any] = {
            "status": self.status,
            "reason": HTTPStatus(self.status).phrase,
            "message": self.message,
            "code": self.code,
        }
        if self.violations:
            error["errors"] = [violation.body() for violation in self.violations]
        return {"error": error}


def status_error(status: int, code: str | None = None, message: str | None = None) -> ServiceError:
    """The error that usually has this status, or another `code` and `message` under it."""
    usual_code, usual_message = _USUAL.get(status, ("COMMON_EXCEPTION", HTTPStatus(status).phrase))
    if code == INSUFFICIENT_UNITS:
        usual_message = "Insufficient processing units or requests available in your account."
    return ServiceError(status, code or usual_code, message or usual_message)


def refuse(parameter: str, violation: str) -> NoReturn:
    """Refuse a request because of one parameter: 400 `COMMON_BAD_PAYLOAD` that names it."""
    raise ServiceError(
        HTTPStatus.BAD_REQUEST, BAD_PAYLOAD, f"{parameter}: {violation}", [Violation(parameter, violation)]
    )


def unsupported(parameter: str, value: object, served: str) -> NoReturn:
    """Refuse what the real service may know but the offline one does not serve, and say what is served."""
    refuse(parameter, f"{value!r} is not supported by the offline service; it serves {served}")


def script_error(message: str) -> ServiceError:
    """400 `RENDERER_EXCEPTION`: the evalscript cannot be run."""
    return ServiceError(HTTPStatus.BAD_REQUEST, RENDERER, f"Failed to evaluate script!\n{message}")
