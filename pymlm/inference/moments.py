"""The quantities that Satterthwaite's and Kenward-Roger's methods share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from pymlm.inference.covariance import CovarianceBasis, CovarianceShape
from pymlm.inference.parts import Floats, ModelParts
from pymlm.inference.plan import plan_elimination
from pymlm.inference.system import CrossBlocks, System

__all__ = ["Design", "Moments", "moments"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Design:
    """What the moments need of X and Z alone; serves every response that was fitted to them.

    Attributes
    ----------
    x : ndarray, shape (n, p)
        X, rows weighted by the roots of the prior weights.
    zt : scipy.sparse.csc_matrix, shape (q, n)
        Z', weighted in the same way.
    root : ndarray, shape (n,), or None
        Roots of the prior weights; None where all are one.
    cross : CrossBlocks
        K = Z'Z, in the blocks of the cheapest elimination.
    ztx : ndarray, shape (q, p)
        Z'X.
    xtx : ndarray, shape (p, p)
        X'X.
    shape : CovarianceShape
        Of T.
    """

    x: Floats
    zt: Any
    root: Floats | None
    cross: CrossBlocks
    ztx: Floats
    xtx: Floats
    shape: CovarianceShape

    @classmethod
    def of(
        cls, parts: ModelParts, inner_terms: int | None = None, most_work: float | None = None
    ) -> Design:
        """Compute what all fits to the X, Z and weights of `parts` share; arguments: `moments`."""
        x, zt, root = parts.X, parts.zt, None
        if np.any(parts.weights != 1.0):
            root = np.sqrt(parts.weights)
            x, zt = x * root[:, None], zt.copy()
            zt.data *= np.repeat(root, np.diff(zt.indptr))
        p = x.shape[1]
        ztx = np.empty((zt.shape[0], p))
        for j in range(p):
            # Column by column: the product with the whole matrix would copy it into row order.
            ztx[:, j] = zt @ x[:, j]
        cross = (zt @ zt.T).tocsr()
        shape = CovarianceShape.of(parts)
        basis = shape.at(parts.theta)
        plan = plan_elimination(cross, basis, inner_terms, most_work)
        blocks = CrossBlocks.of(cross, plan, basis)
        return cls(x=x, zt=zt, root=root, cross=blocks, ztx=ztx, xtx=x.T @ x, shape=shape)

    def products(self, residual: Floats) -> tuple[Floats, Floats]:
        """Return Z'[X, r] and [X, r]'[X, r] for residuals r without weights."""
        r = residual if self.root is None else residual * self.root
        p = len(self.xtx)
        ztx = np.column_stack([self.ztx, self.zt @ r])
        xtx = np.empty((p + 1, p + 1))
        xtx[:p, :p] = self.xtx
        xtx[:p, p] = xtx[p, :p] = self.x.T @ r
        xtx[p, p] = r @ r
        return ztx, xtx


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Moments:
    """Traces and quadratic forms in C = Z'W⁻¹Z, B = Z'W⁻¹X and u = Z'W⁻¹(y - Xβ̂).

    R variances and covariances of the random effects, p fixed effects; W = V/σ². Both methods need
    nothing else of the data, so one computation serves both.

    Attributes
    ----------
    basis : CovarianceBasis
        T = Σᵣ τᵣEᵣ and its derivatives.
    n : int
        Number of rows.
    sigma : float
        Residual standard deviation.
    reml : bool
        Whether the model was fitted by REML.
    information : ndarray, shape (p, p)
        X'W⁻¹X.
    phi : ndarray, shape (p, p)
        Φ = (X'W⁻¹X)⁻¹; the covariance matrix of β̂ is σ²Φ.
    residual : float
        S = r'W⁻¹r.
    trace : ndarray, shape (R,)
        tr(CEᵣ).
    pair_trace : ndarray, shape (R, R)
        tr(CEᵣCEₛ).
    form : ndarray, shape (R, p + 1, p + 1)
        [B, u]'Eᵣ[B, u].
    pair_form : ndarray, shape (R, R, p + 1, p + 1)
        [B, u]'EᵣCEₛ[B, u].
    """

    basis: CovarianceBasis
    n: int
    sigma: float
    reml: bool
    information: Floats
    phi: Floats
    residual: float
    trace: Floats
    pair_trace: Floats
    form: Floats
    pair_form: Floats


def moments(
    parts: ModelParts,
    *,
    inner_terms: int | None = None,
    most_work: float | None = None,
    design: Design | None = None,
) -> Moments:
    """Compute the shared quantities; time and memory are linear in n for nested factors.

    Parameters
    ----------
    parts : ModelParts
        The fitted model.
    inner_terms : int, optional
        Number of random-effects terms to eliminate block by block; chosen by cost if not given.
        The result does not depend on it.
    most_work : float, optional
        Multiplications in dense blocks above which the model is refused.
    design : Design, optional
        ``Design.of`` a model with the same X, Z, weights and terms, where many share one; Λ is then
        taken to be what θ makes of it.

    Raises
    ------
    NotSupportedError
        If Λ(θ) has a structure that lme4's formulas do not make, or crossed factors are too large.
    """
    one = Design.of(parts, inner_terms, most_work) if design is None else design
    basis = one.shape.at(parts.theta)
    ztx, xtx = one.products(parts.y - parts.offset - parts.X @ parts.beta)
    system = System(one.cross, basis)
    bu, xwx = system.fixed(ztx, xtx)
    p = parts.X.shape[1]
    information = xwx[:p, :p]
    phi = cho_solve(cho_factor(information), np.eye(p)) if p else np.empty((0, 0))
    phi = (phi + phi.T) / 2
    # β̂ is solved for again: the β that lme4 kept is the optimizer's last but good, and lmerTest's
    # deviance is that of the exact β̂(θ).
    step = phi @ xwx[:p, p]
    bu[:, p] -= bu[:, :p] @ step
    residual = float(xwx[p, p] - step @ xwx[:p, p])
    trace, pair_trace = system.traces()
    form, pair_form = _forms(system, basis, bu)
    return Moments(
        basis=basis,
        n=parts.X.shape[0],
        sigma=parts.sigma,
        reml=parts.reml,
        information=information,
        phi=phi,
        residual=residual,
        trace=trace,
        pair_trace=pair_trace,
        form=form,
        pair_form=pair_form,
    )


def _forms(system: System, basis: CovarianceBasis, bu: Floats) -> tuple[Floats, Floats]:
    """Return [B, u]'Eᵣ[B, u] and [B, u]'EᵣCEₛ[B, u]."""
    number, width = len(basis.elements), bu.shape[1]
    form = np.empty((number, width, width))
    pair = np.empty((number, number, width, width))
    for s, es in enumerate(basis.elements):
        own, ks = _term(bu, basis, es.term), slice(basis.gp[es.term], basis.gp[es.term + 1])
        exchanged = np.zeros_like(bu)
        target = exchanged[ks].reshape(own.shape)
        target[:, es.a] = own[:, es.b]
        target[:, es.b] = own[:, es.a]
        form[s] = _bilinear(own, own, es.a, es.b)
        moved = system.apply(exchanged)
        for r, er in enumerate(basis.elements[: s + 1]):
            value = _bilinear(_term(bu, basis, er.term), _term(moved, basis, er.term), er.a, er.b)
            pair[r, s], pair[s, r] = value, value.T
    return form, pair


def _term(dense: Floats, basis: CovarianceBasis, t: int) -> Floats:
    """Rows of term t as (levels, coefficients, columns)."""
    rows = dense[basis.gp[t] : basis.gp[t + 1]]
    return rows.reshape(-1, int(basis.n_coef[t]), dense.shape[1])


def _bilinear(left: Floats, right: Floats, a: int, b: int) -> Floats:
    """Return left'E right, E being the element (a, b) of the term."""
    value: Floats = left[:, a].T @ right[:, b]
    return value if a == b else value + left[:, b].T @ right[:, a]
