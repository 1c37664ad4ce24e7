"""Kenward-Roger's adjusted covariance matrix, without the n × n matrices of pbkrtest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pymlm.errors import NotSupportedError
from pymlm.inference.moments import Moments, moments
from pymlm.inference.parts import Floats, ModelParts

__all__ = ["KenwardRogerParts", "kenward_roger"]

# pbkrtest's own rule: below this smallest eigenvalue the information matrix gets a pseudo-inverse
# (MASS::ginv, whose relative tolerance is the square root of the machine precision).
_CONDITION_LIMIT = 1e-10
_GINV_TOLERANCE = float(np.sqrt(np.finfo(np.float64).eps))


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class KenwardRogerParts:
    """What ``pbkrtest::vcovAdj`` returns; p fixed effects, R + 1 variance components.

    Attributes
    ----------
    phi : ndarray, shape (p, p)
        Covariance matrix of β̂.
    phi_adj : ndarray, shape (p, p)
        Covariance matrix adjusted for the uncertainty of the variance components.
    P : tuple of R + 1 ndarrays, shape (p, p)
        -X'Σ⁻¹GᵣΣ⁻¹X; the last one belongs to the residual variance.
    W : ndarray, shape (R + 1, R + 1)
        Asymptotic covariance matrix of the variance components.
    condition : float
        Smallest absolute eigenvalue of their expected information (pbkrtest's ``condi``).
    """

    phi: Floats
    phi_adj: Floats
    P: tuple[Floats, ...]
    W: Floats
    condition: float


def kenward_roger(parts: ModelParts, shared: Moments | None = None) -> KenwardRogerParts:
    r"""Adjust the covariance matrix of the fixed effects for small samples.

    Parameters
    ----------
    parts : ModelParts
        The fitted model, by REML.
    shared : Moments, optional
        ``moments(parts)``, if Satterthwaite's method has computed them already.

    Returns
    -------
    KenwardRogerParts

    Raises
    ------
    NotSupportedError
        If the model was fitted by maximum likelihood, or as `moments`.

    Notes
    -----
    Mirrors ``pbkrtest::vcovAdj``. With :math:`\Sigma=\sum_r\gamma_rG_r`, :math:`G_r=ZE_rZ'` and
    :math:`G = R` (the identity, without prior weights) for the residual,

    .. math::
        P_r &= -X'\Sigma^{-1}G_r\Sigma^{-1}X, \qquad
        Q_{rs} = X'\Sigma^{-1}G_r\Sigma^{-1}G_s\Sigma^{-1}X \\
        I_{rs} &= \tfrac12[\operatorname{tr}\Sigma^{-1}G_r\Sigma^{-1}G_s
            - 2\operatorname{tr}\Phi Q_{rs} + \operatorname{tr}\Phi P_r\Phi P_s], \qquad
        W = I^{-1} \\
        \Phi_A &= \Phi + 2\Phi\Bigl\{\sum_{rs} W_{rs}(Q_{rs}-P_r\Phi P_s)\Bigr\}\Phi

    Since :math:`\Sigma=\sigma^2(R + ZTZ')`, the residual's quantities follow from the others by
    :math:`R = \Sigma/\sigma^2 - ZTZ'`; nothing else is needed than C, B and T.

    Prior weights w mean :math:`R=\operatorname{diag}(1/w)`, as lme4 fits them. pbkrtest 0.5.2
    ignores prior weights in Σ while it takes Φ from the weighted fit, so its numbers for weighted
    fits are not Kenward and Roger's; these are.

    The scale of the information matrix depends on the units of the response. Where R's ``solve``
    would call it singular for that reason alone, the inverse is still found here.

    References
    ----------
    Kenward & Roger 1997, doi:10.2307/2533558; Halekoh & Højsgaard 2014, doi:10.18637/jss.v059.i09.
    """
    if not parts.reml:
        raise NotSupportedError(
            "Kenward-Roger's method is only available for REML model fits. Refit the model with "
            "REML=True, or use Satterthwaite's method."
        )
    mom = moments(parts) if shared is None else shared
    s2 = mom.sigma**2
    phi = s2 * mom.phi
    p_all, q_all, traces = _components(mom)
    weighted = phi @ p_all
    information = (
        traces
        - 2.0 * np.einsum("ab,rsba->rs", phi, q_all)
        + np.einsum("rab,sba->rs", weighted, weighted)
    )
    information = (information + information.T) / 2
    w, condition = _inverse_information(information)
    inner = np.einsum("rs,rsab->ab", w, q_all)
    inner -= np.einsum("rs,rab,sbc->ac", w, p_all, weighted, optimize=True)
    inner = (inner + inner.T) / 2
    return KenwardRogerParts(
        phi=phi,
        phi_adj=phi + 2.0 * (phi @ inner @ phi),
        P=tuple(p_all),
        W=w,
        condition=condition,
    )


def _components(mom: Moments) -> tuple[Floats, Floats, Floats]:
    """Return Pᵣ, Qᵣₛ and tr(Σ⁻¹GᵣΣ⁻¹Gₛ), the residual variance last."""
    p, number = len(mom.phi), len(mom.trace)
    tau, s2 = mom.basis.tau, mom.sigma**2
    bb, bcb = mom.form[:, :p, :p], mom.pair_form[:, :, :p, :p]
    # T = Σᵣ τᵣEᵣ turns products with T into sums over the elements.
    btb, ebtb = np.tensordot(tau, bb, 1), np.tensordot(tau, bcb, (0, 1))
    traced = mom.pair_trace @ tau

    p_all = np.empty((number + 1, p, p))
    p_all[:number] = -bb
    p_all[number] = btb - mom.information
    q_all = np.empty((number + 1, number + 1, p, p))
    q_all[:number, :number] = bcb
    q_all[:number, number] = bb - ebtb
    q_all[number, :number] = q_all[:number, number].swapaxes(1, 2)
    q_all[number, number] = mom.information - 2.0 * btb + np.tensordot(tau, ebtb, 1)
    traces = np.empty((number + 1, number + 1))
    traces[:number, :number] = mom.pair_trace
    traces[:number, number] = traces[number, :number] = mom.trace - traced
    traces[number, number] = mom.n - 2.0 * (tau @ mom.trace) + tau @ traced
    return p_all / s2**2, q_all / s2**3, traces / s2**2


def _inverse_information(information: Floats) -> tuple[Floats, float]:
    """Return W = 2·information⁻¹ by pbkrtest's rule, and the smallest absolute eigenvalue."""
    condition = float(np.abs(np.linalg.eigvalsh(information)).min())
    if condition > _CONDITION_LIMIT:
        # Variances and covariances differ in scale by design; bring the diagonal to one.
        scale = np.sqrt(np.abs(np.diag(information)))
        unit = np.outer(scale, scale)
        w = 2.0 * np.linalg.inv(information / unit) / unit
    else:
        w = 2.0 * np.linalg.pinv(information, rcond=_GINV_TOLERANCE)
    return (w + w.T) / 2, condition
