"""What is written for another package is told what to write instead."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, FormulaError, UnknownNameError

FORMULA = "Reaction ~ Days + (1 | Subject)"

#: What is written, the error, and what to write instead.
TOLD = {
    "swapped": (lambda d, m: mlm.lmer(d, FORMULA), DataError, "which comes first: lmer(formula"),
    "swapped lm": (lambda d, m: mlm.lm(d, "Reaction ~ Days"), DataError, "which comes first"),
    "two frames": (lambda d, m: mlm.lmer(d, d), FormulaError, "It comes first, then the data"),
    "formula in a list": (lambda d, m: mlm.lmer([FORMULA], d), FormulaError, "not a list"),
    "path": (lambda d, m: mlm.lmer(FORMULA, "d/x.csv"), DataError, "pd.read_csv('d/x.csv')"),
    "Path": (lambda d, m: mlm.glmer(FORMULA, Path("x.parquet")), DataError, "pd.read_parquet("),
    "spss": (lambda d, m: mlm.fit_many(FORMULA, "x.sav", by="g"), DataError, "pd.read_spss("),
    "path of center": (lambda d, m: mlm.center("x.dta", "x"), DataError, "pd.read_stata("),
    "data set": (lambda d, m: mlm.lmer(FORMULA, "cake"), DataError, "mlm.load_dataset('cake')"),
    "array": (lambda d, m: mlm.lmer(FORMULA, np.ones((3, 3))), DataError, "pd.DataFrame(values"),
    "series": (lambda d, m: mlm.lmer(FORMULA, d["Days"]), DataError, "series.to_frame()"),
    "none": (lambda d, m: mlm.lmer(FORMULA, None), DataError, "are looked up there"),
    "model": (lambda d, m: mlm.lmer(FORMULA, m), DataError, "not the model"),
    "no data": (lambda d, m: mlm.lmer(FORMULA), ArgumentError, "lmer(formula, data)"),
    "list of models": (lambda d, m: mlm.anova([m, m]), ArgumentError, "anova(*models)"),
    "list of models, lrt": (lambda d, m: mlm.lrt([m, m]), ArgumentError, "lrt(*models)"),
    "list of models, r2": (lambda d, m: mlm.r2([m]), ArgumentError, "[r2(m) for m in models]"),
    "list of models, plot": (lambda d, m: mlm.plot.coefs([m]), ArgumentError, "coefs(*models)"),
    "models, not a list": (lambda d, m: mlm.regression_table(m, m), ArgumentError, "[m1, m2]"),
    "True": (lambda d, m: mlm.lm("Reaction ~ I(Days == True)", d), FormulaError, "R writes TRUE"),
    "Q": (lambda d, m: mlm.lm("Reaction ~ Q('a b')", d), FormulaError, "in backticks: `a b`"),
    "np.log": (lambda d, m: mlm.lm("np.log(Reaction) ~ Days", d), FormulaError, "in R: log"),
    "np.power": (lambda d, m: mlm.lm("Reaction ~ np.power(Days, 2)", d), FormulaError, "I(x^2)"),
    "Treatment": (
        lambda d, m: mlm.lm("Reaction ~ C(Subject, Treatment('309'))", d), FormulaError, "relevel(",
    ),
    "Sum": (lambda d, m: mlm.lm("Reaction ~ C(Subject, Sum)", d), FormulaError, "contr.sum"),
    "C": (lambda d, m: mlm.lmer("Reaction ~ C(Days) + (1 | Subject)", d), FormulaError,
          "write factor(Days)"),
    "standardize": (lambda d, m: mlm.lm("Reaction ~ standardize(Days)", d), FormulaError, "scale("),
    "groups": (lambda d, m: mlm.lmer("Reaction ~ Days", d, groups="Subject"), ArgumentError,
               "'y ~ x + (1 | g)'"),
    "re_formula": (lambda d, m: mlm.lmer("Reaction ~ Days", d, re_formula="~Days"), ArgumentError,
                   "'y ~ x + (1 + x | g)'"),
    "groups, lm": (lambda d, m: mlm.lm("Reaction ~ Days", d, groups="Subject"), ArgumentError,
                   "mlm.lmer('y ~ x + (1 | g)', data)"),
    "groups, lme": (lambda d, m: mlm.lme("Reaction ~ Days", d, groups="Subject"), ArgumentError,
                    "random='~ 1 | g'"),
    "groups, gls": (lambda d, m: mlm.gls("Reaction ~ Days", d, groups="Subject"), ArgumentError,
                    "group= names the column"),
    "groups, lm_list": (lambda d, m: mlm.lm_list("Reaction ~ Days", d, groups="Subject"),
                        ArgumentError, "'y ~ x | g'"),
    "slopes, lme": (lambda d, m: mlm.lme("Reaction ~ Days", d, re_formula="~Days"), ArgumentError,
                    "random='~ x | g'"),
    "REML, glmer": (lambda d, m: mlm.glmer(FORMULA, d, REML=False), ArgumentError,
                    "always maximum likelihood"),
    "REML, lm": (lambda d, m: mlm.lm("Reaction ~ Days", d, REML=False), ArgumentError,
                 "REML is of mixed models"),
    "vc_formula": (lambda d, m: mlm.lmer("Reaction ~ Days", d, vc_formula={}), ArgumentError,
                   "(1 | g:h)"),
    "method": (lambda d, m: mlm.lmer(FORMULA, d, method="ML"), ArgumentError, "reml=False"),
    "REML": (lambda d, m: mlm.lmer(FORMULA, d, REML=False), ArgumentError, "Did you mean 'reml'"),
    "MixedLM": (lambda d, m: mlm.MixedLM.from_formula, UnknownNameError, "mlm.lmer(formula, data)"),
    "from_formula": (lambda d, m: mlm.from_formula, UnknownNameError, "mlm.lmer(formula, data)"),
    "params": (lambda d, m: m.params, UnknownNameError, "m.fixef()"),
}  # fmt: skip


@pytest.fixture(scope="module")
def m(sleepstudy):
    return mlm.lmer(FORMULA, sleepstudy)


@pytest.mark.parametrize("name", TOLD)
def test_it_is_told_what_to_write(name, sleepstudy, m):
    call, error, says = TOLD[name]
    with pytest.raises(error, match=re.escape(says)) as told:
        call(sleepstudy, m)
    assert len(str(told.value)) < 400


@pytest.mark.parametrize(
    ("call", "near"),
    [
        (lambda m: m.emmeans("recip"), "recipe"),
        (lambda m: m.emmeans("~ recipe | temprature"), "temperature"),
        (lambda m: m.emmeans("recipe", by="Temperature"), "temperature"),
        (lambda m: m.joint_tests(by="recip"), "recipe"),
        (lambda m: m.emtrends("recipe", "agee"), "age"),
    ],
)
def test_factors_of_emmeans_have_near_names(call, near):
    cake = mlm.load_dataset("cake")
    cake["age"] = np.arange(len(cake)) % 7
    m = mlm.lmer("angle ~ recipe * temperature + age + (1 | recipe:replicate)", cake)
    with pytest.raises(ArgumentError, match=rf"Did you mean .*'{near}'"):
        call(m)


def test_r_s_own_c_is_allowed_for_factors(sleepstudy):
    with_sum = mlm.lm("Reaction ~ C(Subject, contr.sum)", sleepstudy)
    assert len(with_sum.fixef()) == 18


def test_names_that_python_completes(m):
    assert m.ranef()._ipython_key_completions_() == ["Subject"]
    assert {"lmer", "plot", "errors", "options"} <= set(dir(mlm))
    assert "caterpillar" in dir(mlm.plot)
    assert {"fixef", "ranef", "summary"} <= set(dir(m))
    assert {"fixed", "to_frame", "to_markdown"} <= set(dir(m.summary()))
    assert {"engine", "frames", "progress", "tracebacks"} <= set(dir(mlm.options))
