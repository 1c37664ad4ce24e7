"""R objects -> Python values, and named lists -> dataclasses by field name and annotation.

The bridge answers with plain named lists; a field of the dataclass takes the entry of its own name.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from pymlm.engine.rpy2_private import c_interface, c_object

# Types of R objects (SEXPTYPE).
_NULL, _LGL, _INT, _DBL, _CHR, _LIST, _RAW = 0, 10, 13, 14, 16, 19, 24
_NA_INT = -2147483648
_NUMBERS = {_DBL: "double", _INT: "integer", _LGL: "logical"}
#: R's mark of text in Latin-1; what has none is UTF-8, in which R runs here.
_LATIN1 = 2


def from_r(value: Any) -> Any:
    """Return an R value as plain Python.

    NULL becomes None; a named list a dict; another list a list; a numeric vector a float array, an
    integer vector an int64 array (float with NaN where there are NA); a logical vector a boolean
    array (float with NaN where there are NA); a character vector a list of str (None for NA); a raw
    vector bytes. A matrix keeps its shape. Anything else (a model, an environment) stays on the
    R side and comes back as a handle.
    """
    return _walk(c_interface(), c_object(value), None)


def views_of_r(value: Any) -> Any:
    """Return an R value as `from_r`, but numbers as read-only arrays over R's own memory.

    Integers and logicals are int32, as R holds them. The R object lives as long as an array does.
    """
    from pymlm.engine.r_thread import R

    return _walk(c_interface(), c_object(value), R.keep(value))


def _walk(api: Any, x: Any, keeper: Any) -> Any:
    kind = api.type_of(x)
    if kind == _NULL:
        return None
    if kind in _NUMBERS:
        return _numbers(api, x, kind, keeper)
    if kind == _CHR:
        return _strings(api, x)
    if kind == _LIST:
        length = api.lib.Rf_xlength(x)
        items = [_walk(api, api.lib.VECTOR_ELT(x, i), keeper) for i in range(length)]
        names = _attribute(api, x, api.names)
        return items if names is None else dict(zip(_strings(api, names), items, strict=True))
    if kind == _RAW:
        return bytes(api.ffi.buffer(api.raw(x), api.lib.Rf_xlength(x)))
    from pymlm.engine.r_thread import R

    return R.keep(api.wrap(x))


def _attribute(api: Any, x: Any, symbol: Any) -> Any:
    found = api.lib.Rf_getAttrib(x, symbol)
    return None if api.type_of(found) == _NULL else found


def _strings(api: Any, x: Any) -> list[str | None]:
    lib, string = api.lib, api.ffi.string
    out: list[str | None] = []
    for i in range(lib.Rf_xlength(x)):
        text = lib.STRING_ELT(x, i)
        if text == lib.R_NaString:
            out.append(None)
        else:
            encoding = "latin-1" if lib.Rf_getCharCE(text) == _LATIN1 else "utf-8"
            out.append(string(lib.R_CHAR(text)).decode(encoding, errors="replace"))
    return out


def _quiet(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Copy doubles; R's NA is a signalling NaN, at which NumPy warns in the next calculation."""
    copy = array.copy()
    missing = np.isnan(copy)
    if missing.any():
        copy[missing] = np.nan
    return copy


def _numbers(api: Any, x: Any, kind: int, keeper: Any) -> np.ndarray[Any, Any]:
    dtype = np.dtype(np.float64 if kind == _DBL else np.int32)
    size = api.lib.Rf_xlength(x)
    if size == 0:  # R has no memory for it
        array = np.empty(0, dtype=dtype)
    else:
        start = getattr(api, _NUMBERS[kind])(x)
        if keeper is None:  # copied below
            array = np.frombuffer(api.ffi.buffer(start, size * dtype.itemsize), dtype=dtype)
        else:
            address = int(api.ffi.cast("uintptr_t", start))
            array = np.asarray(_Memory(address, size, dtype, keeper))
    if keeper is None:
        array = _quiet(array) if kind == _DBL else _WHOLE[kind](array)
    dim = _attribute(api, x, api.dim)
    if dim is None:
        return array
    return array.reshape(tuple(_numbers(api, dim, _INT, None).tolist()), order="F")


class _Memory:
    """R's memory as numpy reads it; an array made from it keeps `keeper` alive."""

    __slots__ = ("__array_interface__", "keeper")

    def __init__(self, address: int, size: int, dtype: np.dtype[Any], keeper: Any) -> None:
        self.__array_interface__ = {
            "version": 3, "data": (address, True), "shape": (size,), "typestr": dtype.str,
        }  # fmt: skip
        self.keeper = keeper


def _integers(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    missing = array == _NA_INT
    if missing.any():
        out = array.astype(np.float64)
        out[missing] = np.nan
        return out
    return array.astype(np.int64)


def _logicals(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return _integers(array) if (array == _NA_INT).any() else array.astype(bool)


_WHOLE = {_INT: _integers, _LGL: _logicals}


def build(cls: Any, value: Any) -> Any:
    """Make a `cls` from what `from_r` gave.

    Parameters
    ----------
    cls : type
        A dataclass, or a plain annotation such as ``float``, ``str | None`` or ``tuple[str, ...]``.
    value : object
        What `from_r` returned.

    Raises
    ------
    TypeError
        When the R answer does not fit the annotation: the two halves disagree, a bug in pymlm.
    """
    return _converter(cls)(value)


@functools.cache
def _converter(annotation: Any) -> Callable[[Any], Any]:
    if annotation in (Any, object):
        return lambda v: v
    if dataclasses.is_dataclass(annotation):
        return functools.partial(_dataclass, annotation)
    if hasattr(annotation, "from_r"):  # a class that says itself what it makes of R's answer
        return functools.partial(_from_one, annotation.from_r)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    # NDArray of numpy 2.5 is a type alias to look through.
    origin = typing.get_origin(getattr(origin, "__value__", None)) or origin
    if origin in (typing.Union, types.UnionType):
        return _optional(args)
    if origin is typing.Annotated:
        return _converter(args[0])
    if origin is tuple:
        return functools.partial(_tuple, _converter(args[0]))
    if origin is list:
        return lambda v: list(_tuple(_converter(args[0]), v))
    if origin in (dict, Mapping) or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return functools.partial(_dict, _converter(args[1]))
    if origin is np.ndarray or annotation is np.ndarray:
        return _array
    if origin is typing.Literal:
        return _scalar(str)
    if annotation in (bool, int, float, str):
        return _scalar(annotation)
    return lambda v: v


@functools.cache
def _fields(cls: Any) -> dict[str, tuple[Callable[[Any], Any], bool]]:
    hints = typing.get_type_hints(cls)
    return {
        f.name: (
            _converter(hints[f.name]),
            f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING,
        )
        for f in dataclasses.fields(cls)
        if f.init
    }


@functools.cache
def has_notes(cls: Any) -> bool:
    """Say whether `cls` is a dataclass with a field `notes` of texts, where R's messages belong."""
    if not dataclasses.is_dataclass(cls):
        return False
    return bool(typing.get_type_hints(cls).get("notes") == tuple[str, ...])


def _dataclass(cls: Any, value: Any) -> Any:
    if not isinstance(value, dict):
        raise TypeError(f"{cls.__name__}: R answered {type(value).__name__}, not a named list")
    known = _fields(cls)
    extra = sorted(set(value) - set(known))
    missing = sorted(name for name, (_, needed) in known.items() if needed and name not in value)
    if extra or missing:
        raise TypeError(f"{cls.__name__}: R sent {extra} too many and left out {missing}")
    out = {}
    for name, item in value.items():
        try:
            out[name] = known[name][0](item)
        except (TypeError, ValueError) as error:
            raise TypeError(f"{cls.__name__}.{name}: {error}") from None
    return cls(**out)


def _optional(args: tuple[Any, ...]) -> Callable[[Any], Any]:
    inner = [a for a in args if a is not type(None)]
    convert = _converter(inner[0])

    def optional(value: Any) -> Any:
        return None if value is None else convert(value)

    return optional


def _tuple(convert: Callable[[Any], Any], value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    items = value.values() if isinstance(value, dict) else value
    return tuple(convert(x) for x in items)


def _dict(convert: Callable[[Any], Any], value: Any) -> dict[str, Any]:
    return {} if value is None or len(value) == 0 else {k: convert(v) for k, v in value.items()}


def _array(value: Any) -> np.ndarray[Any, Any]:
    if isinstance(value, list):
        array = np.array(value, dtype=object if None in value else None)
    else:
        array = np.ascontiguousarray(value)
    array.setflags(write=False)
    return array


def _from_one(make: Callable[[Any], Any], value: Any) -> Any:
    return make(value[0] if isinstance(value, list) and len(value) == 1 else value)


def _scalar(kind: type) -> Callable[[Any], Any]:
    def scalar(value: Any) -> Any:
        if isinstance(value, (list, np.ndarray)):
            if len(value) != 1:
                raise TypeError(f"expected one {kind.__name__}, R sent {len(value)}")
            value = value[0]
        if value is None and kind is float:
            return float("nan")
        if value is None or (kind is not float and isinstance(value, float) and value != value):
            raise TypeError(f"expected {kind.__name__}, R sent NA")
        return kind(value)

    return scalar
