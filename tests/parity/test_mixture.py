"""Critical values and p-values of mixtures of chi-squared distributions."""

import numpy as np
import pytest
from scipy.stats import chi2

import pymlm as mlm
from pymlm.errors import ArgumentError
from tests.native import assert_close, native

#: R's root finder stops within this share of the root; pchisq of two libraries differs by less.
ROOT = 1e-10
#: Two standard errors of a share of 0.05 in 200,000 draws.
SHARE = 2 * np.sqrt(0.05 * 0.95 / 200_000)

#: Half of the table's last digit, and what it lost by rounding 7.045 up.
LAST_DIGIT = 0.0051
#: To four digits, as tables print it.
FOUR_DIGITS = 1e-4

#: Fitzmaurice, Laird and Ware 2011, Applied Longitudinal Analysis, table C.1: q against q + 1
#: random effects at 0.05, two digits; the lecture (S4) prints 5.138 beside 5.991.
PRINTED = {(0, 1): 2.71, (1, 2): 5.14, (2, 3): 7.05, (3, 4): 8.76, (4, 5): 10.37}

MIXTURES = {
    "slope": ((1, 2), (0.5, 0.5)),
    "first intercept": ((0, 1), (0.5, 0.5)),
    "two variances": ((0, 1, 2), (0.25, 0.5, 0.25)),
    "unequal": ((1, 4), (0.9, 0.1)),
    "a weight of nothing": ((1, 2, 9), (0.5, 0.5, 0.0)),
    "not whole": ((0.5, 2.5), (0.3, 0.7)),
    "one alone": ((3,), (1.0,)),
}


@pytest.mark.parametrize("df", PRINTED)
def test_published_values(df):
    found = float(mlm.mixture_critical_value(df))
    assert found == pytest.approx(PRINTED[df], abs=LAST_DIGIT)


def test_the_lecture_s_two_numbers():
    found = mlm.mixture_critical_value(df=(1, 2), level=0.05)
    assert (round(found.critical_value, 3), round(found.naive, 3)) == (5.138, 5.991)
    assert float(found) == found.critical_value
    assert "0.5 chi-squared(1) + 0.5 chi-squared(2)" in str(found)


@pytest.mark.parametrize("level", [0.5, 0.1, 0.05, 0.001])
@pytest.mark.parametrize("name", MIXTURES)
def test_the_mixture_exceeds_it_with_that_probability(name, level):
    df, weights = MIXTURES[name]
    found = mlm.mixture_critical_value(df, weights, level)
    c = found.critical_value
    above = sum(w * chi2.sf(c, k) for k, w in zip(df, weights, strict=True) if k > 0)
    if c == 0:  # all that lies above 0 is less than the level
        assert above <= level
    else:
        assert_close(above, level, ROOT)
        assert_close(mlm.mixture_p_value(c, df, weights), level, ROOT)
    used = max(k for k, w in zip(df, weights, strict=True) if w)
    assert_close(found.naive, chi2.isf(level, used), ROOT)
    assert c <= found.naive


def test_as_r_finds_the_root():
    theirs = native("""
    above <- function(x, df) pchisq(x, df, lower.tail = FALSE)
    upper <- function(x) 0.25 * above(x, 1) + 0.75 * above(x, 3)
    root <- uniroot(function(x) upper(x) - 0.01, c(0, 50), tol = 1e-12)$root
    emit(list(root = root, p = upper(4.2)))
    """)
    assert_close(mlm.mixture_critical_value((1, 3), (0.25, 0.75), 0.01).critical_value,
                 theirs["root"], ROOT)  # fmt: skip
    assert_close(mlm.mixture_p_value(4.2, (1, 3), (0.25, 0.75)), theirs["p"])


def test_draws_of_the_mixture_exceed_it_as_often():
    rng = np.random.default_rng(12)
    draws = rng.chisquare(rng.choice([1, 2], size=200_000))
    assert abs(np.mean(draws > float(mlm.mixture_critical_value((1, 2)))) - 0.05) < SHARE


def test_p_values_of_several_statistics():
    found = mlm.mixture_p_value([0.0, 2.7055, 8.805], (0, 1))
    assert_close(found, [1.0, chi2.sf(2.7055, 1) / 2, chi2.sf(8.805, 1) / 2], ROOT)
    assert isinstance(mlm.mixture_p_value(1, 2), float)


def test_lrt_and_anova_have_both_beside_each_other():
    data = mlm.load_dataset("sleepstudy")
    m0 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    m1 = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    test = mlm.lrt(m0, m1)
    assert np.isnan(test.critical_value[0])
    assert np.isnan(test.critical_value_boundary[0])
    assert (round(test.critical_value[1], 3), round(test.critical_value_boundary[1], 3)) == (
        5.991,
        5.138,
    )
    assert "critical value at 0.05 is 5.138, that of chi-squared(2) 5.991" in str(test)
    strict = mlm.lrt(m0, m1, level=0.01)
    assert_close(strict.critical_value_boundary[1], float(mlm.mixture_critical_value(level=0.01)))
    table = mlm.anova(m0, m1, refit=False)
    assert_close(table.critical_value_boundary[1], test.critical_value_boundary[1])
    means = mlm.lrt(mlm.lmer("Reaction ~ 1 + (Days | Subject)", data, reml=False), m1)
    assert_close(means.critical_value_boundary[1], chi2.isf(0.05, 1), ROOT)  # no variance is tested
    two = mlm.lrt(mlm.lm("Reaction ~ Days", data), m1)
    assert np.isnan(two.critical_value_boundary[1])  # two variances at once: no simple mixture
    assert mlm.lrt(mlm.lm("Reaction ~ Days", data), m0).critical_value_boundary[1] == (
        pytest.approx(2.7055, abs=FOUR_DIGITS)
    )


WRONG = {
    "negative df": (lambda: mlm.mixture_critical_value((-1, 2)), "0 or more"),
    "text": (lambda: mlm.mixture_critical_value("1, 2"), "list of numbers"),
    "truth values": (lambda: mlm.mixture_critical_value((True, False)), "list of numbers"),
    "nothing": (lambda: mlm.mixture_critical_value(()), "list of numbers"),
    "ragged": (lambda: mlm.mixture_critical_value([[1], [1, 2]]), "list of numbers"),
    "infinite": (lambda: mlm.mixture_critical_value((1, np.inf)), "finite"),
    "too few weights": (
        lambda: mlm.mixture_critical_value((1, 2), (1,)),
        "give each component one",
    ),
    "weights of 2": (lambda: mlm.mixture_critical_value((1, 2), (1, 1)), "add to 2"),
    "negative weight": (lambda: mlm.mixture_critical_value((1, 2), (-1, 2)), "not negative"),
    "all at 0": (lambda: mlm.mixture_critical_value(0), "could only be 0"),
    "a confidence": (lambda: mlm.mixture_critical_value(level=0.95), "0.05"),
    "level 0": (lambda: mlm.mixture_critical_value(level=0), "0.05"),
    "negative": (lambda: mlm.mixture_p_value(-3), "not negative"),
    "a frame": (lambda: mlm.mixture_p_value(mlm.load_dataset("cake")), "list of numbers"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_input(name):
    ask, says = WRONG[name]
    with pytest.raises(ArgumentError, match=says):
        ask()
    assert float(mlm.mixture_critical_value(1)) == pytest.approx(3.8415, abs=FOUR_DIGITS)


def test_lrt_refuses_a_confidence_level():
    data = mlm.load_dataset("sleepstudy")
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    with pytest.raises(ArgumentError, match=r"0\.05"):
        mlm.lrt(mlm.lm("Reaction ~ Days", data), m, level=0.95)
