"""Adjusted and unadjusted ICC, with slopes, and of generalized models, against native R."""

import warnings

import numpy as np
import pandas as pd
import pytest
from scipy.special import polygamma

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import OPTIMUM, assert_close, assert_fits_close, native, needs_r, r_version

needs_r("performance")

#: Two fits of a generalized model, and of its null model, end where their deviance is flat.
GLMM = 1e-5
#: Three standard errors of a mean over the simulated groups, see there.
SIMULATED = 0.05

#: Nakagawa et al. 2017 by hand: fixed and random variance, level 1 by three approximations, with
#: the expected count of the model without predictors.
CODE = """
suppressMessages(library(performance))
quiet <- function(x) suppressWarnings(suppressMessages(x))
pick <- function(m) {
  i <- quiet(icc(m))
  c(i$ICC_adjusted, i$ICC_unadjusted)
}
slope <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
crossed <- lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)
nested <- lmer(strength ~ 1 + (1 | batch / cask), Pastes)
# Newer performance divides level 1 of counts out of n by the mean of n.
binomial <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
latent <- function(m) {
  tau2 <- VarCorr(m)[[1]][1]
  tau2 / (tau2 + pi^2 / 3 + c(0, var(as.vector(getME(m, "X") %*% fixef(m)))))
}
pois <- glmer(TICKS ~ YEAR + (1 | BROOD), grouseticks, poisson)
pois0 <- glmer(TICKS ~ 1 + (1 | BROOD), grouseticks, poisson)
nb <- quiet(glmer.nb(TICKS ~ YEAR + (1 | BROOD), grouseticks))
theta <- getME(nb, "glmer.nb.theta")
nb0 <- glmer(TICKS ~ 1 + (1 | BROOD), grouseticks, MASS::negative.binomial(theta))
count <- function(m, null, size) {
  lambda <- unname(exp(fixef(null) + VarCorr(null)[[1]][1] / 2))
  tau2 <- VarCorr(m)[[1]][1]
  fixed <- var(as.vector(getME(m, "X") %*% fixef(m)))
  level1 <- c(lognormal = log(1 + 1 / lambda + size), delta = 1 / lambda + size,
              trigamma = trigamma(1 / (1 / lambda + size)))
  list(mean = lambda, intercept = unname(exp(fixef(null))), adjusted = tau2 / (tau2 + level1),
       unadjusted = tau2 / (tau2 + level1 + fixed))
}
emit(list(slope = pick(slope), crossed = pick(crossed), nested = pick(nested),
  binomial = latent(binomial),
  pois = count(pois, pois0, 0), nb = count(nb, nb0, 1 / theta), theta = theta,
  performance = list(pois = pick(pois), nb = pick(nb))))
"""


@pytest.fixture(scope="module")
def theirs():
    return native(CODE)


@pytest.fixture(scope="module")
def models():
    ticks, cbpp = mlm.load_dataset("grouseticks"), mlm.load_dataset("cbpp")
    sleep = mlm.load_dataset("sleepstudy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return {
            "slope": mlm.lmer("Reaction ~ Days + (Days | Subject)", sleep),
            "crossed": mlm.lmer(
                "diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin")
            ),
            "nested": mlm.lmer("strength ~ 1 + (1 | batch / cask)", mlm.load_dataset("Pastes")),
            "binomial": mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp),
            "pois": mlm.glmer("TICKS ~ YEAR + (1 | BROOD)", ticks, family="poisson"),
            "nb": mlm.glmer_nb("TICKS ~ YEAR + (1 | BROOD)", ticks),
        }


@pytest.mark.parametrize("name", ["slope", "crossed", "nested", "binomial"])
def test_adjusted_and_unadjusted_as_native_r(models, theirs, name):
    found = mlm.icc(models[name], ci=None)
    fit = GLMM if name == "binomial" else OPTIMUM
    assert_fits_close([found.adjusted, found.unadjusted], theirs[name], fit)
    assert f"adjusted ICC {found.adjusted:.3f}, unadjusted {found.unadjusted:.3f}" in str(found)


def test_slopes_by_johnson(models):
    """The mean over the rows of z'Gz, each row's by itself."""
    m = models["slope"]
    g = m.varcorr().matrix("Subject").to_numpy()
    rows = m.model_matrix().to_numpy()  # the random slope's columns are the fixed ones here
    tau2 = np.mean([z @ g @ z for z in rows])
    found = mlm.icc(m, at="average")
    assert_close(float(found), tau2 / (tau2 + m.sigma**2))
    assert_close(float(found), found.adjusted)
    assert found.averaged
    assert_close(found.icc[0], mlm.variance_partition(m).proportion[0])
    assert_close(
        mlm.variance_partition(m, at="average").variance, mlm.variance_partition(m).variance
    )


def test_interval_of_the_average_by_the_delta_method(models):
    """The gradient by finite differences of tr(L L' M) / (1 + tr(L L' M))."""
    m = models["slope"]
    found = mlm.icc(m, at="average")
    moments = m.model_matrix().to_numpy()
    moments = moments.T @ moments / len(moments)
    theta, errors = (
        m.theta,
        native("""
    m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
    emit(as_lmerModLmerTest(m)@vcov_varpar[1:3, 1:3])""")["values"],
    )

    def share(t):
        factor = np.array([[t[0], 0], [t[1], t[2]]])
        form = np.sum((factor @ factor.T) * moments)
        return form / (1 + form)

    at = np.asarray(theta, dtype=float)
    step = 1e-5
    slope = np.array(
        [(share(at + step * e) - share(at - step * e)) / (2 * step) for e in np.eye(3)]
    )
    assert_close(found.std_error[0], np.sqrt(slope @ np.array(errors) @ slope), GLMM)


@pytest.mark.parametrize("approximation", ["lognormal", "delta", "trigamma"])
@pytest.mark.parametrize("name", ["pois", "nb"])
def test_counts_by_nakagawa(models, theirs, name, approximation):
    found = mlm.icc(models[name], approximation=approximation)
    r = theirs[name]
    assert_close(found.mean, r["mean"], GLMM)
    assert_close(found.adjusted, r["adjusted"][approximation], GLMM)
    assert_close(found.unadjusted, r["unadjusted"][approximation], GLMM)
    assert_close(float(found), found.adjusted)
    assert found.approximation == approximation
    assert f"level 1 by {approximation} at a mean of" in str(found)
    partition = mlm.variance_partition(models[name], approximation=approximation)
    assert_close(partition.proportion[0], found.icc[0])


@pytest.mark.parametrize("name", ["pois", "nb"])
def test_as_performance_at_the_mean_that_it_takes(models, theirs, name):
    """Before insight 0.20 that is exp(intercept of the null model), after it ours."""
    r = theirs[name]
    mean = r["intercept"] if r_version("insight") < (0, 20) else r["mean"]
    found = mlm.icc(models[name], mean=mean)
    assert_close([found.adjusted, found.unadjusted], theirs["performance"][name], GLMM)


def test_trigamma_by_another_library(models):
    found = mlm.icc(models["pois"], approximation="trigamma", mean=2.5)
    level1 = float(polygamma(1, 2.5))
    assert_close(found.total - found.variance[0], level1)


def test_gamma_and_its_shape():
    rng = np.random.default_rng(8)
    data = pd.DataFrame({"g": np.repeat(np.arange(60), 15).astype(str)})
    effect = rng.normal(scale=0.5, size=60)
    data["y"] = rng.gamma(4.0, np.exp(1 + effect[data["g"].astype(int)]) / 4.0)
    m = mlm.glmer("y ~ 1 + (1 | g)", data, family="Gamma", link="log")
    shape = 1 / m.sigma**2
    for name, level1 in (("delta", 1 / shape), ("lognormal", np.log1p(1 / shape)),
                         ("trigamma", float(polygamma(1, shape)))):  # fmt: skip
        found = mlm.icc(m, approximation=name)
        assert_close(found.total - found.variance[0], level1)
        assert np.isnan(found.mean)


def test_delta_of_a_binomial_model_is_of_single_responses(models):
    found = mlm.icc(models["binomial"], approximation="delta", mean=0.2)
    assert_close(found.total - found.variance[0], 1 / (0.2 * 0.8))
    own = mlm.icc(models["binomial"], approximation="delta")
    assert 0.1 < own.mean < 0.2  # 99 of 842 animals, and more in the herds' mean


def test_the_expected_count_is_that_of_the_data():
    """exp(b + tau²/2) of 400 groups of 20 rows is the mean of the counts, but for sampling."""
    rng = np.random.default_rng(11)
    data = pd.DataFrame({"g": np.repeat(np.arange(400), 20).astype(str)})
    data["x"] = rng.normal(size=len(data))
    effect = rng.normal(scale=0.4, size=400)
    mu = np.exp(1.0 + 0.3 * data["x"] + effect[data["g"].astype(int)])
    data["y"] = rng.negative_binomial(2.0, 2.0 / (2.0 + mu))
    m = mlm.glmer("y ~ x + (1 | g)", data, family="negative.binomial(2)")
    assert abs(mlm.icc(m).mean / data["y"].mean() - 1) < SIMULATED


def test_a_factor_with_a_level_a_row_is_overdispersion():
    ticks = mlm.load_dataset("grouseticks")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = mlm.glmer("TICKS ~ YEAR + (1 | BROOD) + (1 | INDEX)", ticks, family="poisson")
    found = mlm.icc(m)
    tau, over = m.varcorr().variance("BROOD"), m.varcorr().variance("INDEX")
    assert found.level == ("BROOD",)
    level1 = over + np.log1p(1 / found.mean)
    assert_close([float(found), found.adjusted], [tau / (tau + level1)] * 2)


def test_what_is_refused(models):
    for call, says in (
        (lambda: mlm.icc(models["nb"], approximation="latent"), "There is: lognormal"),
        (lambda: mlm.icc(models["binomial"], approximation="trigamma"), "There is: latent, delta"),
        (lambda: mlm.icc(models["slope"], approximation="delta"), "sigma²"),
        (lambda: mlm.icc(models["slope"], mean=2), "sigma²"),
        (lambda: mlm.icc(models["nb"], mean=-1), "above 0"),
        (lambda: mlm.icc(models["nb"], mean="many"), "finite number"),
        (lambda: mlm.icc(models["binomial"], approximation="delta", mean=3), "probability"),
        (lambda: mlm.icc(models["nb"], approximation="gaussian"), "not one of"),
        (lambda: mlm.icc(models["slope"], at="mean"), "'average'"),
        (lambda: mlm.icc(models["slope"], at=5), "or 'average'"),
    ):
        with pytest.raises(ArgumentError, match=says):
            call()
    with pytest.raises(NotSupportedError, match="draws"):
        mlm.icc(models["nb"], ci="boot", nsim=2)
    assert mlm.icc(models["nb"]).method is None
