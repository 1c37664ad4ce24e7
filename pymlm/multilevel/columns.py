"""Columns of the user's data that a function names."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

import numpy as np
import pandas as pd

from pymlm.errors import ArgumentError, DataError
from pymlm.frames import prepare, used_columns
from pymlm.results.base import Floats


def column(data: pd.DataFrame, name: str, what: str = "argument") -> pd.Series:
    """Return one column; DataError with near names where there is none."""
    if not isinstance(name, str):
        raise ArgumentError(f"the {what} is a column's name, not {name!r}")
    series = used_columns(data, [name], what).iloc[:, 0]
    if series.dtype == object:
        nested = next((v for v in series if not isinstance(v, Hashable)), None)
        if nested is not None:
            raise DataError(
                f"column {name!r} (dtype object) holds a {type(nested).__name__} in a cell. Give "
                "one number or one text a cell"
            )
    return series


def as_fits_take(data: pd.DataFrame, name: str, what: str) -> pd.Series:
    """Return one column of a kind that a fit takes; DataError, as a fit's, for any other."""
    series = column(data, name, what)
    if not pd.api.types.is_numeric_dtype(series.dtype):
        prepare(series.to_frame(), keys=[name])
    return series


def numbers(data: pd.DataFrame, name: str) -> Floats:
    """Return a numeric or boolean column as floats with NaN.

    Raises
    ------
    DataError
        For text, categories, dates, or infinite values.
    """
    series = column(data, name, "predictor")
    if not (
        pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype)
    ) or pd.api.types.is_complex_dtype(series.dtype):
        raise DataError(
            f"column {name!r} (dtype {series.dtype}) is not numeric. Code it first, e.g. as 0 and 1"
        )
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(f"column {name!r} holds infinite values")
    return values


def names(value: str | Sequence[str], what: str) -> list[str]:
    """Return an argument that is one name or several as a list."""
    given = [value] if isinstance(value, str) else value
    found = list(given) if isinstance(given, Iterable) else []
    if not found or not all(isinstance(v, str) for v in found):
        raise ArgumentError(f"{what} is a column's name or a list of names, not {value!r}")
    if len(set(found)) < len(found):
        raise ArgumentError(f"{what} names a column twice: {', '.join(found)}")
    return found
