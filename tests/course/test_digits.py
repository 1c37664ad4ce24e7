"""Course pages made under R's options(digits = 3), reprinted character for character."""

from __future__ import annotations

from typing import Any

import pytest

import pymlm as mlm
from tests.course.test_cases import cases, fit, frame
from tests.native import has_structures

pytestmark = pytest.mark.skipif(not cases(), reason="the course data are not here")

#: Pages whose output has three digits. Of contraception_gm2 one variance, .00715, is printed where
#: the course's optimizer stopped; the others come out to the last character.
PAGES = ("lme4_jss_fm1", "contraception_gm1", "contraception_gm3")


def page(name: str) -> tuple[dict[str, Any], Any]:
    case = next(c for c in cases() if c["id"] == name)
    return case, fit(case)


def cells(text: str, row: str) -> list[str]:
    """Cells of the only line of a print that begins with this name, stars left out."""
    lines = [x for x in text.splitlines() if x.strip().startswith(row + " ")]
    return [c for line in lines for c in line.strip()[len(row) :].split() if set(c) - set("*.")]


def summary_of(case: dict[str, Any], m: Any) -> Any:
    """As the page's lme4 made it: standard errors of old glmer fits came without the Hessian."""
    old = any(e["kind"] == "wald_use_hessian_false" for e in case["extras"])
    return m.summary(use_hessian=False, digits=3) if old else m.summary(ddf=None, digits=3)


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
@pytest.mark.filterwarnings("ignore::pymlm.errors.RWarning")  # of standard errors of old
def test_rows_of_the_summary(name):
    if has_structures() and name.startswith("contraception"):
        pytest.skip("glmer's Laplace approximation changed with lme4 2")
    case, m = page(name)
    text = str(summary_of(case, m))
    wald = next((e["printed"] for e in case["extras"] if e["kind"] == "wald_use_hessian_false"), {})
    for term, printed in case["expected"]["fixef"].items():
        row = list(printed.values())
        row += [wald[f"{term}.{part}"] for part in ("se", "z", "p") if wald]
        table = text.split("Fixed effects:")[1].split("---")[0].split("Correlation")[0]
        assert cells(table, term) == row, term
    effects = text.split("Random effects:")[1].split("Number of obs")[0]
    for part in case["expected"]["varcomp"]:
        label = part["name"] or part["group"]
        line = next(x for x in effects.splitlines() if f" {label} " in x)
        row = [part["variance"], part["sd"], *part.get("corr", [])]
        assert line.split(label)[1].split() == row, label


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
def test_they_are_not_what_seven_digits_give(name):
    case, m = page(name)
    text = str(m.varcorr()) + str(m.summary(ddf=None))
    shown = [(p["variance"], p["sd"]) for p in case["expected"]["varcomp"]]
    assert not any(f" {v} " in text and f" {s} " in text for v, s in shown)


def test_residuals_and_comparison_of_the_lme4_paper():
    case, m = page("lme4_jss_fm1")
    printed = {e["kind"]: e["printed"] for e in case["extras"]}
    residuals = list(case["expected"]["scaled_residuals"].values())
    lines = str(m.summary(ddf=None, digits=3)).splitlines()
    assert lines[lines.index("Scaled residuals: ") + 2].split() == residuals
    data = frame(case)
    m2 = mlm.lmer("Reaction ~ Days + (Days || Subject)", data)
    m1 = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    text = str(mlm.anova(m1, m2, m, names=["fm3", "fm2", "fm1"], digits=3))
    want = printed["anova_refit_ml"]
    # Each row: npar, AIC, BIC, logLik, deviance, Chisq, Df, p; the page numbers its rows from 3.
    assert cells(text, "fm3")[1:3] == [want["AIC3"], want["BIC3"]]
    assert cells(text, "fm2")[1:3] == [want["AIC2"], want["BIC2"]]
    assert cells(text, "fm1")[1:3] == [want["AIC1"], want["BIC1"]]
    assert cells(text, "fm2")[5:] == [want["chisq2"], "1", want["p2"]]
    assert cells(text, "fm1")[5:] == [want["chisq1"], "1", want["p1"]]
    profile = m.confint(method="profile")
    with mlm.options(digits=2):  # the page rounds this line by itself
        limits = next(x for x in str(profile).splitlines() if x.startswith("cor_")).split()[1:]
    assert limits == [printed["confint_profile_corr"]["lo"], printed["confint_profile_corr"]["hi"]]
