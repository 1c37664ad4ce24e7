"""Which terms are eliminated block by block first, and which blocks remain after them.

M = Λ'KΛ + I is block-diagonal for one grouping factor and for nested ones. Crossed factors join
everything into one block; but the coefficients of the first terms (lme4 orders terms by decreasing
number of levels) still fall apart into small blocks among themselves. Those are the *inner*
coefficients. Eliminating them leaves a Schur complement over the *outer* coefficients, whose
blocks are dense.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from pymlm.errors import NotSupportedError
from pymlm.inference.covariance import CovarianceBasis
from pymlm.inference.parts import Ints

__all__ = ["Plan", "plan_elimination"]

# Dense work on outer blocks: inverse, three to four products and traces, in units of size³.
_OUTER_WORK = 8.0
# Set-up of the sparse products between inner and outer coefficients, in the same units: below it
# one dense block is as quick.
_OUTER_SETUP = 2e6
# Copies of the blocks that are alive at the same time, sparse ones included.
_COPIES = 16
_MEMORY_LIMIT = 8 * 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Blocks of the inner coefficients 0 … cut - 1 and of the outer ones from `cut` on."""

    cut: int
    inner: Ints
    outer: Ints


def plan_elimination(
    cross: Any,
    basis: CovarianceBasis,
    cut_terms: int | None = None,
    most_work: float | None = None,
) -> Plan:
    """Choose the cheapest cut between inner and outer terms.

    Parameters
    ----------
    cross : scipy.sparse.csr_matrix, shape (q, q)
        K = Z'Z.
    basis : CovarianceBasis
        Terms and their coefficients.
    cut_terms : int, optional
        Number of inner terms, if it is not to be chosen (tests compare all choices).
    most_work : float, optional
        Multiplications in dense blocks that the plan may take.

    Raises
    ------
    NotSupportedError
        If even the best plan needs more memory than 8 GB, or more than `most_work`.
    """
    gp = basis.gp
    terms = len(gp) - 1
    node = _level_numbers(basis)
    if terms == 1:
        return Plan(int(gp[1]), node, node[:0])
    graph = _level_graph(cross, node)
    whole = connected_components(graph, directed=False)[1][node].astype(np.intp)
    best: tuple[float, float, Plan] | None = None
    for t in range(1, terms + 1) if cut_terms is None else (cut_terms,):
        cut = int(gp[t])
        if t == terms:
            inner = whole
        else:
            nodes = int(node[cut])
            part = connected_components(graph[:nodes, :nodes], directed=False)[1]
            inner = part[node[:cut]].astype(np.intp)
        inner_work, inner_entries = _size(inner)
        outer_work, outer_entries = _size(whole[cut:])
        cost = inner_work + (_OUTER_WORK * outer_work + _OUTER_SETUP if cut < len(node) else 0.0)
        if best is None or cost < best[0]:
            best = (cost, inner_entries + outer_entries, Plan(cut, inner, whole[cut:]))
    assert best is not None
    if most_work is not None and best[0] > most_work:
        raise NotSupportedError(
            f"the crossed grouping factors of this model would need {best[0]:.1g} multiplications "
            "for the exact degrees of freedom. Use engine='lmerTest' with Satterthwaite's method."
        )
    needed = 8.0 * _COPIES * best[1]
    if needed > _MEMORY_LIMIT:
        raise NotSupportedError(
            f"the crossed grouping factors of this model would need {needed / 2**30:.0f} GB of "
            "dense matrices for the exact degrees of freedom (limit: "
            f"{_MEMORY_LIMIT / 2**30:.0f} GB). Use engine='lmerTest' with Satterthwaite's method."
        )
    return best[2]


def _level_numbers(basis: CovarianceBasis) -> Ints:
    """Number the levels of all terms through; one entry per coefficient."""
    numbers, first = [], 0
    for size, k in zip(np.diff(basis.gp), basis.n_coef, strict=True):
        numbers.append(first + np.arange(size, dtype=np.intp) // k)
        first += int(size // k)
    return np.concatenate(numbers)


def _level_graph(cross: Any, node: Ints) -> Any:
    """Levels are neighbours when some row belongs to both."""
    coo = cross.tocoo()
    count = int(node[-1]) + 1
    ones = np.ones(len(coo.row), dtype=np.int8)
    return sp.csr_matrix((ones, (node[coo.row], node[coo.col])), shape=(count, count))


def _size(block: Ints) -> tuple[float, float]:
    """Sum of cubes and of squares of the block sizes."""
    size = np.bincount(block).astype(np.float64) if len(block) else np.zeros(1)
    return float((size**3).sum()), float((size**2).sum())
