"""Several outcomes in one model: a row an outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from pymlm.argument_types import Data
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, DataError
from pymlm.frames import as_pandas
from pymlm.multilevel.columns import names, numbers

#: Columns that stacking makes.
MADE = ("outcome", "value", "row", "position")


@strict
def stack_outcomes(data: Data, outcomes: Sequence[str]) -> pd.DataFrame:
    """Stack several outcomes, so that one mixed model has them all (multivariate outcomes).

    Parameters
    ----------
    data : DataFrame
        One row a person (or occasion), one column an outcome.
    outcomes : list of str
        Two numeric columns or more.

    Returns
    -------
    DataFrame
        One row for each known value, in the order of the rows, with the other columns as they
        are, and: ``outcome`` (a category, levels in the order given), ``value``, ``row`` (a
        category: which row of `data`) and ``position`` (1, 2 ... of the outcome).

    Raises
    ------
    ArgumentError
        For fewer than two outcomes.
    DataError
        For columns that are not there or not numeric, and where a column has one of the four names.

    Notes
    -----
    Snijders & Bosker 2012, Multilevel Analysis, 2nd ed., ch. 16: the outcome's dummies take the
    place of the intercept, ``outcome:x`` is the slope of x for each outcome. Outcomes covary
    between groups by ``(0 + outcome | group)``; within a row by an unstructured residual
    covariance, which lme4 has not and nlme has: ``pymlm.lme`` with ``correlation="symm"``,
    ``correlation_by="row"``, ``time="position"`` and ``variance_by="outcome"``. lavaan's two-level
    model of two outcomes is in `latent_centering`.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Gcsemv").dropna().head(400)
    >>> long = mlm.stack_outcomes(data, ["written", "course"])
    >>> m = mlm.lme(
    ...     "value ~ 0 + outcome + outcome:gender", long, random="~ 0 + outcome | school",
    ...     correlation="symm", correlation_by="row", time="position", variance_by="outcome",
    ... )
    >>> list(m.fixef().index)[:2], len(long)
    (['outcomewritten', 'outcomecourse'], 800)
    """
    chosen = names(outcomes, "outcomes")
    if len(chosen) < 2:
        raise ArgumentError(f"outcomes are two columns or more, not {outcomes!r}")
    frame = as_pandas(data)
    taken = [n for n in MADE if n in map(str, frame.columns) and n not in chosen]
    if taken:
        raise DataError(
            f"the data have columns {', '.join(map(repr, taken))}, which stacking makes; rename "
            "them"
        )
    values = np.column_stack([numbers(frame, c) for c in chosen])
    n, k = values.shape
    rest = frame.drop(columns=[c for c in frame.columns if str(c) in chosen])
    long = (
        rest.loc[rest.index.repeat(k)]
        if rest.index.is_unique
        else rest.iloc[np.repeat(np.arange(n), k)]
    )
    long = long.reset_index(drop=True)
    long["outcome"] = pd.Categorical(np.tile(np.array(chosen, dtype=object), n), categories=chosen)
    long["value"] = values.ravel()
    rows = [str(i + 1) for i in range(n)]
    long["row"] = pd.Categorical(np.repeat(np.array(rows, dtype=object), k), categories=rows)
    long["position"] = np.tile(np.arange(1, k + 1), n)
    known = long["value"].notna()
    if not known.any():
        raise DataError(f"{', '.join(chosen)} are missing in every row")
    long = long[known].reset_index(drop=True)
    long["row"] = long["row"].cat.remove_unused_categories()
    return long
