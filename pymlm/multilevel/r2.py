"""Explained variance: R² of the fixed part, and with the random effects."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pymlm.arguments import strict
from pymlm.models.inside import call_on
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.multilevel.asked_model import fitted_model, mixed
from pymlm.multilevel.fixed_part import fixed_part, squared_correlation
from pymlm.multilevel.random_part import random_part
from pymlm.results.base import Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class R2(Result):
    """Marginal, conditional and total R².

    Attributes
    ----------
    marginal : float
        Variance of the fixed part over the total that the model implies.
    conditional : float
        Variance of fixed part and random effects over the same. Lecture S4 dissents from it:
        random effects are still unexplained.
    total : float
        Squared correlation of the outcome with the fixed part (S4's total R²); NaN for a GLMM.
    source : str
        "performance", or "own": for singular fits, which performance answers with NA, and where
        it does not count every random effect.

    Notes
    -----
    Mirrors ``performance::r2_nakagawa(model)``; Nakagawa & Schielzeth 2013,
    doi:10.1111/j.2041-210x.2012.00261.x; Johnson 2014, doi:10.1111/2041-210X.12225.
    """

    marginal: float
    conditional: float
    total: float
    source: str

    _columns: ClassVar[tuple[str, ...]] = ("marginal", "conditional", "total")


@strict
def total_r2(m: Model) -> float:
    """Return the squared correlation of the outcome with what the fixed effects alone predict.

    Parameters
    ----------
    m : Model
        Of any class; of an lm this is its R².

    Returns
    -------
    float
        Lecture S4's total R²; about pseudo-R² times ICC for a level-2 predictor. 0 for an empty
        model. It differs from Nakagawa's marginal R² (`r2`).

    Notes
    -----
    ``cor(getME(model, "y"), predict(model, re.form = NA))^2``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> round(mlm.total_r2(m), 3)
    0.286
    """
    found = fixed_part(fitted_model(m, "total_r2"))
    return squared_correlation(found.response, found.fitted)


@strict
def r2(m: MixedModel) -> R2:
    """Return marginal and conditional R² by Nakagawa, and S4's total R².

    Parameters
    ----------
    m : MixedModel

    Returns
    -------
    R2

    Raises
    ------
    NotSupportedError
        For a model that performance does not answer, of a family whose level-1 variance is not
        known here.

    Notes
    -----
    ``performance::r2_nakagawa(model)``, where it can be right: it answers singular fits with NA,
    and loses the variance of slopes that stand in a term of their own, ``(x || g)``, and of some
    whose names need backticks (performance 0.10 with insight 0.19 says 0.415 for 0.283 of
    sleepstudy). There own lines by the same formula: var(Xb) / (var(Xb) + mean of z'Gz + sigma²);
    Nakagawa & Schielzeth 2013, doi:10.1111/j.2041-210x.2012.00261.x; Johnson 2014,
    doi:10.1111/2041-210X.12225.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> found = mlm.r2(m)
    >>> round(found.marginal, 3), round(found.conditional, 3)
    (0.279, 0.799)
    """
    model = mixed(m, "r2")
    found: Mapping[str, Any] | None = call_on(model, "ml_nakagawa")
    if found is None:
        return own_r2(model)
    marginal, conditional = float(found["marginal"][0]), float(found["conditional"][0])
    fixed, random = _explained_variances(model)
    # Level 1 cancels: so the two shares tell whether all random effects were counted.
    share = random / (fixed + random) if random else 0.0
    lost = abs((conditional - marginal) - share * conditional) > SAME_SHARES
    if lost or conditional == 1:  # no variance at level 1: insight did not find the null model
        return own_r2(model)
    return R2(
        marginal=marginal,
        conditional=conditional,
        total=_linear_total(model),
        source="performance",
    )


#: Shares of a variance that come from the same numbers differ by rounding alone.
SAME_SHARES = 1e-8


def _explained_variances(model: Model) -> tuple[float, float]:
    """Variance of the fixed part without offset, and the random effects' mean over the rows.

    Of a GLMM an effect of single rows is overdispersion, as in Nakagawa's formula.
    """
    fixed, part = fixed_part(model), random_part(model)
    random = sum(
        float(np.sum(t.covariance * t.moments))
        for t in part.terms
        if part.linear or len(np.unique(part.groups[t.group])) < part.nobs
    )
    return float(np.var(fixed.linear - fixed.offset, ddof=1)), random


def _linear_total(m: Model) -> float:
    return total_r2(m) if random_part(m).linear else math.nan


def own_r2(model: Model) -> R2:
    """Marginal and conditional R² by our own lines; see `r2` for formula and source."""
    fixed, random = _explained_variances(model)
    everything = fixed + random + random_part(model).level1()
    return R2(
        marginal=fixed / everything,
        conditional=(fixed + random) / everything,
        total=_linear_total(model),
        source="own",
    )
