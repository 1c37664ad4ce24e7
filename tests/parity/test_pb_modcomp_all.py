"""The parametric bootstrap of every pair of models, against R's simulate() and update() by hand."""

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ComparisonError, NotSupportedError
from tests.native import assert_close, native

NSIM = 6
#: A likelihood ratio is the difference of two log-likelihoods of some hundred, each the end of
#: iterations that stop at 1e-8 relative (glm), or of lme4's optimizer.
ITERATED = 1e-5
#: The same of a ratio near 0, on the scale of the log-likelihoods.
NEAR_ZERO = 1e-4

DATA = """
d <- lme4::cbpp
d$wet <- rep_len(c(0, 1, 1), nrow(d))
d$share <- d$incidence / d$size
d$ill <- factor(ifelse(d$incidence > 1, "yes", "no"))
d$rate <- d$incidence / 3 + 0.5 + d$wet
"""
#: R's larger and smaller model.
PAIRS = {
    "lm": ("lm(rate ~ wet + period, d)", "lm(rate ~ period, d)"),
    "lm with weights": ("lm(rate ~ wet, d, weights = size)", "lm(rate ~ 1, d, weights = size)"),
    "poisson": (
        "glm(incidence ~ wet + period, poisson, d)",
        "glm(incidence ~ period, poisson, d)",
    ),
    "poisson with offset": (
        "glm(incidence ~ wet, poisson, d, offset = log(size))",
        "glm(incidence ~ 1, poisson, d, offset = log(size))",
    ),
    "binomial counts": (
        "glm(cbind(incidence, size - incidence) ~ wet + period, binomial, d)",
        "glm(cbind(incidence, size - incidence) ~ period, binomial, d)",
    ),
    "binomial shares": (
        "glm(share ~ wet, binomial, d, weights = size)",
        "glm(share ~ 1, binomial, d, weights = size)",
    ),
    "binomial factor": ("glm(ill ~ wet, binomial, d)", "glm(ill ~ 1, binomial, d)"),
    "gamma": ("glm(rate ~ wet, Gamma(log), d)", "glm(rate ~ 1, Gamma(log), d)"),
    "glmer and glm": (
        "glmer(incidence ~ period + (1 | herd), d, poisson)",
        "glm(incidence ~ period, poisson, d)",
    ),
    "glmer counts and glm": (
        "glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), d, binomial)",
        "glm(cbind(incidence, size - incidence) ~ period, binomial, d)",
    ),
    "lmer and lm": ("lmer(rate ~ wet + (1 | herd), d, REML = FALSE)", "lm(rate ~ wet, d)"),
    "glmer and glmer": (
        "glmer(incidence ~ wet + (1 | herd), d, poisson)",
        "glmer(incidence ~ 1 + (1 | herd), d, poisson)",
    ),
}


@pytest.fixture(scope="module")
def reference():
    cases = "\n".join(
        f"""out[["{name}"]] <- local({{
          large <- {large}
          small <- {small}
          set.seed(3)
          y <- simulate(small, {NSIM})
          again <- function(m, y) {{
            if (isS4(m)) return(lme4::refit(m, y))
            e <- d
            lhs <- formula(m)[[2L]]
            e$.y <- if (is.matrix(y)) I(y) else y
            update(m, .y ~ ., data = e)
          }}
          ratio <- function(a, b) 2 * (as.numeric(logLik(a)) - as.numeric(logLik(b)))
          list(seen = ratio(large, small),
               ref = vapply(seq_len({NSIM}), function(i)
                 ratio(again(large, y[[i]]), again(small, y[[i]])), 0))
        }})"""
        for name, (large, small) in PAIRS.items()
    )
    return native(
        f"{DATA}\nout <- list()\nsuppressWarnings(suppressMessages({{\n{cases}\n}}))\nemit(out)"
    )


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("lme4::cbpp")
    d["wet"] = np.resize([0.0, 1.0, 1.0], len(d))
    d["share"] = d.incidence / d["size"]
    d["ill"] = np.where(d.incidence > 1, "yes", "no")
    d["rate"] = d.incidence / 3 + 0.5 + d.wet
    d["log_size"] = np.log(d["size"].astype(float))
    return d


def fitted(code, data):
    """The model of R's code, by pymlm."""
    function, rest = code.split("(", 1)
    formula = rest.split(", d")[0]
    options = {}
    for family in ("poisson", "binomial", "Gamma(log)"):
        if family in rest:
            options["family"] = family.split("(")[0]
            formula = formula.split(f", {family}")[0]
    if "Gamma(log)" in rest:
        options["link"] = "log"
    if "weights = size" in rest:
        options["weights"] = "size"
    if "offset" in rest:
        options["offset"] = "log_size"
    if "REML = FALSE" in rest:
        options["reml"] = False
    return getattr(mlm, function)(formula, data, **options)


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
@pytest.mark.parametrize("name", PAIRS)
def test_statistics_are_those_of_r_by_hand(data, reference, name):
    large, small = (fitted(code, data) for code in PAIRS[name])
    theirs = reference[name]
    for pair in ((large, small), (small, large)):
        test = mlm.pb_modcomp(*pair, nsim=NSIM, seed=3)
        assert_close(test.statistic[0], theirs["seen"], ITERATED)
        ref = np.array(theirs["ref"])
        np.testing.assert_allclose(test.draws, ref, rtol=ITERATED, atol=NEAR_ZERO)
        extreme = (np.array(theirs["ref"]) > theirs["seen"]).sum()
        used = NSIM if isinstance(small, mlm.LinearModel) else (ref > 0).sum()
        assert test.p_value[1] == pytest.approx((1 + extreme) / (1 + used))
        assert test.n_failed == 0


def test_the_larger_model_is_named(data):
    small, large = mlm.lm("rate ~ 1", data), mlm.lm("rate ~ wet", data)
    assert mlm.pb_modcomp(large, small, nsim=5, seed=1).notes == ()
    turned = mlm.pb_modcomp(small, large, nsim=5, seed=1)
    assert "m0 is the larger model" in turned.notes[0]
    assert "m0 is the larger" in str(turned)


def test_what_cannot_be_simulated_is_refused(data):
    quasi = [mlm.glm(f"incidence ~ {x}", data, family="quasipoisson") for x in ("wet", "1")]
    with pytest.raises(NotSupportedError, match="no likelihood"):
        mlm.pb_modcomp(*quasi, nsim=5)
    with pytest.raises(NotSupportedError, match="lm, glm, lmer and glmer"):
        mlm.pb_modcomp(
            mlm.lme("rate ~ wet", data, random="~ 1 | herd"), mlm.lm("rate ~ wet", data), nsim=5
        )
    with pytest.raises(ComparisonError, match="linear and a generalized"):
        mlm.pb_modcomp(
            mlm.glm("incidence ~ wet", data, family="poisson"),
            mlm.lm("incidence ~ 1", data),
            nsim=5,
        )
    with pytest.raises(ComparisonError, match="nested"):
        mlm.pb_modcomp(mlm.lm("rate ~ wet + size", data), mlm.lm("rate ~ period", data), nsim=5)
