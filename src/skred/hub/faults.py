"""Fault rules: which calls the offline service answers wrongly, and how.

A rule names a path and the calls that it takes; everything that it says about a call must hold. Of several rules that
take a call the first one counts. A rule that says nothing about calls takes every one of its path.
"""

from __future__ import annotations

import hashlib
import threading
from collections import Counter
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, field_validator

from skred.core.params import Section, parse, read_yaml

PathName = Literal["token", "catalog", "process"]
Part = Annotated[float, Field(ge=0, lt=1)]


class _Kind(BaseModel):
    # No `Section`: its check of every field would run before `kind` tells the faults apart, which pydantic refuses.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Status(_Kind):
    """An error with the service's own body. Nothing is rendered or charged.

    `retry_after` is sent as it stands: ``"700"`` (milliseconds, as the service means it), ``"0.7"``,
    ``"Wed, 21 Oct 2026 07:28:00 GMT"``; without it there is no such header. `code` is the service's word for the
    error, such as ``ACCESS_INSUFFICIENT_PROCESSING_UNITS``; without it the usual one of the status.
    """

    kind: Literal["status"] = "status"
    status: int = Field(ge=400, le=599)
    retry_after: str | None = None
    code: str | None = None
    message: str | None = None

    @field_validator("status")
    @classmethod
    def _known(cls, value: int) -> int:
        if value not in [status.value for status in HTTPStatus]:
            raise ValueError("a status of HTTP, such as 429 or 503")
        return value


class Slow(_Kind):
    """The right answer, `seconds` late. It ends at once, without an answer, when the server stops."""

    kind: Literal["slow"] = "slow"
    seconds: float = Field(gt=0)


class Reset(_Kind):
    """The connection is reset (TCP RST) before anything is rendered, answered or charged."""

    kind: Literal["reset"] = "reset"


class Cut(_Kind):
    """The right answer, but the connection closes after this part of the declared body."""

    kind: Literal["cut"] = "cut"
    part: Part = 0.5


class BrokenChunk(_Kind):
    """The right answer in chunked encoding, broken off inside a chunk after this part of the body."""

    kind: Literal["broken_chunk"] = "broken_chunk"
    part: Part = 0.5


class Short(_Kind):
    """This part of the right body, under a Content-Length that agrees with it: whole to HTTP, not to its reader."""

    kind: Literal["short"] = "short"
    part: Part = 0.5


class Corrupt(_Kind):
    """The right length, but `length` bytes from this part of the body on are other ones (XOR 0x5A)."""

    kind: Literal["corrupt"] = "corrupt"
    part: Part = 0.5
    length: PositiveInt = 64


class CutTags(_Kind):
    """The image as an uncompressed TIFF with its directory of tags at the end, less its last `length` bytes, under a
    Content-Length that agrees: some readers take it. With 10,000 the whole directory is gone."""

    kind: Literal["cut_tags"] = "cut_tags"
    length: PositiveInt = 100


class Empty(_Kind):
    """200 with an empty body. Nothing is rendered or charged."""

    kind: Literal["empty"] = "empty"


class Html(_Kind):
    """200 with a web page, as from a proxy that wants a login. Nothing is rendered or charged."""

    kind: Literal["html"] = "html"


class Body(_Kind):
    """200 with any text, such as a token answer that lacks the token. Nothing is rendered or charged."""

    kind: Literal["body"] = "body"
    text: str
    content_type: str = "application/json"


class RevokeTokens(_Kind):
    """Every token given so far becomes invalid, so that this call and all until a new login end with 401."""

    kind: Literal["revoke_tokens"] = "revoke_tokens"


Fault = Status | Slow | Reset | Cut | BrokenChunk | Short | Corrupt | CutTags | Empty | Html | Body | RevokeTokens


class FaultRule(Section):
    """One rule.

    Parameters
    ----------
    path
        ``token``, ``catalog`` or ``process``.
    fault
        What happens.
    calls
        Numbers of calls of this path, from 1.
    tries
        How many times the same body has been asked for on this path, this time included: ``(1, 2)`` takes the first
        two tries of every request, however many threads ask.
    every
        Every n-th call of this path.
    after
        Only calls with a higher number.
    share, seed
        A share of the calls, drawn from the seed, the body and its try: the same whatever the order of the calls.
    times
        At most so often.
    """

    path: PathName
    fault: Annotated[Fault, Field(discriminator="kind")]
    calls: tuple[PositiveInt, ...] | None = None
    tries: tuple[PositiveInt, ...] | None = None
    every: PositiveInt | None = None
    after: int = Field(default=0, ge=0)
    share: float | None = Field(default=None, gt=0, le=1)
    seed: int = 0
    times: PositiveInt | None = None

    def takes(self, number: int, key: str, attempt: int) -> bool:
        """Whether call `number` of its path, the `attempt`-th for the body `key`, is one of this rule's."""
        return (
            number > self.after
            and (self.calls is None or number in self.calls)
            and (self.tries is None or attempt in self.tries)
            and (self.every is None or number % self.every == 0)
            and (self.share is None or _draw(f"{self.seed} {self.path} {key} {attempt}") < self.share)
        )


def _draw(text: str) -> float:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2**56


def read_rules(path: Path) -> tuple[FaultRule, ...]:
    """The rules of a YAML or JSON file: a list of mappings.

    Raises
    ------
    InputError
        The file is missing or wrong; the line names the key.
    """
    return parse(tuple[FaultRule, ...], read_yaml(path), file=path)


def request_key(body: bytes) -> str:
    """What the log and the rules call a request: the SHA-256 of its body."""
    return hashlib.sha256(body).hexdigest()


class FaultBook:
    """Counts the calls and says what happens to each. Safe from several threads."""

    def __init__(self, rules: Sequence[FaultRule]) -> None:
        self._rules = tuple(rules)
        self._lock = threading.Lock()
        self._calls: Counter[str] = Counter()
        self._tries: Counter[tuple[str, str]] = Counter()
        self._used: Counter[int] = Counter()

    def next_call(self, path: PathName, key: str) -> tuple[int, Fault | None]:
        """The number of this call of `path`, from 1, and its fault."""
        with self._lock:
            self._calls[path] += 1
            self._tries[path, key] += 1
            number = self._calls[path]
            for place, rule in enumerate(self._rules):
                free = rule.times is None or self._used[place] < rule.times
                if rule.path == path and free and rule.takes(number, key, self._tries[path, key]):
                    self._used[place] += 1
                    return number, rule.fault
            return number, None
