"""vcov(full=True): the joint covariance of the modes' errors and the fixed effects' estimates."""

from __future__ import annotations

import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError, RWarning
from tests.native import assert_fits_close, has_structures, native
from tests.tolerances import FLAT_CRITERION, OTHER_OPTIMIZER

FORMULAS = {
    "slopes": ("sleepstudy", "Reaction ~ Days + (Days | Subject)"),
    "double bar": ("sleepstudy", "Reaction ~ Days + (Days || Subject)"),
    "crossed": ("Penicillin", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "nested": ("Pastes", "strength ~ 1 + (1 | batch/cask)"),
    "binomial": ("cbpp", "cbind(incidence, size - incidence) ~ period + (1 | herd)"),
}

# Henderson's equations (1975), solved as they are written: no factor, no permutation.
HENDERSON = """
joint <- function(m) {
  X <- getME(m, "X"); Z <- as.matrix(getME(m, "Z"))
  lambda <- as.matrix(getME(m, "Lambda")); s <- sigma(m)
  w <- if (isGLMM(m)) m@resp$sqrtWrkWt()^2 else weights(m)
  A <- cbind(Z %*% lambda, X)
  penalty <- diag(c(rep(1, ncol(Z)), rep(0, ncol(X))))
  T <- as.matrix(Matrix::bdiag(lambda, diag(ncol(X))))
  s^2 * T %*% solve(crossprod(A, w * A) + penalty) %*% t(T)
}
library(lme4)
"""


def model(name: str):
    data, formula = FORMULAS[name]
    fit = mlm.glmer if name == "binomial" else mlm.lmer
    return fit(formula, mlm.load_dataset(data))


@pytest.fixture(scope="module")
def reference():
    fits = ", ".join(
        f'"{name}" = {"glmer" if name == "binomial" else "lmer"}({formula}, {data}'
        + (", family = binomial)" if name == "binomial" else ")")
        for name, (data, formula) in FORMULAS.items()
    )
    return native(
        HENDERSON + f"emit(lapply(list({fits}), function(m) list(joint = unname(joint(m)), "
        "full = if ('full' %in% names(formals(getS3method('vcov', 'merMod')))) "
        "list(names = rownames(vcov(m, full = TRUE)), "
        "values = unname(as.matrix(vcov(m, full = TRUE)))))))"
    )


@pytest.mark.parametrize("name", FORMULAS)
def test_it_solves_hendersons_equations(reference, name):
    found = model(name).vcov(full=True)
    expected = np.array(reference[name]["joint"]["values"], dtype=float)
    scale = np.sqrt(np.outer(np.diag(expected), np.diag(expected)))
    # Two processes found two optima; covariances near zero are compared on their variances' scale.
    # A GLMM's factor is of the weights before the last step of the penalized least squares.
    tolerance = FLAT_CRITERION if name == "binomial" else OTHER_OPTIMIZER
    assert np.max(np.abs(found.to_numpy() - expected) / scale) < tolerance


@pytest.mark.parametrize("name", FORMULAS)
def test_its_corner_is_that_of_the_fixed_effects(name):
    m = model(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RWarning)  # that a Hessian says otherwise
        own = m.vcov(use_hessian=False) if name == "binomial" else m.vcov()
    corner = m.vcov(full=True).loc[own.index, own.columns]
    pd.testing.assert_frame_equal(corner, own, rtol=OTHER_OPTIMIZER)


@pytest.mark.skipif(not has_structures(), reason="vcov(full = TRUE) came with lme4 2.0")
@pytest.mark.parametrize("name", ["slopes", "binomial"])
def test_names_and_values_are_lme4s(reference, name):
    found, theirs = model(name).vcov(full=True), reference[name]["full"]
    assert list(found.index) == theirs["names"]
    assert_fits_close(found, np.array(theirs["values"]["values"], dtype=float), OTHER_OPTIMIZER)


def test_names_stand_in_the_order_of_the_columns():
    names = list(model("double bar").vcov(full=True).index)
    assert names[:2] == ["Subject.308.(Intercept)", "Subject.309.(Intercept)"]
    assert names[18:20] == ["Subject.308.Days", "Subject.309.Days"]
    assert names[-2:] == ["(Intercept)", "Days"]


def test_what_has_no_joint_covariance_is_refused():
    with pytest.raises(ArgumentError, match="full=True has no ddf='Kenward-Roger'"):
        model("slopes").vcov(ddf="Kenward-Roger", full=True)
    with pytest.raises(ArgumentError, match="full=True has no use_hessian=True"):
        model("binomial").vcov(use_hessian=True, full=True)
    with pytest.raises(NotSupportedError, match="mixed model's random effects"):
        mlm.lm("Reaction ~ Days", mlm.load_dataset("sleepstudy")).vcov(full=True)
