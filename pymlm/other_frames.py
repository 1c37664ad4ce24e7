"""Frames of other libraries, which narwhals reads, as pandas frames; no value is changed."""

from __future__ import annotations

import os
from typing import Any

import pandas as pd

from pymlm.errors import DataError

#: In `attrs` of a frame that was made of another library's: which.
LIBRARY = "pymlm_library"
#: Libraries whose frames are made as asked; of others that narwhals reads, PyArrow's are.
_MADE = ("polars", "pyarrow", "modin", "cudf")


def library_of(value: Any) -> str | None:
    """Return whose frame a value is, "pandas" or what is made of it; None for no frame."""
    if isinstance(value, pd.DataFrame):
        return "pandas"
    if value is None or isinstance(value, (str, int, float, list, tuple, dict, pd.Series)):
        return None
    module = type(value).__module__.partition(".")[0]
    if module in ("pymlm", "numpy", "builtins"):
        return None
    try:
        import narwhals.stable.v1 as nw

        frame = nw.from_native(value)
    except (ImportError, TypeError):
        return None
    if nw.get_level(frame) == "interchange":
        return "pyarrow"
    name = str(frame.implementation.name).lower()
    return name if name in _MADE else "pyarrow"


def to_pandas(data: Any) -> pd.DataFrame:
    """Return a dict of columns, or a frame of another library, as a pandas DataFrame.

    Raises
    ------
    DataError
        When `data` is neither.
    """
    if isinstance(data, dict):
        try:
            return pd.DataFrame(data)
        except ValueError as error:
            raise DataError(f"this dict makes no data frame: {error}") from None
    try:
        import narwhals.stable.v1 as nw

        frame = nw.from_native(data)
        if isinstance(frame, nw.LazyFrame):
            frame = frame.collect()
        elif nw.get_level(frame) == "interchange":  # an Arrow record batch, a DuckDB relation
            frame = nw.from_native(frame.to_arrow())
    except (ImportError, TypeError):
        raise DataError(
            f"data is a {type(data).__name__}; pymlm takes a pandas DataFrame, or a frame that "
            f"narwhals reads (Polars, PyArrow ...){_instead(data)}"
        ) from None
    out = pd.DataFrame({name: _column(frame[name], kind) for name, kind in frame.schema.items()})
    out.attrs[LIBRARY] = library_of(data)
    return out


#: What reads a file of this ending.
_READERS = {
    ".csv": "pd.read_csv", ".tsv": "pd.read_table", ".txt": "pd.read_table",
    ".parquet": "pd.read_parquet", ".feather": "pd.read_feather", ".xlsx": "pd.read_excel",
    ".xls": "pd.read_excel", ".sav": "pd.read_spss", ".dta": "pd.read_stata",
    ".sas7bdat": "pd.read_sas", ".json": "pd.read_json",
}  # fmt: skip


def _instead(data: Any) -> str:
    """What to write where something else stands in the place of the data."""
    if isinstance(data, str) and "~" in data:
        calls = "lmer(formula, data), lm(formula, data) ..."
        return f". {data!r} is a formula, which comes first: {calls}"
    if isinstance(data, (str, os.PathLike)):
        path = str(os.fspath(data))
        reader = _READERS.get(os.path.splitext(path)[1].lower())
        if reader is None and os.sep not in path and isinstance(data, str):
            return f". A data set of an R package is mlm.load_dataset({path!r})"
        return f". Read the file first: {reader or 'pd.read_csv'}({path!r})"
    if isinstance(data, pd.Series):
        return ". Of a Series: series.to_frame()"
    if data is None:
        return ". The columns that a formula names are looked up there, and nowhere else"
    if type(data).__module__.partition(".")[0] == "pymlm":
        return ". The data that a model was fitted to come here, not the model"
    if isinstance(data, (list, tuple)) or type(data).__name__ == "ndarray":
        return ". Make one: pd.DataFrame(values, columns=[...])"
    return ""


def _column(column: Any, dtype: Any) -> Any:
    import narwhals.stable.v1 as nw

    if isinstance(dtype, (nw.Categorical, nw.Enum)):
        # Levels in their own order; a plain Categorical has the order of first appearance.
        levels = column.cat.get_categories().to_list()
        return pd.Categorical(column.to_list(), categories=levels)
    if dtype.is_integer() and column.null_count():
        return pd.array(column.to_list(), dtype="Int64")
    if dtype == nw.Boolean and column.null_count():
        return pd.array(column.to_list(), dtype="boolean")
    if dtype.is_numeric() or dtype == nw.Boolean or isinstance(dtype, nw.Datetime):
        try:
            return column.to_numpy()
        except Exception:  # each library has its own; what numpy cannot hold stays Python's
            pass
    return pd.Series(column.to_list(), dtype=object)
