"""Pooling and shrinkage."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.figures import figure_of
from pymlm.results.base import Floats, Result, check_known


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Pooling(Result):
    """Complete, no and partial pooling side by side; one row per coefficient and group.

    Attributes
    ----------
    term, grp : tuple of str, length k
        Coefficient and group.
    n : ndarray, shape (k,)
        Rows of the group.
    complete : ndarray, shape (k,)
        One regression for all groups (lm): the same for every group.
    no_pooling, no_pooling_se : ndarray, shape (k,)
        The group's own regression (lmList), or own intercept (group indicators), with the residual
        SD pooled over groups; NaN where the group cannot estimate it.
    partial : ndarray, shape (k,)
        The group's coefficient in the mixed model, fixed effect plus conditional mode.
    partial_se : ndarray, shape (k,)
        Its standard error, in which both are estimated; the variances are taken as known.
    weight : ndarray, shape (k,)
        (partial − overall) / (no_pooling − overall), the share of the group's own estimate, for one
        random intercept and nothing else in the formula: λ of `Shrinkage`; NaN otherwise.
    overall : ndarray, shape (k,)
        Fixed effect of the mixed model, towards which estimates shrink.
    by : str
        The grouping factor.

    Notes
    -----
    Lectures of Rosche and Hermansen; Gelman & Hill 2007, ch. 12, doi:10.1017/CBO9780511790942.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "term", "grp", "n", "complete", "no_pooling", "no_pooling_se", "partial",
        "partial_se", "overall", "weight",
    )  # fmt: skip

    plot = figure_of("pooling")

    term: tuple[str, ...]
    grp: tuple[str, ...]
    n: Floats
    complete: Floats
    no_pooling: Floats
    no_pooling_se: Floats
    partial: Floats
    partial_se: Floats
    overall: Floats
    weight: Floats
    by: str

    def to_frame(self) -> pd.DataFrame:
        """Return one row per coefficient and group as a fresh DataFrame."""
        return _columns_of(self, self._columns)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Shrinkage(Result):
    """Conditional modes, how far each is shrunk, and from what; one row a mode.

    Attributes
    ----------
    grpvar, term, grp : tuple of str, length k
        Grouping factor, coefficient and level.
    n : ndarray, shape (k,)
        Rows of the level.
    shrinkage : ndarray, shape (k,)
        λ: 1 minus the conditional variance over τ². For one random intercept this is
        τ² / (τ² + σ²/n); in [0, 1], 0 where τ² is 0.
    group_mean : ndarray, shape (k,)
        No pooling: fixed intercept plus the group's mean of y − Xβ. NaN unless the model has one
        random intercept and no other random effect.
    overall : ndarray, shape (k,)
        Fixed effect of the same name (0 where there is none): complete pooling.
    no_pooling : ndarray, shape (k,)
        overall + the level's own least squares, on its rows of the random-effects design, of what
        the fixed effects and the other factors leave; for one random intercept `group_mean`. NaN
        where the level cannot estimate it, and for models that are not linear.
    estimate : ndarray, shape (k,)
        Partial pooling: overall + condval, which is
        (weight_group · group_mean + weight_overall · overall) / (weight_group + weight_overall).
    weight_group, weight_overall : ndarray, shape (k,)
        n/σ² and 1/τ² (NaN as `group_mean`); infinite where τ² is 0.
    condval, condsd : ndarray, shape (k,)
        Conditional mode and its standard deviation.
    conf_low, conf_high : ndarray, shape (k,)
        condval ± z · condsd.
    rank : ndarray, shape (k,)
        1 for the highest condval among the levels of the factor and coefficient.
    level : float
        Of the intervals.

    Notes
    -----
    Weighted average: lectures of Rosche (intercept-only model) and Hermansen (pooling); Gelman &
    Hill 2007, eq. 12.1, doi:10.1017/CBO9780511790942. Modes and SDs are ``ranef(model, condVar =
    TRUE)``; conditional variances take β, τ² and σ² as known.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "grpvar", "term", "grp", "n", "shrinkage", "group_mean", "overall", "no_pooling",
        "estimate", "weight_group", "weight_overall", "condval", "condsd", "conf_low", "conf_high",
        "rank",
    )  # fmt: skip

    plot = figure_of("shrinkage")

    grpvar: tuple[str, ...]
    term: tuple[str, ...]
    grp: tuple[str, ...]
    n: Floats
    shrinkage: Floats
    group_mean: Floats
    overall: Floats
    no_pooling: Floats
    estimate: Floats
    weight_group: Floats
    weight_overall: Floats
    condval: Floats
    condsd: Floats
    conf_low: Floats
    conf_high: Floats
    rank: Floats
    level: float

    def to_frame(self) -> pd.DataFrame:
        """Return one row a conditional mode as a fresh DataFrame."""
        return _columns_of(self, self._columns)

    def ranked(self, term: str = "(Intercept)", grpvar: str | None = None) -> pd.DataFrame:
        """Return the rows of one coefficient in ascending order of mode: a caterpillar plot.

        Parameters
        ----------
        term : str
            The coefficient.
        grpvar : str, optional
            The grouping factor; default the first.

        Raises
        ------
        ArgumentError
            For a factor or coefficient that has no modes here.
        """
        frame = self.to_frame()
        factor = self.grpvar[0] if grpvar is None else grpvar
        check_known(factor, self.grpvar, "grouping factor")
        check_known(term, frame.loc[frame["grpvar"] == factor, "term"], "random effect")
        own = frame[(frame["term"] == term) & (frame["grpvar"] == factor)]
        return own.sort_values("condval", kind="stable").reset_index(drop=True)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ResidualGroups(Result):
    """Residuals of the pooled regression, labelled by group.

    Attributes
    ----------
    grp : tuple of str, length g
    n : ndarray, shape (g,)
    mean, sd, var : ndarray, shape (g,)
        Of the group's residuals; sd and var (divisor n − 1) are NaN for a group of one.
    residual : ndarray, shape (n,)
        Every residual used, in the order of the data.
    label : tuple of str, length n
        The group of each.

    Notes
    -----
    Hermansen's table of labelled residuals: mean is her ``y_bar_j``, sd her ``sigma2_alpha`` (the
    column holds the standard deviation).
    """

    _columns: ClassVar[tuple[str, ...]] = ("n", "mean", "sd", "var")
    _index: ClassVar[str | None] = "grp"

    plot = figure_of("residuals_by_group")

    grp: tuple[str, ...]
    n: Floats
    mean: Floats
    sd: Floats
    var: Floats
    residual: Floats
    label: tuple[str, ...]

    def points(self) -> pd.DataFrame:
        """Return every residual with its group, for a plot of residuals by group."""
        return pd.DataFrame({"grp": list(self.label), "residual": np.array(self.residual)})


def _columns_of(result: Result, names: tuple[str, ...]) -> pd.DataFrame:
    values = {n: getattr(result, n) for n in names}
    return pd.DataFrame(
        {n: list(v) if isinstance(v, tuple) else np.array(v) for n, v in values.items()}
    )
