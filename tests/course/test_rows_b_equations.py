"""Checklist row 91: a model as equations."""

from __future__ import annotations

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.course.lecture_data import gpa


def test_row_91_levels(g2):
    assert str(mlm.equations(g2)).splitlines() == [
        "Level 1: gpa_ij = β_0j + β_1j ses_ij + e_ij",
        "Level 2: β_0j = γ_00 + γ_01 clubs_j + u_0j",
        "Level 2: β_1j = γ_10 + γ_11 clubs_j + u_1j",
        "where    e_ij ~ N(0, σ²_e)",
        "where    (u_0j, u_1j) ~ N(0, [τ²_0; τ_01, τ²_1])",
    ]


def test_row_91_combined_has_the_estimates(g2):
    first = mlm.equations(g2, form="combined", estimates=True).splitlines()[0].strip()
    assert first == (
        "gpa_ij = -0.012 + 0.071 clubs_j + 0.369 ses_ij - 0.061 clubs_j ses_ij + u_0j "
        "+ u_1j ses_ij + e_ij"
    )


def test_row_91_distribution(g1):
    assert mlm.equations(g1, form="distribution").splitlines() == [
        "Level 1: gpa_ij ~ N(β_0j + β_1j ses_ij, σ²_e)",
        "Level 2: β_0j ~ N(γ_00 + γ_01 clubs_j, τ²_0)",
        "Level 2: β_1j = γ_10",
    ]


def test_row_91_latex(g1):
    text = mlm.equations(g1, format="latex")
    assert text.startswith("\\begin{aligned}")
    assert r"\beta_{0j} = \gamma_{00} + \gamma_{01}\,\mathrm{clubs}_{j} + u_{0j}" in text
    assert text.count("{") == text.count("}")
    assert text._repr_latex_() == f"$${text}$$"


def test_row_91_a_slope_that_varies_without_a_mean():
    d = gpa()
    m = mlm.lmer("gpa ~ clubs + (ses | schoolnr)", d, reml=False)
    lines = mlm.equations(m).splitlines()
    assert "Level 2: β_1j = u_1j" in lines


def test_row_91_three_levels():
    m = mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("Pastes"))
    assert mlm.equations(m).splitlines()[:3] == [
        "Level 1: strength_ijk = π_0jk + e_ijk",
        "Level 2: π_0jk = β_00k + r_0jk",
        "Level 3: β_00k = γ_000 + u_00k",
    ]


def test_row_91_uncorrelated_slopes_have_no_covariance(sleepstudy):
    m = mlm.lmer("Reaction ~ Days + (Days || Subject)", sleepstudy)
    assert mlm.equations(m).splitlines()[-1].endswith("[τ²_0; 0, τ²_1])")


def test_row_91_crossed_factors_stand_side_by_side():
    m = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("Penicillin"))
    assert mlm.equations(m).splitlines() == [
        "Level 1: diameter_i(jk) = β_0(jk) + e_i(jk)",
        "Level 2: β_0(jk) = γ_00 + u(plate)_0j + u(sample)_0k",
        "where    e_i(jk) ~ N(0, σ²_e)",
        "where    u(plate)_0j ~ N(0, Σ_plate)",
        "where    u(sample)_0k ~ N(0, Σ_sample)",
    ]
    assert "u(plate)_0j[i]" in mlm.equations(m, form="combined")
    with pytest.raises(NotSupportedError, match="hierarchy"):
        mlm.equations(m, form="distribution")


def test_row_91_generalized_models_have_a_link():
    m = mlm.glmer("cbind(incidence, size - incidence) ~ period + (1 | herd)",
                  mlm.load_dataset("cbpp"), family="binomial")  # fmt: skip
    text = mlm.equations(m)
    assert text.startswith("Level 1: logit(μ_ij) = β_0j + β_1j period2_ij")
    assert "e_ij" not in text
    assert "binomial(μ_ij)" in text


def test_row_91_names_are_safe_in_latex():
    d = gpa().rename(columns={"ses": "s_e %s", "schoolnr": "nr_#"})
    d["half"] = np.arange(len(d)) % 2
    m = mlm.lmer("gpa ~ `s_e %s` + I(clubs^2) + (1 | `nr_#`)", d)
    text = mlm.equations(m, format="latex")
    assert r"\mathrm{s\_e\ \%s}" in text
    assert r"I(clubs{\wedge}2)" in text  # \^ is an accent of text mode
    crossed = m.update(". ~ . + (1 | half)")
    text = mlm.equations(crossed, format="latex", form="combined")
    assert r"\Sigma_{\mathrm{nr\_\#}}" in text
    assert r"u^{(\mathrm{nr\_\#})}" in text


def test_row_91_the_offset_of_a_crossed_model_stands_in_its_equation():
    d = mlm.load_dataset("lme4::Penicillin").assign(known=lambda d: np.arange(len(d)) / 100)
    m = mlm.lmer("diameter ~ offset(known) + (1 | plate) + (1 | sample)", d)
    assert " + offset_i + e_i" in mlm.equations(m, form="combined")
