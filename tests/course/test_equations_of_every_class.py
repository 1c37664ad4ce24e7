"""equations: every class of model, estimates of the variances, crossed factors, wrong input."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, NotSupportedError
from tests.native import has_structures

#: The same numbers multiplied in another order.
ROUNDING = 1e-10

pytestmark = pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")


@functools.cache
def model(name: str) -> Any:
    d = mlm.load_dataset("sleepstudy")
    match name:
        case "lmer":
            return mlm.lmer("Reaction ~ Days + (Days | Subject)", d)
        case "uncorrelated":
            return mlm.lmer("Reaction ~ Days + (Days || Subject)", d)
        case "three levels":
            return mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("Pastes"))
        case "crossed":
            data = mlm.load_dataset("mlmRev::ScotsSec")
            mean = data.groupby("second", observed=True).verbal.transform("mean")
            data = data.assign(z=mean)
            return mlm.lmer("attain ~ sex*z + verbal + (verbal | primary) + (1 | second)", data)
        case "glmer":
            return mlm.glmer("cbind(incidence, size - incidence) ~ 1 + (1 | herd)",
                             mlm.load_dataset("cbpp"), family="binomial")  # fmt: skip
        case "lm":
            return mlm.lm("Reaction ~ Days", d)
        case "glm":
            return mlm.glm("TICKS ~ cHEIGHT", mlm.load_dataset("grouseticks"), family="poisson")
        case "lme":
            return mlm.lme("Reaction ~ Days", d, "~ Days | Subject")
        case "gls":
            return mlm.gls("Reaction ~ Days", d, correlation="AR1", group="Subject")
        case "lme, ratios":
            return mlm.lme("distance ~ age", mlm.load_dataset("nlme::Orthodont"), "~ 1 | Subject",
                           correlation="cs", variance_by="Sex")  # fmt: skip
        case "gls, ratios":
            return mlm.gls("distance ~ age", mlm.load_dataset("nlme::Orthodont"), variance_by="Sex")
        case "weighted":
            w = np.linspace(1, 2, len(d))
            return mlm.lmer("Reaction ~ Days + (1 | Subject)", d, weights=w)
        case "weighted lm":
            return mlm.lm("Reaction ~ Days", d, weights=np.linspace(1, 2, len(d)))
        case "crossed, terms":
            return mlm.lmer("attain ~ verbal + (verbal || primary) + (1 | second)",
                            mlm.load_dataset("mlmRev::ScotsSec"))  # fmt: skip
        case "nlmer, terms":
            return mlm.nlmer(
                "circumference ~ SSlogis(age, Asym, xmid, scal) ~ (Asym | Tree) + (xmid | Tree)",
                mlm.load_dataset("Orange"), start={"Asym": 200, "xmid": 725, "scal": 350},
            )  # fmt: skip
        case "gaussian, log":
            return mlm.glm("Reaction ~ Days", d, family="gaussian", link="log")
        case "nlmer":
            return mlm.nlmer(
                "circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree",
                mlm.load_dataset("Orange"), start={"Asym": 200, "xmid": 725, "scal": 350},
            )  # fmt: skip
        case "lm_list":
            return mlm.lm_list("Reaction ~ Days | Subject", d)
        case "membership":
            rng = np.random.default_rng(1)
            g, h = rng.integers(0, 20, (2, 200))
            data = pd.DataFrame({"g": g.astype(str), "h": h.astype(str), "x": rng.normal(size=200)})
            data["y"] = data.x + rng.normal(size=200) + rng.normal(size=20)[g]
            return mlm.multiple_membership("y ~ x + (1 | unit)", data, {"unit": (["g", "h"], None)})
    raise KeyError(name)


#: model -> what its equations by level begin with, without and with estimates.
FIRST = {
    "crossed": [
        "Level 1: attain_i(jk) = β_0(jk) + β_1(jk) sexF_i(jk) + β_2(jk) verbal_i(jk) + e_i(jk)",
        "Level 2: β_0(jk) = γ_00 + γ_01 z_k + u(primary)_0j + u(second)_0k",
        "Level 2: β_1(jk) = γ_10 + γ_11 z_k",
        "Level 2: β_2(jk) = γ_20 + u(primary)_2j",
        "where    e_i(jk) ~ N(0, σ²_e)",
        "where    (u(primary)_0j, u(primary)_2j) ~ N(0, Σ_primary)",
        "where    u(second)_0k ~ N(0, Σ_second)",
    ],
    "nlmer": [
        "Level 1: circumference_ij = SSlogis(age, Asym, xmid, scal) + e_ij",
        "Level 2: Asym_j = γ_0 + u_0j", "Level 2: xmid_j = γ_1", "Level 2: scal_j = γ_2",
        "where    e_ij ~ N(0, σ²_e)", "where    u_0j ~ N(0, Σ_Tree)",
    ],
    "membership": [
        "Level 1: y_i = β_0i + β_1i x_i + e_i", "Level 2: β_0i = γ_00 + Σ_j w_ij u_0j",
        "Level 2: β_1i = γ_10", "where    e_i ~ N(0, σ²_e)", "where    u_0j ~ N(0, Σ_unit)",
    ],
    "lm_list": [
        "for each Subject j  Reaction_ij = β_0j + β_1j Days_ij + e_ij",
        "where               e_ij ~ N(0, σ²_e)",
    ],
    "lm": ["Level 1: Reaction_i = β_0 + β_1 Days_i + e_i", "where    e_i ~ N(0, σ²_e)"],
    "glm": ["Level 1: log(μ_i) = β_0 + β_1 cHEIGHT_i", "where    TICKS_i ~ poisson(μ_i)"],
    "gls": [
        "Level 1: Reaction_i = β_0 + β_1 Days_i + e_i", "where    e ~ N(0, σ²_e Λ)",
        "where    Λ = corAR1(~1 | Subject): Phi = 0.8",
    ],
}  # fmt: skip


@pytest.mark.parametrize("name", FIRST)
def test_by_level(name):
    assert mlm.equations(model(name)).splitlines() == FIRST[name]


@pytest.mark.parametrize(
    "name",
    ["lmer", "uncorrelated", "three levels", "crossed", "glmer", "lme", "nlmer", "membership"],
)
@pytest.mark.parametrize("form", ["levels", "combined"])
def test_estimates_of_the_variances(name, form):
    """Every variance and covariance of m.varcorr() stands in a distribution."""
    m = model(name)
    text = mlm.equations(m, form=form, estimates=True, digits=4)
    below = " ".join(x for x in text.splitlines() if x.startswith("where"))
    found = re.findall(r"-?\d+\.\d{4}", below)
    wanted = [f"{v:.4f}" for v in m.varcorr().vcov]
    assert sorted(found) == sorted(wanted)
    for b in m.fixef():
        assert f"{abs(b):.4f}" in text
    assert not re.search("[γβ]_\\d+ |σ²|τ|Σ_[a-z]{2}", text.replace("Σ_j w_ij", ""))


def test_estimates_of_residual_variances():
    assert mlm.equations(model("lm"), estimates=True).splitlines()[-1] == (
        f"where    e_i ~ N(0, {model('lm').sigma ** 2:.3f})"
    )
    assert f"N(0, {model('gls').sigma ** 2:.3f} Λ)" in mlm.equations(model("gls"), estimates=True)
    text = mlm.equations(model("lmer"), form="distribution", estimates=True)
    assert f"Level 2: β_0j ~ N(251.405, {model('lmer').varcorr().variance('Subject'):.3f})" in text


#: model -> what its equations say of the residuals, by level and as distributions.
RESIDUALS = {
    "lme, ratios": (
        ["e ~ N(0, σ²_e Λ)"], ["distance_ij ~ N(β_0j + β_1j age_ij, σ²_e Λ)"],
        ["Λ = V C V", "C = corCompSymm(~1 | Subject): Rho = -0.333",
         "V = varIdent(~1 | Sex): Female = 0.45"],
    ),
    "gls, ratios": (
        ["e ~ N(0, σ²_e Λ)"], ["distance_i ~ N(β_0 + β_1 age_i, σ²_e Λ)"],
        ["Λ = V V", "V = varIdent(~1 | Sex): Female = 1.05"],
    ),
    "gls": (
        ["e ~ N(0, σ²_e Λ)"], ["Reaction_i ~ N(β_0 + β_1 Days_i, σ²_e Λ)"],
        ["Λ = corAR1(~1 | Subject): Phi = 0.8"],
    ),
    "weighted": (
        ["e_ij ~ N(0, σ²_e/w_ij)"], ["Reaction_ij ~ N(β_0j + β_1j Days_ij, σ²_e/w_ij)"], [],
    ),
    "weighted lm": (["e_i ~ N(0, σ²_e/w_i)"], ["Reaction_i ~ N(β_0 + β_1 Days_i, σ²_e/w_i)"], []),
}  # fmt: skip


@pytest.mark.parametrize("name", RESIDUALS)
def test_residuals_that_are_not_alike(name):
    """Structures of nlme and weights stand in every form, never σ² alone."""
    by_level, as_distribution, both = RESIDUALS[name]
    for form, own in (
        ("levels", by_level),
        ("reduced", by_level),
        ("distribution", as_distribution),
    ):
        lines = [x.split(maxsplit=1)[1] for x in mlm.equations(model(name), form=form).splitlines()]
        said = [x.removeprefix("1: ") for x in lines]
        assert [x for x in [*own, *both] if x not in said] == [], form
        assert not any(x.endswith("σ²_e)") for x in said), form


def test_the_structure_is_that_of_the_covariance():
    """Λ = V C V times σ² is nlme's residual covariance."""
    m = model("lme, ratios")
    boy, girl = (m.residual_covariance(g).to_numpy() for g in ("M01", "F01"))
    ratio = m.sd_ratios()["Female"]
    np.testing.assert_allclose(girl, ratio**2 * boy, rtol=ROUNDING)
    text = mlm.equations(m, estimates=True)
    assert f"V = varIdent(~1 | Sex): Female = {ratio:.3g}" in text
    assert f"Rho = {boy[0, 1] / boy[0, 0]:.3f}" in text


def test_markdown_is_the_latex_between_dollar_signs():
    m = model("lmer")
    text = mlm.equations(m, format="markdown", estimates=True)
    assert text == f"$$\n{mlm.equations(m, format='latex', estimates=True)}\n$$"
    assert text._repr_markdown_() == text
    assert text._repr_html_() is None


#: Random terms -> the covariance matrix in symbols; lme4 2 has structures.
MATRICES = {
    "(Days | Subject)": "[τ²_0; τ_01, τ²_1]", "(Days || Subject)": "[τ²_0; 0, τ²_1]",
    "(Days | Subject) + (0 + late | Subject)": "[τ²_0; τ_01, τ²_1; 0, 0, τ²_2]",
    "diag(Days | Subject)": "[τ²_0; 0, τ²_1]", "cs(Days | Subject)": "[τ²_0; τ_01, τ²_1]",
}  # fmt: skip


@pytest.mark.parametrize("random", MATRICES)
@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
def test_covariances_that_a_model_has_not_are_zero(random):
    if not random.startswith("(") and not has_structures():
        pytest.skip("this lme4 has no structures of covariance")
    d = mlm.load_dataset("sleepstudy")
    m = mlm.lmer(f"Reaction ~ Days + {random}", d.assign(late=(d["Days"] > 5) * 1.0))
    last = mlm.equations(m).splitlines()[-1]
    assert last.endswith(f"N(0, {MATRICES[random]})")
    shown = mlm.equations(m, estimates=True, digits=6).splitlines()[-1]
    free = len(re.findall("τ", MATRICES[random]))
    found = re.findall(r"-?\d+\.\d{6}", shown)
    assert len(found) == free
    wanted = [f"{v:.6f}" for v, g in zip(m.varcorr().vcov, m.varcorr().grp, strict=True)
              if g != "Residual"]  # fmt: skip
    assert set(found) <= set(wanted)


def test_the_effects_of_one_factor_s_terms_have_numbers_of_their_own():
    lines = mlm.equations(model("crossed, terms"), form="reduced").splitlines()
    assert lines[0].strip() == (
        "attain_i = β_0 + β_1 verbal_i + u(primary)_0j[i] + u(primary)_1j[i] verbal_i"
        " + u(second)_0k[i] + e_i"
    )
    assert [x.split()[1] for x in lines[2:]] == [
        "u(primary)_0j", "u(primary)_1j", "u(second)_0k",
    ]  # fmt: skip
    m = model("nlmer, terms")
    text = mlm.equations(m, estimates=True, digits=4)
    asym, xmid = m.varcorr().vcov[:2]
    assert "Asym_j = 192.05" in text
    assert "xmid_j = 727.9" in text
    lines = text.splitlines()
    assert [x.split(" + ")[1] for x in lines[1:3]] == ["u_0j", "u_1j"]
    assert lines[-2:] == [
        f"where    u_0j ~ N(0, {asym:.4f})", f"where    u_1j ~ N(0, {xmid:.4f})",
    ]  # fmt: skip


def test_a_gaussian_response_has_its_variance_whatever_the_link():
    m = model("gaussian, log")
    assert mlm.equations(m).splitlines()[-1] == "where    Reaction_i ~ N(μ_i, σ²_e)"
    shown = mlm.equations(m, estimates=True).splitlines()[-1]
    assert shown == f"where    Reaction_i ~ N(μ_i, {m.dispersion:.3f})"


@pytest.mark.parametrize("word", ["reduced", "mixed", "Combined"])
def test_the_combined_equation_is_the_reduced_form(word):
    m = model("lmer")
    text = mlm.equations(m, form=word)
    assert text == mlm.equations(m, form="combined")
    assert text.split("\n")[0].strip() == (
        "Reaction_ij = γ_00 + γ_10 Days_ij + u_0j + u_1j Days_ij + e_ij"
    )


@pytest.mark.parametrize("name", ["crossed", "nlmer", "lm_list", "gls", "membership", "glmer"])
@pytest.mark.parametrize("form", ["levels", "reduced"])
def test_latex_has_pairs_of_braces(name, form):
    text = mlm.equations(model(name), form=form, format="latex")
    assert text.count("{") == text.count("}")
    assert text.startswith("\\begin{aligned}")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [("y ~ x", "'y ~ x'"), (None, "None"), (3, "3"), (pd.DataFrame({"a": [1]}), "a DataFrame"),
     ([1], "a list")],
)  # fmt: skip
def test_what_is_no_model_is_refused(wrong, said):
    with pytest.raises(ArgumentError, match=f"equations takes a fitted model, .* not {said}$"):
        mlm.equations(wrong)


def test_refused():
    for name in ("nlmer", "lm_list"):
        with pytest.raises(NotSupportedError, match="'levels' or 'combined'"):
            mlm.equations(model(name), form="distribution")
    with pytest.raises(NotSupportedError, match=r"m.coef\(\)"):
        mlm.equations(model("lm_list"), estimates=True)
    with pytest.raises(ArgumentError, match="reduced"):
        mlm.equations(model("lm"), form="short")
    with pytest.raises(ArgumentError, match="fitted model"):
        mlm.equations(model("lm").summary())
