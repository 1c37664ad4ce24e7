"""For one seed, the draws are R's bootMer's, wherever they are refitted."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from pymlm.engine import call
from pymlm.errors import ArgumentError, NotSupportedError, RError
from tests.native import assert_fits_close as assert_close
from tests.native import native, rscript
from tests.tolerances import ARITHMETIC, REOPTIMIZED, SAME_PATH

#: A refit starts at the fit's optimum and ends where the optimizer stops: same path, same digits.
DRAWS = 1e-9
#: 200 draws know a standard deviation to 5 %; shrinkage and the heavy tails of the residuals change
#: it by less than a quarter.
SHRUNKEN = 0.25
NSIM = 40
#: A likelihood ratio statistic of two optima that are one, on the scale of -2 log L (about 250).
ZERO = 1e-6
#: refit() of lme4 1.1-31 counts one fixed effect in the REML criterion; bootMer's draws are its.
REML_OF_REFIT = 1e-3


@pytest.fixture(scope="module")
def reference():
    return native(
        f"""
lmer <- lme4::lmer
w <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
sleepstudy$Reaction[c(3, 50)] <- NA
# In the order of confint(): sd, cor, sd in lme4 1.1, sd, sd, cor since 2.
every <- function(x) {{
  v <- as.data.frame(VarCorr(x), order = "lower.tri")
  if (packageVersion("lme4") >= "2.0") v <- v[order(v$grp == "Residual", !is.na(v$var2)), ]
  c(v$sdcor, fixef(x))
}}
# What a statistic of one's own is asked of: fits by lmer() itself, for refit() of lme4 1.1-31
# counts one fixed effect in the REML criterion, whatever there are (sigma is 7e-4 off here).
by_lmer <- function(m, f) {{
  b <- suppressMessages(suppressWarnings(bootMer(m, f, nsim = 2, seed = 42)))
  set.seed(42)
  ys <- simulate(m, nsim = {NSIM}, na.action = na.exclude)
  b$t <- t(sapply(ys, function(y) f(update(m, data = transform(sleepstudy, Reaction = y)))))
  b$R <- {NSIM}
  shown(b)
}}
draws <- function(m, ...) {{
  shown(suppressMessages(suppressWarnings(bootMer(m, ..., nsim = {NSIM}, seed = 42))))
}}
shown <- function(b) {{
  list(t0 = unname(b$t0), t = unname(b$t),
       ci = lapply(c(perc = "perc", basic = "basic", norm = "norm"), function(k)
         unname(confint(b, type = k, level = 0.9))))
}}
m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
b <- lmer(Reaction ~ Days + (1 | Subject), sleepstudy, control = lmerControl(optimizer = "bobyqa"))
g <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
emit(list(
  default = draws(m, every), use_u = draws(w, every, use.u = TRUE),
  semi = draws(w, every, use.u = TRUE, type = "semiparametric"),
  control = draws(b, every), own = by_lmer(m, function(x) c(sigma(x), logLik(x))),
  glmer = draws(g, function(x) c(x@theta, fixef(x)))
))"""
    )


@pytest.fixture(scope="module")
def data():
    frame = mlm.load_dataset("sleepstudy")
    frame.iloc[[2, 49], 0] = np.nan
    return frame


@pytest.fixture(scope="module")
def model(data):
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", data)


def same_draws(ours, theirs):
    values = np.array(theirs["t"]["values"], dtype=float)
    assert_close(ours.estimate, theirs["t0"], DRAWS)
    assert_close(ours.draws, values.reshape(ours.draws.shape), DRAWS)
    assert_close(
        ours.bias, values.reshape(ours.draws.shape).mean(axis=0) - ours.estimate, REOPTIMIZED
    )
    assert_close(ours.std_error, values.reshape(ours.draws.shape).std(axis=0, ddof=1), DRAWS)
    for kind, limits in theirs["ci"].items():
        got = ours.confint(kind)
        assert_close(got.to_numpy(), np.array(limits["values"], dtype=float), SAME_PATH, kind)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_default_statistic(model, reference, n_jobs):
    ours = model.bootstrap(nsim=NSIM, seed=42, n_jobs=n_jobs, level=0.9)
    same_draws(ours, reference["default"])
    assert ours.term[0] == "sd_(Intercept)|Subject"
    assert ours.seed == 42


@pytest.fixture(scope="module")
def whole():
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


def test_random_effects_held(whole, reference):
    ours = whole.bootstrap(nsim=NSIM, seed=42, use_u=True, level=0.9)
    same_draws(ours, reference["use_u"])
    assert "as estimated" in str(ours)


def test_semiparametric(whole, reference):
    ours = whole.bootstrap(nsim=NSIM, seed=42, use_u=True, type="semiparametric", level=0.9)
    same_draws(ours, reference["semi"])


@pytest.mark.parametrize("kind", ["parametric", "semiparametric"])
def test_random_effects_held_with_dropped_rows(model, kind):
    """R's bootMer stops here. Given the random effects, y varies by sigma alone: so do the draws.

    The standard error of the slope is then that of a regression with each subject's line held.
    """
    ours = model.bootstrap(nsim=200, seed=1, use_u=True, type=kind)
    assert ours.n_failed == 0
    x = model.model_matrix()["Days"]
    subjects = model._source.data.loc[x.index, "Subject"]
    within = ((x - x.groupby(subjects, observed=True).transform("mean")) ** 2).sum()
    slope = ours.to_frame().loc["Days"]
    assert_close(slope.std_error, model.sigma / np.sqrt(within), SHRUNKEN)
    assert abs(slope.bias) < 4 * slope.std_error / np.sqrt(200)


def test_the_model_s_own_control_is_kept(data, reference):
    bobyqa = mlm.lmer("Reaction ~ Days + (1 | Subject)", data, control={"optimizer": "bobyqa"})
    same_draws(bobyqa.bootstrap(nsim=NSIM, seed=42, level=0.9), reference["control"])


def own_statistic(m):
    return {"sigma": m.sigma, "loglik": m.loglik}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_statistic_of_one_s_own(model, reference, n_jobs):
    ours = model.bootstrap(own_statistic, nsim=NSIM, seed=42, n_jobs=n_jobs, level=0.9)
    same_draws(ours, reference["own"])
    assert list(ours.draws_frame().columns) == ["sigma", "loglik"]


def test_generalized(reference):
    data = mlm.load_dataset("cbpp")
    model = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", data, family="binomial"
    )
    same_draws(model.bootstrap(nsim=NSIM, seed=42, level=0.9), reference["glmer"])


def test_the_session_s_random_numbers_are_left_alone(model):
    """With or without a stream of its own, R's session is as before."""
    call("set.seed", 3)
    before = call("get", ".Random.seed")
    first = model.bootstrap(nsim=40, seed=1)
    assert np.array_equal(before, call("get", ".Random.seed"))
    again = model.bootstrap(lambda m: m.sigma, nsim=40, seed=1)
    assert_close(again.draws[:, 0], first.draws_frame()["sigma"], REML_OF_REFIT)
    assert np.array_equal(before, call("get", ".Random.seed"))


def test_without_a_seed_one_is_drawn_and_told(model):
    one = model.bootstrap(lambda m: m.sigma, nsim=40)
    same = model.bootstrap(lambda m: m.sigma, nsim=40, seed=one.seed)
    assert_close(one.draws, same.draws)
    assert f"seed {one.seed}" in str(one)


def test_failed_refits_are_counted_and_shown(model):
    calls = []

    def fragile(m):
        calls.append(m)
        if len(calls) % 10 == 0:
            raise ValueError("no luck")
        return m.sigma

    ours = model.bootstrap(fragile, nsim=49, seed=1)
    good = ~np.isnan(ours.draws[:, 0])
    assert ours.n_failed == 5
    assert good.sum() == 44
    assert "9: no luck" in ours.failures
    assert "failed refits: 5 of 49" in str(ours)
    assert_close(ours.bias, ours.draws[good].mean() - model.sigma, REOPTIMIZED)


def test_bad_statistics(model):
    with pytest.raises(ArgumentError, match="numbers"):
        model.bootstrap(lambda m: "text", nsim=2)
    with pytest.raises(ArgumentError, match="no number"):
        model.bootstrap(lambda m: [], nsim=2)
    with pytest.raises(ZeroDivisionError):
        model.bootstrap(lambda m: 1 / 0, nsim=2)
    with pytest.raises(ArgumentError, match="function"):
        model.bootstrap("sigma", nsim=2)
    with pytest.raises(ArgumentError, match="use_u=True"):
        model.bootstrap(nsim=2, type="semiparametric")
    for wrong in ({"nsim": 0}, {"nsim": 2.5}, {"n_jobs": 0}, {"seed": -1}, {"seed": 2**31}):
        with pytest.raises(ArgumentError, match=next(iter(wrong))):
            model.bootstrap(**({"nsim": 2} | wrong))


def test_every_refit_failing_is_an_error(model):
    seen = []

    def once(m):
        if seen:
            raise ValueError("never again")
        seen.append(m)
        return 1.0

    with pytest.raises(RError, match="never again"):
        model.bootstrap(once, nsim=3, seed=1)


def test_intervals_by_type(model):
    ours = model.bootstrap(nsim=60, seed=3)
    assert_close(ours.to_frame().conf_low, ours.confint("perc").conf_low)
    with pytest.raises(ArgumentError, match="'basic'"):
        ours.confint("basi")


# --- parametric bootstrap tests -------------------------------------------------------------------


@pytest.fixture(scope="module")
def pb_reference():
    out = rscript(
        """
suppressMessages({library(lme4); library(pbkrtest)})
m1 <- lmer(strength ~ 1 + (1 | batch/cask), Pastes)
m0 <- lmer(strength ~ 1 + (1 | batch:cask), Pastes)
set.seed(5)
p <- PBmodcomp(m1, m0, nsim = 30, cl = 1)
cat(sprintf("%.17g", c(p$test$stat[1], p$test$p.value, p$n.extreme, p$samples, as.numeric(p$ref))))
s <- summary(p)
s$ctime <- NULL
cat("\n")
print(s)
"""
    )
    numbers, text = out.split("\n", 1)
    return [float(x) for x in numbers.split()], text.rstrip("\n")


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_pb_modcomp(pb_reference, n_jobs):
    data = mlm.load_dataset("Pastes")
    m1 = mlm.lmer("strength ~ 1 + (1 | batch/cask)", data)
    m0 = mlm.lmer("strength ~ 1 + (1 | batch:cask)", data)
    ours = mlm.pb_modcomp(m1, m0, nsim=30, seed=5, n_jobs=n_jobs)
    (stat, p_chi, p_pb, extreme, nsim, positive, *ref), text = pb_reference
    np.testing.assert_allclose(ours.draws, ref, rtol=REOPTIMIZED, atol=ZERO)
    assert_close(ours.statistic[0], stat, SAME_PATH)
    assert_close(ours.p_value[0], p_chi, SAME_PATH)
    assert_close(ours.p_value[1], (ours.n_extreme + 1) / (ours.n_positive + 1))
    assert (ours.n_extreme, ours.nsim) == (extreme, nsim)
    # Where both models fit alike, the statistic is zero but for noise of either sign.
    assert abs(ours.n_positive - positive) <= np.sum(np.abs(ref) < ZERO)
    if ours.n_positive == positive:
        assert_close(ours.p_value[1], p_pb, SAME_PATH)
        shown = str(ours).rstrip("\n").replace("small : ", "")
        assert shown == text  # pbkrtest 0.5.2 leaves this label out
    assert ours.n_failed == 0


def test_pb_modcomp_against_an_lm():
    """Zeros belong to the null distribution of a variance's test: about half of the draws."""
    data = mlm.load_dataset("Dyestuff")
    m1 = mlm.lmer("Yield ~ 1 + (1 | Batch)", data, reml=False)
    m0 = mlm.lm("Yield ~ 1", data)
    ours = mlm.pb_modcomp(m1, m0, nsim=99, seed=1)
    above = (ours.draws > ours.statistic[0]).sum()
    assert_close(ours.p_value[1], (1 + above) / 100)
    assert 0.35 < (ours.draws < 1e-8).mean() < 0.85
    assert_close(ours.statistic[0], mlm.lrt(m0, m1).chisq[1], ARITHMETIC)


@pytest.mark.parametrize("kind", ["glm", "glmer"])
def test_semiparametric_is_of_a_mean_and_an_error(kind):
    """bootMer() of lme4 warns that it is questionable for GLMMs; counts plus residuals are none."""
    data = mlm.load_dataset("sleepstudy").assign(up=lambda d: (d.Reaction > 300).astype(int))
    random = " + (1 | Subject)" if kind == "glmer" else ""
    m = getattr(mlm, kind)(f"up ~ Days{random}", data, family="binomial")
    with pytest.raises(NotSupportedError, match="type='parametric'"):
        m.bootstrap(nsim=2, seed=1, use_u=True, type="semiparametric")
