"""Which random-effect coefficients belong together, and block-diagonal matrices over them.

Blocks of one size are stored as one three-dimensional array, so the algebra is a few batched
calls instead of a loop over groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp

from pymlm.inference.parts import Floats, Ints

__all__ = ["Batch", "BlockDiagonal", "Layout"]

# Entries per batch: keeps temporaries near 4 MB, within the caches' reach, whatever the size of q.
_BATCH_ENTRIES = 500_000
# Block sizes above this are used as they are; smaller ones are rounded up to a few sizes.
_PAD_LIMIT = 256


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Blocks of equal size s: `members[i]` lists the coefficients of block i.

    Short blocks are padded by the index q, a coefficient that no row uses; `start` is set when the
    members simply count up from it, so that gathering is a view.
    """

    members: Ints
    offset: int
    start: int | None

    @property
    def shape(self) -> tuple[int, int, int]:
        blocks, size = self.members.shape
        return blocks, size, size


class Layout:
    """A partition of q coefficients into blocks.

    Parameters
    ----------
    block : ndarray of int, shape (q,)
        Number of the block that each coefficient belongs to.
    """

    __slots__ = ("_base", "_position", "batches", "entries", "q")

    def __init__(self, block: Ints) -> None:
        self.q = q = len(block)
        order = np.argsort(block, kind="stable")
        _, first, size = np.unique(block[order], return_index=True, return_counts=True)
        padded = _rounded(size)
        self._base = np.zeros(q, dtype=np.intp)
        self._position = np.zeros(q, dtype=np.intp)
        self.batches: list[Batch] = []
        self.entries = 0
        for s in np.unique(padded):
            mine = np.flatnonzero(padded == s)
            step = max(1, _BATCH_ENTRIES // int(s * s))
            for k in range(0, len(mine), step):
                self._add(order, first[mine[k : k + step]], size[mine[k : k + step]], int(s))

    def _add(self, order: Ints, first: Ints, size: Ints, s: int) -> None:
        inside = np.arange(s)
        real = inside < size[:, None]
        where = np.where(real, first[:, None] + inside, 0)
        members = np.where(real, order[where], self.q) if self.q else where
        flat = members.ravel()
        counts_up = bool(real.all()) and bool(np.all(np.diff(flat) == 1))
        self.batches.append(Batch(members, self.entries, int(flat[0]) if counts_up else None))
        coefficient = flat[flat < self.q]
        at = np.flatnonzero(flat < self.q)
        self._base[coefficient] = self.entries + at * s
        self._position[coefficient] = at % s
        self.entries += members.size * s

    @property
    def single(self) -> bool:
        """Whether one block holds everything, in order."""
        return len(self.batches) == 1 and self.batches[0].members.shape == (1, self.q)

    def from_sparse(self, matrix: Any) -> BlockDiagonal:
        """Gather a sparse q × q matrix whose entries all lie inside blocks."""
        if self.single:
            return BlockDiagonal(self, matrix.toarray().ravel())
        out = BlockDiagonal(self, np.zeros(self.entries))
        coo = matrix.tocoo()
        out.flat[self._base[coo.row] + self._position[coo.col]] = coo.data
        return out

    def gather(self, batch: Batch, dense: Floats) -> Floats:
        """Rows of a dense (q, k) matrix, block by block: shape (blocks, s, k)."""
        blocks, s = batch.members.shape
        if batch.start is not None:
            rows = dense[batch.start : batch.start + blocks * s]
            return rows.reshape(blocks, s, -1)
        out: Floats = dense[np.minimum(batch.members, self.q - 1)]
        out[batch.members == self.q] = 0.0
        return out

    def scatter(self, batch: Batch, blocks: Floats, out: Floats) -> None:
        """Put the blocks' rows into their places of the dense (q, k) matrix `out`."""
        if batch.start is not None:
            out[batch.start : batch.start + batch.members.size] = blocks.reshape(-1, out.shape[1])
            return
        real = batch.members < self.q
        out[batch.members[real]] = blocks[real]


class BlockDiagonal:
    """A block-diagonal q × q matrix over a layout."""

    __slots__ = ("flat", "layout")

    def __init__(self, layout: Layout, flat: Floats) -> None:
        self.layout = layout
        self.flat = flat

    def __iter__(self) -> Iterator[Floats]:
        for batch in self.layout.batches:
            yield self.of(batch)

    def of(self, batch: Batch) -> Floats:
        """Blocks of one batch as a view, shape (blocks, s, s)."""
        blocks, s, _ = batch.shape
        return self.flat[batch.offset : batch.offset + blocks * s * s].reshape(batch.shape)

    def apply(self, dense: Floats, *, transpose: bool = False) -> Floats:
        """Return the product with a dense (q, k) matrix."""
        out = np.empty_like(dense)
        for batch in self.layout.batches:
            left = self.of(batch)
            left = left.swapaxes(1, 2) if transpose else left
            self.layout.scatter(batch, left @ self.layout.gather(batch, dense), out)
        return out

    def to_sparse(self) -> Any:
        """Return the matrix in compressed sparse rows."""
        rows, cols, values = [], [], []
        for batch in self.layout.batches:
            row = np.broadcast_to(batch.members[:, :, None], batch.shape)
            col = np.broadcast_to(batch.members[:, None, :], batch.shape)
            real = (row < self.layout.q) & (col < self.layout.q)
            rows.append(row[real])
            cols.append(col[real])
            values.append(self.of(batch)[real])
        q = self.layout.q
        entries = (np.concatenate(values), (np.concatenate(rows), np.concatenate(cols)))
        return sp.csr_matrix(entries, shape=(q, q))


def _rounded(size: Ints) -> Ints:
    """Round block sizes up to four per octave, so that ragged blocks make few batches."""
    octave = np.floor(np.log2(np.maximum(size, 1))).astype(np.intp)
    step = np.maximum(1, 2 ** np.maximum(octave - 2, 0))
    rounded: Ints = np.where(size <= _PAD_LIMIT, -(-size // step) * step, size)
    return rounded
