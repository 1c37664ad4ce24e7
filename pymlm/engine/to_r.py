"""Python values -> R objects. Everything here runs on the R thread.

Columns of a data frame come prepared by `pymlm.frames` (numpy buffers and factor codes), so nothing
is converted element by element.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from pymlm.engine.r_thread import RObject
from pymlm.engine.vectors import items, numbers, texts
from pymlm.errors import DataError

#: R's NA of type integer (and of logical and factor codes).
NA_INTEGER = np.int32(-2147483648)


@dataclass(frozen=True, slots=True)
class Column:
    """One data-frame column, ready to be copied into R.

    Attributes
    ----------
    name : str
    values : ndarray of float64 or int32
        For a factor, codes from 1; NA_INTEGER where missing.
    kind : str
        "double", "integer", "logical", "factor", "ordered", "Date", "POSIXct" or "difftime".
    levels : tuple of str
        Factor levels in order.
    sort_levels : bool
        Let R put the levels in its own order (a text column), instead of keeping theirs.
    """

    name: str
    values: np.ndarray[Any, Any]
    kind: str
    levels: tuple[str, ...] = ()
    sort_levels: bool = False


@dataclass(frozen=True, slots=True)
class Frame:
    """Columns of equal length that become one R data frame; `hidden` names those of ours in it."""

    columns: tuple[Column, ...]
    nrow: int
    row_names: tuple[str, ...] | np.ndarray[Any, Any] | None = None
    hidden: tuple[str, ...] = ()

    def cut(self, rows: np.ndarray[Any, Any]) -> Frame:
        """Some rows, by position, without names; factors keep all their levels."""
        columns = tuple(replace(c, values=c.values[rows]) for c in self.columns)
        return Frame(columns, len(rows))


@dataclass(frozen=True, slots=True)
class Code:
    """R code as text, parsed but not evaluated on the way in (a vetted formula, a call)."""

    text: str


@dataclass(frozen=True, slots=True)
class Callback:
    """A function of a module that R may call with named lists; it answers with a mapping.

    Numbers arrive as read-only arrays over R's memory. An exception reaches R as an entry `error`,
    its text. R keeps the function for good, so it must not be made anew for every call.
    """

    function: Callable[..., Mapping[str, Any]]


def to_r(value: Any) -> Any:
    """Return `value` as an rpy2 object.

    Raises
    ------
    DataError
        For a type that has no R counterpart here.
    """
    import rpy2.rinterface as ri

    match value:
        case None:
            return ri.NULL
        case RObject():
            return value.value
        case bool() | np.bool_():
            return numbers("logical", np.array([bool(value)]))
        case int() | np.integer():
            number = int(value)
            kind = "integer" if abs(number) < 2**31 else "double"
            return numbers(kind, np.array([number]))
        case float() | np.floating():
            return numbers("double", np.array([float(value)]))
        case str():
            return texts([value])
        case bytes():
            return numbers("raw", np.frombuffer(value, np.uint8))
        case np.ndarray():
            return array_to_r(value)
        case Frame():
            return frame_to_r(value)
        case Code():
            return ri.parse(value.text)[0]
        case Callback():
            return _callback_to_r(value.function)
        case Mapping():
            return _named_list({str(k): to_r(v) for k, v in value.items()})
        case Sequence():
            return _sequence_to_r(value)
    raise DataError(f"a {type(value).__name__} cannot be given to R")


@functools.cache
def _callback_to_r(function: Callable[..., Mapping[str, Any]]) -> Any:
    import rpy2.rinterface as ri

    from pymlm.engine.from_r import views_of_r

    def answer(*args: Any) -> Any:
        try:
            return to_r(function(*(views_of_r(a) for a in args)))
        except Exception as error:  # rpy2 would print it and go on with NULL
            return to_r({"error": str(error), "kind": type(error).__name__})

    closure = ri.rternalize(answer)
    # For good: R may hold it as long as it lives, and rpy2's clean-up of such an object fails when
    # the interpreter is already half gone.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(closure))
    return closure


def array_to_r(array: np.ndarray[Any, Any]) -> Any:
    """Copy a 1-d or 2-d numeric, boolean or text array into an R vector or matrix."""
    flat = np.ravel(array, order="F")
    if flat.size == 0 or (flat.dtype.kind in "iuf" and flat.dtype != np.int32):
        vector = numbers("double", flat)
    elif flat.dtype.kind == "b":
        vector = numbers("logical", flat)
    elif flat.dtype == np.int32:
        vector = numbers("integer", flat)
    elif flat.dtype.kind in "UO" and all(isinstance(x, str) for x in flat):
        vector = texts(flat.tolist())
    else:
        raise DataError(f"an array of dtype {array.dtype} cannot be given to R")
    if array.ndim > 1:
        vector.do_slot_assign("dim", numbers("integer", np.array(array.shape)))
    return vector


def frame_to_r(frame: Frame) -> Any:
    """Make an R data.frame; each column is copied once."""
    data = items([_column_to_r(c) for c in frame.columns])
    data.do_slot_assign("names", texts([c.name for c in frame.columns]))
    if frame.row_names is None:  # R's compact form of 1..n
        rows: Any = numbers("integer", np.array([NA_INTEGER, -frame.nrow]))
    elif isinstance(frame.row_names, np.ndarray):
        rows = array_to_r(frame.row_names)
    else:
        rows = texts(frame.row_names)
    data.do_slot_assign("row.names", rows)
    if frame.hidden:
        data.do_slot_assign("pymlm_hidden", texts(frame.hidden))
    data.rclass = texts(["data.frame"])
    return data


def _column_to_r(column: Column) -> Any:
    values = column.values
    match column.kind:
        case "double" | "integer" | "logical":
            return numbers(column.kind, values)
        case "factor" | "ordered":
            return _factor(column)
        case "Date":
            return _classed(numbers("double", values), ["Date"], {})
        case "POSIXct":
            return _classed(numbers("double", values), ["POSIXct", "POSIXt"], {"tzone": "UTC"})
        case "difftime":
            return _classed(numbers("double", values), ["difftime"], {"units": "secs"})
    raise DataError(f"column {column.name!r}: no R type for {column.kind!r}")


def _factor(column: Column) -> Any:
    import rpy2.rinterface as ri

    codes, levels = column.values, column.levels
    if column.sort_levels and len(levels) > 1:
        # R's own order of text depends on the locale, so R sorts the levels and the codes follow.
        order = np.asarray(ri.baseenv["order"](texts(levels)), dtype=np.int64) - 1
        rank = np.empty(len(levels) + 1, dtype=np.int32)
        rank[1:][order] = np.arange(1, len(levels) + 1, dtype=np.int32)
        rank[0] = NA_INTEGER
        codes = rank[np.where(codes == NA_INTEGER, 0, codes)]
        levels = tuple(levels[i] for i in order)
    factor = numbers("integer", codes)
    factor.do_slot_assign("levels", texts(levels))
    factor.rclass = texts(["ordered", "factor"] if column.kind == "ordered" else ["factor"])
    return factor


def _classed(vector: Any, classes: list[str], attributes: dict[str, str]) -> Any:
    for name, text in attributes.items():
        vector.do_slot_assign(name, texts([text]))
    vector.rclass = texts(classes)
    return vector


def _named_list(named: dict[str, Any]) -> Any:
    out = items(list(named.values()))
    out.do_slot_assign("names", texts(list(named)))
    return out


def _sequence_to_r(values: Sequence[Any]) -> Any:
    if values and all(isinstance(v, str) for v in values):
        return texts(values)
    if values and all(isinstance(v, bool) for v in values):
        return numbers("logical", np.array(values))
    if values and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        return array_to_r(np.asarray(values))
    return items([to_r(v) for v in values])
