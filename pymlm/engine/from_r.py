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

_R_NULL, _R_LGL, _R_INT, _R_DBL, _R_CHR, _R_LIST, _R_RAW = 0, 10, 13, 14, 16, 19, 24
_NA_INT = -2147483648


def from_r(value: Any) -> Any:
    """Return an R value as plain Python.

    NULL becomes None; a named list a dict; another list a list; a numeric vector a float array, an
    integer vector an int64 array (float with NaN where there are NA); a logical vector a boolean
    array (float with NaN where there are NA); a character vector a list of str (None for NA); a raw
    vector bytes. A matrix keeps its shape. Anything else (a model, an environment) stays on the
    R side and comes back as a handle.
    """
    match int(value.typeof):
        case 0:
            return None
        case 19:
            names = _names(value)
            items = [from_r(v) for v in value]
            return items if names is None else dict(zip(names, items, strict=True))
        case 14:
            return _shaped(_buffer(value, np.float64), value)
        case 13:
            return _shaped(_integers(_buffer(value, np.int32)), value)
        case 10:
            return _shaped(_logicals(_buffer(value, np.int32)), value)
        case 16:
            return _strings(value)
        case 24:
            return _bytes(value)
    from pymlm.engine.r_thread import R

    return R.keep(value)


def _names(value: Any) -> list[str] | None:
    names = value.names
    return None if int(names.typeof) == _R_NULL else list(names)


def _buffer(value: Any, dtype: Any) -> np.ndarray[Any, Any]:
    if len(value) == 0:  # rpy2 has no view of an empty vector
        return np.empty(0, dtype=dtype)
    return np.array(value.memoryview(), dtype=dtype)


def _bytes(value: Any) -> bytes:
    from rpy2.rinterface_lib import openrlib

    address = openrlib.RAW(value.__sexp__._cdata)  # rpy2 has no view of a raw vector
    return bytes(openrlib.ffi.buffer(address, len(value)))


def _strings(value: Any) -> list[str | None]:
    return [x if isinstance(x, str) else None for x in value]


def _integers(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    missing = array == _NA_INT
    if missing.any():
        out = array.astype(np.float64)
        out[missing] = np.nan
        return out
    return array.astype(np.int64)


def _logicals(array: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return _integers(array) if (array == _NA_INT).any() else array.astype(bool)


def _shaped(array: np.ndarray[Any, Any], value: Any) -> np.ndarray[Any, Any]:
    if "dim" in value.list_attrs():
        array = array.reshape(tuple(value.do_slot("dim")), order="F")
    return array


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
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
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
