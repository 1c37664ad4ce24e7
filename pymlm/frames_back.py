"""Frames given back in the library that the data came in, where `pymlm.options.frames` asks.

The one place that makes them: what a public function gives back passes through `_answered`
(`pymlm.arguments.strict` hands it over), and a result's frames through `in_its_library`. Inside
pymlm frames are pandas'; a caller of ours is told by its module.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from pymlm import arguments
from pymlm.options import options
from pymlm.other_frames import LIBRARY, library_of
from pymlm.tables import says_nothing

P = ParamSpec("P")
T = TypeVar("T")


def in_its_library(function: Callable[P, T]) -> Callable[P, T]:
    """Make a method of a result give its frames in the library of the data behind the result."""
    if hasattr(function, "gives_frames"):
        return function

    @functools.wraps(function)
    def giving(*args: P.args, **kwargs: P.kwargs) -> T:
        value = function(*args, **kwargs)
        if options.frames == "pandas" or _is_ours(sys._getframe(1)):
            return value
        changed: T = _converted(value, _known(args[:1]), None)
        return changed

    giving.gives_frames = True  # type: ignore[attr-defined]  # read above
    return giving


def _answered(value: Any, given: Iterable[Any], caller: Any) -> Any:
    """What a public function gives back: marked with its library, and in it where that is asked."""
    found = [x for value in given for x in (value if isinstance(value, tuple) else (value,))]
    frames = (x for x in found if library_of(x) is not None)
    native = next(frames, None)
    library = library_of(native) if native is not None else _known(found)
    if library in (None, "pandas"):
        return value
    _mark(value, str(library))
    if options.frames == "pandas" or _is_ours(caller):
        return value
    return _converted(value, library, native)


arguments.answered = _answered


def _is_ours(frame: Any) -> bool:
    return str(frame.f_globals.get("__name__", "")).partition(".")[0] == "pymlm"


def _known(given: Iterable[Any]) -> str | None:
    """The library of the first model or result among the arguments that came from one."""
    for value in given:
        library = getattr(value, "_library", None)
        if isinstance(library, str):
            return library
    return None


def _mark(value: Any, library: str) -> None:
    """Let a result, and the results in it, know their library; a model knows by its data."""
    if not hasattr(type(value), "_library") or isinstance(type(value)._library, property):
        return
    object.__setattr__(value, "_library", library)
    if dataclasses.is_dataclass(value):
        for field in dataclasses.fields(value):
            _mark(getattr(value, field.name, None), library)


def _converted(value: Any, library: str | None, native: Any) -> Any:
    if library in (None, "pandas"):
        return value
    if isinstance(value, dict):
        return {k: _converted(v, library, native) for k, v in value.items()}
    if isinstance(value, pd.Series):
        frame = value.to_frame(value.name if value.name is not None else "value")
        if says_nothing(frame):
            return _frame(frame, library, native)[frame.columns[0]]
        return _frame(frame, library, native)
    return _frame(value, library, native) if isinstance(value, pd.DataFrame) else value


def _frame(frame: pd.DataFrame, library: Any, native: Any) -> Any:
    import narwhals.stable.v1 as nw

    plain = flat(frame)
    plain.attrs = {}
    try:
        import pyarrow  # type: ignore[import-untyped, unused-ignore]  # an optional extra

        table = pyarrow.Table.from_pandas(plain, preserve_index=False).replace_schema_metadata()
        made = nw.from_arrow(table, backend=library)
    except ImportError:
        columns = {n: [None if pd.isna(x) else x for x in plain[n]] for n in plain.columns}
        made = nw.from_dict(columns, backend=library)
    return (made if native is None else _as_given(made, native)).to_native()


def _as_given(made: Any, native: Any) -> Any:
    """Columns that the caller gave have the caller's own types."""
    import narwhals as nw  # the stable one's Enum has no categories

    made, schema = nw.from_native(made.to_native()), nw.from_native(native).collect_schema()
    for name, kind in made.schema.items():
        if name in schema and schema[name] != kind:
            with contextlib.suppress(Exception):  # each library has its own; the values are right
                made = made.with_columns(nw.col(name).cast(schema[name]))
    return made


def flat(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose labels of rows are columns, where they say more than the columns do."""
    if says_nothing(frame):
        out = frame.reset_index(drop=True)
    else:
        taken = {str(c) for c in frame.columns}
        counted = pd.api.types.is_integer_dtype(frame.index.dtype)  # rows that are left of more
        free = next(
            n for n in ("row" if counted else "term", "row", "label", "rownames") if n not in taken
        )
        names = [n if n is not None and str(n) not in taken else f"{free}_{i}" if i else free
                 for i, n in enumerate(frame.index.names)]  # fmt: skip
        out = frame.set_axis(frame.index.set_names(names), axis=0).reset_index()
    out.columns = pd.Index([str(c) for c in out.columns], dtype=object)
    return out


def own_library(data: pd.DataFrame | None) -> str | None:
    """Return the library that a model's data came in, as `to_pandas` noted it."""
    return None if data is None else data.attrs.get(LIBRARY)
