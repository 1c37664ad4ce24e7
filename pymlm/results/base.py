"""What every result has in common: printing, frames, JSON and back."""

from __future__ import annotations

import builtins
import dataclasses
import json
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pymlm.arguments import strict
from pymlm.display import heading, readable, shortened, words
from pymlm.errors import ArgumentError, PymlmError, UnknownNameError, near_names
from pymlm.escape import few_rows, html_block, html_frame
from pymlm.frames_back import in_its_library
from pymlm.hints import missing_in_result
from pymlm.options import options
from pymlm.results.printed import Printed as Printed
from pymlm.results.printed import in_digits, shown, unsaid
from pymlm.results.rows import Rows
from pymlm.tables import says_nothing

Floats = NDArray[np.float64]

#: Columns of every table of estimates and their tests, in broom's order.
ESTIMATES = ("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")


def check_known(name: object, known: Iterable[str], what: str) -> None:
    """Raise ArgumentError unless `name` is one of `known`, which the error lists."""
    names = list(dict.fromkeys(known))
    if not isinstance(name, str) or name not in names:
        raise ArgumentError(
            f"no {what} {name!r} here.{near_names(str(name), names)} There are: {', '.join(names)}"
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Result(Rows):
    """Base of all result dataclasses: frozen, slotted, keyword-only.

    A subclass says in `_columns` which of its fields are columns of `to_frame()`, and in `_index`
    which field names the rows.

    Attributes
    ----------
    notes : tuple of str
        What R says in messages while it makes the result, put here by ``pymlm.engine.call``; before
        it remarks of pymlm's own. They stand below the print.
    """

    _columns: ClassVar[tuple[str, ...]] = ()
    _index: ClassVar[str | None] = None

    notes: tuple[str, ...] = ()

    if not TYPE_CHECKING:  # else every name would be known to mypy and editors

        def __getattr__(self, name: str) -> Any:
            if name.startswith("_") or hasattr(type(self), name):
                return object.__getattribute__(self, name)
            raise UnknownNameError(missing_in_result(name, type(self)), name)

    @in_its_library
    def to_frame(self) -> pd.DataFrame:
        """Return the result as a fresh DataFrame, one row per term; absent columns are NaN."""
        values = {name: getattr(self, name) for name in self._columns}
        if self._index is None and all(np.ndim(value) == 0 for value in values.values()):
            return pd.DataFrame([values])  # one number each: one row
        n = len(getattr(self, self._index or self._columns[0]))
        columns = {
            name: np.full(n, np.nan) if value is None else np.array(value)
            for name, value in values.items()
        }
        index = pd.Index(list(getattr(self, self._index)), dtype=object) if self._index else None
        return pd.DataFrame(columns, index=index)

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain dicts, lists, numbers and text, ready for `json.dumps`.

        NaN and infinities, which JSON has not, become None, "Infinity" or "-Infinity".
        """
        out = {}
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            out[field.name] = str(value) if isinstance(value, Printed) else _plain(value)
        return out

    def to_json(self, **options: Any) -> str:
        """Return the result as JSON text; `options` go to `json.dumps`."""
        return json.dumps(self.to_dict(), **options)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the result again from what `to_dict` gave.

        Raises
        ------
        ArgumentError
            When `data` is not what a result of this class gives.
        """
        try:
            made: Self = _made_again(cls, data)
        except (
            ArithmeticError,
            LookupError,
            AttributeError,
            RecursionError,
            TypeError,
            ValueError,
        ) as error:
            raise ArgumentError(
                f"this is not what {cls.__name__}.to_dict() or to_json() gives ({error})"
            ) from None
        return made

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make the result again from what `to_json` gave.

        Raises
        ------
        ArgumentError
            When `text` is no JSON, or of something else.
        """
        try:
            data = json.loads(text)
        except (RecursionError, TypeError, ValueError) as error:
            raise ArgumentError(f"this is no JSON text of a result: {error}") from None
        return cls.from_dict(data)

    @property
    def text(self) -> str:
        """The result as R prints it where R has such a print, else as a table.

        A table of more rows than pandas' option display.max_rows is shortened, as pandas does it.
        """
        return "\n".join([self._body(), *self._remarks()])

    def _body(self) -> str:
        """The result without its notes."""
        printed = getattr(self, "printed", None)
        # R prints no text where it stops at a print.
        text = "" if printed is None else str(printed)
        return text or shown(self.to_frame())

    def _remarks(self) -> list[str]:
        """Lines below R's print: the notes that do not stand in it."""
        return unsaid(self.notes, getattr(self, "printed", None))

    @strict
    def print(self, digits: int | None = None) -> None:
        """Print the result, as R does under ``options(digits = digits)``.

        Parameters
        ----------
        digits : int, optional
            1 to 22. Default is `pymlm.options.digits`, or R's 7; of a table that R does not print,
            pandas' own digits.

        Raises
        ------
        NotSupportedError
            For other digits than it came with, when the result comes from a pickle or JSON, which
            hold R's text alone.
        """
        with options(digits=digits):
            builtins.print(in_digits(self, digits).text)  # noqa: T201  # it prints, as R's print()

    def __str__(self) -> str:
        return self.text

    def _repr_html_(self) -> str:
        caption = self._html_caption()
        below = "\n".join(unsaid([*self.notes, *self._remarks()], caption))
        frame = self._shown_rows()
        shown = html_frame(readable(few_rows(frame)), index=not says_nothing(frame))
        table = html_block(caption) + shown
        return table + (html_block(below) if below else "")

    def _shown_rows(self) -> pd.DataFrame:
        """The rows that a notebook shows."""
        return self.to_frame()

    def _html_caption(self) -> str:
        printed = getattr(self, "printed", None)
        said = "" if printed is None else heading(str(printed))
        if type(self)._body is not Result._body:  # a class that says it in words of its own
            said = heading(self._body())
        return said or words(type(self).__name__)

    def __init_subclass__(cls) -> None:
        # @dataclass writes a __repr__ of its own unless the class has one.
        if "__repr__" not in cls.__dict__:
            cls.__repr__ = Result.__repr__  # type: ignore[method-assign]  # as @dataclass does
        for name, found in list(cls.__dict__.items()):
            if _gives_frames(name, found):
                setattr(cls, name, in_its_library(found))

    def __repr__(self) -> str:
        """What `print` shows, long ones without their middle, as pandas does."""
        try:
            return shortened(str(self))
        except PymlmError as error:  # R is asked for its print, and may be gone
            return f"<{type(self).__name__}, which cannot be printed: {error}>"


def _gives_frames(name: str, found: Any) -> bool:
    """Whether a public method of a result gives frames, or rows by `[]`."""
    if not isinstance(found, types.FunctionType) or (
        name.startswith("_") and name != "__getitem__"
    ):
        return False
    returns = str(found.__annotations__.get("return", ""))
    return name == "__getitem__" or "pd.DataFrame" in returns or "pd.Series" in returns


def readonly(array: Any) -> NDArray[Any]:
    """Return `array` as a read-only ndarray."""
    out = np.asarray(array)
    out.setflags(write=False)
    return out


def _plain(value: Any) -> Any:
    match value:
        case None | str() | bool():
            return value
        case Result():
            return value.to_dict()
        case float() | np.floating():
            return _plain_float(float(value))
        case np.bool_():
            return bool(value)
        case int() | np.integer():
            return int(value)
        case np.ndarray():
            return _plain(value.tolist())
        case pd.Series() | pd.Index():
            return _plain(value.tolist())
        case pd.DataFrame():
            columns = {str(k): _plain(v) for k, v in value.items()}
            return {"index": _plain(value.index), "columns": columns}
        case Mapping():
            return {str(k): _plain(v) for k, v in value.items()}
        case Printed():
            return str(value)
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(v) for v in value]
    return str(value)


def _plain_float(value: float) -> float | str | None:
    if math.isnan(value):
        return None
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return value


def _made_again(cls: Any, data: Mapping[str, Any]) -> Any:
    hints = typing.get_type_hints(cls)
    fields = {f.name for f in dataclasses.fields(cls)}
    unknown = sorted(set(data) - fields)
    if unknown:
        raise ValueError(f"{cls.__name__} has no field {', '.join(unknown)}")
    return cls(**{k: _restored(hints[k], v) for k, v in data.items()})


def _restored(annotation: Any, value: Any) -> Any:
    """Undo `_plain` for a field of this annotation."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    # NDArray of numpy 2.5 is a type alias to look through.
    origin = typing.get_origin(getattr(origin, "__value__", None)) or origin
    if origin in (typing.Union, types.UnionType):
        inner = next(a for a in args if a is not type(None))
        if value is None and type(None) in args:
            return None
        return _restored(inner, value)
    if annotation is Printed:
        return Printed(value)
    if dataclasses.is_dataclass(annotation):
        return _made_again(annotation, value)
    if annotation is np.ndarray or origin is np.ndarray:
        return readonly(_numbers(value))
    if annotation is pd.DataFrame:
        return pd.DataFrame(value["columns"]).set_axis(_index(value["index"]), axis=0)
    if annotation is pd.Index:
        return _index(value)
    if origin is tuple:
        each = args[:1] * len(value) if args[-1] is Ellipsis else args
        return tuple(_restored(a, v) for a, v in zip(each, value, strict=True))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {k: _restored(args[1], v) for k, v in value.items()}
    if annotation is float:
        return _float(value)
    return value


def _index(labels: list[Any]) -> pd.Index:
    if labels and all(isinstance(x, list) for x in labels):
        labels = [tuple(x) for x in labels]  # of these pandas makes a MultiIndex
    index: pd.Index = pd.Index(labels)
    return index


def _numbers(value: Any) -> Any:
    if isinstance(value, list) and value and isinstance(value[0], list):
        return np.array([_numbers(v) for v in value])
    if any(isinstance(v, str) and v not in ("Infinity", "-Infinity") for v in value):
        return np.array(value, dtype=object)
    if all(isinstance(v, bool) for v in value) and value:
        return np.array(value)
    if all(isinstance(v, int) for v in value) and value:
        return np.array(value)
    return np.array([_float(v) for v in value])


def _float(value: Any) -> float:
    if value is None:
        return math.nan
    return float({"Infinity": "inf", "-Infinity": "-inf"}.get(value, value))
