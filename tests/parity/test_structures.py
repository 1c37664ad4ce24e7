"""Covariance structures of lme4 2: what is right and what is refused; before 2.0 all of it."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import FormulaError, NotSupportedError
from tests.native import ROUND_TRIP, assert_fits_close, has_structures, native
from tests.tolerances import FLAT_TAIL, OTHER_OPTIMIZER

TERMS = {
    "cs hom": "cs(Days | Subject, hom = TRUE)",
    "cs": "cs(Days | Subject)",
    "ar1": "ar1(0 + Third | Subject)",
    "diag": "diag(Days | Subject)",
    "us": "us(Days | Subject)",
}
each = pytest.mark.parametrize("name", TERMS)
since_2 = pytest.mark.skipif(not has_structures(), reason="covariance structures need lme4 2.0")

R_DATA = "sleepstudy$Third <- factor(sleepstudy$Days %/% 4)\n"


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("sleepstudy")
    return d.assign(Third=(d["Days"] // 4).astype(int).astype("category"))


@pytest.fixture(scope="module")
def models(data):
    return {name: mlm.lmer(f"Reaction ~ Days + {term}", data) for name, term in TERMS.items()}


@pytest.fixture(scope="module")
def reference():
    fits = ", ".join(
        f'"{name}" = lmerTest::lmer(Reaction ~ Days + {term}, sleepstudy)'
        for name, term in TERMS.items()
    )
    return native(
        R_DATA
        + f"""
fits <- list({fits})
emit(lapply(fits, function(m) list(
  loglik = as.numeric(logLik(m)), theta = unname(getME(m, "theta")), par = unname(getME(m, "par")),
  vc = as.data.frame(VarCorr(m)), coef = coef(summary(m)),
  fitted = unname(fitted(m)), se = unname(predict(m, se.fit = TRUE)$se.fit),
  varpar = m@vcov_varpar, sim = simulate(m, 1, seed = 4)[[1]],
  ml = as.numeric(logLik(refitML(m))))))"""
    )


@pytest.mark.skipif(has_structures(), reason="this lme4 knows covariance structures")
@pytest.mark.parametrize("name", ["cs hom", "ar1", "diag", "us"])
def test_before_lme4_2_a_structure_is_refused(data, name):
    with pytest.raises(FormulaError, match=r"covariance structure of lme4 2\.0"):
        mlm.lmer(f"Reaction ~ Days + {TERMS[name]}", data)


@since_2
@pytest.mark.parametrize(
    "term",
    [
        "cs(Days | Subject, hom = print(1))",
        "cs(Days | Subject, TRUE)",
        "us(Days | Subject, hom = TRUE)",
    ],
)
def test_other_arguments_of_a_structure_are_refused(data, term):
    with pytest.raises(FormulaError, match="beside the term"):
        mlm.lmer(f"Reaction ~ Days + {term}", data)


@since_2
@each
def test_fit_and_tests_agree_with_native_r(models, reference, name):
    m, theirs = models[name], reference[name]
    assert_fits_close(m.loglik, theirs["loglik"])
    assert_fits_close(m.theta, theirs["theta"])
    assert_fits_close(m.varcorr().sdcor, theirs["vc"]["sdcor"])
    fixed = m.summary(ddf="Satterthwaite").fixed
    table = np.array(theirs["coef"]["values"], dtype=float)
    ours = np.column_stack([fixed.estimate, fixed.std_error, fixed.df, fixed.statistic])
    # lmerTest differentiates numerically at an optimum that two processes found.
    assert_fits_close(ours, table[:, :4], OTHER_OPTIMIZER)
    assert_fits_close(m.fitted(), theirs["fitted"])


@since_2
@each
def test_simulated_responses_agree_with_native_r(models, reference, name):
    assert_fits_close(models[name].simulate(1, seed=4).iloc[:, 0], reference[name]["sim"])


@since_2
@each
def test_a_refit_to_the_same_response_finds_the_same_optimum(models, data, name):
    m = models[name]
    again = m.refit(data["Reaction"])
    assert again.loglik == pytest.approx(m.loglik, rel=OTHER_OPTIMIZER)
    assert m.update(reml=False).loglik == pytest.approx(_ml(name, data), rel=OTHER_OPTIMIZER)


def _ml(name, data):
    return mlm.lmer(f"Reaction ~ Days + {TERMS[name]}", data, reml=False).loglik


@since_2
@each
def test_standard_errors_of_variances_by_the_delta_method(models, reference, name):
    """The same by numeric differences of the covariance matrix in lme4's own parameters."""
    m, par = models[name], np.atleast_1d(np.array(reference[name]["par"], dtype=float))
    vcov = np.array(reference[name]["varpar"]["values"], dtype=float)

    def rows(values):
        return np.array([*_elements(name, values[:-1], m), 1.0]) * values[-1] ** 2

    at = np.array([*par, m.sigma])
    step = 1e-6
    jacobian = np.column_stack(
        [
            (rows(at + step * e) - rows(at - step * e)) / (2 * step)
            for e in np.eye(len(at))
        ]
    )  # fmt: skip
    by_hand = np.sqrt(np.einsum("ij,jk,ik->i", jacobian, vcov, jacobian))
    found = m.varcorr_se()
    assert_fits_close(found.vcov, rows(at), OTHER_OPTIMIZER)
    keep = found.std_error > 0  # a covariance that the structure fixes at zero has none
    assert_fits_close(found.std_error[keep], by_hand[keep], FLAT_TAIL)


def _elements(name, par, m):
    """The elements of the relative covariance matrix in the order of as.data.frame(VarCorr(m))."""
    k = len(m.varcorr().matrices[0].terms)
    i, j = np.triu_indices(k, 1)
    if name == "us":
        t = np.zeros((k, k))
        t[np.triu_indices(k)] = par
        v = t.T @ t
    else:
        hom = name in ("cs hom", "ar1")
        s = np.repeat(par[0], k) if hom else par[:k]
        lag = np.abs(np.subtract.outer(range(k), range(k)))
        rho = 0.0 if name == "diag" else par[-1]
        power = lag if name == "ar1" else np.minimum(lag, 1)
        v = np.outer(s, s) * rho**power
    return [*np.diag(v), *v[i, j]]


@since_2
@pytest.mark.parametrize("name", ["cs hom", "ar1", "diag"])
def test_what_takes_structures_as_unstructured_is_refused(models, name):
    m = models[name]
    for ask in (
        lambda: m.summary(ddf="Kenward-Roger"),
        lambda: m.vcov(ddf="Kenward-Roger"),
        lambda: m.summary(ddf="Satterthwaite", engine="exact"),
    ):
        with pytest.raises(NotSupportedError, match="as unstructured"):
            ask()
    assert m.summary(ddf="Satterthwaite").ddf_engine == "lmerTest"


@since_2
def test_us_is_the_model_without_a_structure(models, data):
    plain = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    assert_fits_close(models["us"].loglik, plain.loglik, ROUND_TRIP)


@since_2
def test_all_fit_of_a_structure_starts_at_its_parameters(models):
    found = models["cs hom"].all_fit(optimizers=["bobyqa", "nloptwrap.NLOPT_LN_BOBYQA"])
    assert found.failures == {}
    assert found.spread < OTHER_OPTIMIZER


@since_2
def test_nlme_finds_the_same_compound_symmetry(models, data):
    """nlme's pdCompSymm is cs(, hom = TRUE); an optimizer and a parametrization of its own."""
    theirs = native(
        R_DATA
        + """
m <- nlme::lme(Reaction ~ Days, sleepstudy, random = list(Subject = nlme::pdCompSymm(~ Days)))
emit(list(loglik = as.numeric(logLik(m)), sigma = m$sigma, beta = unname(nlme::fixef(m))))"""
    )
    m = models["cs hom"]
    assert_fits_close(m.loglik, theirs["loglik"], OTHER_OPTIMIZER)
    assert_fits_close(m.sigma, theirs["sigma"], FLAT_TAIL)
    assert_fits_close(m.fixef().to_numpy(), theirs["beta"], FLAT_TAIL)
