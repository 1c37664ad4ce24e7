"""Comparisons of models: the rules that R does not enforce."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, ComparisonError, NotSupportedError
from tests.native import assert_fits_close as assert_close
from tests.tolerances import SAME_PATH


def test_reml_fits_with_different_means_are_never_compared_as_they_stand(fits):
    with pytest.raises(ComparisonError, match=r"fixed effects of m0 and m1 differ.*refit=True"):
        mlm.anova(fits["empty"], fits["full"], refit=False)


def test_reml_against_ml(fits, sleepstudy):
    by_ml = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, reml=False)
    with pytest.raises(ComparisonError, match="m1 was fitted by REML, m0 by ML"):
        mlm.anova(by_ml, fits["full"], refit=False)
    with pytest.raises(ComparisonError, match="lrt"):
        mlm.anova(fits["lm"], fits["full"], refit=False)


def test_the_same_means_in_other_clothes(fits, sleepstudy):
    """What counts is the space of the columns, not how they are written."""
    shifted = mlm.lmer("Reaction ~ I(Days - 4.5) + (Days | Subject)", sleepstudy)
    ours = mlm.anova(fits["one"], shifted, refit=False)
    assert_close(ours.df[1], 2)


def test_different_rows(fits, sleepstudy):
    holes = sleepstudy.copy()
    holes.iloc[[3, 4, 90], 0] = np.nan
    other = mlm.lmer("Reaction ~ 1 + (1 | Subject)", holes)
    with pytest.raises(ComparisonError, match=r"180 and 177.*3 only in m0, 0 only in m1"):
        mlm.anova(fits["full"], other)
    first, last = sleepstudy.iloc[:170], sleepstudy.iloc[10:]
    one = mlm.lmer("Reaction ~ 1 + (1 | Subject)", first)
    two = mlm.lmer("Reaction ~ Days + (1 | Subject)", last)
    with pytest.raises(ComparisonError, match="10 only in m0, 10 only in m1"):
        mlm.lrt(one, two)


def test_different_responses(fits, sleepstudy):
    logged = mlm.lmer("log(Reaction) ~ Days + (1 | Subject)", sleepstudy)
    with pytest.raises(ComparisonError, match=r"180 of 180 rows.*scale"):
        mlm.anova(logged, fits["full"])
    changed = sleepstudy.copy()
    changed.iloc[5, 0] += 1
    with pytest.raises(ComparisonError, match="1 of 180 rows"):
        mlm.anova(mlm.lmer("Reaction ~ 1 + (1 | Subject)", changed), fits["full"])


def test_the_same_data_under_two_names_and_in_another_order(fits, sleepstudy):
    """R compares names; here the values count."""
    renamed = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, data_name="other")
    mixed = sleepstudy.sample(frac=1, random_state=1)
    shuffled = mlm.lmer("Reaction ~ Days + (1 | Subject)", mixed)
    expected = mlm.anova(fits["one"], fits["full"], refit=False).to_frame()
    for m0 in (renamed, shuffled):
        ours = mlm.anova(m0, fits["full"], refit=False).to_frame()
        assert_close(ours.chisq, expected.chisq, SAME_PATH)
        assert_close(ours.p_value_boundary, expected.p_value_boundary, SAME_PATH)


def test_models_that_are_not_nested_get_no_test(fits, sleepstudy):
    data = sleepstudy.assign(late=(sleepstudy.Days > 5).astype(float))
    a = mlm.lmer("Reaction ~ late + (1 | Subject)", data)
    b = mlm.lmer("Reaction ~ Days + (Days | Subject)", data)
    c = mlm.lmer("Reaction ~ Days + I(Days^2) + (1 | Subject)", data)
    ours = mlm.anova(a, b)
    assert np.isnan(ours.chisq[1])
    assert np.isnan(ours.p_value[1])
    assert np.isnan(ours.p_value_boundary[1])
    assert np.isfinite(ours.aic).all()
    assert "m0 is not nested in m1: no test, only information criteria" in str(ours)
    assert "not nested" in mlm.anova(c, b).notes[-1]
    with pytest.raises(ComparisonError, match="not nested"):
        mlm.lrt(a, b)


def test_linear_against_generalized(sleepstudy):
    data = sleepstudy.assign(slow=(sleepstudy.Reaction > 300).astype(float))
    one = mlm.lmer("slow ~ Days + (1 | Subject)", data)
    two = mlm.glmer("slow ~ Days + (1 | Subject)", data, family="binomial")
    with pytest.raises(ComparisonError, match="linear and a generalized"):
        mlm.anova(one, two)


def test_what_is_no_model(fits, sleepstudy):
    with pytest.raises(ArgumentError, match="DataFrame"):
        mlm.anova(fits["one"], sleepstudy)
    nlme = mlm.lme("Reaction ~ Days", sleepstudy, random="~ 1 | Subject")
    with pytest.raises(NotSupportedError, match="nlme"):
        mlm.anova(fits["one"], nlme)


def test_other_offsets_and_weights_are_other_models():
    data = mlm.load_dataset("cbpp").assign(log_size=lambda d: np.log(d["size"]), w=2.0)

    def fit(x, **given):
        return mlm.glmer(f"incidence ~ {x} + (1 | herd)", data, family="poisson", **given)

    inside = mlm.lrt(fit("period", offset="log_size"), fit("period + log_size"))
    assert inside.df[1] == 1  # an offset is a coefficient of 1
    for m0, m1 in [
        (fit("1", offset="log_size"), fit("period")),
        (fit("1"), fit("period", weights="w")),
    ]:
        assert np.isnan(mlm.anova(m0, m1).chisq).all()
        with pytest.raises(ComparisonError, match="prior weights and offset count"):
            mlm.lrt(m0, m1)


def test_several_points_of_quadrature_are_another_scale():
    """R refuses the glm, and prints a chi-squared of 109.65 for the fit by one point."""
    data = mlm.load_dataset("cbpp")
    small = mlm.glm("cbind(incidence, size - incidence) ~ period", data)
    large = mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)", data)
    five = large.update(n_agq=5)
    for m0, m1 in [(small, five), (large.update(". ~ . - period"), five)]:
        with pytest.raises(ComparisonError, match="points of quadrature"):
            mlm.anova(m0, m1)
    assert mlm.lrt(five.update(". ~ . - period"), five).df[1] == 3
