"""Checks of a model's assumptions, as numbers and as data for plots."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.models.inside import call_on, used_index
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.multilevel.asked_model import fitted_model
from pymlm.multilevel.random_part import random_part
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class AssumptionChecks(Result):
    """Checks of a model's assumptions, and the data to plot them.

    Attributes
    ----------
    check : tuple of str, length k
        "linearity", "normal residuals", "constant residual variance", "equal residual variance
        across g", "independence within g" and "normal random effects g: term".
    statistic : ndarray, shape (k,)
        Where the check has one, else NaN.
    p_value : ndarray, shape (k,)
        Small values speak against the assumption. With many rows tiny departures get small ones:
        look at the plots.
    method : tuple of str
    residuals : DataFrame
        One row per row used: fitted, residual (scaled), normal_quantile, and the groups.
    random_effects : DataFrame
        One row per mode: effect, mode, normal_quantile.

    Notes
    -----
    Lectures S0 and S1: linear predictor, independence, constant variance, normal errors at every
    level. Normal residuals: ``performance::check_normality``, Lüdecke et al. 2021,
    doi:10.21105/joss.03139; constant variance: Cook & Weisberg 1983, doi:10.1093/biomet/70.1.1.
    Normality of modes: Shapiro-Wilk; equality across groups: Fligner-Killeen; independence:
    products of successive residuals within groups in the data's order, less their expectation.
    """

    _columns: ClassVar[tuple[str, ...]] = ("statistic", "p_value", "method")
    _index: ClassVar[str | None] = "check"

    check: tuple[str, ...]
    statistic: Floats
    p_value: Floats
    method: tuple[str, ...]
    residuals: pd.DataFrame
    random_effects: pd.DataFrame


@strict
def check_assumptions(m: Model) -> AssumptionChecks:
    """Check linearity, normality at both levels, constant variance and independence.

    Parameters
    ----------
    m : LinearMixedModel or LinearModel
        An lm has one level: linearity, normality and constant variance.

    Returns
    -------
    AssumptionChecks
        A table of checks, `residuals` by row and `random_effects` by mode, for plots.

    Raises
    ------
    NotSupportedError
        For a model that is not linear.
    RPackageError
        When performance is not installed.

    Notes
    -----
    ``performance::check_normality``; Shapiro-Wilk for the modes and Fligner-Killeen across groups.
    Linearity: t of the squared fitted value in a regression of the scaled residuals on fitted
    values. Constant variance: ``m.check("heteroscedasticity")``. Independence: the product of each
    scaled residual and the one before it in its group, less its expectation under the model (which
    is below 0: a group's own mean is taken out), summed by group; t over the groups. Of many rows
    normality takes the first 5,000, independence the first 10,000 pairs. Lectures S0 and S1.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> mlm.check_assumptions(m).to_frame()["p_value"].round(3).head(3)
    linearity                     0.911
    normal residuals              0.000
    constant residual variance    0.000
    Name: p_value, dtype: float64
    """
    model = fitted_model(m, "check_assumptions")
    found: dict[str, Any] = call_on(model, "ml_checks")
    rows = [
        ("linearity", found["curvature_statistic"][0], found["curvature"][0],
         "t of the squared fitted value"),
        ("normal residuals", math.nan, found["normal_residuals"][0], "Shapiro-Wilk"),
        ("constant residual variance", math.nan, found["heteroscedasticity"][0], "score test"),
    ]  # fmt: skip
    for name, p in zip(found["groups"], found["level1_equal"], strict=True):
        rows.append((f"equal residual variance across {name}", math.nan, p, "Fligner-Killeen"))
    for name, t, p in zip(found["groups"], found["serial_statistic"], found["serial"], strict=True):
        rows.append((f"independence within {name}", t, p, "lag-1 products, t over groups"))
    rows += [
        (f"normal random effects {effect}", math.nan, p, "Shapiro-Wilk")
        for effect, p in zip(found["effect"], found["effect_p"], strict=True)
    ]
    names, statistic, p_value, method = (list(c) for c in zip(*rows, strict=True))
    return AssumptionChecks(
        check=tuple(names),
        statistic=readonly(np.array(statistic, dtype=float)),
        p_value=readonly(np.array(p_value, dtype=float)),
        method=tuple(method),
        residuals=_residual_frame(model, found),
        random_effects=pd.concat(
            [
                pd.DataFrame({"effect": e, "mode": v, "normal_quantile": _quantiles(np.asarray(v))})
                for e, v in zip(found["effect"], found["modes"], strict=True)
            ],
            ignore_index=True,
        )
        if found["effect"]
        else pd.DataFrame(columns=["effect", "mode", "normal_quantile"]),
    )


def _quantiles(values: Floats) -> Floats:
    """Normal quantile of each value's rank, as qqnorm() places them."""
    n = len(values)
    a = 3 / 8 if n <= 10 else 1 / 2
    ranks = pd.Series(values).rank(method="first").to_numpy()
    inverse = NormalDist().inv_cdf
    return np.array([inverse(float((r - a) / (n + 1 - 2 * a))) for r in ranks])


def _residual_frame(m: Model, found: dict[str, Any]) -> pd.DataFrame:
    residual = np.asarray(found["residual"])
    out = pd.DataFrame(
        {
            "fitted": np.asarray(found["fitted"]),
            "residual": residual,
            "normal_quantile": _quantiles(residual),
        },
        index=used_index(m),
    )
    if not isinstance(m, MixedModel):
        return out
    modes = m.ranef(cond_var=False)
    part = random_part(m)
    for name, codes in part.groups.items():
        if name in part.memberships:
            continue
        levels = list(modes[name].index)
        out[name] = [levels[int(c) - 1] for c in codes]
    return out
