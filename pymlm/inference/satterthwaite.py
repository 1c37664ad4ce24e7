"""Satterthwaite's method in closed form: what lmerTest finds by numerical differentiation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pymlm.inference.moments import Moments, moments
from pymlm.inference.parts import Floats, ModelParts

__all__ = ["EIGENVALUE_TOLERANCE", "SatterthwaiteParts", "profiled_derivatives", "satterthwaite"]

# lmerTest's own rule (as_lmerModLmerTest, tol = 1e-8): directions below it carry no information.
EIGENVALUE_TOLERANCE = 1e-8


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SatterthwaiteParts:
    """The slots that lmerTest adds to a fitted model; m covariance parameters, p fixed effects.

    Attributes
    ----------
    vcov_varpar : ndarray, shape (m + 1, m + 1)
        Asymptotic covariance matrix of (θ̂, σ̂).
    jac_list : tuple of m + 1 ndarrays, shape (p, p)
        Derivatives of the covariance matrix of β̂ in θ₁ … θₘ, σ.
    vcov_beta : ndarray, shape (p, p)
        Covariance matrix of β̂, in squared units of the response per unit of the predictors.
    sigma : float
        Residual standard deviation.
    hessian : ndarray, shape (m + 1, m + 1)
        Second derivatives of the (RE)ML deviance in (θ, σ) at the estimates.
    eigenvalues : ndarray, shape (m + 1,)
        Eigenvalues of the Hessian, decreasing.
    messages : tuple of str
        What lmerTest would warn of: negative or zero eigenvalues; empty for a good fit.
    """

    vcov_varpar: Floats
    jac_list: tuple[Floats, ...]
    vcov_beta: Floats
    sigma: float
    hessian: Floats
    eigenvalues: Floats
    messages: tuple[str, ...]


def satterthwaite(parts: ModelParts, shared: Moments | None = None) -> SatterthwaiteParts:
    r"""Differentiate the deviance and the covariance of the fixed effects exactly.

    Parameters
    ----------
    parts : ModelParts
        The fitted model, by REML or ML.
    shared : Moments, optional
        ``moments(parts)``, if Kenward-Roger's method has computed them already.

    Returns
    -------
    SatterthwaiteParts

    Raises
    ------
    NotSupportedError
        As `moments`.

    Notes
    -----
    Mirrors ``lmerTest::as_lmerModLmerTest``. With :math:`D_i = \partial T/\partial\theta_i`,
    :math:`D_{ij}` the second derivatives, :math:`\tilde C = C - B\Phi B'` (REML; C for ML in the
    traces), :math:`\nu = n - p` (REML) or n (ML) and S the residual sum of squares
    :math:`r'W^{-1}r`, the deviance d has

    .. math::
        d_{ij} &= \operatorname{tr}\tilde C D_{ij} - \operatorname{tr}\tilde C D_i\tilde C D_j
            + [2 u'D_i\tilde C D_j u - u'D_{ij}u]/\sigma^2 \\
        d_{i\sigma} &= 2u'D_iu/\sigma^3, \qquad d_{\sigma\sigma} = -2\nu/\sigma^2 + 6S/\sigma^4

    and the covariance of :math:`\hat\beta` has the derivatives :math:`\sigma^2\Phi B'D_iB\Phi` and
    :math:`2\sigma\Phi`. The covariance of the parameters is twice the inverse Hessian, over the
    eigenvalues above 1e-8. A parameter on its boundary is treated as lmerTest does: as free.

    References
    ----------
    Kuznetsova, Brockhoff & Christensen 2017, doi:10.18637/jss.v082.i13.
    """
    mom = moments(parts) if shared is None else shared
    hessian = _hessian(mom)
    d1, phi = mom.basis.d1, mom.phi
    p = len(phi)
    s2 = mom.sigma**2
    slopes = np.einsum("ir,rab->iab", d1, mom.form[:, :p, :p])
    jac = [s2 * (phi @ slope @ phi) for slope in slopes] + [2.0 * mom.sigma * phi]
    vcov_varpar, eigenvalues, messages = _invert(hessian)
    return SatterthwaiteParts(
        vcov_varpar=vcov_varpar,
        jac_list=tuple(jac),
        vcov_beta=s2 * phi,
        sigma=mom.sigma,
        hessian=hessian,
        eigenvalues=eigenvalues,
        messages=messages,
    )


def profiled_derivatives(mom: Moments) -> tuple[Floats, Floats]:
    r"""Gradient and Hessian in theta of the criterion that lme4 minimizes, sigma profiled out.

    Parameters
    ----------
    mom : Moments
        ``moments(parts)``.

    Returns
    -------
    gradient : ndarray, shape (m,)
    hessian : ndarray, shape (m, m)

    Notes
    -----
    What ``lme4:::deriv12`` takes by differences of the deviance function. In the notation of
    `satterthwaite`, :math:`d_i = \operatorname{tr}\tilde C D_i - u'D_iu/\sigma^2`; at the
    :math:`\hat\sigma` of each theta :math:`d_\sigma = 0`, so that the second derivatives are
    :math:`d_{ij} - d_{i\sigma}d_{j\sigma}/d_{\sigma\sigma}`. Bates et al. 2015, section 3,
    doi:10.18637/jss.v067.i01, for the criterion.
    """
    p = len(mom.phi)
    gradient = mom.basis.d1 @ (_single_traces(mom) - mom.form[:, p, p] / mom.sigma**2)
    full = _hessian(mom)
    across = full[:-1, -1]
    return gradient, full[:-1, :-1] - np.outer(across, across) / full[-1, -1]


def _single_traces(mom: Moments) -> Floats:
    """tr(C̃Eᵣ)."""
    if not mom.reml:
        return mom.trace
    p = len(mom.phi)
    traces: Floats = mom.trace - np.einsum("ab,rba->r", mom.phi, mom.form[:, :p, :p])
    return traces


def _hessian(mom: Moments) -> Floats:
    d1, d2, phi, sigma = mom.basis.d1, mom.basis.d2, mom.phi, mom.sigma
    p = len(phi)
    m = len(d1)
    bb, uu = mom.form[:, :p, :p], mom.form[:, p, p]
    weighted = phi @ bb
    single, pair = _single_traces(mom), mom.pair_trace
    if mom.reml:
        pair = (
            pair
            - 2.0 * np.einsum("ab,rsba->rs", phi, mom.pair_form[:, :, :p, :p])
            + np.einsum("rab,sba->rs", weighted, weighted)
        )
    bu = mom.form[:, :p, p]
    uu_pair = mom.pair_form[:, :, p, p] - bu @ phi @ bu.T
    second = d2 @ (single - uu / sigma**2)
    hessian = np.empty((m + 1, m + 1))
    hessian[:m, :m] = second + d1 @ (2.0 * uu_pair / sigma**2 - pair) @ d1.T
    hessian[:m, m] = hessian[m, :m] = 2.0 * (d1 @ uu) / sigma**3
    free = mom.n - p if mom.reml else mom.n
    hessian[m, m] = -2.0 * free / sigma**2 + 6.0 * mom.residual / sigma**4
    symmetric: Floats = (hessian + hessian.T) / 2
    return symmetric


def _invert(hessian: Floats) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Twice the inverse over the positive eigenvalues, with lmerTest's words for the others."""
    values, vectors = np.linalg.eigh(hessian)
    values, vectors = values[::-1], vectors[:, ::-1]
    tol = EIGENVALUE_TOLERANCE
    messages = []
    negative, zero = values[values < -tol], values[np.abs(values) < tol]
    if len(negative):
        messages.append(_say("Model failed to converge with %d negative %s: %s", negative))
    if len(zero):
        messages.append(_say("Model may not have converged with %d %s close to zero: %s", zero))
    positive = values > tol
    kept = vectors[:, positive]
    return 2.0 * (kept / values[positive]) @ kept.T, values, tuple(messages)


def _say(template: str, values: Floats) -> str:
    noun = "eigenvalues" if len(values) > 1 else "eigenvalue"
    return template % (len(values), noun, " ".join(f"{v:1.1e}" for v in values))
