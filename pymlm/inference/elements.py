"""The 0/1 matrices Eᵣ acting on block-diagonal matrices: row exchange within levels, and traces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pymlm.inference.covariance import CovarianceBasis
from pymlm.inference.layout import BlockDiagonal, Layout
from pymlm.inference.parts import Floats, Ints

__all__ = ["BlockElements", "Rows", "add_pair_traces"]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows of a batch (blocks and padding flattened) that hold coefficients a and b of a term."""

    a: Ints
    b: Ints
    everything: bool


class BlockElements:
    """The elements of the whole terms that a layout covers.

    Parameters
    ----------
    basis : CovarianceBasis
        Elements of all terms.
    layout : Layout
        Blocks over the coefficients start … start + layout.q - 1.
    start : int
        First coefficient that the layout covers.
    """

    __slots__ = ("index", "layout", "rows")

    def __init__(self, basis: CovarianceBasis, layout: Layout, start: int) -> None:
        self.layout = layout
        stop = start + layout.q
        self.index = [
            r for r, e in enumerate(basis.elements) if start <= int(basis.gp[e.term]) < stop
        ]
        self.rows: list[list[Rows]] = []
        for batch in layout.batches:
            flat = batch.members.ravel() + start
            flat[batch.members.ravel() == layout.q] = -1
            term = np.searchsorted(basis.gp, flat, side="right") - 1
            coef = np.where(flat >= 0, (flat - basis.gp[term]) % basis.n_coef[term], -1)
            found = []
            for e in (basis.elements[r] for r in self.index):
                a = np.flatnonzero((term == e.term) & (coef == e.a))
                # Coefficients of a level are neighbours, within a block too.
                b = a if e.b == e.a else a + (e.b - e.a)
                found.append(Rows(a, b, len(a) == len(flat)))
            self.rows.append(found)

    def select(self, rows: Rows, blocks: Floats) -> Floats:
        """Return EM for one batch of blocks M, E being given by its rows."""
        if rows.everything:
            return blocks
        flat = blocks.reshape(-1, blocks.shape[-1])
        out = np.zeros_like(flat)
        out[rows.a] = flat[rows.b]
        out[rows.b] = flat[rows.a]
        return out.reshape(blocks.shape)

    def traces(self, matrix: BlockDiagonal) -> Floats:
        """tr(EᵣM) of a symmetric M, for every element."""
        out = np.zeros(len(self.index))
        for batch, found in zip(self.layout.batches, self.rows, strict=True):
            flat = matrix.of(batch).reshape(-1)
            s = batch.shape[1]
            for k, rows in enumerate(found):
                value = flat[rows.a * s + rows.b % s].sum()
                same = len(rows.a) == 0 or rows.a[0] == rows.b[0]
                out[k] += value if same else 2.0 * value
        return out

    def pair_traces(self, matrix: BlockDiagonal) -> Floats:
        """tr(EᵣMEₛM) of a symmetric M, for every pair of elements."""
        number = len(self.index)
        out = np.zeros((number, number))
        for batch, found in zip(self.layout.batches, self.rows, strict=True):
            blocks = matrix.of(batch)
            chosen = [self.select(rows, blocks) for rows in found]
            add_pair_traces(chosen, out)
        return out


def add_pair_traces(blocks: list[Floats], out: Floats) -> None:
    """Add tr(MᵣMₛ) of one batch to `out`, for every pair of the given matrices."""
    for r, one in enumerate(blocks):
        for s, other in enumerate(blocks[: r + 1]):
            value = np.einsum("kij,kji->", one, other)
            out[r, s] += value
            if r != s:
                out[s, r] += value
