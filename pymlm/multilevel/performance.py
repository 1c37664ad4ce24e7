"""How well models fit, side by side."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np

from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ComparisonError, NotSupportedError
from pymlm.models.alignment import model_names, row_orders
from pymlm.models.inside import call_on, handle_of
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.models.nlme import NlmeModel
from pymlm.multilevel.asked_model import fitted_model
from pymlm.multilevel.r2 import own_r2, r2
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Performance(Result):
    """How well models fit, one row a model.

    Attributes
    ----------
    term : tuple of str, length k
        Names of the models.
    nobs, npar : ndarray, shape (k,)
        Rows used, and parameters that the criteria count.
    loglik, aic, aicc, bic : ndarray, shape (k,)
        aicc is NaN where there are no more rows than parameters.
    aic_weight, aicc_weight, bic_weight : ndarray, shape (k,)
        exp(−Δ/2), scaled to add to 1: the evidence for each among these models.
    r2_marginal, r2_conditional, icc : ndarray, shape (k,)
        Of models with random effects, else NaN; icc is the adjusted one.
    r2, r2_adjusted : ndarray, shape (k,)
        Of an lm, else NaN.
    rmse : ndarray, shape (k,)
        Root of the mean squared residual, in units of the response.
    sigma : ndarray, shape (k,)
        Residual standard deviation.
    formulas : tuple of str, length k

    Notes
    -----
    ``performance::compare_performance``, Lüdecke et al. 2021, doi:10.21105/joss.03139.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "nobs", "npar", "aic", "aic_weight", "aicc", "aicc_weight", "bic", "bic_weight",
        "r2_conditional", "r2_marginal", "icc", "r2", "r2_adjusted", "rmse", "sigma",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    nobs: Floats
    npar: Floats
    loglik: Floats
    aic: Floats
    aic_weight: Floats
    aicc: Floats
    aicc_weight: Floats
    bic: Floats
    bic_weight: Floats
    r2_conditional: Floats
    r2_marginal: Floats
    icc: Floats
    r2: Floats
    r2_adjusted: Floats
    rmse: Floats
    sigma: Floats
    formulas: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    nobs: float
    npar: float
    loglik: float
    aic: float
    aicc: float
    bic: float
    r2: float
    r2_adjusted: float
    rmse: float
    sigma: float


@strict
def compare_performance(
    m: Any,
    *more: Any,
    names: Sequence[str] | None = None,
    estimator: Literal["ML", "REML"] | None = None,
) -> Performance:
    """Put how well models fit side by side: criteria, explained variance, ICC, errors.

    Parameters
    ----------
    m, *more : models
        Of `pymlm.lmer`, `glmer`, `lm`, `glm`, `lme`, `gls`; one or several, nested or not.
    names : list of str, optional
        Names of the rows; default "m0", "m1" ...
    estimator : {"ML", "REML"}, optional
        Likelihood of REML fits: "REML" is the restricted one, which `m.aic` has, too; "ML" the full
        one at the same estimates. Default: "REML" for one model, "ML" for several, as R's
        performance does it (which takes the restricted one of an ML fit, too; here an ML fit is
        counted by its own).

    Returns
    -------
    Performance
        One row a model, in the order given.

    Raises
    ------
    ArgumentError
        For what is no model, or names that are not as many and different.
    ComparisonError
        For other rows or responses, whose criteria cannot be compared; for estimator="REML" of fits
        with different fixed effects; for a fit by several points of quadrature beside others.

    Notes
    -----
    Mirrors ``performance::model_performance(m)`` and ``compare_performance(m0, m1, ...)``. AICc =
    AIC + 2k(k + 1)/(n − k − 1), Hurvich & Tsai 1989, doi:10.1093/biomet/76.2.297; weights are
    exp(−Δ/2) / Σ exp(−Δ/2), Burnham & Anderson 2002, doi:10.1007/b97636. R² as `r2` and for an lm
    ``summary``; the ICC is the adjusted one that belongs to these R²: (conditional − marginal) /
    (1 − marginal). Of singular fits, where performance has NA, they are by pymlm's own lines.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> m0 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    >>> m1 = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    >>> mlm.compare_performance(m0, m1).to_frame()[["aicc", "r2_conditional", "icc"]].round(3)
            aicc  r2_conditional    icc
    m0  1802.328           0.704  0.589
    m1  1764.471           0.799  0.722
    """
    models = [fitted_model(x, "compare_performance") for x in (m, *more)]
    called = model_names(names, len(models))
    reml = estimator == "REML" or (estimator is None and len(models) == 1)
    if len(models) > 1:
        _check_together(models, called, estimator)
    rows: list[_Row] = [call_on(x, "ml_performance", _Row, reml=reml) for x in models]
    shares = [_explained(x) for x in models]
    columns = {f.name: np.array([getattr(row, f.name) for row in rows]) for f in fields(_Row)}
    for criterion in ("aic", "aicc", "bic"):
        columns[f"{criterion}_weight"] = _weights(columns[criterion])
    marginal, conditional = np.array(shares).T
    with np.errstate(invalid="ignore", divide="ignore"):
        share = (conditional - marginal) / (1 - marginal)
    return Performance(
        term=tuple(called),
        r2_marginal=readonly(marginal),
        r2_conditional=readonly(conditional),
        icc=readonly(share),
        formulas=tuple(x.formula for x in models),
        notes=tuple(_notes(models, called, reml)),
        **{k: readonly(v) for k, v in columns.items()},
    )


def _check_together(models: list[Model], names: list[str], estimator: str | None) -> None:
    if any(order is not None for order in row_orders(models, names)):
        raise ComparisonError(
            "the models were fitted to the same rows in another order. Fit all to one data frame"
        )
    call("check_criteria", [handle_of(m) for m in models], names)
    if estimator == "REML" and len({tuple(m.fixef().index) for m in models}) > 1:
        raise ComparisonError(
            "REML likelihoods of models with different fixed effects cannot be compared. Leave "
            "estimator=None, or fit all with reml=False"
        )


def _explained(m: Model) -> tuple[float, float]:
    """Marginal and conditional R²; NaN where there are none."""
    try:
        if isinstance(m, MixedModel):
            found = r2(m)
        elif isinstance(m, NlmeModel) and m.ngroups:
            found = own_r2(m)
        else:
            return math.nan, math.nan
    except NotSupportedError:  # a family without a level-1 variance, variances that differ
        return math.nan, math.nan
    return found.marginal, found.conditional


def _weights(criterion: Floats) -> Floats:
    if len(criterion) == 1:
        return np.array([1.0])
    gap = criterion - np.nanmin(criterion) if not np.isnan(criterion).all() else criterion
    weight = np.exp(-gap / 2)
    total = weight.sum()  # NaN where one has none: no share of a sum that is not known
    return np.asarray(weight / total)


def _notes(models: list[Model], names: list[str], reml: bool) -> list[str]:
    fitted = [n for m, n in zip(models, names, strict=True) if getattr(m, "reml", False)]
    notes = []
    if fitted and not reml:
        notes.append(
            f"{', '.join(fitted)} fitted by REML: criteria by the full likelihood at these "
            "estimates"
        )
    counts = [
        n
        for m, n in zip(models, names, strict=True)
        if isinstance(m, MixedModel)
        and getattr(m, "family", "") not in ("", "gaussian", "binomial")
    ]
    if counts:
        notes.append(
            f"{', '.join(counts)}: R² and ICC are the installed performance's; pymlm.icc(m) has "
            "the approximations of Nakagawa et al. 2017"
        )
    return notes
