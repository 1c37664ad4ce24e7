"""Marginal means at their edges: wrong names, odd names, what is not defined."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import assert_close, native
from tests.tolerances import REOPTIMIZED

#: joint_tests() of emmeans rounds F to three digits.
THREE_DIGITS = 6e-4


@pytest.fixture(scope="module")
def cake() -> Any:
    return mlm.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda m: m.emmeans("flour"), "There are: recipe, temp"),
        (lambda m: m.emmeans("recipe", by="oven"), "by: 'oven'"),
        (lambda m: m.emmeans("recipe", at={"oven": [1]}), "at names 'oven'"),
        (lambda m: m.emmeans("recipe", at={"recipe": ["Z"]}), "no level 'Z'"),
        (lambda m: m.emmeans("recipe", at={"temp": ["hot"]}), "numeric"),
        (lambda m: m.emmeans("recipe", at={"temp": [float("nan")]}), "missing"),
        (lambda m: m.emmeans("recipe", contrast={"x": [1, -1]}), "2 coefficients for 3 means"),
        (lambda m: m.emmeans("recipe", contrast="pairs"), "pairwise"),
        (lambda m: m.emmeans("recipe", adjust="tuckey"), "tukey"),
        (lambda m: m.emmeans("pairwise ~ recipe"), "contrast='pairwise'"),
        (lambda m: m.emmeans([]), "a list of names"),
        (lambda m: m.emmeans(None), "no factor"),
        (lambda m: m.emmeans("recipe", by=3), "a list of names, not 3"),
        (lambda m: m.emmeans("recipe", ref=2), "control of contrast='trt.vs.ctrl'"),
        (lambda m: m.emmeans("recipe", contrast="trt.vs.ctrl", ref=4), "no mean 4"),
        (lambda m: m.emmeans("recipe", contrast="trt.vs.ctrl", ref="Z"), "'A', 'B', 'C'"),
        (lambda m: m.emmeans("recipe", interaction=True), "needs contrast="),
        (lambda m: m.emtrends("temp", "recipe"), "has no slope"),
        (lambda m: m.emtrends("recipe", "heat"), "'heat'"),
        (lambda m: m.emtrends("recipe", "1"), "names no covariate"),
        (lambda m: m.emtrends("recipe", "2 * 2"), "names no covariate"),
        (lambda m: m.emtrends("recipe", "temp", max_degree=10**12), "above degree 5"),
        (lambda m: m.emtrends("recipe", "temp", max_degree=6), "above degree 5"),
        (lambda m: m.joint_tests(by="1"), "by: '1' is no predictor"),
        (lambda m: m.eff_size("recipe", "total", 9, contrast=None), "contrast='pairwise'"),
        (lambda m: m.emmeans("recipe", level=95), "between 0 and 1"),
        (lambda m: m.emmeans("recipe", ddf="KRR"), "ddf"),
    ],
)
def test_bad_input(cake: Any, ask: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        ask(cake)
    assert len(cake.emmeans("recipe")) == 3


def test_odd_names(sleepstudy: pd.DataFrame) -> None:
    data = sleepstudy.assign(part=np.tile(["a", "b"], 90))
    odd = data.rename(columns={"Days": "日 数", "part": "the part"})
    plain = mlm.lmer("Reaction ~ Days * part + (1 | Subject)", data)
    m = mlm.lmer("Reaction ~ `日 数` * `the part` + (1 | Subject)", odd)
    assert m.emmeans("the part").estimate.tolist() == plain.emmeans("part").estimate.tolist()
    ours, theirs = m.emtrends("the part", "日 数"), plain.emtrends("part", "Days")
    assert ours.estimate.tolist() == theirs.estimate.tolist()
    assert m.joint_tests().statistic.tolist() == plain.joint_tests().statistic.tolist()


def test_not_supported(cake: Any) -> None:
    with pytest.raises(NotSupportedError, match="no term to test"):
        cake.update(". ~ 1 + (1 | recipe:replicate)").joint_tests()
    with pytest.raises(NotSupportedError, match="between-within"):
        cake.emmeans("recipe", ddf="between-within")
    with pytest.raises(NotSupportedError, match="reml=True"):
        cake.update(reml=False).emmeans("recipe", ddf="Kenward-Roger")


def test_joint_tests_beside_an_offset():
    """emmeans 1.8 stops at duplicate 'row.names'; the Wald test of the one term is the same."""
    data = mlm.load_dataset("cbpp")
    m = mlm.glmer("incidence ~ period + offset(log(size)) + (1 | herd)", data, family="poisson")
    joint, wald = m.joint_tests(), m.anova(ddf="asymptotic")
    assert joint.term == wald.term == ("period",)
    f = wald.statistic[0] / joint.num_df[0]
    assert joint.statistic[0] == pytest.approx(f, abs=THREE_DIGITS)


@pytest.fixture
def counterfactuals(cake: Any) -> Any:
    """A mixed model whose counterfactuals this emmeans makes."""
    try:
        cake.emmeans("recipe", counterfactuals="recipe", ddf="asymptotic")
    except NotSupportedError as e:
        if "this emmeans makes no counterfactuals" not in str(e):
            raise
        pytest.skip(str(e))
    return cake


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (lambda m: m.emmeans("temp", counterfactuals="temp"), "one value alone"),
        (lambda m: m.emmeans("recipe", counterfactuals="recipe", at={"recipe": ["A"]}), "one val"),
        (
            lambda m: m.emmeans("recipe", counterfactuals="temp", at={"temp": [1, 2]}, ddf=None),
            "averaged over the rows",
        ),
    ],
)
def test_bad_counterfactuals(counterfactuals: Any, ask: Any, said: str) -> None:
    with pytest.raises(ArgumentError, match=said):
        ask(counterfactuals)


@pytest.mark.parametrize("ddf", ["default", "Satterthwaite", "Kenward-Roger"])
def test_counterfactuals_of_a_mixed_model_have_z_tests(counterfactuals: Any, ddf: Any) -> None:
    with pytest.raises(NotSupportedError, match="ddf='asymptotic'"):
        counterfactuals.emmeans("recipe", counterfactuals="recipe", ddf=ddf)


def test_counterfactuals_are_those_of_emmeans(counterfactuals: Any) -> None:
    theirs = native("""
    suppressMessages({library(lme4); library(emmeans)})
    m <- lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake)
    of <- function(e) { s <- as.data.frame(suppressMessages(e)); list(s$emmean, s$SE) }
    emit(list(
      recipe = of(emmeans(m, "recipe", counterfactuals = "recipe", lmer.df = "asymptotic")),
      temp = of(emmeans(m, "temp", counterfactuals = "temp", at = list(temp = c(180, 200)),
                        lmer.df = "asymptotic"))))
    """)
    for name, at in {"recipe": None, "temp": {"temp": [180, 200]}}.items():
        ours = counterfactuals.emmeans(name, counterfactuals=name, at=at, ddf="asymptotic")
        assert_close(ours.estimate, theirs[name][0], REOPTIMIZED)
        assert_close(ours.std_error, theirs[name][1], REOPTIMIZED)
