"""What has no answer, and the rules at the edges."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pymlm.errors import DataError, NotSupportedError
from pymlm.inference import kenward_roger, plan, satterthwaite
from pymlm.inference.kenward_roger import _inverse_information
from pymlm.inference.satterthwaite import _invert
from tests.inference.designs import design
from tests.native import ROUND_TRIP


def test_kenward_roger_of_ml_is_refused_with_the_remedy() -> None:
    with pytest.raises(NotSupportedError, match=r"only available for REML .* REML=True"):
        kenward_roger(design("slope", 1, reml=False))


def test_lambda_that_theta_does_not_fill_is_refused() -> None:
    parts = design("slope", 1)
    with pytest.raises(NotSupportedError, match="not linear in θ"):
        satterthwaite(replace(parts, theta=parts.theta * 2.0))


def test_factors_that_differ_between_levels_are_refused() -> None:
    parts = design("double bar", 1)
    lind = parts.lind.copy()
    lind[0] = 2
    lambdat = parts.lambdat.copy()
    lambdat.data = parts.theta[lind - 1]
    with pytest.raises(NotSupportedError, match="term 1 does not give every level"):
        satterthwaite(replace(parts, lind=lind, lambdat=lambdat))


def test_crossed_factors_beyond_memory_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "_MEMORY_LIMIT", 1000)
    with pytest.raises(NotSupportedError, match=r"crossed grouping factors .* GB"):
        satterthwaite(design("crossed", 1))


def test_parts_of_different_models_are_refused() -> None:
    parts = design("slope", 1)
    with pytest.raises(DataError, match=r"\['y'\] do not fit X"):
        replace(parts, y=parts.y[1:])


def test_eigenvalue_rule_is_that_of_lmertest() -> None:
    hessian = np.diag([4.0, -2.0, 3e-9, 1e-7])
    vcov, eigenvalues, messages = _invert(hessian)
    np.testing.assert_allclose(np.diag(vcov), [0.5, 0.0, 0.0, 2e7])
    np.testing.assert_allclose(eigenvalues, [4.0, 1e-7, 3e-9, -2.0])
    assert messages == (
        "Model failed to converge with 1 negative eigenvalue: -2.0e+00",
        "Model may not have converged with 1 eigenvalue close to zero: 3.0e-09",
    )


def test_singular_information_gets_the_pseudo_inverse() -> None:
    """pbkrtest's rule: below 1e-10 the smallest direction is left out (MASS::ginv)."""
    direction = np.array([1.0, 1.0]) / np.sqrt(2.0)
    w, condition = _inverse_information(8.0 * np.outer(direction, direction))
    assert condition < 1e-10
    np.testing.assert_allclose(w, 0.25 * np.outer(direction, direction), rtol=ROUND_TRIP)


def test_model_without_fixed_effects() -> None:
    parts = design("slope", 2)
    bare = replace(parts, X=parts.X[:, :0], beta=parts.beta[:0])
    assert satterthwaite(bare).vcov_beta.shape == (0, 0)
    assert kenward_roger(bare).phi_adj.shape == (0, 0)
