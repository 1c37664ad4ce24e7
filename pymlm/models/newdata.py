"""Which columns of new rows a prediction needs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from pymlm.errors import DataError
from pymlm.frames import used_columns
from pymlm.models.fitting import OFFSET


def needed_columns(
    newdata: pd.DataFrame, needed: Sequence[str], offset: str | None = None
) -> pd.DataFrame:
    """Return the columns `needed` of `newdata`, and that of an offset given beside the formula.

    Raises
    ------
    DataError
        For a missing column, or an offset that was an array.
    """
    if offset == OFFSET:
        raise DataError(
            "the model's offset was given as an array, which has no numbers for new rows: give it "
            "as a column's name, or write it into the formula, offset(x)"
        )
    names = list(dict.fromkeys([*needed, *([offset] if offset else [])]))
    have = {str(c) for c in newdata.columns}
    missing = [n for n in names if n not in have]
    if missing:
        raise DataError(
            f"newdata has no column {missing[0]!r}, which the model uses. It needs: "
            f"{', '.join(names)}"
        )
    return used_columns(newdata, names, "newdata")
