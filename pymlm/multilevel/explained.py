"""Explained variance, by component and in all."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pymlm.arguments import strict
from pymlm.errors import ComparisonError, NotSupportedError
from pymlm.models.alignment import fixed_effects, larger_first, row_orders
from pymlm.models.inside import call_on
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.multilevel._tools import (
    NO_VARIATION,
    advise,
    fitted_model,
    mixed,
    one_group,
    random_part,
    spread,
)
from pymlm.results.base import Floats, readonly
from pymlm.results.multilevel_explained import R2, PseudoR2, R2Decomposition


@dataclass(frozen=True, slots=True, kw_only=True)
class FixedPart:
    """What the fixed part predicts, as the bridge's `ml_fixed_part` sends it."""

    response: Floats
    weights: Floats
    offset: Floats
    linear: Floats
    fitted: Floats
    term: tuple[str, ...]
    estimate: Floats


def fixed_part(m: Model) -> FixedPart:
    """Return response and predictions of the fixed part, rows as the model used them."""
    found: FixedPart = call_on(m, "ml_fixed_part", FixedPart)
    return found


def _squared_correlation(a: Floats, b: Floats) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0  # an empty fixed part predicts the mean, and explains nothing
    return float(np.corrcoef(a, b)[0, 1] ** 2)


@strict
def pseudo_r2(m0: MixedModel, m1: MixedModel) -> PseudoR2:
    """Return by how much each variance component shrinks from one model to a larger one.

    Parameters
    ----------
    m0, m1 : LinearMixedModel
        Fewer and more fixed effects, in either order; both by ML or both by REML, on the same rows.

    Returns
    -------
    PseudoR2
        (fewer − more) / fewer for each variance; negative where it grows, which tells of a useless
        predictor or a smushed slope.

    Raises
    ------
    ComparisonError
        For different rows, or ML beside REML.

    Warns
    -----
    AdviceWarning
        Where a variance is 0 in the smaller model: nothing can be explained, NaN.

    Notes
    -----
    Lectures S1 ((3.125 − 3.235)/3.125 < 0) and S4. Own arithmetic on ``VarCorr``; Raudenbush & Bryk
    2002, p. 74.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Exam")
    >>> m0 = mlm.lmer("normexam ~ 1 + (1 | school)", data)
    >>> m1 = mlm.lmer("normexam ~ standLRT + (1 | school)", data)
    >>> mlm.pseudo_r2(m0, m1).to_frame().round(3)
                         fewer   more  pseudo_r2
    school: (Intercept)  0.172  0.094      0.453
    Residual             0.848  0.566      0.333
    """
    mixed(m0, "pseudo_r2"), mixed(m1, "pseudo_r2")
    pair = larger_first(m1, m0, ("m1", "m0"), fixed_effects)
    fewer, more = pair.small, pair.large
    same_rows(fewer, more)
    if fewer.reml != more.reml:
        raise ComparisonError(
            "one model was fitted by REML and one by ML, whose variances differ for that alone; "
            "refit one: m.update(reml=...)"
        )
    a, b = _variances(fewer), _variances(more)
    names = list(dict.fromkeys([*a, *b]))
    names.sort(key=lambda n: n[0] == "Residual")
    before = np.array([a.get(n, math.nan) for n in names])
    after = np.array([b.get(n, math.nan) for n in names])
    if (before == 0).any():
        advise("a variance is 0 in the smaller model: its pseudo-R² is not defined (NaN)")
    share = (before - after) / np.where(before == 0, np.nan, before)
    fixed = fixed_part(more)
    return PseudoR2(
        grp=tuple(n[0] for n in names),
        term=tuple(n[1] for n in names),
        fewer=readonly(before),
        more=readonly(after),
        pseudo_r2=readonly(share),
        total_r2=_squared_correlation(fixed.response, fixed.fitted),
        notes=pair.note,
    )


def _variances(m: MixedModel) -> dict[tuple[str, str], float]:
    part = random_part(m)
    out = {
        (t.group, name): float(t.covariance[i, i])
        for t in part.terms
        for i, name in enumerate(t.terms)
    }
    return out | ({("Residual", ""): part.sigma**2} if part.linear else {})


def same_rows(a: MixedModel, b: MixedModel) -> list[int]:
    """Return where the rows of `a` stand in `b`; ComparisonError unless the outcomes are the same.

    Rows may come in another order: the data's index knows them.
    """
    if a.nobs != b.nobs:
        raise ComparisonError(
            f"the models were fitted to {a.nobs} and {b.nobs} rows. All observations must be the "
            "same: drop rows that miss any predictor first, then fit both"
        )
    order = row_orders((a, b), ("the first model", "the second"))[1]
    at = list(range(a.nobs)) if order is None else [i - 1 for i in order]
    if not np.array_equal(fixed_part(a).response, fixed_part(b).response[at]):
        raise ComparisonError("the models were fitted to different outcomes or different rows")
    return at


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
    return _squared_correlation(found.response, found.fitted)


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
