"""Covariance matrices of the conditional modes against native R, and by another formula."""

import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from tests.native import OPTIMUM, assert_close, assert_fits_close, native

#: A dense matrix of a hundred rows is inverted where lme4 solves a sparse one.
INVERTED = 1e-8
#: Weights of the last step of PIRLS and of the one before, of which lme4's factor is made.
PIRLS = 1e-4
#: bobyqa stops where the deviance is flat, in two processes not at the same digit of theta.
FLAT = 1e-4

#: Cov(b | y) = G - G Z' V^-1 Z G, the conditional covariance of normal variables, shares no step
#: with lme4's solve; of generalized models by the working weights at the modes.
CODE = """
lmer_control <- lmerControl("bobyqa", check.conv.singular = "ignore", calc.derivs = FALSE)
glmer_control <- glmerControl("bobyqa", check.conv.singular = "ignore", calc.derivs = FALSE)
counts <- cbind(incidence, size - incidence) ~ period + (1 | herd)
models <- list(
  slope = lmer(Reaction ~ Days + (Days | Subject), sleepstudy),
  crossed = lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin),
  nested = lmer(strength ~ 1 + (1 | batch / cask), Pastes),
  terms = lmer(Reaction ~ Days + (1 | Subject) + (0 + Days | Subject), sleepstudy),
  three = lmer(Reaction ~ Days + (Days | Subject) + (0 + I(Days^2) | Subject), sleepstudy,
    control = lmer_control),
  crossed_terms = lmer(angle ~ recipe + (1 | recipe:replicate) +
    (0 + I(temp / 100 - 2) | recipe:replicate) + (1 | temperature), cake, control = lmer_control),
  weighted = lmer(Reaction ~ Days + (1 | Subject) + (0 + Days | Subject), sleepstudy,
    weights = Days + 1),
  binomial = glmer(counts, cbpp, binomial),
  binomial_terms = glmer(update(counts, . ~ . + (0 + size | herd)), cbpp, binomial,
    control = glmer_control))
dense <- function(m) {
  s2 <- sigma(m)^2
  G <- s2 * crossprod(as.matrix(getME(m, "Lambdat")))
  Z <- as.matrix(getME(m, "Z"))
  w <- if (isGLMM(m)) as.numeric(m@resp$sqrtXwt)^2 else weights(m)
  G - G %*% t(Z) %*% solve(Z %*% G %*% t(Z) + diag(s2 / w)) %*% Z %*% G
}
of_level <- function(m, grp, level) {
  cov <- dense(m)
  terms <- which(names(getME(m, "flist"))[attr(getME(m, "flist"), "assign")] == grp)
  at <- match(level, levels(getME(m, "flist")[[grp]]))
  k <- lengths(m@cnms)
  rows <- unlist(lapply(terms, function(i) getME(m, "Gp")[i] + (at - 1) * k[i] + seq_len(k[i])))
  unname(cov[rows, rows, drop = FALSE])
}
emit(lapply(models, function(m) {
  r <- ranef(m, condVar = TRUE)
  lapply(setNames(names(r), names(r)), function(grp) {
    v <- attr(r[[grp]], "postVar")
    levels <- rownames(r[[grp]])[c(1, nrow(r[[grp]]))]
    list(terms = as.list(colnames(r[[grp]])), first = levels[1], last = levels[2],
         listed = is.list(v),
         post = if (!is.list(v)) list(first = as.matrix(v[, , 1]),
                                       last = as.matrix(v[, , dim(v)[3]])),
         sd = if (is.list(v)) unlist(lapply(unname(v), function(x)
           sqrt(diag(as.matrix(x[, , 1]))))),
         dense = list(first = of_level(m, grp, levels[1]), last = of_level(m, grp, levels[2])))
  })
}))
"""
BOBYQA = {"optimizer": "bobyqa", "check_conv_singular": "ignore", "calc_derivs": False}


@pytest.fixture(scope="module")
def theirs():
    return native(CODE)


@pytest.fixture(scope="module")
def models():
    sleep, cake, cbpp = (mlm.load_dataset(n) for n in ("sleepstudy", "cake", "cbpp"))
    counts = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    terms = "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scales of predictors, which R says, too
        return {
            "slope": mlm.lmer("Reaction ~ Days + (Days | Subject)", sleep),
            "crossed": mlm.lmer(
                "diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin")
            ),
            "nested": mlm.lmer("strength ~ 1 + (1 | batch / cask)", mlm.load_dataset("Pastes")),
            "terms": mlm.lmer(terms, sleep),
            "three": mlm.lmer(
                "Reaction ~ Days + (Days | Subject) + (0 + I(Days^2) | Subject)", sleep,
                control=BOBYQA,
            ),
            "crossed_terms": mlm.lmer(
                "angle ~ recipe + (1 | recipe:replicate) + "
                "(0 + I(temp / 100 - 2) | recipe:replicate) + (1 | temperature)", cake,
                control=BOBYQA,
            ),
            "weighted": mlm.lmer(terms, sleep, weights=sleep["Days"] + 1),
            "binomial": mlm.glmer(counts, cbpp),
            "binomial_terms": mlm.glmer(counts + " + (0 + size | herd)", cbpp, control=BOBYQA),
        }  # fmt: skip


NAMES = (
    "slope", "crossed", "nested", "terms", "three", "crossed_terms", "weighted", "binomial",
    "binomial_terms",
)  # fmt: skip


def matrix(emitted):
    return np.array(emitted["values"], dtype=float).reshape(len(emitted["values"]), -1)


@pytest.mark.parametrize("name", NAMES)
def test_each_factor_s_matrices(models, theirs, name):
    effects = models[name].ranef()
    binomial = name.startswith("binomial")
    fit = FLAT if binomial or name == "crossed_terms" else OPTIMUM
    dense = max(INVERTED, PIRLS if binomial else fit)
    assert set(effects.keys()) == set(theirs[name])
    for grp, r in theirs[name].items():
        ours = effects.covariances(grp)
        assert list(ours.columns) == r["terms"]
        for place in ("first", "last"):
            block = ours.loc[r[place]].to_numpy()
            assert_close(block, matrix(r["dense"][place]), dense, f"{grp} {place}")
            if not r["listed"]:
                assert_fits_close(block, matrix(r["post"][place]), fit, f"{grp} {place}")
        if r["listed"]:
            sd = np.sqrt(np.diag(ours.loc[r["first"]].to_numpy()))
            assert_fits_close(sd, r["sd"], fit, grp)


@pytest.mark.parametrize("name", NAMES)
def test_standard_deviations_are_those_of_the_matrices(models, name):
    for g in models[name].ranef().groups:
        for i in range(len(g.level)):
            assert_close(np.sqrt(np.diag(g.condcov[i])), g.condsd[i])
            assert_close(g.condcov[i], g.condcov[i].T)


def test_terms_of_one_factor_are_tied_together_by_the_data(models):
    """R's postVar of (1 | g) + (0 + x | g) is silent on what is between the two."""
    block = models["terms"].ranef().covariances().loc["308"].to_numpy()
    assert block[0, 1] < -10  # an intercept that is too high leaves the slope too low


def test_simulated_modes_scatter_as_the_matrices_say():
    """Of 2000 draws of b and y, b - E(b | y) has that covariance, the parameters being known."""
    rng = np.random.default_rng(5)
    x = np.arange(4.0)
    Z = np.column_stack([np.ones(4), x])
    G = np.array([[2.0, -0.5], [-0.5, 1.0]])
    data = pd.DataFrame({"g": pd.Categorical(np.repeat(np.arange(2000).astype(str), 4)),
                         "x": np.tile(x, 2000)})  # fmt: skip
    b = rng.multivariate_normal([0, 0], G, size=2000)
    data["y"] = (b @ Z.T + rng.normal(size=(2000, 4))).ravel()
    m = mlm.lmer("y ~ x + (x | g)", data)
    modes = m.ranef()["g"]
    error = modes.to_numpy() + m.fixef().to_numpy() - b[np.asarray(modes.index, dtype=int)]
    inside = np.linalg.inv(m.ranef().group("g").condcov[0])
    distance = np.einsum("ni,ij,nj->n", error, inside, error)
    # Mean of chi-squared(2), whose SD is 2; the parameters are estimated from 8000 rows.
    assert abs(distance.mean() - 2) < 3 * 2 / np.sqrt(2000)


def test_of_a_multiple_membership_model():
    rng = np.random.default_rng(3)
    schools = np.array(["a", "b", "c", "d", "e", "f"])
    first, second = rng.choice(schools, 120), rng.choice(schools, 120)
    data = pd.DataFrame({"x": rng.normal(size=120), "s1": first, "s2": second})
    effect = dict(zip(schools, rng.normal(size=6), strict=True))
    data["y"] = [(effect[a] + effect[b]) / 2 for a, b in zip(first, second, strict=True)]
    data["y"] += rng.normal(size=120)
    weights = mlm.membership_weights(data, ["s1", "s2"])
    m = mlm.multiple_membership("y ~ x + (1 | school)", data, memberships={"school": weights})
    g = m.ranef().group("school")
    assert_close(np.sqrt(g.condcov[:, 0, 0]), g.condsd[:, 0])


def test_modes_as_json_and_back(models):
    effects = models["terms"].ranef()
    again = type(effects).from_json(effects.to_json())
    pd.testing.assert_frame_equal(again.covariances(), effects.covariances())


def test_what_is_refused(models):
    with pytest.raises(ArgumentError, match="plate, sample"):
        models["crossed"].ranef().covariances()
    with pytest.raises(ArgumentError, match="no grouping factor 'plat'"):
        models["crossed"].ranef().covariances("plat")
    with pytest.raises(ArgumentError, match="cond_var=True"):
        models["slope"].ranef(cond_var=False).covariances()
    with pytest.raises(AttributeError, match="covariances"):
        _ = models["slope"].ranef().postVar
