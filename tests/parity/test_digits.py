"""digits=: the text of results under R's options(digits = n), against native Rscript."""

from __future__ import annotations

import functools
import json
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.display import as_r_prints
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.results.summary import Summary
from tests.native import native

DAYS = "Reaction ~ Days"
HERDS = "cbind(incidence, size - incidence) ~ period"
#: name -> (fitted here, fitted in R)
MODELS: dict[str, tuple[Callable[[], Any], str]] = {
    "cake": (
        lambda: mlm.lmer("angle ~ recipe + temp + (1 | replicate)", data("cake")),
        "lmerTest::lmer(angle ~ recipe + temp + (1 | replicate), cake)",
    ),
    "slope": (
        lambda: mlm.lmer(f"{DAYS} + (Days | Subject)", data("sleepstudy")),
        "lmerTest::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)",
    ),
    "null": (
        lambda: mlm.lmer(f"{DAYS} + (1 | Subject)", data("sleepstudy")),
        "lmerTest::lmer(Reaction ~ Days + (1 | Subject), sleepstudy)",
    ),
    "glmer": (
        lambda: mlm.glmer(f"{HERDS} + (1 | herd)", data("cbpp"), family="binomial"),
        f"glmer({HERDS} + (1 | herd), cbpp, binomial)",
    ),
    "lm": (lambda: mlm.lm(DAYS, data("sleepstudy")), f"lm({DAYS}, sleepstudy)"),
    "weighted": (
        lambda: mlm.lm(DAYS, data("sleepstudy").assign(w=lambda d: d.Days + 1), weights="w"),
        f"lm({DAYS}, sleepstudy, weights = w)",
    ),
    "glm": (
        lambda: mlm.glm(HERDS, data("cbpp"), family="binomial"),
        f"glm({HERDS}, binomial, cbpp)",
    ),
    "lme": (
        lambda: mlm.lme(DAYS, data("sleepstudy"), "~ Days | Subject"),
        f"nlme::lme({DAYS}, sleepstudy, random = ~ Days | Subject)",
    ),
    "gls": (
        lambda: mlm.gls(DAYS, data("sleepstudy"), correlation="AR1", group="Subject"),
        f"nlme::gls({DAYS}, sleepstudy, nlme::corAR1(form = ~ 1 | Subject))",
    ),
}
MIXED = ("cake", "slope", "glmer")
#: lmerTest's class says so in its print; a fit here is lme4's until degrees of freedom are asked.
PLAIN = "if (is(m, 'lmerMod')) as(m, 'lmerMod') else m"
#: (model, question) -> (asked here, asked in R of `m`)
ASKED: dict[tuple[str, str], tuple[Callable[[Any], Any], str]] = {
    **{(k, "print"): (lambda m: m, PLAIN) for k in MODELS},
    **{(k, "summary"): (lambda m: m.summary(), "summary(m)") for k in MODELS},
    **{
        (k, "anova"): (lambda m: m.anova(), "anova(m)")
        for k in ("cake", "slope", "lm", "glm", "lme", "gls")
    },
    **{(k, "varcorr"): (lambda m: m.varcorr(), "VarCorr(m)") for k in MIXED},
    ("lme", "varcorr"): (lambda m: m.varcorr(), "nlme::VarCorr(m)"),
    **{(k, "ranef"): (lambda m: m.ranef(), "lme4::ranef(m)") for k in MIXED},
    ("cake", "drop1"): (lambda m: m.drop1(), "drop1(m)"),
    ("lm", "drop1"): (lambda m: m.drop1(), "drop1(m, test = 'F')"),
    ("cake", "kenward"): (
        lambda m: m.summary(ddf="Kenward-Roger", engine="lmerTest"),
        "summary(m, ddf = 'Kenward-Roger')",
    ),
    ("cake", "lme4"): (lambda m: m.summary(ddf=None), "summary(as(m, 'lmerMod'))"),
    ("cake", "type 2"): (lambda m: m.anova(type=2), "anova(m, type = 2)"),
    ("cake", "ranova"): (lambda m: m.ranova(), "lmerTest::ranova(m)"),
    ("cake", "contest"): (
        lambda m: m.contest(np.array([[0, 1, -1, 0]])),
        "lmerTest::contest(m, c(0, 1, -1, 0), joint = FALSE)",
    ),
    ("cake", "emmeans"): (
        lambda m: m.emmeans("recipe"), "emmeans(m, 'recipe', lmer.df = 'satterthwaite')",
    ),
    ("cake", "pairs"): (
        lambda m: m.emmeans("recipe", contrast="pairwise"),
        "contrast(emmeans(m, 'recipe', lmer.df = 'satterthwaite'), 'pairwise')",
    ),
    ("cake", "emtrends"): (
        lambda m: m.emtrends("recipe", var="temp"),
        "emtrends(m, 'recipe', var = 'temp', lmer.df = 'satterthwaite')",
    ),
    ("glmer", "emmeans"): (lambda m: m.emmeans("period"), "emmeans(m, 'period')"),
    ("lm", "emmeans"): (
        lambda m: m.emmeans("Days", at={"Days": [1, 9]}),
        "emmeans(m, 'Days', at = list(Days = c(1, 9)))",
    ),
    ("slope", "re_pca"): (lambda m: m.re_pca(), "lme4::rePCA(m)"),
    ("slope", "compared"): (
        lambda m: mlm.anova(fitted("null"), m, refit=False),
        "suppressMessages(anova(m_null, m_slope, refit = FALSE, model.names = c('m0', 'm1')))",
    ),
    ("lme", "confint"): (lambda m: m.confint(), "nlme::intervals(m)"),
}  # fmt: skip
DIGITS = (3, 10)


def data(name: str) -> pd.DataFrame:
    frame = mlm.load_dataset(f"lme4::{name}")
    frame.attrs["name"] = name
    return frame


@functools.cache
def fitted(name: str) -> Any:
    return MODELS[name][0]()


@pytest.fixture(scope="module")
def r():
    code = "sleepstudy$w <- sleepstudy$Days + 1; all <- list(); out <- list()\n"
    code += "suppressMessages(library(emmeans))\n"
    code += "say <- function(x) paste(capture.output(print(x)), collapse = '\\n')\n"
    for name, (_, fit) in MODELS.items():
        code += f"all[['{name}']] <- m_{name} <- {fit}\n"
    for digits in DIGITS:
        code += f"options(digits = {digits})\n"
        for model, what in ASKED:
            asked = ASKED[model, what][1]
            code += f"m <- all[['{model}']]; out[['{digits} {model} {what}']] <- say({asked})\n"
    return native(code + "options(digits = 7); emit(out)")


#: How lines begin that say what was fitted to what.
CALLS = (
    "lm(", "glm(", "Formula", "Data:", "Model:", "weights =", "data =", "family =",
    "Fixed effects:  ", "Fixed: ", "Log-likelihood: ",
)  # fmt: skip


def same(ours: str, theirs: str, what: str) -> None:
    """All of R's lines; its call, and the names of what is compared, are R's own."""

    def lines(text: str) -> list[str]:
        kept = [x.rstrip() for x in text.strip().splitlines() if x.strip()]
        return [x for x in kept if not x.strip().startswith(CALLS)]

    assert lines(ours) == lines(theirs), what


@pytest.mark.parametrize("digits", DIGITS)
@pytest.mark.parametrize(("model", "what"), ASKED)
@pytest.mark.filterwarnings("ignore::pymlm.errors.RWarning")
def test_text_is_that_of_native_r(r, capsys, model, what, digits):
    theirs = r[f"{digits} {model} {what}"]
    ask = ASKED[model, what][0]
    found = ask(fitted(model))
    before = str(found)
    found.print(digits=digits)
    same(capsys.readouterr().out, theirs, "print(digits=)")
    with mlm.options(digits=digits):
        same(str(found), theirs, "options.digits when printed")
        same(str(ask(fitted(model))), theirs, "options.digits when asked")
    assert str(found) == before  # seven digits again


def test_an_argument_stays_with_the_result(r):
    m = fitted("cake")
    asked = {
        "summary": m.summary(digits=3), "anova": m.anova(digits=3),
        "kenward": m.summary(ddf="Kenward-Roger", engine="lmerTest", digits=3),
    }  # fmt: skip
    for what, found in asked.items():
        same(str(found), r[f"3 cake {what}"], what)
        assert repr(found) == str(found)
        again = pickle.loads(pickle.dumps(found))
        assert str(again) == str(found)
    for name in ("lm", "glm", "lme", "gls", "glmer"):
        same(str(fitted(name).summary(digits=3)), r[f"3 {name} summary"], name)
    for name in ("lm", "glm", "lme", "gls"):
        same(str(fitted(name).anova(digits=3)), r[f"3 {name} anova"], name)
    compared = mlm.anova(fitted("null"), fitted("slope"), refit=False, digits=3)
    same(str(compared), r["3 slope compared"], "anova of two")


def test_numbers_are_not_rounded():
    m = fitted("cake")
    a, b = m.summary().fixed, m.summary(digits=3).fixed
    assert np.array_equal(a.estimate, b.estimate)
    with mlm.options(digits=2):
        assert np.array_equal(m.anova().statistic, fitted("cake").anova().statistic)


def test_a_text_alone_says_what_it_has():
    found = pickle.loads(pickle.dumps(fitted("cake").summary()))
    with pytest.raises(NotSupportedError, match=r"7.* digits.*mlm.options\(digits=4\)"):
        found.print(digits=4)
    with mlm.options(digits=4):
        assert "(printed with 7 digits, not 4" in str(found)
    again = Summary.from_dict(json.loads(fitted("cake").summary(digits=3).to_json()))
    assert "REML criterion" in str(again)


@pytest.mark.parametrize("wrong", [0, 23, 2.5, "3", True, -1, float("nan")])
def test_digits_that_r_has_not_are_refused(wrong):
    m = fitted("slope")
    for ask in (
        lambda: m.summary(digits=wrong), lambda: m.anova(digits=wrong), lambda: m.print(wrong),
        lambda: m.varcorr().print(digits=wrong), lambda: mlm.options(digits=wrong),
        lambda: setattr(mlm.options, "digits", wrong),
    ):  # fmt: skip
        with pytest.raises(ArgumentError, match="digits must be a whole number from 1 to 22"):
            ask()
    assert mlm.options.digits is None


def test_the_option_holds_for_the_process_and_is_taken_back():
    mlm.options.digits = np.int64(3)
    try:
        assert "24.74" in str(fitted("slope").varcorr())
        assert "24.7404" not in str(fitted("slope").varcorr())
    finally:
        mlm.options.digits = None
    assert "24.7407" in str(fitted("slope").varcorr())


def test_what_r_cannot_print_is_a_table(capsys):
    """emmeans stops at numbers that agree in all digits; so does native R."""
    frame = data("sleepstudy").assign(y=lambda d: 1e9 + d.Reaction / 1e6)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = mlm.lm("y ~ Days", frame).emmeans("Days")
    found.print(digits=3)
    assert "emmean" in capsys.readouterr().out


#: Columns that a data frame of R is printed with.
COLUMNS = {
    "plain": [251.405, 10.467, -0.5], "small": [1e-9, 2.5e-7], "wide": [1e10, 1.0],
    "mixed": [123456.789, 0.000123456], "whole": [1.0, 20.0, 300.0], "big": [1.5e15, 2e15],
    "none": [float("nan"), 2.25], "infinite": [float("inf"), 2.25], "zero": [0.0, 0.1 + 0.2],
    "tiny": [1e-300, 1e-5], "nines": [9.9996, 0.99996], "one": [1e5], "long": [123456.0],
}  # fmt: skip


@pytest.fixture(scope="module")
def formatted():
    code = "out <- list()\n"
    for digits in (1, 3, 7, 15):
        for name, values in COLUMNS.items():
            shown = ", ".join(repr(x).replace("nan", "NaN").replace("inf", "Inf") for x in values)
            code += f"out[['{name} {digits}']] <- I(format(c({shown}), digits = {digits}))\n"
    return native(code + "emit(out)")


@pytest.mark.parametrize("digits", [1, 3, 7, 15])
@pytest.mark.parametrize("name", COLUMNS)
def test_other_tables_look_as_r_prints_a_data_frame(formatted, name, digits):
    theirs = formatted[f"{name} {digits}"]
    theirs = [theirs] if isinstance(theirs, str) else theirs
    assert as_r_prints(np.array(COLUMNS[name]), digits) == [x.strip() for x in theirs]


def test_a_table_of_ours_follows_the_option(capsys):
    m = fitted("slope")
    found = mlm.icc(m)
    found.print(digits=3)
    with mlm.options(digits=3):
        assert capsys.readouterr().out.strip() == str(found).strip()
    assert "0.483" in str(found.to_frame().round(3)) or len(found)
