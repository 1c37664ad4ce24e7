"""Which source explains which share of the variance, within and between groups."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from pymlm.arguments import strict
from pymlm.errors import NotSupportedError
from pymlm.models.mixed import MixedModel
from pymlm.multilevel.asked_model import mixed
from pymlm.multilevel.fixed_part import fixed_part
from pymlm.multilevel.groups import NO_VARIATION, spread
from pymlm.multilevel.random_part import one_group, random_part
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class R2Decomposition(Result):
    """Rights and Sterba's decomposition of the model-implied variance of a two-level model.

    Attributes
    ----------
    source : tuple of str
        "fixed, within" (f1), "fixed, between" (f2), "slope variation" (v), "mean variation" (m) and
        "residual".
    variance : ndarray, shape (5,)
        Squared units of the outcome.
    total, within, between : ndarray, shape (5,)
        Share of the total, the within-cluster and the between-cluster variance; NaN for a source
        that has no part in it, and `within` and `between` NaN throughout where a slope is random
        for a predictor that is not cluster-mean-centred.
    measures : dict of str to float
        R² by Rights and Sterba's names: "f1_t", "f2_t", "f_t", "v_t", "m_t", "fv_t", "fvm_t",
        "f1_w", "v_w", "f1v_w", "f2_b", "m_b", NaN where not defined.

    Notes
    -----
    Rights & Sterba 2019, doi:10.1037/met0000184. Within and between parts of the fixed part are
    those of the linear predictor X·beta itself, so no predictor needs to be centred for them.
    Variances and covariances of predictors are divided by n − 1, as in the R package r2mlm.
    """

    _columns: ClassVar[tuple[str, ...]] = ("variance", "total", "within", "between")
    _index: ClassVar[str | None] = "source"

    source: tuple[str, ...]
    variance: Floats
    total: Floats
    within: Floats
    between: Floats
    measures: dict[str, float]


SOURCES = ("fixed, within", "fixed, between", "slope variation", "mean variation", "residual")


@strict
def r2_decomposition(m: MixedModel, by: str | None = None) -> R2Decomposition:
    """Divide the model-implied variance of a two-level model by its sources (Rights & Sterba).

    Parameters
    ----------
    m : LinearMixedModel
        With one grouping factor.
    by : str, optional
        The grouping factor, as a check.

    Returns
    -------
    R2Decomposition

    Raises
    ------
    NotSupportedError
        For more than one grouping factor, or a model that is not linear.

    Notes
    -----
    Own lines, Rights & Sterba 2019, doi:10.1037/met0000184, equations for the total, the within-
    and the between-cluster variance: f1 and f2 are the variances of the within and between part of
    X·beta, v = sum(G ∘ cov(z)), m = E[z]'·G·E[z] (random-intercept variation at the means), and
    sigma².

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.center(mlm.load_dataset("mlmRev::Exam"), "standLRT", by="school")
    >>> m = mlm.lmer("normexam ~ standLRT_within + standLRT_between + (1 | school)", data)
    >>> mlm.r2_decomposition(m).to_frame()["total"].round(3)
    fixed, within      0.276
    fixed, between     0.083
    slope variation    0.000
    mean variation     0.079
    residual           0.563
    Name: total, dtype: float64
    """
    model = mixed(m, "r2_decomposition")
    part = random_part(model)
    if not part.linear:
        raise NotSupportedError("the decomposition is defined for linear mixed models")
    if len(part.factors) > 1:
        raise NotSupportedError(
            "the decomposition is defined for two levels; this model has the grouping factors "
            + ", ".join(part.factors)
        )
    part.whole("the decomposition")
    group = one_group(model, by)
    codes = np.asarray(part.groups[group], dtype=int) - 1
    xb = fixed_part(model).linear
    within, between = spread(xb, codes, int(codes.max()) + 1)
    n = len(xb)
    means = [_mean_of(t.moments, t.centred, n) for t in part.terms]
    sources = np.array(
        [
            within / (n - 1),
            between / (n - 1),
            sum(float(np.sum(t.covariance * t.centred)) for t in part.terms),
            sum(float(np.sum(t.covariance * e)) for t, e in zip(part.terms, means, strict=True)),
            part.sigma**2,
        ]
    )
    clean = _slopes_within(model, codes)
    return _decomposed(sources, clean)


def _mean_of(moments: Floats, centred: Floats, n: int) -> Floats:
    """E[z]E[z]' from E[zz'] and cov(z)."""
    return moments - centred * (n - 1) / n


def _slopes_within(m: MixedModel, codes: Any) -> bool:
    """True when every random slope's column varies within groups only."""
    part = random_part(m)
    x = m.model_matrix()
    for term in part.terms:
        for i, name in enumerate(term.terms):
            if name == "(Intercept)":
                continue
            if name not in x.columns:
                return False
            w, b = spread(x[name].to_numpy(dtype=float), codes, int(codes.max()) + 1)
            mean = _mean_of(term.moments, term.centred, len(codes))[i, i]
            if b > NO_VARIATION * (w + b) or mean > 1e-8 * term.moments[i, i]:
                return False
    return True


def _decomposed(s: Floats, clean: bool) -> R2Decomposition:
    f1, f2, v, m, e = (float(x) for x in s)
    nan = math.nan
    total = s / s.sum()
    in_within = f1 + v + e
    in_between = f2 + m
    within = np.array([f1, nan, v, nan, e]) / in_within if clean else np.full(5, nan)
    between = np.array([nan, f2, nan, m, nan])
    between = between / in_between if clean and in_between > 0 else np.full(5, nan)
    measures = {
        "f1_t": total[0], "f2_t": total[1], "f_t": total[0] + total[1], "v_t": total[2],
        "m_t": total[3], "fv_t": total[:3].sum(), "fvm_t": total[:4].sum(),
        "f1_w": within[0], "v_w": within[2], "f1v_w": within[0] + within[2],
        "f2_b": between[1], "m_b": between[3],
    }  # fmt: skip
    return R2Decomposition(
        source=SOURCES,
        variance=readonly(s),
        total=readonly(total),
        within=readonly(within),
        between=readonly(between),
        measures={k: float(x) for k, x in measures.items()},
    )
