"""All alternatives to a multilevel model on one data set, side by side."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Level, Seed
from pymlm.arguments import strict
from pymlm.formula import quoted
from pymlm.models.lm import lm
from pymlm.models.lmer import lmer
from pymlm.multilevel.aggregation import one_per_group
from pymlm.multilevel.gee import gee
from pymlm.multilevel.panel import complete_task, panel
from pymlm.multilevel.robust import cluster_robust
from pymlm.results.base import ESTIMATES, check_known, readonly
from pymlm.results.estimates import Estimates
from pymlm.results.fixed import FixedEffects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Alternatives(Estimates):
    """The same coefficients by every alternative to a multilevel model, side by side.

    Attributes
    ----------
    term, model : tuple of str, length k
        Coefficient and way of estimation; a coefficient that a way cannot estimate has no row.
    df : ndarray
        Infinite for z tests.

    Notes
    -----
    Lectures S0 (aggregation, disaggregation, robust errors) and S3 (one per group, fixed effects,
    GEE).
    """

    _columns: ClassVar[tuple[str, ...]] = ("model", *ESTIMATES)

    model: tuple[str, ...]

    def wide(self, what: str = "std_error") -> pd.DataFrame:
        """Return one column a way: its `what` ("estimate", "std_error", "p_value" ...).

        Raises
        ------
        ArgumentError
            For a column that there is not.
        """
        check_known(what, self._columns, "column")
        frame = self.to_frame()
        ways = {way: frame.loc[frame["model"] == way, what] for way in dict.fromkeys(self.model)}
        return pd.DataFrame(ways).reindex(list(dict.fromkeys(self.term)))


@strict
def compare_alternatives(
    formula: str, data: Data, by: str, seed: Seed | None = None, level: Level = 0.95
) -> Alternatives:
    """Fit a multilevel model and every alternative to it; tabulate them side by side.

    Parameters
    ----------
    formula : str
        Without random effects: ``"gpa ~ ses + clubs"``; the multilevel model has a random intercept
        of `by`, with Satterthwaite's degrees of freedom.
    data : DataFrame
        Rows that miss a column are dropped for all.
    by : str
        The grouping factor.
    seed : int, optional
        Of the choice of one row a group.
    level : float
        Of the level intervals of GEE and cluster-robust errors; the others have 95 %.

    Returns
    -------
    Alternatives
        "disaggregated" (OLS on all rows), "cluster-robust" (the same with CR2), "aggregated" (OLS
        on group means), "one per group", "within" (fixed effects), "random-effects GLS", "GEE"
        (exchangeable), "multilevel" (REML).

    Raises
    ------
    FormulaError, DataError
        As `panel`.

    Notes
    -----
    Lectures S0 and S3. Disaggregation overstates what is known of level-2 predictors; aggregation
    and "within" answer other questions (between and within slopes).

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> a = mlm.compare_alternatives("langPOST ~ ses", d, by="schoolNR", seed=1)
    >>> a.wide("estimate").loc["ses", ["within", "multilevel"]].round(3).tolist()
    [0.297, 0.302]
    """
    text, used = complete_task(formula, data, by)
    ols = lm(text, used)
    mixed = lmer(f"{text} + (1 | {quoted(by)})", used)
    ways: dict[str, FixedEffects] = {
        "disaggregated": ols.summary().fixed,
        "cluster-robust": cluster_robust(ols, by=by, level=level),
        "aggregated": panel(text, used, by, "between").fixed,
        "one per group": lm(text, one_per_group(used, by, seed)).summary().fixed,
        "within": panel(text, used, by, "within").fixed,
        "random-effects GLS": panel(text, used, by, "random").fixed,
        "GEE": gee(text, used, by, level=level).fixed,
        "multilevel": mixed.summary().fixed,
    }
    columns: dict[str, Any] = {
        name: readonly(np.concatenate([_values(fixed, name) for fixed in ways.values()]))
        for name in ESTIMATES
    }
    return Alternatives(
        term=tuple(t for fixed in ways.values() for t in fixed.term),
        model=tuple(way for way, fixed in ways.items() for _ in fixed.term),
        **columns,
    )


def _values(fixed: FixedEffects, name: str) -> Any:
    value = getattr(fixed, name)
    return np.full(len(fixed.term), np.inf) if value is None else np.asarray(value, dtype=float)
