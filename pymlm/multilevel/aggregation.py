"""One row a group: means, or a row drawn at random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Seed
from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.frames import as_pandas
from pymlm.multilevel.columns import names, numbers
from pymlm.multilevel.groups import groups_of


@strict
def aggregate(data: Data, by: str, columns: str | Sequence[str] | None = None) -> pd.DataFrame:
    """Return group means, one row a group: the data of an aggregated analysis.

    What holds for group means need not hold for persons (the ecological fallacy), and cross-level
    interactions are lost; lecture S0 names this as the first of two problematic approaches.

    Parameters
    ----------
    data : DataFrame
    by : str
        The grouping factor.
    columns : str or list of str, optional
        Numeric columns; default all numeric ones.

    Returns
    -------
    DataFrame
        Column `by`, the means of the known values, and "n", the rows of every group.

    Examples
    --------
    >>> import pandas as pd, pymlm as mlm
    >>> d = pd.DataFrame({"g": ["a", "a", "b"], "y": [1.0, 3.0, 5.0]})
    >>> mlm.aggregate(d, by="g").to_dict("list")
    {'g': ['a', 'b'], 'y': [2.0, 5.0], 'n': [2, 1]}
    """
    frame = as_pandas(data)
    groups = groups_of(frame, by)
    if columns is None:
        wanted = [
            str(c) for c in frame.columns
            if str(c) != by and pd.api.types.is_numeric_dtype(frame[c].dtype)
        ]  # fmt: skip
    else:
        wanted = names(columns, "columns")
    out = pd.DataFrame({by: list(groups.labels)})
    for name in wanted:
        values = numbers(frame, name)
        known = (groups.codes >= 0) & ~np.isnan(values)
        count = np.bincount(groups.codes[known], minlength=groups.n)
        total = np.bincount(groups.codes[known], weights=values[known], minlength=groups.n)
        with np.errstate(invalid="ignore"):
            out[name] = total / count
    out["n"] = groups.sizes
    return out


@strict
def one_per_group(data: Data, by: str, seed: Seed | None = None) -> pd.DataFrame:
    """Return one random row of every group: independent rows, at the price of all others.

    Parameters
    ----------
    data : DataFrame
    by : str
        The grouping factor; rows without a group are left out.
    seed : int, optional
        Of numpy's generator.

    Returns
    -------
    DataFrame
        One row a group, in the data's order and on its index.

    Notes
    -----
    Lecture S3, "other options".

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.one_per_group(mlm.load_dataset("sleepstudy"), "Subject", seed=1).shape
    (18, 3)
    """
    frame = as_pandas(data)
    groups = groups_of(frame, by)
    whole = isinstance(seed, (int, np.integer)) and not isinstance(seed, bool)
    if seed is not None and (not whole or seed < 0):
        raise ArgumentError(f"seed must be a whole number of at least 0, not {seed!r}")
    order = np.random.default_rng(seed).permutation(len(frame))
    order = order[groups.codes[order] >= 0]
    first = np.unique(groups.codes[order], return_index=True)[1]
    return frame.iloc[np.sort(order[first])].copy()
