"""R's silent traps are said aloud: once, at the user's line; honest models hear nothing."""

import contextlib
import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, SingularFitWarning

ROWS = 120


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(4)
    d = pd.DataFrame({"x": rng.normal(size=ROWS), "z": rng.normal(size=ROWS)})
    d["g"] = np.arange(ROWS) % 20
    d["few"] = np.arange(ROWS) % 6
    d["f"] = np.tile(list("abc"), ROWS // 3)
    d["y"] = d.x + rng.normal(size=20)[d.g] + rng.normal(size=6)[d.few] + rng.normal(size=ROWS)
    d["lag"] = pd.to_timedelta(d.x, unit="s")
    d["when"] = pd.Timestamp("2024-01-01") + pd.to_timedelta(d.x, unit="s")
    d["number_as_text"] = d.x.round(3).astype(str)
    d["identifier"] = pd.Categorical(np.arange(ROWS).astype(str))
    d["up"] = (d.y > 0).astype(int)
    return d


def heard(call):
    """Texts of advice that a call gives, all at this file's lines."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", SingularFitWarning)
        answer = call()
    advice = [w for w in caught if issubclass(w.category, AdviceWarning)]
    assert all(w.filename == __file__ for w in advice)
    return [str(w.message) for w in advice], answer


def lme(formula, data):
    return mlm.lme(formula, data, random="~ 1 | g")


def glmer(formula, data):
    return mlm.glmer(formula.replace("y ~", "up ~"), data)


POWER, BAR, SECONDS, LEVELS = (
    "no power is fitted",
    "outside parentheses",
    "in seconds",
    "different texts",
)
#: Fit, formula, and what is said of it.
TRAPS = [
    (mlm.lmer, "y ~ x**2 + (1 | g)", POWER),
    (mlm.lmer, "y ~ x^2 + (1 | g)", POWER),
    (mlm.lmer, "y ~ z + (x**2 | g)", POWER),
    (mlm.lmer, "y ~ log(abs(x))^2 + (1 | g)", POWER),
    (mlm.lmer, "y ~ z * (x)**3 + (1 | g)", POWER),
    (glmer, "y ~ x**2 + (1 | g)", POWER),
    (lme, "y ~ x**2", POWER),
    (mlm.lm, "y ~ x**2", POWER),
    (mlm.lmer, "y ~ x + 1 | g", BAR),
    (mlm.lmer, "y ~ x | g", BAR),
    (glmer, "y ~ x + 1 | g", BAR),
    (mlm.lmer, "y ~ lag + (1 | g)", SECONDS),
    (mlm.lmer, "y ~ x + (lag | g)", SECONDS),
    (mlm.lmer, "y ~ when + (1 | g)", SECONDS),
    (mlm.lm, "y ~ lag", SECONDS),
    (lme, "y ~ lag", SECONDS),
    (mlm.lm, "y ~ number_as_text", LEVELS),
    (mlm.lmer, "y ~ number_as_text + (1 | g)", LEVELS),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore::pymlm.errors.RWarning")
@pytest.mark.parametrize(("fit", "formula", "said"), TRAPS)
def test_a_trap_is_said_once_and_stands_on_the_model(data, fit, formula, said):
    texts, model = heard(lambda: fit(formula, data))
    assert [said in t for t in texts] == [True]
    assert texts[0] in model.advice


@pytest.mark.parametrize("function", [mlm.panel, mlm.gee, mlm.residuals_by_group, mlm.hausman])
def test_functions_of_data_say_it_too(data, function):
    texts, _ = heard(lambda: function("y ~ x**2", data, by="g"))
    assert [POWER in t for t in texts] == [True]


def test_a_bar_is_said_of_each_of_many_responses(data):
    fits = mlm.fit_many("~ x + 1 | g", data, responses=["y", "z"], progress=False)
    assert [BAR in said[0] for said in fits.warnings.values()] == [True, True]


def test_a_bar_that_lme_takes_apart_is_said(data):
    texts, _ = heard(lambda: mlm.lme("y ~ x + 1 | g", data))
    assert [BAR in t for t in texts] == [True]


#: The same signs where they mean what they say.
HONEST = [
    (mlm.lmer, "y ~ (x + z)**2 + (1 | g)"),
    (mlm.lmer, "y ~ I(x**2) + (1 | g)"),
    (mlm.lmer, "I(y^2) ~ poly(x, 2) + (1 | g)"),
    (mlm.lmer, "y^2 ~ x + (1 | g)"),
    (mlm.lmer, "y ~ 1 | g"),
    (mlm.lmer, "y ~ x + (1 | g)"),
    (mlm.lmer, "y ~ f + (1 | identifier:f) + (1 | g)"),
    (mlm.lm, "y ~ . - lag - when - number_as_text - identifier"),
    (mlm.lm_list, "y ~ x | few"),
]


@pytest.mark.parametrize(("fit", "formula"), HONEST)
def test_an_honest_formula_hears_nothing(data, fit, formula):
    def call():
        with contextlib.suppress(mlm.errors.FitError):  # as many groups as rows: lme4's refusal
            fit(formula, data)

    assert heard(call)[0] == []


def test_the_bar_of_a_nonlinear_model_is_no_trap():
    start = {"Asym": 200, "xmid": 725, "scal": 350}
    formula = "circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree"
    texts, model = heard(lambda: mlm.nlmer(formula, mlm.load_dataset("Orange"), start=start))
    assert texts == []
    assert "'Tree' has 5 groups" in model.advice[0]


# --- few groups -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fit",
    [
        lambda d: mlm.lmer("y ~ x + (1 | few)", d),
        lambda d: mlm.glmer("up ~ x + (1 | few)", d),
        lambda d: mlm.lme("y ~ x", d, random="~ 1 | few"),
        lambda d: mlm.lmer("y ~ x + (1 | few) + (1 | g)", d),
    ],
)
def test_few_groups_are_on_the_model_and_a_warning_on_demand(data, fit):
    texts, model = heard(lambda: fit(data))
    assert texts == []
    assert len(model.advice) == 1
    assert "'few' has 6 groups" in model.advice[0]
    with mlm.options(advice=True):
        texts, _ = heard(lambda: fit(data))
    assert texts == list(model.advice)
    assert not mlm.options.advice


def test_describe_levels_says_the_same(data):
    model = mlm.lmer("y ~ x + (1 | few)", data)
    with pytest.warns(AdviceWarning):
        assert mlm.describe_levels(data, "few").advice == model.advice


# --- update ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("fit", [
    lambda d: mlm.lmer("y ~ x + (1 | g)", d),
    lambda d: mlm.glmer("up ~ x + (1 | g)", d),
    lambda d: mlm.lm("y ~ x", d),
    lambda d: mlm.glm("up ~ x", d, family="binomial"),
])  # fmt: skip
def test_an_update_that_changes_nothing(data, fit):
    model = fit(data)
    for nothing in (". ~ . + x", ". ~ . - z", ". ~ .", model.formula):
        texts, again = heard(lambda: model.update(nothing))  # noqa: B023  # called at once
        assert len(texts) == 1
        assert "changes nothing" in texts[0]
        assert again.formula == model.formula
    assert "changes nothing" in heard(model.update)[0][0]
    assert POWER in heard(lambda: model.update(". ~ . + x**2"))[0][0]
    for change in ({"formula": ". ~ . + z"}, {"data": data}, {"weights": np.full(ROWS, 2.0)}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", mlm.errors.RWarning)  # of a binomial with weights
            assert heard(lambda: model.update(**change))[0] == []  # noqa: B023


def test_an_update_to_the_same_method(data):
    model = mlm.lmer("y ~ x + (1 | g)", data)
    assert len(heard(lambda: model.update(reml=True))[0]) == 1
    assert heard(lambda: model.update(reml=False))[0] == []


# --- no intercept ---------------------------------------------------------------------------------


@pytest.mark.parametrize("type", [1, 2, 3])
@pytest.mark.parametrize("ddf", ["Satterthwaite", "asymptotic", None])
def test_a_table_without_an_intercept(data, type, ddf):
    model = mlm.lmer("y ~ 0 + f + x + (1 | g)", data)
    texts, table = heard(lambda: model.anova(type=type, ddf=ddf))
    assert len(texts) == 1
    assert "no intercept: the row f tests" in texts[0]
    assert texts[0] in table.notes
    assert texts[0] in str(table)
    for formula in ("y ~ f + x + (1 | g)", "y ~ 0 + x + (1 | g)"):
        honest = mlm.lmer(formula, data)
        assert heard(lambda: honest.anova(type=type, ddf=ddf))[0] == []  # noqa: B023


def test_an_lm_without_an_intercept(data):
    assert len(heard(lambda: mlm.lm("y ~ 0 + f", data).anova())[0]) == 1
    assert heard(lambda: mlm.lm("y ~ f", data).anova())[0] == []
