"""A scikit-learn model as bytes and back: a skops archive without what chance leaves in it, so that a model has one
hash, and read with care, because a model may come from anybody."""

from __future__ import annotations

import io
import itertools
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np
import skops.io
from skops.io.exceptions import UntrustedTypesFoundException

from skred.core.errors import InputError

T = TypeVar("T")


def to_bytes(model: Any) -> bytes:
    """`model` as an archive that `skops.io.load` reads; the same model gives the same bytes in every process.

    skops writes the time and its objects' memory addresses, scikit-learn leaves the gaps between the fields of a node
    and a leaf's `missing_go_to_left` as it found them in memory. Here members are numbered in their order, without a
    time, and such bytes are 0.
    """
    with ZipFile(io.BytesIO(skops.io.dumps(model))) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = members.pop("schema.json").decode()
    numbers = itertools.count(1)
    schema = re.sub(r'("__id__": )\d+', lambda match: f"{match[1]}{next(numbers)}", schema)
    old_names = list(dict.fromkeys(re.findall(r'"(\d+\.npy)"', schema)))
    new_names = {old: f"{number}.npy" for number, old in enumerate(old_names, start=1)}
    schema = re.sub(r'"(\d+\.npy)"', lambda match: f'"{new_names[match[1]]}"', schema)
    out = io.BytesIO()
    with ZipFile(out, "w") as archive:
        for old, new in new_names.items():
            archive.writestr(ZipInfo(new), _clean(members[old]))
        archive.writestr(ZipInfo("schema.json"), schema)
    return out.getvalue()


def from_bytes(archive: bytes, trusted: Sequence[str]) -> Any:
    """The model of an archive that `to_bytes` made; beside what skops loads unasked only the types `trusted`.

    Raises
    ------
    ValueError
        The archive is broken, or holds another type.
    """
    try:
        return skops.io.loads(archive, trusted=list(trusted))
    except (BadZipFile, UntrustedTypesFoundException, KeyError, TypeError) as error:
        raise ValueError(" ".join(str(error).split())[:120]) from error


def read_model(file: Path, kind: type[T], sound: Callable[[T], bool], trusted: Sequence[str]) -> T:
    """The model in `file`, whose bytes `to_bytes` made.

    Raises
    ------
    InputError
        The file is missing or broken, holds anything else than one `kind`, or that is not `sound`.
    """
    again = "train the model or `dvc pull` it"
    if not file.is_file():
        raise InputError(f"{file}: missing; {again}")
    try:
        model = from_bytes(file.read_bytes(), trusted)
    except ValueError as error:
        raise InputError(f"{file}: not a {kind.__name__} of ours ({error}); {again} again") from error
    if not isinstance(model, kind) or not sound(model):
        raise InputError(f"{file}: not a sound {kind.__name__} of two classes; {again} again")
    return model


def _clean(npy: bytes) -> bytes:
    array = np.load(io.BytesIO(npy), allow_pickle=False)
    if array.dtype.names is None:
        return npy
    clean = np.zeros(array.shape, array.dtype)
    for name in array.dtype.names:
        clean[name] = array[name]
    if "left_child" in array.dtype.names:
        clean["missing_go_to_left"][array["left_child"] < 0] = 0
    out = io.BytesIO()
    np.save(out, clean, allow_pickle=False)
    return out.getvalue()
