"""Planning: simulation without a fit, and power by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import pymlm as mlm
from pymlm.errors import ArgumentError, FormulaError
from tests.native import ROUND_TRIP, native

#: Share of p-values below alpha among so many simulations: five standard errors of a share.
MONTE_CARLO = 5.0


@pytest.fixture(scope="module")
def design():
    return pd.DataFrame(
        {"x": np.tile([0.0, 1.0, 2.0, 3.0], 15), "n": np.tile([5, 8, 11], 20),
         "g": np.repeat([f"g{i:02d}" for i in range(12)], 5), "o": np.linspace(-1, 1, 60)}
    )  # fmt: skip


CODE = """
suppressMessages(library(lme4))
d <- data.frame(x = rep(c(0, 1, 2, 3), 15), g = rep(sprintf("g%02d", 0:11), each = 5),
                n = rep(c(5, 8, 11), 20), o = seq(-1, 1, length.out = 60))
numbers <- function(f, p, ...) as.matrix(as.data.frame(
  simulate(f, newdata = d, newparams = p, nsim = 2, seed = 42, ...)))
emit(list(
  linear = numbers(~ x + (x | g), list(beta = c(10, 2), theta = c(1, 0.3, 0.5), sigma = 3)),
  poisson = numbers(~ x + (1 | g), list(beta = c(0.5, 0.2), theta = 0.4), family = poisson),
  binomial = numbers(~ x + (1 | g), list(beta = c(-1, 0.2), theta = 0.7), family = binomial,
                     weights = d$n),
  gamma = numbers(~ x + (1 | g), list(beta = c(1, 0.2), theta = 0.3, sigma = 0.5),
                  family = Gamma(link = "log"))
))"""


@pytest.fixture(scope="module")
def reference():
    return native(CODE)


def same(ours, theirs):
    np.testing.assert_allclose(ours.to_numpy(), np.array(theirs["values"]), ROUND_TRIP)


def test_r_s_numbers_for_a_seed(design, reference):
    args = {"nsim": 2, "seed": 42}
    same(mlm.simulate("~ x + (x | g)", design, beta=[10, 2], theta=[1, 0.3, 0.5], sigma=3, **args),
         reference["linear"])  # fmt: skip
    same(mlm.simulate("~ x + (1 | g)", design, beta=[0.5, 0.2], theta=[0.4], family="poisson",
                      **args), reference["poisson"])  # fmt: skip
    same(mlm.simulate("~ x + (1 | g)", design, beta=[-1, 0.2], theta=[0.7], family="binomial",
                      weights="n", **args), reference["binomial"])  # fmt: skip
    same(mlm.simulate("~ x + (1 | g)", design, beta=[1, 0.2], theta=[0.3], sigma=0.5,
                      family="Gamma(link = 'log')", **args), reference["gamma"])  # fmt: skip


def test_parameters_by_name_in_any_order(design):
    by_place = mlm.simulate(
        "~ x + (x | g)", design, beta=[10, 2], theta=[1, 0.3, 0.5], sigma=3, seed=1
    )
    by_name = mlm.simulate(
        "~ x + (x | g)", design, beta={"x": 2, "(Intercept)": 10},
        theta={"g.x": 0.5, "g.(Intercept)": 1, "g.x.(Intercept)": 0.3}, sigma=3, seed=1,
    )  # fmt: skip
    pd.testing.assert_frame_equal(by_place, by_name)
    fitted = mlm.lmer("y ~ x + (x | g)", design.assign(y=by_place["sim_1"]))
    again = mlm.simulate("~ x + (x | g)", design, fitted.fixef(), fitted.theta, fitted.sigma)
    assert again.shape == (60, 1)


def test_an_offset_moves_the_mean(design):
    args = {"beta": [10, 2], "theta": [1], "sigma": 3, "seed": 5}
    moved = mlm.simulate("~ x + (1 | g)", design, offset="o", **args)
    np.testing.assert_allclose(
        moved["sim_1"] - mlm.simulate("~ x + (1 | g)", design, **args)["sim_1"], design.o,
        atol=ROUND_TRIP * 100,
    )  # fmt: skip


def test_an_offset_multiplies_counts(design):
    d = design.assign(o=5.0)
    args = {"beta": [0, 0], "theta": [0.0], "family": "poisson", "nsim": 50, "seed": 5}
    mean = mlm.simulate("~ x + (1 | g)", d, offset="o", **args).to_numpy().mean()
    assert mean == pytest.approx(np.exp(5), abs=MONTE_CARLO * np.sqrt(np.exp(5) / 3000))


def test_rows_without_a_predictor_are_missing(design):
    d = design.set_index(pd.Index(range(100, 160)))
    d.loc[103, "x"] = np.nan
    y = mlm.simulate("~ x + (1 | g)", d, beta=[1, 2], theta=[1], sigma=1, seed=1)["sim_1"]
    assert y.index.equals(d.index)
    assert y.isna().to_numpy().nonzero()[0].tolist() == [3]


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"beta": [1]}, ArgumentError, r"beta has 1 values for 2. They are: \(Intercept\), x"),
        ({"beta": {"(Intercept)": 1, "X": 2}}, ArgumentError, "no parameter 'X'.*'x'"),
        ({"beta": {"x": 1}}, ArgumentError, r"'\(Intercept\)' is missing"),
        ({"beta": ["a", "b"]}, ArgumentError, "must be numbers"),
        ({"theta": [-1]}, ArgumentError, "cannot be negative"),
        ({"theta": [np.nan]}, ArgumentError, "missing or infinite"),
        ({"sigma": None}, ArgumentError, "is needed"),
        ({"sigma": 0}, ArgumentError, "above 0"),
        ({"family": "poisson"}, ArgumentError, "no sigma"),
        ({"formula": "~ x"}, FormulaError, "no random effects"),
        ({"formula": "~ z + (1 | g)"}, FormulaError, "'z'"),
        ({"weights": [1, 2]}, ArgumentError, "column's name"),
        ({"weights": "n"}, ArgumentError, "numbers of trials"),
        ({"nsim": 0}, ArgumentError, "nsim"),
        ({"seed": -1}, ArgumentError, "seed"),
    ],
)
def test_bad_input(design, change, error, said):
    args = {"formula": "~ x + (1 | g)", "data": design, "beta": [1, 2], "theta": [1], "sigma": 1}
    with pytest.raises(error, match=said):
        mlm.simulate(**(args | change))


# --- power ----------------------------------------------------------------------------------------


def balanced(groups, size=6):
    g = np.repeat(np.arange(groups), size)
    return pd.DataFrame({"g": g, "between": g % 2, "within": np.tile([0, 1], groups * size // 2)})


def within_limits(found, row, truth):
    spread = np.sqrt(truth * (1 - truth) / found.nsim)
    assert abs(found.power[row] - truth) < MONTE_CARLO * spread


def test_power_is_that_of_the_closed_form():
    """Balanced: the group means are a t test between groups, the rest one within them."""
    groups, size, tau, sigma = 20, 6, 0.6, 1.0
    effects = {"between": 0.9, "within": 0.5}
    found = mlm.power(
        "~ between + within + (1 | g)", balanced(groups, size), beta=[0, *effects.values()],
        theta=[tau / sigma], sigma=sigma, nsim=400, seed=3, progress=False,
    )  # fmt: skip
    assert found.term == ("between", "within")
    variance = tau**2 + sigma**2 / size
    exact = []
    for se, effect, df in (
        (np.sqrt(4 * variance / groups), effects["between"], groups - 2),
        (np.sqrt(4 * sigma**2 / (groups * size)), effects["within"], groups * (size - 1) - 1),
    ):
        ncp, crit = effect / se, stats.t.ppf(0.975, df)
        exact.append(stats.nct.sf(crit, df, ncp) + stats.nct.cdf(-crit, df, ncp))
    for row, truth in enumerate(exact):
        within_limits(found, row, truth)
        assert found.conf_low[row] < found.power[row] < found.conf_high[row]


def test_power_of_nothing_is_alpha():
    found = mlm.power(
        "~ between + (1 | g)", balanced(12), beta=[0, 0], theta=[0.5], sigma=1, nsim=400, seed=8,
        progress=False,
    )  # fmt: skip
    within_limits(found, 0, 0.05)


def test_power_is_that_of_a_loop_in_r():
    found = mlm.power(
        "~ between + (1 | g)", balanced(10), beta=[0, 1], theta=[0.5], sigma=1, nsim=60, seed=11,
        progress=False,
    )  # fmt: skip
    theirs = native(
        """
suppressMessages(library(lmerTest))
g <- rep(0:9, each = 6)
d <- data.frame(g = g, between = g %% 2, within = rep(0:1, 30))
y <- simulate(~ between + (1 | g), newdata = d, nsim = 60, seed = 11,
              newparams = list(beta = c(0, 1), theta = 0.5, sigma = 1))
p <- sapply(y, function(v) { d$y <- v
  coef(summary(suppressMessages(lmer(y ~ between + (1 | g), d))))["between", "Pr(>|t|)"] })
emit(list(power = mean(p < 0.05), limits = as.numeric(binom.test(sum(p < 0.05), 60)$conf.int)))"""
    )
    assert found.power[0] == pytest.approx(theirs["power"])
    np.testing.assert_allclose(
        [found.conf_low[0], found.conf_high[0]], np.ravel(theirs["limits"]), ROUND_TRIP
    )


def test_designs_and_sizes():
    args = {"beta": [0, 1], "theta": [0.5], "sigma": 1, "nsim": 30, "seed": 1, "progress": False}
    by_size = mlm.power("~ between + (1 | g)", balanced, sizes=[6, 24], **args)
    named = mlm.power("~ between + (1 | g)", {"6": balanced(6), "24": balanced(24)}, **args)
    assert by_size.design == ("6", "24")
    pd.testing.assert_frame_equal(by_size.to_frame(), named.to_frame())
    assert by_size.power[1] > by_size.power[0]
    assert by_size.n_rows.tolist() == [36, 144]
    two = mlm.power("~ between + (1 | g)", balanced, sizes=[6, 24], n_jobs=2, **args)
    pd.testing.assert_frame_equal(by_size.to_frame(), two.to_frame())
    counts = mlm.power(
        "~ within + (1 | g)", balanced(10), beta=[0, 0.5], theta=[0.3], family="poisson", nsim=20,
        seed=2, progress=False,
    )  # fmt: skip
    assert counts.ddf is None
    assert 0 < counts.power[0] <= 1


def test_bad_plans():
    args = {"beta": [0, 1], "theta": [0.5], "sigma": 1, "nsim": 5, "progress": False}
    with pytest.raises(ArgumentError, match=r"test='betwen'.*'between'"):
        mlm.power("~ between + (1 | g)", balanced(6), test="betwen", **args)
    with pytest.raises(ArgumentError, match="sizes="):
        mlm.power("~ between + (1 | g)", balanced, **args)
    with pytest.raises(ArgumentError, match="sizes="):
        mlm.power("~ between + (1 | g)", balanced(6), sizes=[3], **args)
    with pytest.raises(ArgumentError, match="empty dict"):
        mlm.power("~ between + (1 | g)", {}, **args)
    with pytest.raises(ArgumentError, match="alpha"):
        mlm.power("~ between + (1 | g)", balanced(6), alpha=5, **args)
