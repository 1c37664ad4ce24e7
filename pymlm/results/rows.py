"""A result as a table: its rows and columns, other libraries' frames, Markdown, LaTeX and HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.errors import ArgumentError, PymlmError, near_names
from pymlm.frames_back import flat, in_its_library
from pymlm.tables import Cells, TableFormat, Text, cells_of, written


class Written:
    """What can be said of anything with a `to_frame`: other libraries' tables, and text."""

    __slots__ = ()

    if TYPE_CHECKING:
        notes: tuple[str, ...]

        def to_frame(self) -> pd.DataFrame: ...
        def _remarks(self) -> list[str]: ...

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        try:
            import pyarrow  # type: ignore[import-untyped, unused-ignore]  # an optional extra
        except ImportError as error:
            raise PymlmError(
                f"an Arrow stream needs pyarrow ({error}); run: pip install 'pymlm[parquet]'"
            ) from None
        frame = flat(self.to_frame())
        columns = [_arrow(pyarrow, frame.iloc[:, i]) for i in range(frame.shape[1])]
        table = pyarrow.table(columns, names=list(frame.columns))
        stream: object = table.__arrow_c_stream__(requested_schema)
        return stream

    @strict
    def to_markdown(self, digits: int | None = None, stars: bool | Sequence[float] = False) -> Text:
        """Return the result as a table of Markdown, as GitHub and Quarto read it.

        Parameters
        ----------
        digits : int or None
            Decimals of all numbers that are not whole. None chooses them by the column. p values
            have three decimals at least, and say "<0.001" below.
        stars : bool or sequence of float
            Mark estimates (where there are none, statistics) whose p value is below these levels;
            True is 0.05, 0.01 and 0.001. A line below the table says which.

        Returns
        -------
        str
            ``print`` it, or write it to a file. Columns that hold nothing are left out; the
            result's notes stand below.

        Raises
        ------
        ArgumentError
            For stars where there are no p values.
        """
        return self._written("markdown", digits, stars)

    @strict
    def to_latex(self, digits: int | None = None, stars: bool | Sequence[float] = False) -> Text:
        """Return the result as a tabular of LaTeX, which needs no package.

        Parameters and errors are those of `to_markdown`.
        """
        return self._written("latex", digits, stars)

    @strict
    def to_html(self, digits: int | None = None, stars: bool | Sequence[float] = False) -> Text:
        """Return the result as a table of HTML; Word opens the file, or takes it when pasted.

        Parameters and errors are those of `to_markdown`.
        """
        return self._written("html", digits, stars)

    def _written(self, format: TableFormat, digits: int | None, stars: Any) -> Text:
        return written(self._cells(digits, stars), format)

    def _cells(self, digits: int | None, stars: Any) -> list[Cells]:
        """One table; a class with several says so."""
        notes = dict.fromkeys([*self.notes, *self._remarks()])
        return [cells_of(self.to_frame(), digits, stars, notes=list(notes))]


class Rows(Written):
    """What each result answers beside its own methods, all of it from `to_frame()`.

    ``result["estimate"]`` is a column, ``result["Days"]`` or ``result[0]`` a row, ``result[:3]``
    some rows; ``len`` counts rows, and a loop gives them in order. So NumPy and pandas take a
    result as it is; Polars, PyArrow and DuckDB read its Arrow stream.
    """

    #: The library that the data came in, where it is not pandas; `frames_back` sets it.
    __slots__ = ("_library",)

    @in_its_library
    def __getitem__(self, key: Any) -> Any:
        frame = self.to_frame()
        if isinstance(key, slice):
            return frame.iloc[key]
        if isinstance(key, (int, np.integer)) and not isinstance(key, bool):
            if not -len(frame) <= key < len(frame):
                raise IndexError(f"row {key} of {len(frame)}")  # ends a loop by position, too
            return frame.iloc[int(key)]
        names = _names(frame.columns)
        if isinstance(key, list):
            wrong = [k for k in key if k not in names]
            if not wrong:
                return frame[key]
            key = wrong[0]
        elif key in names:
            return frame[key]
        elif key in (rows := _row_names(frame)):
            return frame.iloc[rows.index(key)] if rows.count(key) == 1 else frame.loc[[key]]
        raise _missing(key, [*names, *_row_names(frame)])

    def __len__(self) -> int:
        return len(self.to_frame())

    def __bool__(self) -> bool:
        # A result without rows is an answer, too: `if result` asks whether there is one.
        return True

    def __iter__(self) -> Iterator[Any]:
        return (row for _, row in self.to_frame().iterrows())

    def __contains__(self, key: object) -> bool:
        frame = self.to_frame()
        return key in _names(frame.columns) or key in _row_names(frame)

    def _ipython_key_completions_(self) -> list[str]:
        frame = self.to_frame()
        return [k for k in (*_names(frame.columns), *_row_names(frame)) if isinstance(k, str)]


def _names(labels: pd.Index) -> list[Any]:
    return list(labels)


def _row_names(frame: pd.DataFrame) -> list[Any]:
    return [] if isinstance(frame.index, pd.RangeIndex) else list(frame.index)


def _missing(key: object, known: list[Any]) -> ArgumentError:
    texts = list(dict.fromkeys(map(str, known)))
    there = ", ".join(texts[:20]) + (", ..." if len(texts) > 20 else "")
    return ArgumentError(
        f"no column or row {key!r} here.{near_names(str(key), texts)} There are: {there}"
    )


def _arrow(pyarrow: Any, column: pd.Series) -> Any:
    try:
        return pyarrow.array(column, from_pandas=False)
    except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, pyarrow.ArrowNotImplementedError):
        # Numbers beside text, or objects that Arrow has not: what they say.
        return pyarrow.array([None if x is None else str(x) for x in column])
