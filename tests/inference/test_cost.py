"""Nested data cost little memory. Time is measured by ``make bench``."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from pymlm.inference import ModelParts, kenward_roger
from tests.inference.designs import assemble

# The contract for nested data.
MEMORY_FACTOR = 4.0


def nested(n: int, groups: int, *, weighted: bool = False) -> ModelParts:
    rng = np.random.default_rng(7)
    level = np.sort(rng.integers(0, groups, n))
    level = np.unique(level, return_inverse=True)[1]
    X = np.asfortranarray(np.column_stack([np.ones(n), rng.normal(size=(n, 3))]))
    return assemble(
        [(level, X[:, :2])],
        np.array([0.8, 0.1, 0.5]),
        X=X,
        y=rng.normal(size=n),
        offset=np.zeros(n),
        weights=rng.uniform(0.5, 2.0, n) if weighted else np.ones(n),
        sigma=1.0,
        reml=True,
    )


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("groups", [2_000, 40_000])
def test_memory_is_bounded_by_the_design_matrices(groups: int, weighted: bool) -> None:
    parts = nested(200_000, groups, weighted=weighted)
    design = parts.X.nbytes + parts.zt.data.nbytes + parts.zt.indices.nbytes
    tracemalloc.start()
    try:
        kenward_roger(parts)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak <= MEMORY_FACTOR * design
