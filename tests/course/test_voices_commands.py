"""Stata's dfmethod(), xtreg and regress against native R."""

from __future__ import annotations

import re

import pytest

import pymlm as mlm
from tests.course.voices import all_same, model, native_numbers, numbers, row, same
from tests.native import needs_r

needs_r("plm", "sandwich", "lmtest")

pytestmark = pytest.mark.filterwarnings("ignore:Some predictor variables:pymlm.errors.RWarning")


@pytest.fixture(scope="module")
def r():
    return native_numbers()


# --- xtreg --------------------------------------------------------------------------------------

#: xtreg invest mvalue kstock, fe, as Stata's users print it for Grunfeld's data.
FE = """
     within  = 0.7668                                         min =         20
     between = 0.8194                                         avg =       20.0
     overall = 0.8060                                         max =         20
                                                F(2,188)          =     309.01
corr(u_i, Xb)  = -0.1517                        Prob > F          =     0.0000
       value |   .1101238   .0118567     9.29   0.000     .0867345    .1335131
     capital |   .3100653   .0173545    17.87   0.000     .2758308    .3442999
       _cons |  -58.74394   12.45369    -4.72   0.000    -83.31087   -34.17701
F test that all u_i=0: F(9, 188) = 49.18                     Prob > F = 0.0000
"""


def test_fixed_effects_are_statas_published_output():
    lines = mlm.render(model("grunfeld"), "stata", command="xtreg, fe").splitlines()
    assert lines[0] == (
        "Fixed-effects (within) regression               Number of obs     =        200"
    )
    assert [x for x in FE.strip("\n").splitlines() if x not in lines] == []
    same(row("\n".join(lines), "sigma_u")[0], 85.732502)
    same(row("\n".join(lines), "rho")[0], 0.72525011)


def test_fixed_effects_of_unequal_groups(r):
    text = mlm.render(model("pupils"), "stata", command="xtreg, fe")
    all_same(row(text, "ses |"), list(r["fe"]["ses"].values()))
    same(row(text, "_cons |")[0], r["grand"])
    assert "       clubs |          0  (omitted)" in text.splitlines()
    same(row(text, "within  =")[0], r["fe_r2"])
    same(row(text, "sigma_u |")[0], r["fe_u"])
    same(row(text, "sigma_e |")[0], r["fe_e"])
    last = numbers(text.splitlines()[-1])
    assert last[1:3] == ["130", f"{r['fe_df']:.0f}"]
    same(last[3], r["fe_groups"])
    line = next(x for x in text.splitlines() if f"F(1,{r['fe_df']:.0f})" in x)
    same(numbers(line)[-1], r["fe_f"])


def test_between(r):
    text = mlm.render(model("pupils"), "stata", command="xtreg, be")
    for name, term in (("ses |", "ses"), ("clubs |", "clubs"), ("_cons |", "(Intercept)")):
        all_same(row(text, name), list(r["be"][term].values()))
    same(row(text, "between =")[0], r["be_r2"])
    line = next(x for x in text.splitlines() if "F(2,128)" in x)
    same(numbers(line)[-1], r["be_f"])
    text = mlm.render(model("grunfeld"), "stata", command="xtreg, be")
    for name in ("value", "capital"):
        all_same(row(text, f"{name} |"), list(r["gb"][name].values()))
    assert text.splitlines()[0].startswith("Between regression (regression on group means)  Number")


# --- regress ------------------------------------------------------------------------------------


def test_regress(r):
    text, want = mlm.render(model("lm"), "stata", command="regress"), r["lm"]
    for k, name in enumerate(("_cons |", "ses |", "clubs |", "c.ses#c.clubs |")):
        all_same(row(text, name), [want["b"][k], want["se"][k]])
    heads = {
        "Number of obs": 2287, "F(3, 2283)": want["f"], "R-squared": want["r2"],
        "Adj R-squared": want["adj"], "Root MSE": want["rmse"],
    }  # fmt: skip
    lines = text.splitlines()[:6]
    for name, value in heads.items():
        line = next(x for x in lines if x[51:].startswith(name))
        same(line.rsplit("=", 1)[1].strip(), value)
    all_same(row(text, "Residual |"), [want["rss"], 2283])
    all_same(row(text, "Total |"), [want["tss"], 2286])


@pytest.mark.parametrize("command", ["regress, vce(cluster school)", "regress , cluster(school)"])
def test_regress_by_cluster(r, command):
    text, want = mlm.render(model("lm"), "stata", command=command), r["lm"]
    for k, name in enumerate(("_cons |", "ses |", "clubs |", "c.ses#c.clubs |")):
        all_same(row(text, name), [want["b"][k], want["robust"][k]])
    line = next(x for x in text.splitlines() if "F(3, 130)" in x)
    same(numbers(line)[-1], want["robust_f"])
    assert "(Std. Err. adjusted for 131 clusters in school)" in text
    assert re.search(r"^ +\| +Robust$", text, re.MULTILINE)


@pytest.mark.parametrize("command", ["regress, robust", "regress, vce(robust)"])
def test_regress_with_whites_errors(r, command):
    text, want = mlm.render(model("lm"), "stata", command=command), r["lm"]
    for k, name in enumerate(("_cons |", "ses |", "clubs |", "c.ses#c.clubs |")):
        all_same(row(text, name), [want["b"][k], want["white"][k]])
    line = next(x for x in text.splitlines() if "F(3, 2283)" in x)
    same(numbers(line)[-1], want["white_f"])
    assert "clusters" not in text


# --- mixed, dfmethod() --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "method", "key"),
    [
        ({"ddf": "Satterthwaite"}, "Satterthwaite", "sat"),
        ({"command": "mixed, dfmethod(satterthwaite)"}, "Satterthwaite", "sat"),
        ({"ddf": "KR"}, "Kenward-Roger", "kr"),
        ({"ddf": "kroger"}, "Kenward-Roger", "kr"),
        ({"command": "mixed, reml dfmethod(kroger)"}, "Kenward-Roger", "kr"),
    ],
)
def test_small_sample_inference(r, given, method, key):
    text, want = mlm.render(model("cake"), "stata", **given), r[key]
    assert f"DF method: {method}" in text
    for k, name in enumerate(("_cons |", "recipeB |", "recipeC |", "temp |")):
        found = row(text, name)
        all_same(found, [want["est"][k], want["se"][k]])
        same(found[2], want["t"][k])
        same(found[3], want["p"][k])
    same(row(text, "DF method: " + method)[-1], min(want["df"]))
    line = next(x for x in text.splitlines() if "F(3," in x)
    all_same(numbers(line)[1:], [want["den"], want["f"]])
    assert "P>|t|" in text
    assert "P>|z|" not in text


def test_intervals_have_the_degrees_of_freedom():
    m = model("cake")
    low, high = row(mlm.render(m, "stata", ddf="Satterthwaite"), "temp |")[4:6]
    table = m.summary().fixed
    at = table.term.index("temp")
    same(low, table.conf_low[at])
    same(high, table.conf_high[at])


def test_anova_repeated_and_residual():
    """SAS's containment, between-within, and rows less coefficients."""
    m = model("pupils")
    rank = 2287 - 2155  # of [X Z]: 131 schools and one slope within
    own = {
        "ANOVA": (129.0, 2287.0 - rank), "Repeated": (129.0, 2155.0), "Residual": (2284.0, 2284.0),
    }  # fmt: skip
    for title, (least, most) in own.items():
        text = mlm.render(m, "stata", ddf=title.lower())
        same(row(text, f"DF method: {title}")[-1], least)
        same(numbers([x for x in text.splitlines() if " max =" in x][1])[0], most)
    # Denominators that differ leave no joint test, as in Stata.
    assert "F(2,        .)" in mlm.render(m, "stata", ddf="repeated")


def test_weights_that_a_system_has_not_are_said():
    """SAS's WEIGHT and SPSS's REGWGT are lme4's weights; Stata's and Mplus's are not."""
    d = mlm.load_dataset("sleepstudy").assign(w=lambda x: 1 + x["Days"] / 9)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", d, weights="w", reml=False)
    plain = mlm.lmer("Reaction ~ Days + (1 | Subject)", d, reml=False)
    for style, command in (("stata", None), ("stata", "estat icc"), ("mplus", None)):
        assert "sampling weights" in mlm.render(m, style, command=command)
        assert "weights" not in mlm.render(plain, style, command=command)
    for style in ("sas", "spss"):
        assert "sampling" not in mlm.render(m, style)
