"""W⁻¹ = (I + ZTZ')⁻¹ seen through Z: every quantity that needs no n × n matrix.

Notation: K = Z'Z, T = ΛΛ', A = (I + TK)⁻¹, so that with H = AT, W⁻¹ = I - ZHZ' and

    C = Z'W⁻¹Z = KA,    B = Z'W⁻¹X = A'Z'X,    X'W⁻¹X = X'X - (TZ'X)'B.

A is computed rather than H = ΛM⁻¹Λ' because KA has no cancellation (K - KHK loses as many digits
as a group has rows), and because it exists for singular Λ.

Inner coefficients (1) are eliminated block by block; what is left for the outer ones (2) has the
same form, with C̄₂₂ = K₂₂ - K₂₁H₁K₁₂ in the place of K. With C̄₁₂ = A₁'K₁₂, A₂ = (I + T₂C̄₂₂)⁻¹ and
H₂ = A₂T₂:

    C₁₁ = C̄₁₁ - C̄₁₂H₂C̄₂₁,    C₁₂ = C̄₁₂A₂,    C₂₂ = C̄₂₂A₂.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from pymlm.inference.covariance import CovarianceBasis
from pymlm.inference.elements import BlockElements, add_pair_traces
from pymlm.inference.layout import BlockDiagonal, Layout
from pymlm.inference.parts import Floats
from pymlm.inference.plan import Plan

__all__ = ["CrossBlocks", "System"]

# A sparse product costs about this many times more per multiplication than a dense one.
_SPARSE_PENALTY = 50.0
# Entries of the row chunks that are made dense.
_CHUNK_ENTRIES = 4_000_000


@dataclass(frozen=True, slots=True, eq=False)
class _Outer:
    """The outer coefficients: A₂ and C₂₂ as blocks, T₂, K₁₂ and C̄₁₂ sparse."""

    a: BlockDiagonal
    c: BlockDiagonal
    t: Any
    k12: Any
    c12: Any


@dataclass(frozen=True, slots=True, eq=False)
class CrossBlocks:
    """K = Z'Z (prior weights folded in) in the blocks of a plan; the same for every T.

    K₁₁ and K₂₂ are held as blocks, K₁₂ sparse; `k12`, `k22` and `outer` are None without outer
    coefficients. `inner` and `outer` are the elements of T in those blocks.
    """

    cut: int
    q: int
    k11: BlockDiagonal
    k12: Any
    k22: BlockDiagonal | None
    inner: BlockElements
    outer: BlockElements | None

    @classmethod
    def of(cls, cross: Any, plan: Plan, basis: CovarianceBasis) -> CrossBlocks:
        """Take K, a sparse q × q matrix in rows, apart."""
        cut, q = plan.cut, cross.shape[0]
        inner = Layout(plan.inner)
        one = BlockElements(basis, inner, 0)
        if cut == q:
            return cls(cut, q, inner.from_sparse(cross), None, None, one, None)
        outer = Layout(plan.outer)
        two = BlockElements(basis, outer, cut)
        k22 = outer.from_sparse(cross[cut:, cut:])
        k12 = cross[:cut, cut:].tocsr()
        return cls(cut, q, inner.from_sparse(cross[:cut, :cut]), k12, k22, one, two)


class System:
    """C = Z'W⁻¹Z, held as inner blocks, outer blocks and the sparse coupling between them.

    Parameters
    ----------
    cross : CrossBlocks
        K = Z'Z.
    basis : CovarianceBasis
        T = Σᵣ τᵣEᵣ.
    """

    __slots__ = ("_a1", "_basis", "_c1", "_cross", "_cut", "_outer", "_t1")

    def __init__(self, cross: CrossBlocks, basis: CovarianceBasis) -> None:
        self._basis = basis
        self._cross = cross
        self._cut = cut = cross.cut
        inner = cross.k11.layout
        self._t1 = basis.matrix(0, cut)
        self._a1, self._c1 = _resolvent(cross.k11, inner.from_sparse(self._t1))
        self._outer: _Outer | None = None
        if cross.k22 is not None:
            outer = cross.k22.layout
            t2 = basis.matrix(cut, cross.q)
            c12 = (self._a1.to_sparse().T @ cross.k12).tocsr()
            less = _gram(outer, cross.k12, (self._t1 @ c12).tocsr()).flat
            c22 = BlockDiagonal(outer, cross.k22.flat - less)
            self._outer = _Outer(*_resolvent(c22, outer.from_sparse(t2)), t2, cross.k12, c12)

    def fixed(self, ztx: Floats, xtx: Floats) -> tuple[Floats, Floats]:
        """Return B = Z'W⁻¹X and X'W⁻¹X from Z'X and X'X, for a dense X of any number of columns."""
        cut, two = self._cut, self._outer
        b1 = self._a1.apply(ztx[:cut], transpose=True)
        xwx = xtx - (self._t1 @ ztx[:cut]).T @ b1
        if two is None:
            return b1, (xwx + xwx.T) / 2
        b2bar = ztx[cut:] - two.k12.T @ (self._t1 @ b1)
        b2 = two.a.apply(b2bar, transpose=True)
        tb2 = two.t @ b2
        xwx = xwx - b2bar.T @ tb2
        return np.concatenate([b1 - two.c12 @ tb2, b2]), (xwx + xwx.T) / 2

    def apply(self, dense: Floats) -> Floats:
        """Return CS for a dense (q, k) matrix S."""
        cut, two = self._cut, self._outer
        top = self._c1.apply(dense[:cut])
        if two is None:
            return top
        # The parts of S are kept apart: C̄₂₂S₂ - C̄₂₂H₂C̄₂₂S₂ would cancel where C̄₂₂A₂S₂ does not.
        inner = two.a.apply(two.c12.T @ dense[:cut], transpose=True)
        outer = two.a.apply(dense[cut:])
        top += two.c12 @ (outer - two.t @ inner)
        return np.concatenate([top, inner + two.c.apply(dense[cut:])])

    def traces(self) -> tuple[Floats, Floats]:
        """Return tr(CEᵣ), shape (R,), and tr(CEᵣCEₛ), shape (R, R)."""
        one, two = self._cross.inner, self._cross.outer
        single, pair = one.traces(self._c1), one.pair_traces(self._c1)
        if self._outer is None or two is None:
            return single, pair
        single2, pair2 = two.traces(self._outer.c), two.pair_traces(self._outer.c)
        less, pair_less, mixed = self._coupling(self._outer, one.index, two)
        single = np.concatenate([single - less, single2])
        return single, np.block([[pair - pair_less, mixed], [mixed.T, pair2]])

    def _coupling(
        self, outer: _Outer, index: list[int], elements: BlockElements
    ) -> tuple[Floats, Floats, Floats]:
        """What the outer coefficients take away from the inner traces, and the mixed traces.

        With Fᵣ = C̄₂₁EᵣC̄₁₂ and Fᵣₛ = C̄₂₁EᵣC̄₁₁EₛC̄₁₂: tr(H₂Fᵣ); 2tr(H₂Fᵣₛ) - tr(H₂FᵣH₂Fₛ);
        and, for inner r and outer s, tr(A₂'FᵣA₂Eₛ).
        """
        layout, number = outer.a.layout, len(index)
        less, pair_less = np.zeros(number), np.zeros((number, number))
        mixed = np.zeros((number, len(elements.index)))
        h2 = BlockDiagonal(layout, np.empty_like(outer.a.flat))
        t2 = layout.from_sparse(outer.t)
        for batch in layout.batches:
            h2.of(batch)[...] = outer.a.of(batch) @ t2.of(batch)
        chosen = [self._basis.select(r, outer.c12, 0) for r in index]
        c1 = self._c1.to_sparse()
        for s in range(number):
            moved = (c1 @ chosen[s]).tocsr()
            for r in range(s, number):
                value = 2.0 * float(h2.flat @ _gram(layout, chosen[r], moved).flat)
                pair_less[r, s] = pair_less[s, r] = value
        f = [_gram(layout, outer.c12, chosen_r) for chosen_r in chosen]
        for rows, batch in zip(elements.rows, layout.batches, strict=True):
            h, a = h2.of(batch), outer.a.of(batch)
            hf = [h @ x.of(batch) for x in f]
            less += [np.einsum("kii->", x) for x in hf]
            taken = np.zeros((number, number))
            add_pair_traces(hf, taken)
            pair_less -= taken
            # A₂Eₛ = (EₛA₂')': columns are exchanged by exchanging rows of the transpose.
            at = np.ascontiguousarray(a.swapaxes(1, 2))
            columns = [elements.select(found, at) for found in rows]
            for r, x in enumerate(f):
                fa = x.of(batch) @ a
                mixed[r] += [np.einsum("kij,kji->", fa, column) for column in columns]
        return less, pair_less, mixed


def _resolvent(k: BlockDiagonal, t: BlockDiagonal) -> tuple[BlockDiagonal, BlockDiagonal]:
    """Return A = (I + TK)⁻¹ and C = KA block by block."""
    a = BlockDiagonal(k.layout, np.empty_like(k.flat))
    c = BlockDiagonal(k.layout, np.empty_like(k.flat))
    for batch in k.layout.batches:
        kb, tb = k.of(batch), t.of(batch)
        # Predictors on very different scales would make I + TK badly scaled: work in units in
        # which the diagonal of K is one, and go back.
        d = np.sqrt(np.maximum(np.einsum("kii->ki", kb), 0.0))
        d[d == 0.0] = 1.0
        dd = d[:, :, None] * d[:, None, :]
        whole = (tb * dd) @ (kb / dd)
        size = whole.shape[1]
        whole[:, range(size), range(size)] += 1.0
        ab = np.linalg.inv(whole) * (d[:, None, :] / d[:, :, None])
        cb = kb @ ab
        a.of(batch)[...] = ab
        c.of(batch)[...] = (cb + cb.swapaxes(1, 2)) / 2
    return a, c


def _gram(layout: Layout, left: Any, right: Any) -> BlockDiagonal:
    """Return left'right, both sparse with the outer coefficients as columns, as outer blocks."""
    work = float(np.diff(left.indptr) @ np.diff(right.indptr).astype(np.float64))
    dense_work = float(left.shape[0]) * layout.q**2
    if not layout.single or work * _SPARSE_PENALTY < dense_work:
        return layout.from_sparse(left.T @ right)
    out = np.zeros((layout.q, layout.q))
    step = max(1, _CHUNK_ENTRIES // layout.q)
    for i in range(0, left.shape[0], step):
        out += left[i : i + step].toarray().T @ right[i : i + step].toarray()
    return BlockDiagonal(layout, out.ravel())
