"""The closed forms against dense n × n algebra, over random designs of every structure."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from numpy.typing import ArrayLike

from pymlm.inference import ModelParts, kenward_roger, layout, moments, satterthwaite, system
from tests.inference import brute_force
from tests.inference.designs import STRUCTURES, design, designs

# Both sides are double precision algebra in a different order; the n × n inverse of the reference
# has condition numbers up to about 1e4 here.
ALGEBRA = 1e-9
# The elimination order changes only the rounding.
ORDER = 1e-10
# Beyond this the inverse information matrix of the reference has no digits to compare with.
WORST_CONDITION = 1e7

many = settings(max_examples=60, deadline=None)


def close(ours: ArrayLike, theirs: ArrayLike, tolerance: float) -> None:
    """Compare relative to the largest entry: single entries may cancel to zero."""
    theirs = np.asarray(theirs)
    scale = np.abs(theirs).max(initial=0.0)
    np.testing.assert_allclose(ours, theirs, rtol=0.0, atol=tolerance * (scale or 1.0))


@many
@given(parts=designs)
def test_hessian_of_the_deviance(parts: ModelParts) -> None:
    hessian, _ = brute_force.hessian_and_jacobian(parts)
    close(satterthwaite(parts).hessian, hessian, ALGEBRA)


@many
@given(parts=designs)
def test_derivatives_of_the_covariance_of_beta(parts: ModelParts) -> None:
    _, jacobian = brute_force.hessian_and_jacobian(parts)
    close(np.stack(satterthwaite(parts).jac_list), np.stack(jacobian), ALGEBRA)


@many
@given(parts=designs.filter(lambda parts: parts.reml))
def test_kenward_roger(parts: ModelParts) -> None:
    theirs = brute_force.kenward_roger(parts)
    scale = np.sqrt(np.diag(theirs.information))
    assume(np.linalg.cond(theirs.information / np.outer(scale, scale)) < WORST_CONDITION)
    ours = kenward_roger(parts)
    close(ours.phi, theirs.phi, ALGEBRA)
    close(np.stack(ours.P), np.stack(theirs.P), ALGEBRA)
    close(ours.W, theirs.W, ALGEBRA * 1e2)
    close(ours.phi_adj, theirs.phi_adj, ALGEBRA * 1e2)


@many
@given(parts=designs)
def test_order_of_elimination_does_not_matter(parts: ModelParts) -> None:
    chosen = moments(parts)
    for terms in range(1, len(parts.n_coef) + 1):
        other = moments(parts, inner_terms=terms)
        for name in ("phi", "residual", "trace", "pair_trace", "form", "pair_form"):
            close(getattr(other, name), getattr(chosen, name), ORDER)


@pytest.mark.parametrize("structure", STRUCTURES)
def test_shared_moments_give_the_same(structure: str) -> None:
    parts = design(structure, 1)
    shared = moments(parts)
    np.testing.assert_array_equal(
        satterthwaite(parts, shared).vcov_varpar, satterthwaite(parts).vcov_varpar
    )
    np.testing.assert_array_equal(
        kenward_roger(parts, shared).phi_adj, kenward_roger(parts).phi_adj
    )


@pytest.mark.parametrize("structure", STRUCTURES)
@pytest.mark.parametrize("penalty", [0.0, np.inf])
def test_batches_and_sparsity_do_not_matter(
    structure: str, penalty: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Small batches and chunks, sparse or dense products between inner and outer coefficients."""
    parts = design(structure, 11, n=120)
    expected = moments(parts)
    monkeypatch.setattr(layout, "_BATCH_ENTRIES", 9)
    monkeypatch.setattr(system, "_CHUNK_ENTRIES", 13)
    monkeypatch.setattr(system, "_SPARSE_PENALTY", penalty)
    for terms in range(1, len(parts.n_coef) + 1):
        other = moments(parts, inner_terms=terms)
        for name in ("phi", "residual", "trace", "pair_trace", "form", "pair_form"):
            close(getattr(other, name), getattr(expected, name), ORDER)


def _with_theta(parts: ModelParts, theta: np.ndarray, **changes: object) -> ModelParts:
    lambdat = parts.lambdat.copy()
    lambdat.data = theta[parts.lind - 1]
    return replace(parts, theta=theta, lambdat=lambdat, **changes)


def test_equal_weights_only_rename_sigma() -> None:
    """Weight two on every row halves the residual variance that σ stands for."""
    plain = design("crossed with slopes", 3)
    root = np.sqrt(2.0)
    doubled = _with_theta(
        plain, plain.theta / root, weights=np.full(len(plain.y), 2.0), sigma=plain.sigma * root
    )
    close(kenward_roger(doubled).phi_adj, kenward_roger(plain).phi_adj, ALGEBRA)


def test_units_of_a_predictor_do_not_matter() -> None:
    """The same model with the random slope's predictor times a million."""
    parts = design("slope", 5)
    zt = parts.zt.copy()
    zt.data = zt.data * np.where(zt.indices % 2 == 1, 1e6, 1.0)
    scaled = _with_theta(parts, parts.theta * np.array([1.0, 1e-6, 1e-6]), zt=zt)
    close(kenward_roger(scaled).phi_adj, kenward_roger(parts).phi_adj, ALGEBRA)
