"""Degrees of freedom and F tests of contrasts from the parts of either method."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pymlm.inference.kenward_roger import KenwardRogerParts
from pymlm.inference.parts import Floats
from pymlm.inference.satterthwaite import SatterthwaiteParts

__all__ = ["FTest", "kenward_roger_df", "kenward_roger_f", "satterthwaite_df", "satterthwaite_f"]


class FTest(NamedTuple):
    """An F test: statistic, numerator and denominator degrees of freedom, and scale.

    `statistic` is the unscaled Wald statistic per numerator degree of freedom; ``statistic *
    scaling`` is referred to F(num_df, den_df). Satterthwaite's method has scaling one.
    """

    statistic: float
    num_df: int
    den_df: float
    scaling: float


def satterthwaite_df(parts: SatterthwaiteParts, L: Floats) -> Floats:
    """Degrees of freedom of each row of L on its own: 2v²/(g'Vg), as ``lmerTest::contest1D``.

    Parameters
    ----------
    parts : SatterthwaiteParts
        From `satterthwaite`.
    L : ndarray, shape (k, p)
        Contrasts, one per row.

    Returns
    -------
    ndarray, shape (k,)

    References
    ----------
    Kuznetsova, Brockhoff & Christensen 2017, doi:10.18637/jss.v082.i13.
    """
    rows = np.atleast_2d(L)
    variance = np.einsum("ka,ab,kb->k", rows, parts.vcov_beta, rows)
    gradient = np.einsum("ka,iab,kb->ki", rows, np.stack(parts.jac_list), rows)
    spread = np.einsum("ki,ij,kj->k", gradient, parts.vcov_varpar, gradient)
    df: Floats = 2.0 * variance**2 / spread
    return df


def satterthwaite_f(parts: SatterthwaiteParts, L: Floats, beta: Floats) -> FTest:
    """Test Lβ = 0 jointly, as ``lmerTest::contestMD``.

    The contrast is turned into independent one-dimensional ones (eigenvectors of its covariance),
    whose degrees of freedom νₘ combine to 2E/(E - q) with E = Σ νₘ/(νₘ - 2).

    References
    ----------
    Kuznetsova, Brockhoff & Christensen 2017, doi:10.18637/jss.v082.i13.
    """
    rows = np.atleast_2d(L)
    values, vectors = np.linalg.eigh(rows @ parts.vcov_beta @ rows.T)
    positive = values > max(np.sqrt(np.finfo(np.float64).eps) * values[-1], 0.0)
    turned = vectors[:, positive].T @ rows
    nu = satterthwaite_df(parts, turned)
    q = len(nu)
    statistic = float(np.sum((turned @ beta) ** 2 / values[positive]) / q)
    # lmerTest's rule: equal degrees of freedom are kept, and below 2 the F has no mean.
    if q == 1 or np.all(np.abs(np.diff(nu)) < 1e-8):
        return FTest(statistic, q, float(nu.mean()), 1.0)
    if np.any(nu <= 2.0):
        return FTest(statistic, q, 2.0, 1.0)
    e = float(np.sum(nu / (nu - 2.0)))
    return FTest(statistic, q, 2.0 * e / (e - q), 1.0)


def kenward_roger_df(parts: KenwardRogerParts, L: Floats) -> Floats:
    """Degrees of freedom of each row of L on its own, as ``pbkrtest::Lb_ddf``.

    References
    ----------
    Kenward & Roger 1997, doi:10.2307/2533558; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09.
    """
    return np.array([_approximate(parts, row[None, :])[0] for row in np.atleast_2d(L)])


def kenward_roger_f(parts: KenwardRogerParts, L: Floats, beta: Floats) -> FTest:
    """Test Lβ = 0 jointly, as ``pbkrtest::KRmodcomp``; L of full row rank.

    References
    ----------
    Kenward & Roger 1997, doi:10.2307/2533558; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09.
    """
    rows = np.atleast_2d(L)
    q = len(rows)
    estimate = rows @ beta
    wald = float(estimate @ np.linalg.solve(rows @ parts.phi_adj @ rows.T, estimate))
    df, a2 = _approximate(parts, rows)
    scaling = 1.0 if abs(df - 2.0) < 0.01 else df * (1.0 - a2 / q) / (df - 2.0)
    return FTest(wald / q, q, df, scaling)


def _approximate(parts: KenwardRogerParts, rows: Floats) -> tuple[float, float]:
    """Denominator degrees of freedom that match two moments of the Wald statistic, and A₂."""
    q = len(rows)
    phi = parts.phi
    theta = rows.T @ np.linalg.solve(rows @ phi @ rows.T, rows)
    u = theta @ phi @ np.stack(parts.P) @ phi
    spur = np.einsum("raa->r", u)
    a1 = float(spur @ parts.W @ spur)
    a2 = float(np.einsum("rs,rab,sba->", parts.W, u, u))
    b = (a1 + 6.0 * a2) / (2.0 * q)
    g = ((q + 1) * a1 - (q + 4) * a2) / ((q + 2) * a2)
    c = 3 * q + 2 * (1 - g)
    v0 = 1.0 + g / c * b
    v1 = 1.0 - (q - g) / c * b
    v2 = 1.0 - (q + 2 - g) / c * b
    v0 = 0.0 if abs(v0) < 1e-10 else v0
    top = 1.0 - a2 / q
    # pbkrtest's rule for 0/0: the ratio tends to one as both moments agree.
    ratio = 1.0 if abs(top) < 1e-14 and abs(v1) < 1e-14 else top / v1
    rho = ratio**2 * v0 / (q * v2)
    return 4.0 + (q + 2) / (q * rho - 1.0), a2
