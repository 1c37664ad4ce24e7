"""All rows of pbkrtest's bootstrap, Kenward-Roger's test of ML fits, RLRsim's exact LRT."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, ComparisonError, NotSupportedError
from tests.native import assert_close, assert_fits_close, native, needs_r

needs_r("RLRsim")

#: Statistics are differences of log-likelihoods at two optima, each within lme4's tolerance.
REOPTIMIZED = 1e-6
#: pbkrtest rounds its standard error to four digits.
FOUR_DIGITS = 5.1e-5
#: Four standard errors of a share in 500 draws; the slope that is estimated, too, is a trifle.
SHARE = 0.09

CODE = """
suppressMessages({library(pbkrtest); library(RLRsim)})
lmer <- lme4::lmer # lmerTest 3.2's stops inside PBmodcomp()
said <- character()
quiet <- function(x) suppressWarnings(suppressMessages(x))
large <- lmer(angle ~ recipe + temp + (1 | recipe:replicate), cake, REML = FALSE)
small <- lmer(angle ~ temp + (1 | recipe:replicate), cake, REML = FALSE)
set.seed(7)
pb <- quiet(PBmodcomp(large, small, nsim = 40, cl = 1))
s <- summary(pb)
kr <- list(ml = quiet(KRmodcomp(large, small))$test,
           matrix = quiet(KRmodcomp(large, diag(4)[3:4, ]))$test)
nested <- lm(angle ~ temp, cake)
same <- lm(angle ~ recipe + temp, cake)
lrt <- function(m, m0, seed) {
  set.seed(seed)
  e <- quiet(exactLRT(m, m0, nsim = 3000))
  list(stat = e$statistic[[1]], p = e$p.value)
}
emit(list(rows = rownames(s$test), stat = s$test$stat, df = s$test$df, ddf = s$test$ddf,
  p = s$test$p.value, se = s$se, ref = as.numeric(pb$ref), kr = kr,
  variance = lrt(large, same, 3), both = lrt(large, nested, 4),
  sleep = lrt(lmer(Reaction ~ Days + (1 | Subject), sleepstudy, REML = FALSE),
              lm(Reaction ~ 1, sleepstudy), 5)))
"""


@pytest.fixture(scope="module")
def theirs():
    return native(CODE)


@pytest.fixture(scope="module")
def cake():
    return mlm.load_dataset("cake")


@pytest.fixture(scope="module")
def pair(cake):
    return (
        mlm.lmer("angle ~ recipe + temp + (1 | recipe:replicate)", cake, reml=False),
        mlm.lmer("angle ~ temp + (1 | recipe:replicate)", cake, reml=False),
    )


def test_all_rows_of_the_bootstrap(pair, theirs):
    ours = mlm.pb_modcomp(*pair, nsim=40, seed=7)
    assert list(ours.term) == theirs["rows"] == ["LRT", "PBtest", "Gamma", "Bartlett", "F"]
    assert_fits_close(ours.draws, theirs["ref"], REOPTIMIZED)
    for field, column in (
        ("statistic", "stat"), ("num_df", "df"), ("den_df", "ddf"), ("p_value", "p"),
    ):  # fmt: skip
        given = np.array(theirs[column], dtype=float)
        assert_fits_close(getattr(ours, field), given, REOPTIMIZED, field)
    assert abs(ours.pb_std_error - theirs["se"]) < FOUR_DIGITS
    assert "Bartlett" in str(ours)
    assert ours.notes == ()


def test_rows_by_hand(pair):
    """Gamma by moments, Bartlett's correction, F of the mean 2 ddf / (ddf - 2)."""
    from scipy.stats import chi2, f, gamma

    ours = mlm.pb_modcomp(*pair, nsim=40, seed=7)
    table, draws, df = ours.to_frame(), ours.draws[ours.draws > 0], 2
    seen, mean, var = ours.statistic[0], draws.mean(), draws.var(ddof=1)
    by_gamma = gamma.sf(seen, mean**2 / var, scale=var / mean)
    assert_fits_close(table.loc["Gamma", "p_value"], by_gamma)
    assert_fits_close(table.loc["Bartlett", "p_value"], chi2.sf(df * seen / mean, df))
    ddf = 2 * mean / (mean - 1)
    assert_fits_close(table.loc["F", "p_value"], f.sf(seen / df, df, ddf))
    assert_fits_close(table.loc["F", "den_df"], ddf)


def test_a_variance_s_test_says_which_row_to_read(cake):
    m = mlm.lmer("angle ~ recipe + temp + (1 | replicate)", cake, reml=False)
    ours = mlm.pb_modcomp(m, mlm.lm("angle ~ recipe + temp", cake), nsim=12, seed=1)
    assert "PBtest is the one to read" in str(ours)
    one = mlm.pb_modcomp(m, mlm.lm("angle ~ recipe + temp", cake), nsim=1, seed=1)
    assert list(one.term) == ["LRT", "PBtest"]
    assert "no two simulated statistics" in str(one)


@pytest.mark.parametrize("how", ["ml", "matrix"])
def test_kenward_roger_of_ml_fits(pair, theirs, how):
    large, small = pair
    asked = small if how == "ml" else np.eye(4)[2:4]
    ours = mlm.kr_modcomp(large, asked)
    r = theirs["kr"][how]
    for field, column in (
        ("statistic", "stat"), ("num_df", "ndf"), ("den_df", "ddf"), ("p_value", "p.value"),
    ):  # fmt: skip
        given = np.array(r[column], dtype=float)
        assert_fits_close(getattr(ours, field), given, REOPTIMIZED, field)
    assert "refitted by REML" in str(ours)
    assert not large.reml  # the user's model stays as it was


def test_kenward_roger_of_ml_fits_by_both_engines(pair):
    large, small = pair
    exact, theirs = (mlm.kr_modcomp(large, small, engine=e) for e in ("exact", "lmerTest"))
    assert_fits_close(exact.p_value, theirs.p_value, REOPTIMIZED)
    assert mlm.kr_modcomp(small, large).notes == (
        "m0 is the larger model, m1 the smaller one",
        "m0 was fitted by ML, and refitted by REML for the test",
    )


# --- exact_lrt ------------------------------------------------------------------------------------


def test_exact_lrt(cake, pair, theirs):
    large = pair[0]
    same, nested = mlm.lm("angle ~ recipe + temp", cake), mlm.lm("angle ~ temp", cake)
    for ours, name in (
        (mlm.exact_lrt(large, same, nsim=3000, seed=3), "variance"),
        (mlm.exact_lrt(nested, large, nsim=3000, seed=4), "both"),
    ):
        assert_fits_close(ours.statistic, theirs[name]["stat"], REOPTIMIZED)
        assert_close(ours.p_value, theirs[name]["p"])
        assert list(ours.to_frame().index) == ["LRT"]
    assert "m0 is the larger" in str(mlm.exact_lrt(nested, large, nsim=10, seed=4))


def test_exact_lrt_of_sleepstudy(theirs):
    data = mlm.load_dataset("sleepstudy")
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False)
    ours = mlm.exact_lrt(m, mlm.lm("Reaction ~ 1", data), nsim=3000, seed=5)
    assert_fits_close(ours.statistic, theirs["sleep"]["stat"], REOPTIMIZED)
    assert_close(ours.p_value, theirs["sleep"]["p"])
    assert "p < 1/3000" in str(ours)


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
def test_a_variance_of_zero_has_an_answer():
    """RLRsim's exactLRT stops there; the statistic is that of the fixed effect alone."""
    rng = np.random.default_rng(2)
    data = pd.DataFrame({"g": np.repeat(list("abcdefgh"), 6), "x": rng.normal(size=48)})
    data["y"] = np.tile([-1.0, 1.0, 0.5, -0.5, 0.2, -0.2], 8)
    m = mlm.lmer("y ~ x + (1 | g)", data, reml=False)
    assert m.convergence.singular
    found = mlm.exact_lrt(m, mlm.lm("y ~ x", data), nsim=500, seed=1)
    assert found.p_value == pytest.approx(_share_above_zero(), abs=SHARE)
    smaller = mlm.exact_lrt(m, mlm.lm("y ~ 1", data), nsim=500, seed=1)
    assert smaller.statistic == pytest.approx(
        mlm.anova(mlm.lm("y ~ 1", data), mlm.lm("y ~ x", data)).loglik @ [-2, 2], abs=REOPTIMIZED
    )


def _share_above_zero(n=20_000):
    """How often ML finds a variance between 8 groups of 6 where there is none: F > 8 / 7."""
    y = np.random.default_rng(1).normal(size=(n, 8, 6))
    between = 6 * y.mean(2).var(1, ddof=1)
    within = y.var(2, ddof=1).mean(1)
    return np.mean(between / within > 8 / 7)


def test_exact_tests_refuse_what_they_cannot_do(cake, pair):
    large = pair[0]
    lm = mlm.lm("angle ~ recipe + temp", cake)
    with pytest.raises(NotSupportedError, match="reml=False"):
        mlm.exact_lrt(large.update(reml=True), lm)
    with pytest.raises(NotSupportedError, match="several variance"):
        mlm.exact_lrt(large.update(". ~ . + (1 | replicate)"), lm)
    with pytest.raises(ComparisonError, match="not nested"):
        mlm.exact_lrt(pair[1], mlm.lm("angle ~ recipe", cake))
    with pytest.raises(NotSupportedError, match="against an lm"):
        mlm.exact_lrt(*pair)
    with pytest.raises(ComparisonError, match="different rows"):
        mlm.exact_lrt(large, mlm.lm("angle ~ temp", cake.iloc[:-1]))
    with pytest.raises(ComparisonError, match="another order"):
        mlm.exact_lrt(large, mlm.lm("angle ~ temp", cake.sample(frac=1, random_state=1)))
    with pytest.raises(ArgumentError, match="fitted models"):
        mlm.exact_lrt(large, "angle ~ temp")
    for models in ((None,), (None, large, pair[1])):
        with pytest.raises(ArgumentError, match="fitted models, not NoneType"):
            mlm.exact_rlrt(*models)
    weights = np.arange(len(cake)) % 3 + 1.0
    weighted = [
        mlm.lmer("angle ~ temp + (1 | replicate)", cake, weights=weights, reml=False),
        mlm.lm("angle ~ temp", cake, weights=weights),
    ]
    with pytest.raises(NotSupportedError, match="prior weights"):
        mlm.exact_lrt(*weighted)
    with pytest.raises(NotSupportedError, match="prior weights"):
        mlm.exact_rlrt(weighted[0].update(reml=True))
    offset = mlm.lmer("angle ~ temp + (1 | replicate)", cake, offset=weights)
    with pytest.raises(NotSupportedError, match="offset"):
        mlm.exact_rlrt(offset)
    assert mlm.exact_lrt(large, lm, nsim=10, seed=1).nsim == 10
