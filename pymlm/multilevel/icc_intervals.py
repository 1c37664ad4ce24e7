"""Standard errors and intervals of ICCs: by the delta method, or by bootstrap."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy.special import expit

from pymlm.models.advice import advise
from pymlm.models.inside import call_ddf, call_on
from pymlm.models.model import Model
from pymlm.multilevel.random_part import RandomPart, RandomTerm
from pymlm.results.base import Floats, readonly


@dataclass(frozen=True, slots=True)
class Share:
    """One level: which random terms two rows of one of its units share."""

    level: str
    members: tuple[int, ...]
    products: tuple[Floats, ...]

    @property
    def somewhere(self) -> bool:
        """False where there is no random intercept and every slope stands at 0."""
        return any(p.any() for p in self.products)

    def variance(self, terms: Sequence[RandomTerm]) -> float:
        """Variance that the level's units share."""
        return sum(
            variance_with(terms[i].covariance, p)
            for i, p in zip(self.members, self.products, strict=True)
        )


def variance_with(covariance: Floats, product: Floats) -> float:
    """z'Gz, the variance that a term has, from zz' or from its mean over rows: sum(G ∘ zz')."""
    return float(np.sum(covariance * product))


def products_of(term: RandomTerm, at: Mapping[str, float] | None) -> Floats:
    """Return zz' of a term: 1 for its intercept, slopes from `at` or 0; None: row mean."""
    if at is None:
        return term.moments
    z = np.array([1.0 if t == "(Intercept)" else at.get(t, 0.0) for t in term.terms])
    return np.outer(z, z)


def interval(
    m: Model,
    part: RandomPart,
    shares: Sequence[Share],
    at: Mapping[str, float] | None,
    how: str | None,
    level: float,
    nsim: int,
    seed: int | None,
) -> tuple[Floats, Floats, Floats]:
    """Standard errors and limits of the ICC of every share by "delta" or "boot"; NaN for None."""
    none = readonly(np.full(len(shares), np.nan))
    if how is None:
        return none, none, none
    if how == "boot":
        return _bootstrap(m, part, shares, at, level, nsim, seed)
    return _delta(m, part, shares, at, level)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Theta:
    factors: tuple[Floats, ...]
    vcov: Floats


def _delta(
    m: Model,
    part: RandomPart,
    shares: Sequence[Share],
    at: Mapping[str, float] | None,
    level: float,
) -> tuple[Floats, Floats, Floats]:
    """Delta method on logit(ICC). With L the relative factor, ICC depends on theta alone."""
    theta = call_ddf(m, "ml_theta", _Theta, "Satterthwaite")
    forms, gradients = [], []
    size = sum(len(f) * (len(f) + 1) // 2 for f in theta.factors)
    start = 0
    for factor, term in zip(theta.factors, part.terms, strict=True):
        slope = products_of(term, at) @ factor  # half the derivative of tr(L'zz'L) by L
        forms.append(float(np.sum(slope * factor)))
        gradient = np.zeros(size)
        k_terms = len(factor)
        at_theta = [(i, j) for j in range(k_terms) for i in range(j, k_terms)]  # column-wise
        for k, (i, j) in enumerate(at_theta):
            gradient[start + k] = 2 * slope[i, j]
        gradients.append(gradient)
        start += len(at_theta)
    total = 1.0 + sum(forms)
    dtotal = np.sum(gradients, axis=0)
    rows = []
    for share in shares:
        p = sum(forms[i] for i in share.members) / total
        slope = (np.sum([gradients[i] for i in share.members], axis=0) - p * dtotal) / total
        variance = float(slope @ theta.vcov[:size, :size] @ slope)
        rows.append(_logit_interval(p, math.sqrt(max(variance, 0.0)), level))
    if any(math.isnan(row[0]) for row, s in zip(rows, shares, strict=True) if s.somewhere):
        advise(
            "an ICC is 0: the delta method has no interval at the boundary (NaN). ci='boot' gives "
            "one"
        )
    se, low, high = np.array(rows).T
    return readonly(se), readonly(low), readonly(high)


def _logit_interval(p: float, error: float, level: float) -> tuple[float, float, float]:
    """Standard error and interval of a share; NaN at the boundary, where the logit has no slope."""
    if not 1e-8 < p < 1 or error == 0:
        return math.nan, math.nan, math.nan
    half_width = NormalDist().inv_cdf((1 + level) / 2) * error / (p * (1 - p))
    centre = math.log(p / (1 - p))
    return error, float(expit(centre - half_width)), float(expit(centre + half_width))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draws:
    draws: Floats
    failed: int


def _bootstrap(
    m: Model,
    part: RandomPart,
    shares: Sequence[Share],
    at: Mapping[str, float] | None,
    level: float,
    nsim: int,
    seed: int | None,
) -> tuple[Floats, Floats, Floats]:
    found = call_on(m, "ml_bootstrap", _Draws, nsim=nsim, seed=seed)
    draws = found.draws[~np.isnan(found.draws).any(axis=1)]
    forms, start = [], 0
    for term in part.terms:
        k = len(term.terms)
        block = draws[:, start : start + k * k].reshape(-1, k, k)
        forms.append(np.einsum("ij,nij->n", products_of(term, at), block))
        start += k * k
    residual = draws[:, start] if part.linear else np.full(len(draws), part.residual)
    total = residual + np.sum(forms, axis=0)
    values = np.array([np.sum([forms[i] for i in s.members], axis=0) / total for s in shares])
    tail = (1 - level) / 2
    return (
        readonly(values.std(axis=1, ddof=1)),
        readonly(np.quantile(values, tail, axis=1)),
        readonly(np.quantile(values, 1 - tail, axis=1)),
    )


def shares_of(
    part: RandomPart, at: Mapping[str, float] | None, dispersion: Sequence[str]
) -> list[Share]:
    """Levels, outermost first; a nested level includes those that its units lie in."""
    out = []
    for factor in part.factors:
        if factor in dispersion:
            continue
        outer = [f for f in part.factors if f == factor or _nested(part, factor, f)]
        members = tuple(i for i, t in enumerate(part.terms) if t.group in outer)
        products = tuple(products_of(part.terms[i], at) for i in members)
        out.append(Share(factor, members, products))
    return out


def _nested(part: RandomPart, inner: str, outer: str) -> bool:
    a = np.asarray(part.groups[inner], dtype=np.int64)
    b = np.asarray(part.groups[outer], dtype=np.int64)
    if {inner, outer} & set(part.memberships):
        return False  # a row has shares in several units; none lies within another
    pairs = len(np.unique(a * (int(b.max()) + 1) + b))
    return pairs == len(np.unique(a)) and len(np.unique(b)) < len(np.unique(a))
