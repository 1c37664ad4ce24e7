"""How far conditional modes are shrunk, and from what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Level
from pymlm.arguments import strict
from pymlm.distributions import half_width
from pymlm.figures import figure_of
from pymlm.models.inside import ask
from pymlm.models.lmer import LinearMixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.results.base import Floats, Result, check_known, readonly


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Group:
    grpvar: str
    level: tuple[str, ...]
    term: tuple[str, ...]
    condval: Floats
    condsd: Floats
    n: Floats
    tau2: Floats
    sum_weights: Floats | None
    unpooled: Floats | None
    least_squares: Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shrunk:
    groups: tuple[_Group, ...]
    sigma2: float
    fixed: Floats
    term: tuple[str, ...]
    single: bool


@strict
def shrinkage(m: LinearMixedModel, level: Level = 0.95) -> Shrinkage:
    """Say how far each group's estimate is shrunk, from what towards what, with its rank.

    Parameters
    ----------
    m : LinearMixedModel
    level : float
        Of the intervals of the conditional modes.

    Returns
    -------
    Shrinkage

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> mlm.shrinkage(m).to_frame()[["grp", "group_mean", "shrinkage", "estimate"]].head(2).round(3)
      grp  group_mean  shrinkage  estimate
    0   A      1505.0      0.783  1509.893
    1   B      1528.0      0.783  1527.891
    """
    z = half_width(level)
    found: _Shrunk = ask(mixed(m, "shrinkage"), "shrinkage", _Shrunk)
    fixed = dict(zip(found.term, found.fixed, strict=True))
    columns = [
        _shrunk_columns(g, t, found, fixed, z) for g in found.groups for t in range(len(g.term))
    ]
    merged: dict[str, Any] = {k: tuple(x for c in columns for x in c[k]) for k in _TEXTS}
    for k in columns[0]:
        if k not in _TEXTS:
            merged[k] = readonly(np.concatenate([c[k] for c in columns]))
    return Shrinkage(**merged, level=float(level))


_TEXTS = ("grpvar", "term", "grp")


def _shrunk_columns(
    g: _Group, t: int, found: _Shrunk, fixed: dict[str, float], z: float
) -> dict[str, Any]:
    k = len(g.level)
    tau2 = float(g.tau2[t])
    mode, sd = g.condval[:, t], g.condsd[:, t]
    overall = float(fixed.get(g.term[t], 0.0))
    nan = np.full(k, np.nan)
    group_mean, w_group, w_overall = nan, nan, nan
    if found.single and g.unpooled is not None and g.sum_weights is not None:
        group_mean = overall + g.unpooled
        w_group = g.sum_weights / found.sigma2
        w_overall = np.full(k, 1 / tau2 if tau2 > 0 else np.inf)
    order = np.empty(k)
    order[np.argsort(-mode, kind="stable")] = np.arange(1, k + 1)
    return {
        "grpvar": (g.grpvar,) * k,
        "term": (g.term[t],) * k,
        "grp": g.level,
        "n": np.asarray(g.n, dtype=float),
        "shrinkage": 1 - sd**2 / tau2 if tau2 > 0 else np.zeros(k),
        "group_mean": group_mean,
        "overall": np.full(k, overall),
        "no_pooling": overall + g.least_squares[:, t],
        "estimate": overall + mode,
        "weight_group": w_group,
        "weight_overall": w_overall,
        "condval": mode,
        "condsd": sd,
        "conf_low": mode - z * sd,
        "conf_high": mode + z * sd,
        "rank": order,
    }
