"""Columns whose values are names: grouping factors, and what stands inside ``factor()``.

R makes names of numbers by 15 digits and of times by whole seconds: groups would merge, or be
called "3e+09". Such columns cross as factors with labels that tell every value.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pymlm.engine.to_r import NA_INTEGER, Column
from pymlm.errors import DataError

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: Whole numbers below this are written out by R; 100000 is "1e+05" to it.
WRITTEN_OUT = 100_000
#: Counts in a second, by the unit of a column of times.
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
#: Whole numbers up to here are exact in a double.
EXACT = 2**53


def key_column(name: str, series: pd.Series) -> Column | None:
    """Return the column as a factor with exact labels; None where R's own are exact.

    Levels are in the order of the values, as R's ``factor()`` has them.
    """
    values = _numbers_or_times(series)
    if values is None:
        return None
    codes, uniques = pd.factorize(values, sort=True, use_na_sentinel=True)
    out = np.where(codes < 0, NA_INTEGER, codes + 1).astype(np.int32)
    return Column(name, out, "factor", tuple(key_label(v) for v in uniques))


def merges_in_r(series: pd.Series) -> bool:
    """True when R would give two different values of the column one name."""
    values = _numbers_or_times(series)
    if values is None:
        return False
    uniques = pd.unique(values.dropna())
    return len({_name_in_r(v) for v in uniques}) < len(uniques)


def check_names_in_r(data: pd.DataFrame, names: Collection[str]) -> None:
    """Refuse columns that are both numbers and names, where R would give two values one name.

    Raises
    ------
    DataError
    """
    for label, column in data.items():
        if str(label) in names and merges_in_r(column):
            raise DataError(
                f"column {str(label)!r} (dtype {column.dtype}) is a grouping factor and a number "
                "too, and R would give different values one name (it writes 15 digits, and whole "
                f"seconds). Group by a copy: data['group'] = data[{str(label)!r}].astype(str)"
            )


def _numbers_or_times(series: pd.Series) -> pd.Series | None:
    """The values of a column that R would not name exactly, or None."""
    dtype = series.dtype
    if isinstance(dtype, pd.ArrowDtype) and dtype.kind in "mM":
        series = series.array.__arrow_array__().to_pandas()
        dtype = series.dtype
    if dtype == np.dtype(object):
        series = series.infer_objects()
        if series.dtype != object:
            return _numbers_or_times(series)
        kind = pd.api.types.infer_dtype(series, skipna=True)
        return series if kind == "integer" else None  # above 64 bits
    if isinstance(dtype, (pd.CategoricalDtype, pd.SparseDtype)) or pd.api.types.is_bool_dtype(
        dtype
    ):
        return None
    if isinstance(dtype, pd.DatetimeTZDtype):
        naive: pd.Series = series.dt.tz_convert("UTC").dt.tz_localize(None)
        return naive
    if dtype.kind in "mM":
        return series
    if pd.api.types.is_integer_dtype(dtype):
        known = series.dropna()
        small = not len(known) or (known.max() < WRITTEN_OUT and known.min() > -WRITTEN_OUT)
        return None if small else series
    if pd.api.types.is_float_dtype(dtype) and getattr(dtype, "itemsize", 8) <= 8:
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        known = numbers[~np.isnan(numbers)]
        if not np.isfinite(known).all() or _written_out(known):
            return None
        return pd.Series(numbers, index=series.index)
    return None


def _written_out(known: NDArray[np.float64]) -> bool:
    return bool(((known == np.floor(known)) & (np.abs(known) < WRITTEN_OUT)).all())


def key_label(value: Any) -> str:
    """Return the name of one value, different for different values.

    Whole numbers are written out; others are written as R writes them where 15 digits say all,
    else with 17. Times have the day, and the time of day where it is not midnight; differences are
    seconds.
    """
    if isinstance(value, (pd.Timedelta, np.timedelta64)):
        return _seconds(value)
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        day, _, time = str(pd.Timestamp(value)).partition(" ")
        time = time.rstrip("0").rstrip(".") if "." in time else time
        return day if time == "00:00:00" else f"{day} {time}"
    if isinstance(value, (int, np.integer)):
        return str(int(value))
    return number_label(float(value))


def _seconds(value: Any) -> str:
    unit, count = np.datetime_data(np.timedelta64(value).dtype if isinstance(value, np.timedelta64)
                                   else value.to_timedelta64().dtype)  # fmt: skip
    raw = value if isinstance(value, np.timedelta64) else value.to_timedelta64()
    ticks, per = int(raw.astype("int64")) * count, PER_SECOND[unit]
    whole, rest = divmod(abs(ticks), per)
    digits = f".{rest:0{len(str(per)) - 1}d}".rstrip("0") if rest else ""
    return f"{'-' if ticks < 0 else ''}{whole}{digits}"


def number_label(number: float) -> str:
    """Return a number's name: R's, but written out where it is whole, and never of fewer digits."""
    if number.is_integer() and abs(number) <= EXACT:
        return str(int(number))
    written = (f"{number:.{places}e}" for places in (14, 15, 16))
    mantissa, _, exponent = next(w for w in written if float(w) == number).partition("e")
    digits, power = mantissa.lstrip("-").replace(".", "").rstrip("0"), int(exponent)
    # R writes the shorter of 0.0001 and 1e-04, the first where both are as long.
    whole = max(power, 0) + 1
    after = max(len(digits) - 1 - power, 0)
    fixed = whole + (after + 1 if after else 0)
    scientific = len(digits) + (len(digits) > 1) + (5 if abs(power) >= 100 else 4)
    sign = "-" if number < 0 else ""
    if fixed <= scientific:
        return f"{sign}{abs(number):.{after}f}"
    tail = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{sign}{digits[0]}{tail}e{power:+03d}"


def _name_in_r(value: Any) -> str:
    """What R makes of a value, as far as two of them may meet."""
    if isinstance(value, (pd.Timestamp, np.datetime64)):
        return str(pd.Timestamp(value).floor("s"))
    if isinstance(value, (pd.Timedelta, np.timedelta64)):
        return f"{pd.Timedelta(value).total_seconds():.15g}"
    return f"{float(value):.15g}"
