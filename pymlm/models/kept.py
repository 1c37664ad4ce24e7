"""What names a kept answer: the question itself, by the exact value of every argument."""

from __future__ import annotations

import dataclasses
import hashlib
import struct
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np


def exact_key(what: str, args: Mapping[str, Any]) -> str | None:
    """Return a key that two questions share only where every argument is the same value.

    Arrays count by dtype, shape and bytes, dicts by their order too (it is that of the answer's
    rows). Text and numbers of different types differ.

    Returns
    -------
    str or None
        None where an argument is of a type whose value cannot be told; the answer is not kept then.
    """
    digest = hashlib.blake2b(digest_size=20)
    try:
        for piece in _pieces(args):
            digest.update(struct.pack("<q", len(piece)))  # else "ab", "c" would be "a", "bc"
            digest.update(piece)
    except _NoValueError:
        return None
    return f"{what} {digest.hexdigest()}"


class _NoValueError(Exception):
    """An argument of a type that is not known by value."""


def _pieces(value: Any) -> Iterable[bytes]:
    match value:
        case None | bool() | np.bool_():
            yield repr(value).encode()
        case int() | np.integer():
            yield b"int"
            yield str(int(value)).encode()
        case float() | np.floating():
            yield b"float"
            yield struct.pack("<d", float(value))
        case str():
            yield b"str"
            yield value.encode("utf-8", "surrogatepass")
        case bytes():
            yield b"bytes"
            yield value
        case np.ndarray():
            yield from _array(value)
        case Mapping():
            yield b"dict%d" % len(value)
            for key, item in value.items():
                yield from _pieces(key)
                yield from _pieces(item)
        case list() | tuple():
            yield b"list%d" % len(value)
            for item in value:
                yield from _pieces(item)
        case _ if dataclasses.is_dataclass(value) and not isinstance(value, type):
            yield type(value).__qualname__.encode()
            for field in dataclasses.fields(value):
                yield from _pieces(getattr(value, field.name))
        case _:
            raise _NoValueError


def _array(value: np.ndarray[Any, Any]) -> Iterable[bytes]:
    yield f"array {value.dtype.str} {value.shape}".encode()
    if value.dtype.hasobject:
        yield from _pieces(value.ravel().tolist())
    else:
        yield value.tobytes()
