"""Robust errors without clusters, and the bootstrap with them, against sandwich and lmtest."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.native import assert_close, native, needs_r

needs_r("sandwich", "lmtest")

#: The same R on the same data; lm by QR in two processes.
SAME = 1e-10
#: A bootstrap's error of a standard error, 1 / sqrt(2 · 2000) = 1.6 %, thrice.
DRAWS = 0.05

CODE = """
suppressMessages({library(sandwich); library(lmtest)})
d <- transform(sleepstudy, w = Days + 1, late = ifelse(Days > 4, "late", "early"),
               many = as.integer(Reaction / 20))
one <- lm(Reaction ~ Days + late, d)
weighted <- lm(Reaction ~ Days + late, d, weights = w)
counts <- glm(many ~ Days, poisson, d)
air <- airquality[complete.cases(airquality), ]
series <- lm(Ozone ~ Temp + Wind, air)
test <- function(m, v) unclass(coeftest(m, vcov. = v))[, 1:4]
types <- c("HC0", "HC1", "HC2", "HC3", "HC4", "HC4m", "HC5")
hc <- function(m) lapply(setNames(types, types), function(t) test(m, vcovHC(m, type = t)))
boot <- function(type, ...) { set.seed(42); test(one, vcovBS(one, R = 200, type = type, ...)) }
emit(list(one = hc(one), weighted = hc(weighted), counts = hc(counts),
  nw = list(auto = test(series, NeweyWest(series)), lag = floor(bwNeweyWest(series)),
            stata = test(series, NeweyWest(series, lag = 3, prewhite = FALSE)),
            time = test(lm(Ozone ~ Temp + Wind, air[order(air$Wind + air$Temp / 1e3), ]),
                        NeweyWest(lm(Ozone ~ Temp + Wind, air[order(air$Wind + air$Temp / 1e3), ]),
                                  lag = 2))),
  boot = list(xy = boot("xy"), residual = boot("residual"), wild = boot("wild-rademacher"),
              mammen = boot("mammen"), webb = boot("webb"), norm = boot("norm")),
  cluster = lapply(setNames(nm = c("xy", "wild")), function(t) {
    set.seed(7)
    sqrt(diag(vcovBS(one, cluster = ~ Subject, R = 100, type = t)))
  })))
"""
TYPES = ("HC0", "HC1", "HC2", "HC3", "HC4", "HC4m", "HC5")


@pytest.fixture(scope="module")
def theirs():
    return native(CODE)


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("sleepstudy")
    d["w"] = d["Days"] + 1
    d["late"] = np.where(d["Days"] > 4, "late", "early")
    d["many"] = (d["Reaction"] / 20).astype(int)
    return d


@pytest.fixture(scope="module")
def models(data):
    return {
        "one": mlm.lm("Reaction ~ Days + late", data),
        "weighted": mlm.lm("Reaction ~ Days + late", data, weights="w"),
        "counts": mlm.glm("many ~ Days", data, family="poisson"),
    }


@pytest.fixture(scope="module")
def air():
    return mlm.load_dataset("datasets::airquality").dropna()


def table(result):
    return np.column_stack([result.estimate, result.std_error, result.statistic, result.p_value])


def assert_table(result, emitted, rtol=SAME):
    assert list(result.term) == emitted["rows"]
    assert_close(table(result), np.array(emitted["values"], dtype=float), rtol)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ["one", "weighted", "counts"])
def test_heteroscedasticity(models, theirs, name, kind):
    found = mlm.robust_errors(models[name], type=kind)
    assert_table(found, theirs[name][kind])
    assert found.statistic_name == ("z" if name == "counts" else "t")
    assert found.n_clusters is None


def test_newey_and_west(air, theirs):
    m = mlm.lm("Ozone ~ Temp + Wind", air)
    auto = mlm.robust_errors(m, type="HAC")
    assert_table(auto, theirs["nw"]["auto"])
    assert auto.lag == theirs["nw"]["lag"]
    assert f"lag {auto.lag:g}" in str(auto)
    stata = mlm.robust_errors(m, type="Newey-West", lag=3, prewhite=False)
    assert_table(stata, theirs["nw"]["stata"])
    time = air.assign(t=air["Wind"] + air["Temp"] / 1e3)
    time = time.drop_duplicates("t") if time["t"].duplicated().any() else time
    if len(time) == len(air):
        found = mlm.robust_errors(mlm.lm("Ozone ~ Temp + Wind", time), "HAC", order_by="t", lag=2)
        assert_table(found, theirs["nw"]["time"])


def test_the_order_of_the_rows_is_the_column_s(air):
    """The same series, shuffled, has the same errors by its column of time."""
    series = air.assign(t=pd.date_range("1973-05-01", periods=len(air)))
    mixed = series.sample(frac=1, random_state=2)
    formula = "Ozone ~ Temp + Wind"
    straight = mlm.robust_errors(mlm.lm(formula, series), "HAC", lag=4)
    by_time = mlm.robust_errors(mlm.lm(formula, mixed), "HAC", lag=4, order_by="t")
    assert_close(by_time.std_error, straight.std_error, SAME)
    lost = mlm.robust_errors(mlm.lm(formula, mixed), "HAC", lag=4)
    assert np.abs(lost.std_error / straight.std_error - 1).max() > DRAWS


def test_no_lag_is_white(air):
    m = mlm.lm("Ozone ~ Temp + Wind", air)
    none = mlm.robust_errors(m, "HAC", lag=0, prewhite=False)
    assert_close(none.std_error, mlm.robust_errors(m, "White").std_error, SAME)


@pytest.mark.parametrize("kind", ["xy", "residual", "wild", "mammen", "webb", "norm"])
def test_bootstrap_of_rows(models, theirs, kind):
    found = mlm.robust_errors(models["one"], "bootstrap", boot_type=kind, nsim=200, seed=42)
    assert_table(found, theirs["boot"][kind])
    assert (found.n_failed, found.nsim, found.seed) == (0, 200, 42)


@pytest.mark.parametrize("kind", ["xy", "wild"])
def test_bootstrap_of_clusters(models, theirs, kind):
    m = models["one"]
    found = mlm.cluster_robust(m, "Subject", "bootstrap", boot_type=kind, nsim=100, seed=7)
    assert_close(found.std_error, list(theirs["cluster"][kind].values()), SAME)
    assert found.n_clusters == 18
    assert_close(found.df, [17.0] * 3)


def test_clusters_in_another_order_are_drawn_alike(data, models):
    """Levels, not first appearance, say which cluster a draw is, as in R."""
    turned = mlm.lm("Reaction ~ Days + late", data.iloc[::-1])
    asked = {"by": "Subject", "type": "bootstrap", "nsim": 50, "seed": 1}
    a, b = mlm.cluster_robust(turned, **asked), mlm.cluster_robust(models["one"], **asked)
    assert_close(a.std_error, b.std_error, SAME)


def test_weights_and_offsets_are_drawn_with_their_rows(data):
    """sandwich leaves them out; HC1 is what the bootstrap of weighted rows comes to."""
    frame = data.assign(w=np.where(data["Days"] > 5, 20.0, 1.0), o=data["Days"] * 30.0)
    m = mlm.lm("Reaction ~ Days", frame, weights="w", offset="o")
    found = mlm.robust_errors(m, "bootstrap", nsim=2000, seed=3)
    asymptotic = mlm.robust_errors(m, "HC1")
    assert np.abs(found.std_error / asymptotic.std_error - 1).max() < 2 * DRAWS
    plain = mlm.robust_errors(mlm.lm("Reaction ~ Days", frame), "HC1")
    assert np.abs(plain.std_error / asymptotic.std_error - 1).max() > 4 * DRAWS


def test_draws_that_miss_a_level_are_counted():
    rng = np.random.default_rng(0)
    rare = pd.DataFrame({"y": rng.normal(size=30), "f": ["a"] * 28 + ["b"] * 2})
    found = mlm.robust_errors(mlm.lm("y ~ f", rare), "bootstrap", nsim=200, seed=1)
    # Neither of the two rows is drawn in (28/30)^30 = 12.6 % of the draws.
    assert 10 < found.n_failed < 45
    assert "left out" in str(found)
    assert found.std_error[1] > 0


def test_coverage_under_heteroscedasticity():
    """300 data sets whose variance grows with x: HC3's 95 % cover 95 %, the plain ones less."""
    rng = np.random.default_rng(4)
    x = np.linspace(0, 2, 60)
    hits = {"HC3": 0, "plain": 0}
    for _ in range(300):
        m = mlm.lm("y ~ x", pd.DataFrame({"x": x, "y": rng.normal(scale=0.1 + x**2)}))
        robust = mlm.robust_errors(m).to_frame().loc["x"]
        hits["HC3"] += robust["conf_low"] < 0 < robust["conf_high"]
        plain = m.confint().to_frame().loc["x"]
        hits["plain"] += plain["conf_low"] < 0 < plain["conf_high"]
    # Two standard errors of a share of .95 in 300 are 2.5 %.
    assert hits["HC3"] / 300 > 0.92
    assert hits["plain"] < hits["HC3"]


def test_a_table_of_regressions_takes_them(models):
    found = mlm.robust_errors(models["one"], "HC1")
    table = mlm.regression_table([models["one"], found])
    assert "regression with robust errors" in repr(table.columns)
    assert f"{found.std_error[1]:.3f}" in str(table)


def series(m, **more):
    return mlm.robust_errors(m["one"], "HAC", **more)


def boot(m, **more):
    return mlm.robust_errors(m, "bootstrap", **more)


ALIASED = "Reaction ~ Days + I(2 * Days)"
ALONE = "Reaction ~ Days + I(Days == 3 & Subject == '308')"
MIXED = "Reaction ~ Days + (1 | Subject)"
WRONG = {
    "lmer": (lambda m, d: mlm.robust_errors(mlm.lmer(MIXED, d)), "cluster_robust"),
    "no model": (lambda m, d: mlm.robust_errors("Reaction ~ Days"), "needs a fitted model"),
    "type": (lambda m, d: mlm.robust_errors(m["one"], "HC9"), "not one of"),
    "CR": (lambda m, d: mlm.robust_errors(m["one"], "CR2"), "not one of"),
    "lag of HC3": (lambda m, d: mlm.robust_errors(m["one"], lag=2), "type='HAC'"),
    "seed of HC3": (lambda m, d: mlm.robust_errors(m["one"], seed=2), "bootstrap"),
    "seed of CR2": (lambda m, d: mlm.cluster_robust(m["one"], "Subject", seed=2), "bootstrap"),
    "negative lag": (lambda m, d: series(m, lag=-1), "0 or more"),
    "half a lag": (lambda m, d: series(m, lag=1.5), "whole number"),
    "long lag": (lambda m, d: series(m, lag=180), "180"),
    "no column": (lambda m, d: series(m, order_by="Dayz"), "Days"),
    "a panel": (lambda m, d: series(m, order_by="Days"), "one series"),
    "glm": (lambda m, d: boot(m["counts"]), "m.bootstrap"),
    "weights": (lambda m, d: boot(m["weighted"], boot_type="wild"), "boot_type='xy'"),
    "aliased": (lambda m, d: boot(mlm.lm(ALIASED, d)), "not estimated"),
    "no draws": (lambda m, d: boot(m["one"], nsim=0), "nsim"),
    "lmer's clusters": (
        lambda m, d: mlm.cluster_robust(mlm.lmer(MIXED, d), type="bootstrap"), "pymlm.lm"
    ),
    "a row alone": (lambda m, d: mlm.robust_errors(mlm.lm(ALONE, d)), "leverage is 1"),
    "no clusters": (lambda m, d: mlm.cluster_robust(m["one"]), "robust_errors"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(models, data, name):
    ask, says = WRONG[name]
    with pytest.raises((ArgumentError, DataError, NotSupportedError), match=says):
        ask(models, data)
    assert mlm.robust_errors(models["one"]).std_error[0] > 0


def test_aliased_coefficients_are_left_out(data):
    found = mlm.robust_errors(mlm.lm("Reaction ~ Days + I(2 * Days)", data))
    alone = mlm.robust_errors(mlm.lm("Reaction ~ Days", data))
    assert list(found.term) == ["(Intercept)", "Days"]
    assert_close(found.std_error, alone.std_error, SAME)
