"""The relative covariance matrix T = ΛΛ' of the random effects, and its derivatives in θ.

lme4 gives every level of a random-effects term the same small factor λ, so T is a sum
T = Σᵣ τᵣEᵣ with one 0/1 matrix Eᵣ per variance or covariance of each term. These Eᵣ are the
building blocks of both methods: Kenward-Roger's Gᵣ is ZEᵣZ', and Satterthwaite's derivatives of T
are combinations of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from pymlm.errors import NotSupportedError
from pymlm.inference.parts import Floats, Ints, ModelParts

__all__ = ["CovarianceBasis", "CovarianceShape", "Element"]


@dataclass(frozen=True, slots=True)
class Element:
    """One variance (a = b) or covariance (a > b) of coefficients a and b of a term."""

    term: int
    a: int
    b: int


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CovarianceBasis:
    """T = Σᵣ τᵣEᵣ and its derivatives; R elements, m covariance parameters.

    Attributes
    ----------
    elements : tuple of Element, length R
        Term by term, each lower triangle by columns: pbkrtest's order.
    tau : ndarray, shape (R,)
        Relative (co)variances.
    d1 : ndarray, shape (m, R)
        ∂τᵣ/∂θᵢ.
    d2 : ndarray, shape (m, m, R)
        ∂²τᵣ/∂θᵢ∂θⱼ, which do not depend on θ.
    gp, n_coef : ndarray of int
        Term offsets and coefficients per level, as in `ModelParts`.
    """

    elements: tuple[Element, ...]
    tau: Floats
    d1: Floats
    d2: Floats
    gp: Ints
    n_coef: Ints

    def matrix(self, start: int, stop: int) -> Any:
        """Return T for the coefficients start … stop - 1 (whole terms), as a sparse matrix."""
        rows, cols, values = [], [], []
        for e, tau in zip(self.elements, self.tau, strict=True):
            if not start <= self.gp[e.term] < stop:
                continue
            first = np.arange(self.gp[e.term], self.gp[e.term + 1], self.n_coef[e.term]) - start
            for a, b in {(e.a, e.b), (e.b, e.a)}:
                rows.append(first + a)
                cols.append(first + b)
                values.append(np.full(len(first), tau))
        shape = (stop - start, stop - start)
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
        return sp.csr_matrix(entries, shape=shape)

    def select(self, r: int, matrix: Any, start: int) -> Any:
        """Return EᵣM, for the sparse matrix M whose first row is coefficient `start`."""
        e = self.elements[r]
        first = np.arange(self.gp[e.term], self.gp[e.term + 1], self.n_coef[e.term]) - start
        rows, cols = first + e.a, first + e.b
        if e.a != e.b:
            rows, cols = np.concatenate([rows, cols]), np.concatenate([cols, rows])
        size = matrix.shape[0]
        selection = sp.csr_matrix((np.ones(len(rows)), (rows, cols)), shape=(size, size))
        return selection @ matrix


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CovarianceShape:
    """Which θ stands where in the factor λ of every term: all of a design's T that no θ changes.

    Attributes
    ----------
    elements : tuple of Element
        As of `CovarianceBasis`.
    slots : list of ndarray, shape (k, k)
        Of each term, the index into θ of every entry of λ (-1 where it is zero).
    units : list of ndarray, shape (m, k, k)
        ∂λ/∂θᵢ of each term.
    d2 : ndarray, shape (m, m, R)
    gp, n_coef : ndarray of int
    """

    elements: tuple[Element, ...]
    slots: list[Ints]
    units: list[Floats]
    d2: Floats
    gp: Ints
    n_coef: Ints

    @classmethod
    def of(cls, parts: ModelParts) -> CovarianceShape:
        """Read the factor λ of every term from Λ.

        Raises
        ------
        NotSupportedError
            If Λ is not made of one lower-triangular factor per term, repeated for every level.
        """
        m = len(parts.theta)
        elements: list[Element] = []
        units, d2 = [], []
        all_slots = _theta_slots(parts)
        for t, slots in enumerate(all_slots):
            k = len(slots)
            # λᵢ = ∂λ/∂θᵢ: 0/1 matrices, one per parameter.
            unit = np.zeros((m, k, k))
            a, b = np.nonzero(slots >= 0)
            unit[slots[a, b], a, b] = 1.0
            units.append(unit)
            second = np.einsum("iab,jcb->ijac", unit, unit)
            second = second + second.swapaxes(2, 3)
            for col in range(k):
                for row in range(col, k):
                    elements.append(Element(t, row, col))
                    d2.append(second[:, :, row, col])
        return cls(
            elements=tuple(elements), slots=all_slots, units=units, d2=np.stack(d2, axis=-1),
            gp=parts.gp, n_coef=parts.n_coef,
        )  # fmt: skip

    def at(self, theta: Floats) -> CovarianceBasis:
        """Differentiate T = ΛΛ' in θ."""
        tau, d1 = [], []
        for slots, unit in zip(self.slots, self.units, strict=True):
            lam = np.where(slots >= 0, theta[slots], 0.0)
            cov = lam @ lam.T
            first = unit @ lam.T
            first = first + first.swapaxes(1, 2)
            for col in range(len(slots)):
                for row in range(col, len(slots)):
                    tau.append(cov[row, col])
                    d1.append(first[:, row, col])
        return CovarianceBasis(
            elements=self.elements, tau=np.array(tau), d1=np.stack(d1, axis=-1), d2=self.d2,
            gp=self.gp, n_coef=self.n_coef,
        )  # fmt: skip


def _theta_slots(parts: ModelParts) -> list[Ints]:
    """For each term, the index into θ of every entry of λ (-1 where λ is zero)."""
    coo = parts.lambdat.tocoo()
    index = parts.lind - 1
    if not np.array_equal(parts.theta[index], parts.lambdat.data):
        raise NotSupportedError(
            "Λ(θ) of this model is not linear in θ entry by entry (a structured covariance?), so "
            "the exact degrees of freedom are not defined here. Use engine='lmerTest'."
        )
    term = np.searchsorted(parts.gp, coo.col, side="right") - 1
    slots = []
    for t, k in enumerate(int(c) for c in parts.n_coef):
        mine = term == t
        # Λ is the transpose of the stored matrix: its row is the stored column.
        row, col, idx = coo.col[mine] - parts.gp[t], coo.row[mine] - parts.gp[t], index[mine]
        found = np.full((k, k), -1, dtype=np.intp)
        found[row % k, col % k] = idx
        same_level = np.array_equal(row // k, col // k)
        repeated = len(idx) == parts.n_levels[t] * np.count_nonzero(found >= 0)
        if not (same_level and repeated and np.array_equal(found[row % k, col % k], idx)):
            raise NotSupportedError(
                f"random-effects term {t + 1} does not give every level of its grouping factor "
                "the same covariance factor. Use engine='lmerTest'."
            )
        slots.append(found)
    return slots
