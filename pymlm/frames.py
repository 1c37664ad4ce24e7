"""Which columns a model uses, and how each dtype is made ready for R. Pure pandas and numpy.

Nothing is converted element by element: numbers go over as numpy buffers, text and categories as
integer codes with their levels. What R cannot hold without loss is refused, never changed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.engine.to_r import NA_INTEGER, Column, Frame
from pymlm.errors import DataError, FormulaError, near_names
from pymlm.frame_keys import EXACT, PER_SECOND, key_column
from pymlm.other_frames import to_pandas
from pymlm.synonyms import constant_in_r

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: R's NA_real_: the NaN whose low word is 1954 (R's arithmetic.c).
NA_REAL = np.array([0x7FF00000000007A2], dtype=np.uint64).view(np.float64)[0]
#: Names with a meaning of their own in R's model frames.
RESERVED = re.compile(r"\(weights\)|\(offset\)|\.\.\.|\.\.\d+")
#: From this many rows on a copy costs more than pandas' bookkeeping.
LONG = 5_000


def as_pandas(data: Any) -> pd.DataFrame:
    """Return `data` as a pandas DataFrame; a pandas frame is returned as it is.

    Parameters
    ----------
    data : DataFrame
        pandas, or any frame that narwhals reads (Polars, PyArrow, Modin, DuckDB ...).

    Raises
    ------
    DataError
        When `data` is no data frame, or has no rows.
    """
    frame = data if isinstance(data, pd.DataFrame) else to_pandas(data)
    if len(frame) == 0:
        raise DataError(f"the data frame is empty: 0 rows, {frame.shape[1]} columns")
    return frame


def used_columns(data: pd.DataFrame, names: Iterable[str], what: str = "formula") -> pd.DataFrame:
    """Return the columns `names` of `data`, by their name as text: the one look-up of columns.

    `what` says where the names stand: "formula", or e.g. "argument by".

    Raises
    ------
    FormulaError
        For a name in a formula that is no column; near names are listed.
    DataError
        For one in an argument; for a name that stands for more than one column.
    """
    labels: dict[str, list[int]] = {}
    for position, label in enumerate(data.columns):
        labels.setdefault(str(label), []).append(position)
    positions = []
    for name in names:
        found = labels.get(name, [])
        if not found:
            error = FormulaError if what == "formula" else DataError
            raise error(
                f"the {what} names {name!r}, which is not a column of the data."
                + (constant_in_r(name) or near_names(name, labels) or _column_list(labels))
            )
        if len(found) > 1:
            raise DataError(
                f"{len(found)} columns of the data are called {name!r}; rename all but one"
            )
        positions.append(found[0])
    return _take(data, positions)


def row_label(index: pd.Index, position: int) -> str:
    """Return the label of a row as a person would write it: 177, not np.int64(177)."""
    return repr(index[[position]].tolist()[0])


def _take(data: pd.DataFrame, positions: list[int]) -> pd.DataFrame:
    """Columns by position; of long frames without copying them, which takes pandas longer."""
    if len(data) < LONG or len(set(positions)) < len(positions):
        return data.take(positions, axis=1)
    columns = {data.columns[i]: data.iloc[:, i] for i in positions}
    out = pd.DataFrame(columns, index=data.index, copy=False)
    out.attrs = data.attrs
    return out


def _column_list(labels: Iterable[str]) -> str:
    names = list(labels)
    return f" The columns are: {', '.join(names[:20])}{' ...' if len(names) > 20 else ''}."


def prepare(
    data: pd.DataFrame,
    *,
    row_names: bool = False,
    hidden: tuple[str, ...] = (),
    keys: Collection[str] = (),
) -> Frame:
    """Make every column of `data` ready for R.

    Parameters
    ----------
    data : DataFrame
        Only columns that cross; each is copied once.
    row_names : bool
        Give R the index as row names where it is not just 0, 1, 2 ... and is unique.
    hidden : tuple of str
        Columns that are not the user's, so that the dot of a formula does not stand for them.
    keys : collection of str
        Columns whose values are names alone; those cross with exact labels.

    Raises
    ------
    DataError
        For a column that R cannot hold without loss, naming column, dtype and remedy.
    """
    columns = tuple(
        (key_column(str(label), column) if str(label) in keys else None)
        or _column(str(label), column)
        for label, column in data.items()
    )
    return Frame(columns, len(data), _row_names(data.index) if row_names else None, hidden)


def _row_names(index: pd.Index) -> tuple[str, ...] | NDArray[np.int32] | None:
    if isinstance(index, pd.RangeIndex) and (index.start, index.step) == (0, 1):
        return None
    if isinstance(index, pd.MultiIndex) or not index.is_unique:
        return None
    if index.dtype == np.int64 and index.min() > 0 and index.max() < 2**31:
        return index.to_numpy().astype(np.int32)  # R writes them as text when it needs them
    return tuple(str(x) for x in index)


def _column(name: str, series: pd.Series) -> Column:
    if RESERVED.fullmatch(name):
        raise DataError(f"R keeps the name {name!r} for itself; rename that column")
    if isinstance(series.dtype, pd.ArrowDtype) and series.dtype.kind in "mM":
        series = series.array.__arrow_array__().to_pandas()  # dates, times or differences
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _categorical(name, series)
    if isinstance(dtype, pd.SparseDtype):
        raise _refusal(name, dtype, "a sparse column", ".sparse.to_dense()")
    if pd.api.types.is_bool_dtype(dtype):
        return Column(name, _masked_int(series, "bool"), "logical")
    if pd.api.types.is_integer_dtype(dtype):
        return _integer(name, series)
    if pd.api.types.is_float_dtype(dtype):
        return _double(name, series)
    if isinstance(dtype, pd.DatetimeTZDtype) or pd.api.types.is_datetime64_any_dtype(dtype):
        return Column(name, _seconds(series), "POSIXct")
    if pd.api.types.is_timedelta64_dtype(dtype):
        return Column(name, _seconds(series), "difftime")
    if isinstance(dtype, pd.StringDtype) or dtype == np.dtype(object) or "string" in str(dtype):
        return _text(name, series)
    raise _refusal(name, dtype, "values that R's mixed models cannot use", ".astype(float)")


def _refusal(name: str, dtype: Any, what: str, remedy: str) -> DataError:
    return DataError(f"column {name!r} (dtype {dtype}): {what}. Convert it, e.g. with {remedy}")


def _missing(series: pd.Series) -> NDArray[np.bool_]:
    return np.asarray(series.isna(), dtype=bool)


def _masked_int(series: pd.Series, via: str) -> NDArray[np.int32]:
    missing = _missing(series)
    if not missing.any():
        return np.ascontiguousarray(series.to_numpy(dtype=via), dtype=np.int32)
    filled = series.fillna(False if via == "bool" else 0)
    out = np.array(filled.to_numpy(dtype=via), dtype=np.int32)
    out[missing] = NA_INTEGER
    return out


def _integer(name: str, series: pd.Series) -> Column:
    missing = _missing(series)
    present = series if not missing.any() else series[~missing]
    low, high = (int(present.min()), int(present.max())) if len(present) else (0, 0)
    if low > -(2**31) and high < 2**31:
        return Column(name, _masked_int(series, "int64"), "integer")
    if max(abs(low), abs(high)) > EXACT:
        raise DataError(
            f"column {name!r} (dtype {series.dtype}): values above 2^53 cannot be held by R "
            "without loss. Convert with .astype(float) if the exact count does not matter, or "
            "with .astype(str).astype('category') if it is an identifier"
        )
    if not missing.any():
        return Column(name, np.ascontiguousarray(series.to_numpy(), dtype=np.float64), "double")
    out = np.array(series.fillna(0).to_numpy(dtype="int64"), dtype=np.float64)
    out[missing] = NA_REAL
    return Column(name, out, "double")


def _double(name: str, series: pd.Series) -> Column:
    if getattr(series.dtype, "itemsize", 8) > 8:
        raise _refusal(name, series.dtype, "more digits than R holds", ".astype('float64')")
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    finite = np.isfinite(values)
    if not finite.all():
        infinite = np.isinf(values)
        if infinite.any():
            where = row_label(series.index, int(np.argmax(infinite)))
            raise DataError(
                f"column {name!r}: {int(infinite.sum())} infinite value(s), the first in row "
                f"{where}. Replace them, e.g. with .replace([np.inf, -np.inf], np.nan)"
            )
        values = np.where(finite, values, NA_REAL)
    return Column(name, np.ascontiguousarray(values), "double")


def _seconds(series: pd.Series) -> NDArray[np.float64]:
    if isinstance(series.dtype, pd.DatetimeTZDtype):
        series = series.dt.tz_convert("UTC").dt.tz_localize(None)
    values = series.to_numpy()
    # In the column's own unit: nanoseconds overflow before 1678 and after 2261.
    out = values.astype("int64") / PER_SECOND[np.datetime_data(values.dtype)[0]]
    out[np.isnat(values)] = NA_REAL
    return np.ascontiguousarray(out)


def _categorical(name: str, series: pd.Series) -> Column:
    levels = [level_name(c) for c in series.cat.categories]
    if len(set(levels)) < len(levels):
        twice = next(x for x in levels if levels.count(x) > 1)
        raise DataError(
            f"column {name!r}: two categories become the same R level {twice!r}. Rename one with "
            ".cat.rename_categories(...)"
        )
    codes = series.cat.codes.to_numpy().astype(np.int32)
    out = np.where(codes < 0, NA_INTEGER, codes + 1).astype(np.int32)
    kind = "ordered" if series.cat.ordered else "factor"
    return Column(name, out, kind, _checked_text(name, levels))


def level_name(value: Any) -> str:
    """A category as R's factor() would call it: 1.0 is "1", True is "TRUE"."""
    if isinstance(value, (bool, np.bool_)):
        return "TRUE" if value else "FALSE"
    if isinstance(value, (float, np.floating)):
        number = float(value)
        if math.isfinite(number) and number.is_integer() and abs(number) <= EXACT:
            return str(int(number))
        return f"{number:.15g}"
    return str(value)


def _text(name: str, series: pd.Series) -> Column:
    try:
        codes, uniques = pd.factorize(series, use_na_sentinel=True)
    except TypeError:  # lists, dicts, arrays: not hashable
        raise _refusal(name, series.dtype, "nested values", ".explode()") from None
    levels = list(uniques)
    if not all(isinstance(x, str) for x in levels):
        return _objects(name, series, levels)
    out = np.where(codes < 0, NA_INTEGER, codes + 1).astype(np.int32)
    return Column(name, out, "factor", _checked_text(name, levels), sort_levels=True)


def _objects(name: str, series: pd.Series, levels: Sequence[Any]) -> Column:
    kind = pd.api.types.infer_dtype(levels, skipna=True)
    types = sorted({type(x).__name__ for x in levels})
    if kind == "date" and len(types) == 1:
        days = series.to_numpy(dtype="datetime64[D]")
        out = days.astype("int64").astype(np.float64)
        out[_missing(series)] = NA_REAL
        return Column(name, out, "Date")
    if kind in ("datetime", "datetime64", "timedelta", "timedelta64"):
        inferred = series.infer_objects()
        if inferred.dtype != object:
            return _column(name, inferred)
        raise _refusal(name, series.dtype, "times of several zones", "pd.to_datetime(utc=True)")
    if len(types) > 1:
        raise DataError(
            f"column {name!r} (dtype {series.dtype}) mixes types: {', '.join(types)}. Make it one "
            "type, e.g. with .astype(str) or pd.to_numeric(...)"
        )
    raise _refusal(
        name,
        series.dtype,
        f"Python objects of type {types[0] if types else 'None'}",
        ".infer_objects(), .astype(float) or .astype('category')",
    )


def _checked_text(name: str, levels: Sequence[str]) -> tuple[str, ...]:
    for level in levels:
        if "\0" in level:
            raise DataError(f"column {name!r}: {level!r} holds a NUL character, which R cannot")
        try:
            level.encode("utf-8")
        except UnicodeEncodeError:
            raise DataError(f"column {name!r}: {level!r} is not valid Unicode text") from None
    return tuple(levels)


def per_row(value: Any, name: str, data: pd.DataFrame) -> pd.Series:
    """Check an argument that holds one number per row (weights, offset); return a Series.

    Parameters
    ----------
    value : str or array-like
        A column's name, or one number per row of `data`; a Series must have `data`'s index. Only
        a column may miss values.

    Raises
    ------
    DataError
        For a name that is no column, a wrong length, another index, text, or missing or
        infinite values.
    """
    if isinstance(value, str):
        series = used_columns(data, [value], f"argument {name}").iloc[:, 0]
    elif isinstance(value, pd.Series):
        if len(value) == len(data) and not value.index.equals(data.index):
            raise DataError(
                f"{name} is a Series whose index differs from the data's: pass it as a column, or "
                f"as an array with .to_numpy() if the rows are in the same order"
            )
        series = value
    else:
        values = np.asarray(value)
        if values.ndim > 1:
            raise DataError(f"{name} must have one dimension, not {values.ndim}")
        series = pd.Series(values)
    if len(series) != len(data):
        raise DataError(f"{name} has {len(series)} values, the data have {len(data)} rows")
    if not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_complex_dtype(
        series.dtype
    ):
        raise DataError(f"{name} must be numbers, not {series.dtype}")
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    # A column of the data may miss values, as any that the formula uses: R drops these rows.
    bad = np.isinf(numbers) if isinstance(value, str) else ~np.isfinite(numbers)
    if bad.any():
        row = row_label(data.index, int(np.argmax(bad)))
        raise DataError(
            f"{name} is missing or infinite in {int(bad.sum())} row(s), the first is {row}; "
            "drop these rows or fill the values"
        )
    return pd.Series(numbers, index=data.index)


def complete_rows(data: pd.DataFrame) -> NDArray[np.bool_]:
    """True where no column is missing: the rows that R keeps (na.omit)."""
    complete = np.ones(len(data), dtype=bool)
    for _, column in data.items():  # noqa: PERF102  # `values` of a frame is an array
        complete &= column.notna().to_numpy()
    return complete


def any_complete(frame: Frame) -> bool:
    """True when some row of a frame made ready misses nothing."""
    complete = np.ones(frame.nrow, dtype=bool)
    for column in frame.columns:
        values = column.values
        complete &= ~np.isnan(values) if values.dtype == np.float64 else values != NA_INTEGER
    return bool(complete.any()) or not frame.columns


def check_some_complete(data: pd.DataFrame) -> None:
    """Raise DataError when every row misses something in the columns of `data`."""
    if data.shape[1] and not complete_rows(data).any():
        worst = data.isna().sum().idxmax()
        raise DataError(
            f"every one of the {len(data)} rows has a missing value in the columns used; column "
            f"{worst!r} alone misses {int(data[worst].isna().sum())}"
        )


def as_column(column: dict[str, Any]) -> Any:
    """Make a pandas column of what the bridge's `.column` sends."""
    kind, values = str(column["kind"][0]), column["values"]
    if kind in ("factor", "ordered"):
        codes = np.where(np.isnan(values.astype(float)), 0, values).astype(int) - 1
        return pd.Categorical.from_codes(codes, column["levels"], ordered=kind == "ordered")
    if kind == "Date":
        return pd.to_datetime(values, unit="D")
    if kind == "POSIXct":
        return pd.to_datetime(values, unit="s")
    if kind == "integer" and values.dtype.kind == "f":  # integers with NA
        return pd.array(values, dtype="Int64")
    if kind == "logical" and values.dtype.kind == "f":
        return pd.array([None if np.isnan(v) else bool(v) for v in values], dtype="boolean")
    return values
