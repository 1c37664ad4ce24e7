"""Parity with lmerTest and pbkrtest, one test per quantity over all models of exact_ddf.R."""

from __future__ import annotations

import numpy as np
import pytest

from pymlm.inference import (
    kenward_roger,
    kenward_roger_df,
    kenward_roger_f,
    satterthwaite,
    satterthwaite_df,
    satterthwaite_f,
)
from tests.inference.conftest import Reference
from tests.inference.test_brute_force import close

# lmerTest differentiates the deviance numerically (Richardson extrapolation): its own error.
DIFFERENTIATION = 1e-5
# pbkrtest does the same algebra with n × n matrices; both round.
ALGEBRA = 1e-8
# The covariance matrix of the fixed effects needs no differentiation.
ROUNDING = 1e-10

KENWARD_ROGER = [
    "cake",
    "cake_rank_deficient",
    "carrots",
    "dyestuff",
    "dyestuff2_boundary",
    "dyestuff_indefinite",
    "egsingle_three_level",
    "exam",
    "ham_crossed",
    "hsb82",
    "insteval_crossed",
    "machines",
    "oats_nested",
    "orthodont",
    "pastes_nested",
    "penicillin_crossed",
    "scots_crossed",
    "sleepstudy",
    "sleepstudy_offset",
    "sleepstudy_quadratic",
    "sleepstudy_zerocorr",
]
ALL = [*KENWARD_ROGER, "dyestuff2_boundary_ml", "sleepstudy_ml", "sleepstudy_weights"]


@pytest.fixture
def model(request: pytest.FixtureRequest, references: dict[str, Reference]) -> Reference:
    return references[request.param]


every = pytest.mark.parametrize("model", ALL, indirect=True)
with_kr = pytest.mark.parametrize("model", KENWARD_ROGER, indirect=True)


def test_no_model_is_left_out(references: dict[str, Reference]) -> None:
    assert sorted(references) == sorted(ALL)
    assert sorted(n for n, r in references.items() if "W" in r.answers) == KENWARD_ROGER


@every
def test_satterthwaite_df(model: Reference) -> None:
    ours = satterthwaite_df(satterthwaite(model.parts), np.eye(len(model.parts.beta)))
    np.testing.assert_allclose(ours, model.answers["satterthwaite_df"], rtol=DIFFERENTIATION)


@every
def test_satterthwaite_f(model: Reference) -> None:
    ours = satterthwaite_f(satterthwaite(model.parts), model.joint, model.parts.beta)
    theirs = model.answers["satterthwaite_f"]
    np.testing.assert_allclose(ours[:3], theirs, rtol=DIFFERENTIATION)


@every
def test_covariance_of_the_variance_parameters(model: Reference) -> None:
    close(satterthwaite(model.parts).vcov_varpar, model.answers["vcov_varpar"], DIFFERENTIATION)


@every
def test_jacobian(model: Reference) -> None:
    ours = np.stack(satterthwaite(model.parts).jac_list, axis=-1)
    close(ours, model.answers["jac"], DIFFERENTIATION)


@every
def test_covariance_of_beta(model: Reference) -> None:
    close(satterthwaite(model.parts).vcov_beta, model.answers["vcov_beta"], ROUNDING)


@every
def test_warnings_about_the_hessian(model: Reference) -> None:
    assert list(satterthwaite(model.parts).messages) == model.warnings


@with_kr
def test_adjusted_covariance(model: Reference) -> None:
    close(kenward_roger(model.parts).phi_adj, model.answers["phi_adj"], ALGEBRA)


@with_kr
def test_p_matrices(model: Reference) -> None:
    close(np.stack(kenward_roger(model.parts).P, axis=-1), model.answers["P"], ALGEBRA)


@with_kr
def test_covariance_of_the_variance_components(model: Reference) -> None:
    ours = kenward_roger(model.parts)
    close(ours.W, model.answers["W"], ALGEBRA)
    np.testing.assert_allclose(ours.condition, model.answers["condi"][0], rtol=ALGEBRA)


@with_kr
def test_kenward_roger_df(model: Reference) -> None:
    ours = kenward_roger_df(kenward_roger(model.parts), np.eye(len(model.parts.beta)))
    np.testing.assert_allclose(ours, model.answers["kenward_roger_df"], rtol=ALGEBRA)


@with_kr
def test_kenward_roger_f(model: Reference) -> None:
    ours = kenward_roger_f(kenward_roger(model.parts), model.joint, model.parts.beta)
    np.testing.assert_allclose(ours, model.answers["kenward_roger_f"], rtol=ALGEBRA)
