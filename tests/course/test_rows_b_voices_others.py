"""Checklist row 75: the model in the voices of SAS, SPSS and Mplus."""

from __future__ import annotations

import math

import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from pymlm.render.numbers import sas_best, sas_p, spss
from pymlm.render.systems import SYSTEMS
from tests.course.lecture_data import squeezed
from tests.tolerances import half_unit

#: Mplus's EM stopped at 19.471, where the book has 19.43 and lme4 19.43.
MPLUS_EM = 3e-3


def test_row_75_uncorrelated_terms_of_one_factor_keep_their_names():
    m = mlm.lmer("Reaction ~ Days + (Days || Subject)", mlm.load_dataset("sleepstudy"))
    intercept, slope, _ = m.varcorr().to_frame()["vcov"]
    sas = squeezed(mlm.render(m, "sas"))
    assert f"Intercept Subject {intercept:.2f}" in sas
    assert f"Days Subject {slope:.4f}" in sas
    assert "Columns in Z per Subject 2" in sas
    spss = str(mlm.render(m, "spss"))
    assert f"Intercept [subject = Subject] Variance | {intercept:.6f}" in spss
    assert f"Days [subject = Subject] Variance      |  {slope:.6f}" in spss
    mplus = str(mlm.render(m.update(reml=False), "mplus"))
    assert "WITH" not in mplus.split("Between Level")[1]
    crossed = mlm.lmer("score ~ Machine + (1 | Worker) + (0 + Machine | Worker)",
                       mlm.load_dataset("nlme::Machines"))  # fmt: skip
    assert "UN(3,2) Worker 21.15" in " ".join(squeezed(mlm.render(crossed, "sas")))


def test_row_75_spss_against_published_output(hsb):
    # MIXED mathach BY id, REML (a course's HTML output of SPSS on High School and Beyond).
    text = mlm.render(hsb, "spss")
    rows = {r[0]: r[1:] for r in ([c.strip() for c in line.split("|")] for line in
                                  text.splitlines()) if len(r) > 1}  # fmt: skip
    assert rows["-2 Restricted Log Likelihood"] == ["47116.793"]
    assert rows["Akaike's Information Criterion (AIC)"] == ["47120.793"]
    assert rows["Hurvich and Tsai's Criterion (AICC)"] == ["47120.795"]
    assert rows["Bozdogan's Criterion (CAIC)"] == ["47136.553"]
    assert rows["Schwarz's Bayesian Criterion (BIC)"] == ["47134.553"]
    assert "Intercept |            1 |        156.647 | 2673.663 | .000" in text
    assert rows["Intercept"] == [
        "12.636974", ".244394", "156.647", "51.707", ".000", "12.154242", "13.119706",
    ]  # fmt: skip


def test_row_75_sas_default_is_containment(hsb, g1, g2):
    # PROC MIXED on High School and Beyond: 12.6370 (0.2444), 159 DF; 8.6140, 39.1483.
    text = mlm.render(hsb, "sas")
    assert "Degrees of Freedom Method    Containment" in text
    line = next(x for x in squeezed(text) if x.startswith("Intercept 12"))
    assert line == "Intercept 12.6370 0.2444 159 51.71 <.0001"
    assert "Intercept School 8.6140" in squeezed(text)
    assert "Residual 39.1483" in squeezed(text)
    assert "-2 Res Log Likelihood 47116.8" in squeezed(text)
    # A level-1 predictor without a random slope: N − rank[X Z] = 2287 − 132.
    assert "ses 0.3574 0.02104 2155 16.99 <.0001" in squeezed(mlm.render(g1, "sas"))
    # With one, its rank contribution; the covariance parameters in SAS's order.
    text = mlm.render(g2, "sas")
    assert [x.split()[0] for x in squeezed(text) if x.startswith("UN(")] == [
        "UN(1,1)", "UN(2,1)", "UN(2,2)",
    ]  # fmt: skip
    df = {x.split()[0]: x.split()[3] for x in squeezed(text) if x.split()[0] in ("ses", "clubs")
          and len(x.split()) == 6}  # fmt: skip
    assert df == {"ses": "128", "clubs": "2026"}


def test_row_75_containment_takes_rank_contributions_in_order():
    """Three levels: 60 schools less one, not 0; the split plot of the books: 10 and 45."""
    growth = mlm.lmer(
        "math ~ year + (year | schoolid/childid)", mlm.load_dataset("mlmRev::egsingle")
    )
    lines = squeezed(mlm.render(growth, "sas"))
    assert "year 0.7631 0.01540 59 49.56 <.0001" in lines
    assert next(x for x in lines if x.startswith("Intercept ")).split()[3] == "59"
    oats = mlm.lmer("yield ~ Variety * factor(nitro) + (1 | Block/Variety)",
                    mlm.load_dataset("nlme::Oats"))  # fmt: skip
    type3 = squeezed(mlm.render(oats, "sas").split("Type 3 Tests")[1])
    assert "Variety 2 10 1.49 0.2724" in type3
    assert "factor(nitro) 3 45 37.69 <.0001" in type3


@pytest.mark.filterwarnings("ignore:variable '`which sex`' is not a factor")  # emmeans says so in R
def test_row_75_spss_intercept_averages_over_factors():
    """The test is that of the marginal mean at covariates of 0, not of the first levels."""
    teeth = mlm.load_dataset("nlme::Orthodont").rename(columns={"Sex": "which sex"})
    m = mlm.lmer("distance ~ age * `which sex` + (age | Subject)", teeth)
    mean = m.emmeans("1", at={"age": 0}).to_frame().iloc[0]
    row = next(x for x in mlm.render(m, "spss").splitlines() if x.startswith(" Intercept "))
    cells = [c.strip() for c in row.split("|")]
    assert cells[2] == f"{mean['df']:.3f}"
    assert cells[3] == f"{(mean['emmean'] / mean['std_error']) ** 2:.3f}"


@pytest.mark.filterwarnings("ignore::pymlm.errors.RWarning")
@pytest.mark.parametrize("style", ["sas", "spss", "stata"])
def test_row_75_a_term_dropped_for_rank_deficiency_has_no_test(style):
    oats = mlm.load_dataset("nlme::Oats")
    m = mlm.lmer("yield ~ nitro + I(2 * nitro) + (1 | Block)", oats)
    assert "I(2" not in mlm.render(m, style)


def test_row_75_sas_counts_variances_alone_under_reml():
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    text = mlm.render(m, "sas")
    assert "AIC (Smaller is Better) 1751.6" in squeezed(text)  # R says 1755.63
    assert f"BIC (Smaller is Better) {1743.628 + 4 * math.log(18):.1f}" in squeezed(text)
    other = mlm.information_criteria(m, flavour="SAS").to_frame()
    assert round(float(other["aic"].iloc[0]), 1) == 1751.6


def test_row_75_other_ddf_in_sas_and_spss(g1, d):
    text = mlm.render(g1, "sas", ddf="Satterthwaite")
    assert "Degrees of Freedom Method    Satterthwaite" in text
    m = g1.update(reml=True)
    kr = m.summary(ddf="Kenward-Roger").fixed
    line = next(x for x in mlm.render(m, "spss", ddf="Kenward-Roger").splitlines()
                if x.startswith(" clubs ") and x.count("|") == 7)  # fmt: skip
    assert line.split("|")[3].strip() == f"{kr.df[2]:.3f}"
    assert "Standard" in mlm.render(g1, "sas", covtest=True)
    with pytest.raises(NotSupportedError, match="SPSS"):
        mlm.render(g1, "spss", ddf="containment")


def test_row_75_mplus(g1, g2):
    # Z tests, maximum likelihood, levels apart; numbers are those of R to three decimals.
    text = mlm.render(g2, "mplus")
    within, between = text.split("Between Level")
    assert "S          ON\n    CLUBS             -0.061      0.022     -2.749      0.006" in between
    assert "S          WITH\n    GPA               -0.028      0.011" in between
    assert "Number of Free Parameters                                  8" in within
    text = mlm.render(g1, "mplus")
    within, between = text.split("Between Level")
    assert "SES                0.357      0.021     16.985      0.000" in within
    assert "CLUBS              0.079      0.043      1.819      0.069" in between
    with pytest.raises(NotSupportedError, match="REML"):
        mlm.render(g1.update(reml=True), "mplus")


def test_row_75_mplus_against_published_output():
    # Snijders & Bosker, table 4.1, Mplus ML (UCLA). Its EM stopped at 64.562, 40.363 and 19.471,
    # where the book has 64.57, 40.36 and 19.43; the log-likelihood is the same.
    m = mlm.lmer("langPOST ~ 1 + (1 | schoolNR)", mlm.load_dataset("nlme::bdf"), reml=False)
    text = mlm.render(m, "mplus")
    printed = {"H0 Value": -8126.609, "Akaike (AIC)": 16259.219, "Bayesian (BIC)": 16276.424,
               "Sample-Size Adjusted BIC": 16266.892}  # fmt: skip
    for name, value in printed.items():
        line = next(x for x in squeezed(text) if x.startswith(name))
        assert float(line.split()[-1]) == pytest.approx(value, abs=2 * half_unit(3)), name
    rows = [x.split()[1:3] for x in squeezed(text) if x.startswith("LANGPOST")]
    for (estimate, error), (want, se) in zip(
        rows, ((64.562, 1.973), (40.363, 0.428), (19.471, 3.111)), strict=True
    ):
        assert float(estimate) == pytest.approx(want, rel=MPLUS_EM)
        assert float(error) == pytest.approx(se, rel=2 * MPLUS_EM)


def test_row_75_table_of_defaults():
    f = mlm.system_defaults()
    assert list(f.columns) == list(SYSTEMS)
    assert f.loc["estimation"].tolist() == [
        "REML", "ML", "REML", "REML", "ML (MLR: robust standard errors)",
    ]  # fmt: skip
    assert f.loc["test of one fixed effect", ["Stata", "Mplus"]].tolist() == ["z", "z"]
    assert f.loc["degrees of freedom", "SAS"].startswith("containment")
    assert f.notna().all(axis=None)


def test_row_75_sas_and_spss_numbers():
    assert [sas_p(x) for x in (0.00001, 0.04, math.nan)] == ["<.0001", "0.0400", "."]
    assert [sas_best(x) for x in (12.636974, 0.244394, math.nan)] == ["12.6370", "0.2444", "."]
    assert [spss(x, 3) for x in (0.5, -0.25, 12.5)] == [".500", "-.250", "12.500"]
