"""emmeans(type="response"): the response's own scale, or a word that it is not."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning
from tests.native import ROUND_TRIP, assert_close, native

#: Left side of the formula -> inverse and its slope, by hand.
KNOWN = {
    "1/y": ("1/e", "-1/e^2"),
    "-1/y": ("-1/e", "1/e^2"),
    "y^0.5": ("e^2", "2*e"),
    "y^-1": ("1/e", "-1/e^2"),
    "I(y^2)": ("sqrt(e)", "0.5/sqrt(e)"),
    "I(2*sqrt(y))": ("(e/2)^2", "e/2"),
    "asinh(y)": ("sinh(e)", "cosh(e)"),
    "3 * log(y) + 1": ("exp((e - 1)/3)", "exp((e - 1)/3)/3"),
    "log(y, 2)": ("2^e", "log(2)*2^e"),
    "qlogis(y/100)": ("100*plogis(e)", "100*dlogis(e)"),
    "y/10": ("10*e", "10 + 0*e"),
    "sqrt(y)": ("e^2", "2*e"),
    "log(y)": ("exp(e)", "exp(e)"),
    "log(y + 1)": ("exp(e) - 1", "exp(e)"),
}
#: No inverse: statistics of the whole column, or not one to one on these data.
UNKNOWN = ["rank(y)", "I(y - mean(y))", "I(sin(y) + y/10)", "I(y^2 - 20*y)"]
#: Two more steps of rounding than a round trip: the inverse and its slope, written otherwise.
BY_HAND = 100 * ROUND_TRIP
#: emmeans differentiates Satterthwaite's degrees of freedom numerically.
LIMITS = 1e-6


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(2)
    d = pd.DataFrame({"g": np.repeat(np.arange(12), 10), "f": np.tile(list("ab"), 60)})
    noise = 0.3 * rng.normal(size=12)[d.g] + 0.3 * rng.normal(size=120)
    d["y"] = np.round(np.exp(2 + noise + 0.3 * (d.f == "b")), 6)
    return d


@pytest.fixture(scope="module")
def reference(data):
    code = "\n".join(
        f"""out[["{lhs}"]] <- local({{
          m <- lmer({lhs} ~ f + (1 | g), d)
          t <- as.data.frame(summary(emmeans::emmeans(m, "f"), type = "link"))
          names(t)[5:6] <- c("low", "high")
          back <- function(e) {inverse}
          slope <- function(e) {derivative}
          list(mean = back(t$emmean), se = abs(slope(t$emmean)) * t$SE,
               low = pmin(back(t$low), back(t$high)), high = pmax(back(t$low), back(t$high)))
        }})"""
        for lhs, (inverse, derivative) in KNOWN.items()
    )
    columns = ", ".join(
        f"{c} = c({', '.join(repr(v) for v in data[c].tolist())})" for c in ("g", "f", "y")
    )
    return native(
        f"d <- data.frame({columns}, stringsAsFactors = TRUE)\nout <- list()\n"
        f"suppressWarnings({{\n{code}\n}})\nemit(out)"
    )


@pytest.mark.parametrize("lhs", KNOWN)
def test_means_on_the_responses_scale(data, reference, lhs):
    model = mlm.lmer(f"{lhs} ~ f + (1 | g)", data)
    means = model.emmeans("f", type="response")
    theirs = reference[lhs]
    assert_close(means.estimate, theirs["mean"], BY_HAND)
    assert_close(means.std_error, theirs["se"], BY_HAND)
    assert_close(means.conf_low, theirs["low"], LIMITS)
    assert_close(means.conf_high, theirs["high"], LIMITS)
    assert any("back-transformed" in note for note in means.notes)


@pytest.mark.parametrize("lhs", UNKNOWN)
def test_without_an_inverse_it_is_said(data, lhs):
    model = mlm.lmer(f"{lhs} ~ f + (1 | g)", data)
    plain = model.emmeans("f").estimate
    with pytest.warns(AdviceWarning, match="no inverse"):
        means = model.emmeans("f", type="response")
    assert_close(means.estimate, plain)
    assert any("no inverse" in note for note in means.notes)


def test_contrasts_stay_where_they_are_and_say_so(data):
    model = mlm.lmer("1/y ~ f + (1 | g)", data)
    on_link = model.emmeans("f", contrast="pairwise")
    contrasts = model.emmeans("f", contrast="pairwise", type="response")
    assert_close(contrasts.estimate, on_link.estimate)
    assert "still on the 1/y scale" in str(contrasts)
