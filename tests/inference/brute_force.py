"""Both methods by dense n × n algebra, from the definitions and not from pymlm's formulas."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pymlm.inference import ModelParts
from pymlm.inference.parts import Floats


def _lambda_units(parts: ModelParts) -> list[Floats]:
    """∂Λ/∂θᵢ as dense 0/1 matrices."""
    units = []
    for i in range(len(parts.theta)):
        one = parts.lambdat.copy()
        one.data = (parts.lind == i + 1).astype(float)
        units.append(one.toarray().T)
    return units


def hessian_and_jacobian(parts: ModelParts) -> tuple[Floats, list[Floats]]:
    """Second derivatives of the deviance in (θ, σ), and the derivatives of Var(β̂).

    With V = σ²(R + ZTZ'), R = diag(1/w), and P = V⁻¹ - V⁻¹X(X'V⁻¹X)⁻¹X'V⁻¹, the REML deviance
    log|V| + log|X'V⁻¹X| + y'Py has the second derivatives
    tr(PVᵢⱼ) - tr(PVᵢPVⱼ) + 2y'PVᵢPVⱼPy - y'PVᵢⱼPy; the ML deviance has V⁻¹ in the traces.
    """
    Z, s = parts.zt.T.toarray(), parts.sigma
    lam = parts.lambdat.T.toarray()
    units = _lambda_units(parts)
    m = len(units)
    R = np.diag(1.0 / parts.weights)
    V = s**2 * (R + Z @ lam @ lam.T @ Z.T)
    first = [s**2 * Z @ (u @ lam.T + lam @ u.T) @ Z.T for u in units] + [2.0 * V / s]
    second = [[np.zeros_like(V)] * (m + 1) for _ in range(m + 1)]
    for i, u in enumerate(units):
        for j, v in enumerate(units):
            second[i][j] = s**2 * Z @ (u @ v.T + v @ u.T) @ Z.T
        second[i][m] = second[m][i] = 2.0 * first[i] / s
    second[m][m] = 2.0 * V / s**2

    inverse = np.linalg.inv(V)
    cov = np.linalg.inv(parts.X.T @ inverse @ parts.X)
    gls = inverse @ parts.X @ cov
    P = inverse - gls @ parts.X.T @ inverse
    py = P @ (parts.y - parts.offset)
    traced = P if parts.reml else inverse
    hessian = np.empty((m + 1, m + 1))
    for i in range(m + 1):
        for j in range(m + 1):
            a, b, c = first[i], first[j], second[i][j]
            hessian[i, j] = (
                np.sum(traced * c)
                - np.sum((traced @ a) * (traced @ b).T)
                + 2.0 * py @ a @ P @ b @ py
                - py @ c @ py
            )
    return hessian, [gls.T @ a @ gls for a in first]


@dataclass(frozen=True)
class Adjusted:
    phi: Floats
    phi_adj: Floats
    P: list[Floats]
    information: Floats
    W: Floats


def kenward_roger(parts: ModelParts) -> Adjusted:
    """Kenward & Roger's adjusted covariance matrix with Σ = Σᵣ γᵣGᵣ, R = diag(1/w) last."""
    Z, X = parts.zt.T.toarray(), parts.X
    lam = parts.lambdat.T.toarray()
    R = np.diag(1.0 / parts.weights)
    inverse = np.linalg.inv(parts.sigma**2 * (R + Z @ lam @ lam.T @ Z.T))
    G = []
    for t, k in enumerate(parts.n_coef):
        start, stop = parts.gp[t], parts.gp[t + 1]
        levels = (stop - start) // k
        for b in range(k):
            for a in range(b, k):
                small = np.zeros((k, k))
                small[a, b] = small[b, a] = 1.0
                z = Z[:, start:stop]
                G.append(z @ np.kron(np.eye(levels), small) @ z.T)
    G.append(R)
    phi = np.linalg.inv(X.T @ inverse @ X)
    half = [inverse @ g for g in G]
    P = [-X.T @ h @ inverse @ X for h in half]
    Q = [[X.T @ h @ k @ inverse @ X for k in half] for h in half]
    number = range(len(G))
    information = np.array(
        [
            [
                np.sum(half[r] * half[s].T)
                - 2.0 * np.sum(phi * Q[r][s])
                + np.sum((phi @ P[r]) * (phi @ P[s]).T)
                for s in number
            ]
            for r in number
        ]
    )
    W = 2.0 * np.linalg.inv(information)
    inner = sum(W[r, s] * (Q[r][s] - P[r] @ phi @ P[s]) for r in number for s in number)
    return Adjusted(phi, phi + 2.0 * phi @ inner @ phi, P, information, W)
