"""Which columns of new rows a prediction needs, and a changed formula of a loaded model."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence

import pandas as pd

from pymlm.errors import DataError, FormulaError, near_names
from pymlm.frames import used_columns
from pymlm.models.base import Source
from pymlm.models.fitting import OFFSET


def needed_columns(
    newdata: pd.DataFrame, needed: Sequence[str], offset: str | None = None, what: str = "newdata"
) -> pd.DataFrame:
    """Return the columns `needed` of `newdata`, and that of an offset given beside the formula.

    `what` is the argument's name.

    Raises
    ------
    DataError
        For a missing column.
    """
    names = list(dict.fromkeys([*needed, *([offset] if offset else [])]))
    have = {str(c) for c in newdata.columns}
    missing = [n for n in names if n not in have]
    if missing:
        raise DataError(
            f"{what} has no column {missing[0]!r}, which the model uses. It needs: "
            f"{', '.join(names)}.{near_names(missing[0], have)}"
        )
    return used_columns(newdata, names, what)


def offset_column(offset: str | None, source: Source) -> str | None:
    """Return the column of an offset that was given beside the formula, None where there is none.

    Raises
    ------
    DataError
        For an offset that was an array: it crossed under a name of ours.
    """
    given = source.arguments.get("offset")
    ours = re.fullmatch(re.escape(OFFSET) + r"\d*", offset or "") is not None
    if ours and not isinstance(given, str):  # a model from a file has the name alone
        raise DataError(
            "the model's offset was given as an array, which has no numbers for new rows: give it "
            "as a column's name, or write it into the formula, offset(x)"
        )
    return offset


def check_file_has(names: Collection[str], old: Collection[str], sent: Collection[str]) -> None:
    """Refuse a formula with columns that neither the old one nor the data of a loaded model have.

    Raises
    ------
    FormulaError
        Near names are listed.
    """
    for name in names:
        if name not in old and name not in sent:
            raise FormulaError(
                f"the formula names {name!r}; this model came from a file, and its data have no "
                f"such column.{near_names(name, sent)} They have: {', '.join(sent)}"
            )
