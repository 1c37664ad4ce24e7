"""What a model keeps of its user's data: later changes to theirs do not reach it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pandas as pd

#: Values up to which a frame is copied whole: more of it than a fit uses is rare, and quickly done.
SMALL = 2_000_000


def own_frame(frame: pd.DataFrame, used: Iterable[str]) -> pd.DataFrame:
    """Return a copy of a frame that shares no memory which the user can write to.

    A large frame shares with the user's the columns that the model does not use, where pandas
    copies on write (pandas 3, or ``mode.copy_on_write`` of pandas 2): a write by pandas then goes
    to a copy. The columns used are copied all the same, for the frame may lie over an array of the
    user's.

    Parameters
    ----------
    frame : DataFrame
    used : iterable of str
        Columns that the model uses, by their name as text.
    """
    if frame.size <= SMALL or not _copies_on_write():
        return frame.copy()
    own = frame.copy(deep=False)
    names = set(used)
    for position, label in enumerate(frame.columns):
        if str(label) in names:
            own.isetitem(position, frame.iloc[:, position].array.copy())
    return own


def _copies_on_write() -> bool:
    if int(pd.__version__.split(".")[0]) >= 3:
        return True
    return pd.get_option("mode.copy_on_write") is True


def own_value(value: Any) -> Any:
    """Return an argument of a fit as the model's own: arrays, frames and what holds them copied."""
    if isinstance(value, (np.ndarray, pd.Series, pd.DataFrame)):
        return value.copy()
    if isinstance(value, Mapping):
        return {k: own_value(v) for k, v in value.items()}
    if isinstance(value, list):
        return [own_value(v) for v in value]
    if isinstance(value, tuple):
        return tuple(own_value(v) for v in value)
    return value
