"""A contest as ESTIMATE, CONTRAST, TEST, NEW, lincom and test; lrtest, estat; what is refused."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from tests.course.voices import all_same, model, native_numbers, numbers, row, same
from tests.native import needs_r

needs_r("plm", "sandwich", "lmtest")

pytestmark = pytest.mark.filterwarnings("ignore:Some predictor variables:pymlm.errors.RWarning")


@pytest.fixture(scope="module")
def r():
    return native_numbers()


# --- combinations of coefficients ---------------------------------------------------------------

PAIR, TEMP = "recipeB - recipeC", "temp"


def by_contest(style: str, joint: bool = False, **how: Any) -> str:
    asked = [f"{PAIR} = 0", f"{TEMP} = 0"] if joint else f"{PAIR} = 0"
    return mlm.render(model("cake").contest(asked, joint=joint, **how), style)


def test_one_contest_as_estimate_test_new_and_lincom(r):
    estimate, se, df, t, low, high, p = r["one"]
    found = row(by_contest("sas"), PAIR)
    all_same(found[:2], [estimate, se])
    assert found[2] == f"{df:.3g}"
    all_same(found[3:], [t, p])
    found = row(by_contest("spss"), "L1")
    all_same(found, [estimate, se, df, 0, t, p])
    all_same(found[-2:], [low, high])
    found = row(by_contest("stata"), "(1) |")
    all_same(found, [estimate, se, t, p, low, high])
    z = estimate / se
    found = row(by_contest("mplus", ddf="asymptotic"), "NEW1")
    all_same(found, [estimate, se, z])
    assert f"new1 = {PAIR};" in by_contest("mplus", ddf="z")
    # z tests of Stata have no degrees of freedom: lincom without small.
    assert "P>|z|" in by_contest("stata", ddf="asymptotic")


def test_a_joint_contest_as_contrast_test_and_wald(r):
    _, _, num, den, f, p = r["two"]
    found = row(by_contest("sas", joint=True), f"{PAIR}, {TEMP}")
    assert found[:2] == [f"{num:.0f}", f"{den:.3g}"]
    all_same(found[2:], [f])
    line = by_contest("spss", joint=True).splitlines()[-3]
    all_same(numbers(line), [num, den, f, p])
    lines = by_contest("stata", joint=True).splitlines()
    assert lines[:2] == [f" ( 1)  {PAIR} = 0", f" ( 2)  {TEMP} = 0"]
    all_same(numbers(lines[3])[1:], [den, f])
    text = by_contest("mplus", joint=True, ddf="asymptotic")
    m = model("cake")
    L = np.array([[0, 1, -1, 0], [0, 0, 0, 1]])
    b, V = L @ m.fixef().to_numpy(), L @ m.vcov().to_numpy() @ L.T
    same(row(text, "Value")[0], float(b @ np.linalg.solve(V, b)))
    chi2 = by_contest("stata", joint=True, ddf="asymptotic").splitlines()[3]
    same(numbers(chi2)[-1], float(b @ np.linalg.solve(V, b)))


@pytest.mark.parametrize(
    ("style", "command", "contest"),
    [
        ("sas", f"ESTIMATE {PAIR}", None),
        ("sas", f"contrast {PAIR}, {TEMP}", None),
        ("spss", f"/TEST {PAIR}", {"L": {PAIR: f"{PAIR} = 0"}}),
        ("spss", f"TEST {PAIR} = 0.5", {"L": {f"{PAIR} = 0.5": f"{PAIR} = 0.5"}}),
        ("mplus", f"NEW {PAIR}", {"L": f"{PAIR} = 0", "ddf": "z"}),
        ("mplus", f"MODEL TEST: {PAIR}; {TEMP}",
         {"L": [f"{PAIR} = 0", f"{TEMP} = 0"], "joint": True, "ddf": "z"}),
        ("stata", f"lincom {PAIR}", {"L": f"{PAIR} = 0", "ddf": "z"}),
        ("stata", f"test {PAIR} = 0, {TEMP} = 0.2",
         {"L": [f"{PAIR} = 0", f"{TEMP} = 0.2"], "joint": True, "ddf": "z"}),
    ],
)  # fmt: skip
def test_commands_ask_the_same(style, command, contest):
    m = model("cake")
    text = mlm.render(m, style, command=command)
    if contest is not None:
        assert text == mlm.render(m.contest(**contest), style)
        return
    # SAS's own degrees of freedom: 15 replicates beside the intercept, 270 rows, rank 18 of [X Z].
    name = f"{PAIR}, {TEMP}" if "contrast" in command else PAIR
    assert "252" in row(text, name)
    with_ddf = mlm.render(m, style, command=command, ddf="Satterthwaite")
    assert "252" in row(with_ddf, name)
    assert text.strip().startswith("Contrasts" if "contrast" in command else "Estimates")


@pytest.mark.parametrize("name", ["lme", "gls", "glm"])
def test_commands_of_models_that_have_no_table_here(name):
    """Combinations of coefficients are those of contest; SAS's with R's own df of the class."""
    d, herds = mlm.load_dataset("sleepstudy"), mlm.load_dataset("cbpp")
    share = "cbind(incidence, size - incidence) ~ period"
    m: Any = {
        "lme": lambda: mlm.lme("Reaction ~ Days + I(Days^2)", d, "~ Days | Subject"),
        "gls": lambda: mlm.gls("Reaction ~ Days + I(Days^2)", d, correlation="cs", group="Subject"),
        "glm": lambda: mlm.glm(share, herds, family="binomial"),
    }[name]()
    a, b = list(m.fixef().index[1:3])
    for style, word, ddf in (("stata", "lincom", "z"), ("mplus", "NEW", "z"),
                             ("sas", "ESTIMATE", "default")):  # fmt: skip
        text = mlm.render(m, style, command=f"{word} {a} - {b}")
        assert text == mlm.render(m.contest(f"{a} - {b} = 0", ddf=ddf), style)
        V = m.vcov().to_numpy()[1:3, 1:3]
        error = np.sqrt(V[0, 0] + V[1, 1] - 2 * V[0, 1])
        begins = {"stata": "(1) |", "mplus": "NEW1", "sas": f"{a} - {b}"}[style]
        all_same(row(text, begins), [m.fixef()[a] - m.fixef()[b], error])
    joint = mlm.render(m, "stata", command=f"test {a} {b}")
    assert joint == mlm.render(m.contest([f"{a} = 0", f"{b} = 0"], joint=True, ddf="z"), "stata")
    with pytest.raises(NotSupportedError, match="lincom a - b"):
        mlm.render(m, "stata")
    with pytest.raises(NotSupportedError, match="Satterthwaite degrees of freedom are not there"):
        mlm.render(m, "spss", command=f"TEST {a}")


def test_names_and_weights_of_the_hypotheses():
    m = model("cake")
    named = m.contest({"diff": f"{PAIR} = 0", "half": "0.5*recipeB + 0.5*recipeC - temp = 0"})
    assert [x.split()[0] for x in mlm.render(named, "sas").splitlines()[4:]] == ["diff", "half"]
    text = mlm.render(named, "stata")
    assert " ( 1)  .5*recipeB + .5*recipeC - temp = 0" in text.splitlines()
    asymptotic = m.contest({"diff": f"{PAIR} = 0.5"}, ddf="z")
    text = mlm.render(asymptotic, "mplus")
    assert "    NEW(diff);" in text
    assert "    diff = recipeB - recipeC - 0.5;" in text
    same(row(text, "DIFF")[0], float(asymptotic.estimate[0]) - 0.5)
    array = m.contest(np.array([[0, 1, -1, 0]]))
    assert PAIR in mlm.render(array, "sas")
    lm = model("lm").contest("ses - clubs = 0")
    assert "P>|t|" in mlm.render(lm, "stata")
    assert mlm.render(named, "r") == named.text


def test_names_of_columns_are_data():
    d = mlm.load_dataset("cake").rename(columns={"temp": "a = b, c; d"})
    m = mlm.lmer("angle ~ `a = b, c; d` + (1 | replicate)", d)
    text = mlm.render(m, "stata", command="test `a = b, c; d` = 0")
    assert text.splitlines()[0] == " ( 1)  `a = b, c; d` = 0"
    assert "a = b, c; d" in mlm.render(m, "sas", command="ESTIMATE `a = b, c; d`")


#: As a system's own table calls the coefficients -> R's names.
SAID = {
    ("stata", "lincom _cons + 10*temp"): "lincom `(Intercept)` + 10*temp",
    ("stata", "lincom c.temp - recipeB"): "lincom temp - recipeB",
    ("stata", "test _cons recipeB"): "test `(Intercept)` = 0, recipeB = 0",
    ("sas", "ESTIMATE Intercept + 10*temp"): "ESTIMATE `(Intercept)` + 10*temp",
    ("spss", "TEST Intercept + recipeB"): "TEST `(Intercept)` + recipeB",
}


@pytest.mark.parametrize(("style", "command"), SAID)
def test_the_names_of_the_tables_are_understood(style, command):
    m = model("cake")
    assert mlm.render(m, style, command=command) == mlm.render(
        m, style, command=SAID[style, command]
    )


def test_statas_products_are_understood():
    text = mlm.render(model("lm"), "stata", command="lincom c.ses#c.clubs - ses")
    assert text == mlm.render(model("lm").contest("ses:clubs - ses"), "stata")
    assert text.splitlines()[0] == " ( 1)  - ses + c.ses#c.clubs = 0"


def test_statas_ways_to_say_it():
    m, lm = model("cake"), model("lm")
    two = mlm.render(m, "stata", command="test recipeB temp")
    assert two == mlm.render(m, "stata", command="test recipeB = 0, temp = 0")
    assert mlm.render(m, "stata", command="mixed, reml") == mlm.render(m, "stata")
    # After regress tests have its degrees of freedom.
    text = mlm.render(lm, "stata", command="lincom ses - clubs")
    assert text == mlm.render(lm.contest("ses - clubs"), "stata")
    assert "F(  2,2283.00)" in mlm.render(lm, "stata", command="test ses clubs")


# --- lrtest, estat recovariance, Model Dimension ------------------------------------------------


def test_lrtest(r):
    m1, d = model("slopes"), mlm.load_dataset("sleepstudy")
    text = mlm.render(mlm.lrt(mlm.lmer("Reaction ~ Days + (1 | Subject)", d), m1), "stata")
    chi, df, p = r["lrt"]
    lines = text.splitlines()
    assert lines[0].startswith("Likelihood-ratio test" + " " * 33 + f"LR chi2({df:.0f})  =")
    same(numbers(lines[0])[-1], chi)
    same(numbers(lines[1])[-1], p)
    assert "LR tests based on REML" in text
    by_ml = mlm.lrt(*(mlm.lmer(f"Reaction ~ Days + {x}", d, reml=False)
                      for x in ("(1 | Subject)", "(Days | Subject)")))  # fmt: skip
    assert "REML" not in mlm.render(by_ml, "stata")


def test_estat_recovariance(r):
    m = model("slopes")
    text = mlm.render(m, "stata", command="estat recovariance")
    assert text.splitlines()[0] == "Random-effects covariance matrix for level Subject"
    all_same(row(text, "Days |") + row(text, "_cons |"), r["V"])
    text = mlm.render(m, "stata", command="estat recovariance, correlation")
    days, both, cons = r["V"]
    all_same(row(text, "_cons |"), [both / np.sqrt(days * cons), 1])
    nested = mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("Pastes"))
    text = mlm.render(nested, "stata", command="estat recovariance")
    assert [x for x in text.splitlines() if "level" in x] == [
        "Random-effects covariance matrix for level batch",
        "Random-effects covariance matrix for level cask:batch",
    ]


def test_model_dimension():
    """Levels are categories; parameters what is estimated."""
    lines = [
        [c.strip() for c in x.split("|")] for x in mlm.render(model("cake"), "spss").splitlines()
    ]
    at = next(i for i, x in enumerate(lines) if x[0].startswith("Model Dimension"))
    assert lines[at + 4 : at + 10] == [
        ["Fixed Effects", "Intercept", "1", "", "1", ""], ["", "recipe", "3", "", "2", ""],
        ["", "temp", "1", "", "1", ""],
        ["Random Effects", "Intercept", "1", "Variance Components", "1", "replicate"],
        ["Residual", "", "", "", "1", ""], ["Total", "", "6", "", "6", ""],
    ]  # fmt: skip
    text = mlm.render(model("slopes"), "spss")
    assert re.search(r"Intercept \+ Days \| +2 \| +Unstructured \| +3 \| +Subject", text)


# --- what is refused ----------------------------------------------------------------------------


def ask(which: str, *args: Any, **how: Any) -> str:
    return mlm.render(model(which), *args, **how)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        (lambda: ask("slopes", "stata", command="xtreg, fe"), NotSupportedError, "one random"),
        (lambda: mlm.render(model("cake").update(". ~ 0 + ."), "stata", command="xtreg, fe"),
         NotSupportedError, "no intercept"),
        (lambda: ask("cake", "stata", command="xtreg angle temp, re i(replicate)"), ArgumentError,
         "leave them out, as in 'xtreg'"),
        (lambda: ask("cake", "stata", command="mixed angle temp || replicate: , reml"),
         ArgumentError, "leave them out, as in 'mixed'"),
        (lambda: ask("cake", "stata", command="xtreg, mle"), ArgumentError, "Did you mean"),
        (lambda: ask("cake", "stata", command="regress"), NotSupportedError, "fit mlm.lm"),
        (lambda: ask("lm", "stata"), NotSupportedError, "command='regress'"),
        (lambda: ask("lm", "sas"), NotSupportedError, "regress"),
        (lambda: ask("lm", "stata", command="regress, vce(cluster nobody)"), DataError, "nobody"),
        (lambda: ask("cake", "stata", command="lrtest"), ArgumentError, "mlm.lrt"),
        (lambda: ask("cake", "stata", command="lincom"), ArgumentError, "needs a combination"),
        (lambda: ask("cake", "stata", command="lincom tmp"), ArgumentError, "temp"),
        (lambda: ask("cake", "stata", command="estat icc", ddf="KR"), ArgumentError, "ddf is for"),
        (lambda: ask("cake", "stata", ddf="sandwich"), ArgumentError, "ddf='sandwich'"),
        (lambda: ask("cake", "stata", command="mixed, dfmethod(kr)"), ArgumentError, "kroger"),
        (lambda: ask("cake", "sas", command="TEST temp"), ArgumentError, "ESTIMATE, CONTRAST"),
        (lambda: ask("cake", "sas", command="ESTIMATE temp = 1"), ArgumentError, "tests against 0"),
        (lambda: ask("cake", "mplus", command="NEW temp", ddf="KR"), ArgumentError, "ddf is for"),
        (lambda: by_contest("mplus"), NotSupportedError, "ddf='asymptotic'"),
        (lambda: by_contest("spss", ddf="asymptotic"), NotSupportedError, "Satterthwaite"),
        (lambda: by_contest("stargazer"), NotSupportedError, "no table"),
        (lambda: mlm.render(model("cake").anova(), "sas"), NotSupportedError, "joint=True"),
        (lambda: mlm.render(model("cake").contest("temp = 0"), "sas", ddf="KR"), ArgumentError,
         "its style alone"),
        (lambda: mlm.render(mlm.anova(model("cake"), model("cake").update("~ . - temp")), "sas"),
         NotSupportedError, "lrtest"),
        (lambda: mlm.render(model("cake").update(reml=False), "stata", ddf="Satterthwaite"),
         NotSupportedError, "reml=True"),
        (lambda: mlm.render("cake", "stata"), NotSupportedError, "not a str"),
        (lambda: ask("cake", "stata", command="mixed, mle"), ArgumentError, "update(reml=False)"),
        (lambda: mlm.render(mlm.panel("Reaction ~ Days", mlm.load_dataset("sleepstudy"),
                                      by="Subject", model="fe"), "stata"),
         NotSupportedError, "command='xtreg, fe'"),
    ],
)  # fmt: skip
def test_refused(asked, error, says):
    with pytest.raises(error, match=re.escape(says)):
        asked()
