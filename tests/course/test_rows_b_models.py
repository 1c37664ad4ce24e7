"""Checklist rows 1, 2, 6, 8, 14-19, 27, 56-58, 60, 61, 64-66, 68, 71: the lectures' models."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.course.lecture_data import GPA_IN_R, OPTIMIZED, SAME_FIT
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import ARITHMETIC, FLAT_CRITERION, OTHER_OPTIMIZER, half_unit

CODE = (
    GPA_IN_R
    + """
ml <- function(f) lme4::lmer(f, d, REML = FALSE)
v <- function(m) { x <- as.data.frame(VarCorr(m)); list(sd = x$sdcor, grp = x$grp) }
s <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
emit(list(
  systematic = as.list(fixef(ml(gpa ~ ses * clubs + (1 | schoolnr)))),
  slope_only = v(ml(gpa ~ ses + (0 + ses | schoolnr))),
  uncorrelated = v(ml(gpa ~ ses + (1 | schoolnr) + (0 + ses | schoolnr))),
  crossed = v(lme4::lmer(attain ~ sex + (1 | primary) + (1 | second), mlmRev::ScotsSec)),
  penicillin = v(lme4::lmer(diameter ~ 1 + (1 | plate) + (1 | sample), Penicillin)),
  pastes = v(lme4::lmer(strength ~ 1 + (1 | batch/cask), Pastes)),
  panel = as.list(fixef(s)), cbpp = as.list(fixef(lme4::glmer(
    cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)))
))
"""
)
#: Half a unit of the last digit that the lectures print, with the room of float arithmetic.
HALF = 0.5000001


def printed(value: float, text: str) -> bool:
    """True where `value` rounds to what a lecture printed."""
    decimals = len(text.split(".")[1]) if "." in text else 0
    return abs(value - float(text)) <= HALF * 10.0**-decimals


@pytest.fixture(scope="module")
def r() -> Any:
    return native(CODE)


@pytest.fixture(scope="module")
def g1(d: pd.DataFrame) -> Any:
    return mlm.lmer("gpa ~ 1 + ses + clubs + (1 | schoolnr)", d, reml=False)


@pytest.fixture(scope="module")
def g2(d: pd.DataFrame) -> Any:
    return mlm.lmer("gpa ~ 1 + ses + clubs + ses*clubs + (1 + ses | schoolnr)", d, reml=False)


@pytest.fixture(scope="module")
def mep(course: Path) -> pd.DataFrame:
    return pd.read_csv(course / "data" / "hermansen_mep.csv")


@pytest.fixture(scope="module")
def g3(mep: pd.DataFrame) -> Any:
    return mlm.lmer("y ~ x + (1 | Nationality)", mep)


@pytest.fixture(scope="module")
def g4(mep: pd.DataFrame) -> Any:
    return mlm.lmer("y ~ x + z + (1 | Nationality)", mep)


def sds(m: Any) -> tuple[Any, list[str]]:
    frame = m.varcorr().to_frame()
    return frame["sdcor"].to_numpy(), list(frame["grp"])


def test_row_1_two_level_nested(g1):
    assert g1.nobs == 2287
    assert g1.ngroups == {"schoolnr": 131}


def test_row_2_panel_data_are_occasions_in_persons(r):
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    assert_close(m.fixef().to_numpy(), list(r["panel"].values()), SAME_FIT)
    assert m.ngroups == {"Subject": 18}


def test_row_6_cross_classified_scotland(r):
    m = mlm.lmer(
        "attain ~ sex + (1 | primary) + (1 | second)", mlm.load_dataset("mlmRev::ScotsSec")
    )
    values, groups = sds(m)
    assert groups == r["crossed"]["grp"] == ["primary", "second", "Residual"]
    assert_close(values, r["crossed"]["sd"], SAME_FIT)
    assert np.round(values**2, 4).tolist() == [1.1096, 0.3697, 8.0551]


def test_row_6_cross_classified_penicillin(r):
    data = mlm.load_dataset("Penicillin")
    values, _ = sds(mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", data))
    assert_close(values, r["penicillin"]["sd"], SAME_FIT)
    assert np.round(values**2, 4).tolist() == [0.7169, 3.7311, 0.3024]


def test_row_8_three_levels(r):
    m = mlm.lmer("strength ~ 1 + (1 | batch/cask)", mlm.load_dataset("Pastes"))
    values, groups = sds(m)
    assert groups == ["cask:batch", "batch", "Residual"]
    assert_close(values, r["pastes"]["sd"], SAME_FIT)
    assert np.round(values**2, 3).tolist() == [8.434, 1.657, 0.678]


def test_row_14_random_intercept_mep(g3):
    f = g3.summary(ddf=None).fixed.to_frame()
    shown = {
        ("(Intercept)", "estimate"): "2.6799", ("(Intercept)", "std_error"): "0.3386",
        ("(Intercept)", "statistic"): "7.915", ("x", "estimate"): "-1.6722",
        ("x", "std_error"): "0.1678", ("x", "statistic"): "-9.965",
    }  # fmt: skip
    assert {k: printed(f.loc[k], t) for k, t in shown.items()} == dict.fromkeys(shown, True)
    vc = g3.varcorr()
    assert printed(vc.variance("Nationality"), "3.125")
    assert printed(vc.variance("Residual"), "5.240")
    assert (g3.nobs, g3.ngroups) == (6948, {"Nationality": 28})


def test_row_15_level_two_predictor_mep(g4):
    f = g4.summary(ddf=None).fixed.to_frame()
    shown = {"(Intercept)": ("2.5268", "0.6030", "4.191"), "x": ("-1.6719", "0.1678", "-9.962"),
             "z": ("0.2263", "0.7311", "0.310")}  # fmt: skip
    for term, texts in shown.items():
        for column, text in zip(("estimate", "std_error", "statistic"), texts, strict=True):
            assert printed(f.loc[term, column], text), (term, column)
    assert printed(g4.varcorr().variance("Nationality"), "3.235")


def test_row_15_level_two_predictor_gpa(g1):
    f = g1.summary(ddf=None).fixed.to_frame()
    shown = {"(Intercept)": ("-0.03505", "0.04236", "-0.827"),
             "ses": ("0.35741", "0.02104", "16.985"),
             "clubs": ("0.07877", "0.04330", "1.819")}  # fmt: skip
    for term, texts in shown.items():
        for column, text in zip(("estimate", "std_error", "statistic"), texts, strict=True):
            assert printed(f.loc[term, column], text), (term, column)
    vc = g1.varcorr().to_frame()
    assert printed(vc["vcov"][0], "0.1851")
    assert printed(vc["vcov"][1], "0.7030")
    assert printed(vc["sdcor"][0], "0.4303")
    assert printed(vc["sdcor"][1], "0.8385")


def test_row_16_varying_slope_gpa(g2):
    vc = g2.varcorr()
    m = vc.matrix("schoolnr").to_numpy()
    assert printed(m[0, 0], "0.173597")
    assert printed(m[1, 1], "0.007341")
    assert printed(np.sqrt(m[0, 0]), "0.41665")
    assert printed(np.sqrt(m[1, 1]), "0.08568")
    assert printed(m[0, 1] / np.sqrt(m[0, 0] * m[1, 1]), "-0.79")
    assert printed(vc.variance("Residual"), "0.696968")


def test_row_16_varying_slope_mep(mep):
    m = mlm.lmer("y ~ x + (ProxNatElection | Nationality)", mep)
    fixed = m.fixef()
    modes = m.ranef()["Nationality"]
    assert printed(fixed["(Intercept)"], "2.513035")
    assert printed(fixed["x"], "-1.691321")
    # The printed modes are those of another platform's last digits of the same optimum.
    assert modes.loc["Austria"].to_numpy() == pytest.approx(
        [-0.3201686, 0.001073577], rel=FLAT_CRITERION
    )
    assert modes.loc["Belgium"].to_numpy() == pytest.approx(
        [-1.3944093, -0.018299157], rel=FLAT_CRITERION
    )
    assert modes.loc["Bulgaria"].to_numpy() == pytest.approx(
        [1.8027887, 0.086786758], rel=FLAT_CRITERION
    )


def test_row_17_random_slope_only(d, r):
    values, _ = sds(mlm.lmer("gpa ~ ses + (0 + ses | schoolnr)", d, reml=False))
    assert_close(values, r["slope_only"]["sd"], OPTIMIZED)


def test_row_17_uncorrelated(d, r):
    m = mlm.lmer("gpa ~ ses + (1 | schoolnr) + (0 + ses | schoolnr)", d, reml=False)
    values, groups = sds(m)
    assert_close(values, r["uncorrelated"]["sd"], OPTIMIZED)
    assert groups == r["uncorrelated"]["grp"]


def test_row_18_cross_level_interaction(d):
    m = mlm.lmer(
        "gpa ~ ses*clubs + (1 + ses | schoolnr)", d, reml=False, control={"optimizer": "bobyqa"}
    )
    row = m.summary(ddf="asymptotic").fixed.to_frame().loc["ses:clubs"]
    # Stata's optimum and bobyqa's agree to the sixth decimal here.
    assert row["estimate"] == pytest.approx(-0.0611543, abs=half_unit(6))
    assert row["std_error"] == pytest.approx(0.0222428, abs=half_unit(6))
    assert printed(row["statistic"], "-2.75")
    assert printed(row["p_value"], "0.006")


def test_row_19_systematically_varying_slope(d, r):
    m = mlm.lmer("gpa ~ ses*clubs + (1 | schoolnr)", d, reml=False)
    assert_close(m.fixef().to_numpy(), list(r["systematic"].values()), OPTIMIZED)
    assert len(m.varcorr().to_frame()) == 2


def test_row_27_generalised_model(r):
    m = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp"),
        family="binomial",
    )  # fmt: skip
    assert_close(m.fixef().to_numpy(), list(r["cbpp"].values()), SAME_FIT)


def test_row_56_correlation_of_fixed_effects(g3, g4):
    assert printed(g3.summary(ddf=None).correlation[1, 0], "-0.117")
    c = g4.summary(ddf=None).correlation
    assert printed(c[1, 0], "-0.077")
    assert printed(c[2, 0], "-0.821")
    assert printed(c[2, 1], "0.013")


def test_row_57_scaled_residuals(g3, g4):
    for m, texts in (
        (g3, ("-3.1127", "-0.5387", "-0.1435", "0.3598", "15.2357")),
        (g4, ("-3.1145", "-0.5388", "-0.1434", "0.3599", "15.2339")),
    ):
        values = m.summary(ddf=None).scaled_residuals
        assert all(printed(x, t) for x, t in zip(values, texts, strict=True))


def test_row_58_hand_predictions(g3, mep):
    at = pd.DataFrame({"x": [0.0, 0.1], "Nationality": "Austria"})
    # 2.68 + −0.5 and 2.68 + −0.5 + −1.67 × 0.1
    assert np.round(g3.predict(at).to_numpy(), 2).tolist() == [2.18, 2.02]
    m = mlm.lmer("y ~ x + (ProxNatElection | Nationality)", mep)
    at = pd.DataFrame({"x": 0.0, "ProxNatElection": [-4.0, 0.0], "Nationality": "Austria"})
    assert np.round(m.predict(at).to_numpy(), 3).tolist() == [2.189, 2.193]
    at = at.assign(Nationality="Belgium")
    assert np.diff(m.predict(at))[0] == pytest.approx(-0.073, abs=half_unit(3))


def test_row_60_61_degrees_of_freedom(d):
    m = mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", d)
    satterthwaite = m.summary(ddf="Satterthwaite").fixed.df
    kenward_roger = m.summary(ddf="Kenward-Roger").fixed
    plain = m.summary(ddf=None).fixed
    # Level 1 like the rows, level 2 like the schools; KR's errors are the larger ones.
    assert satterthwaite[1] > 2000
    assert np.all(satterthwaite[[0, 2]] < 140)
    assert np.all(kenward_roger.std_error >= plain.std_error)
    with pytest.raises(NotSupportedError, match="reml=True"):
        m.update(reml=False).summary(ddf="Kenward-Roger")


def test_row_64_minus_two_log_likelihood(g1, g3, g4):
    assert printed(g3.reml_criterion, "31355.2")
    assert printed(g4.reml_criterion, "31353.9")
    assert printed(g3.loglik, "-15677.61")
    assert g1.deviance == pytest.approx(-2 * g1.loglik, rel=ROUND_TRIP)


def test_row_65_likelihood_ratio_test(d, g1):
    table = mlm.lrt(mlm.lm("gpa ~ ses + clubs", d), g1).to_frame()
    assert printed(table["chisq"].iloc[-1], "272.99")


def test_row_66_mixture_of_chi_squares(d, g1):
    table = mlm.lrt(mlm.lm("gpa ~ ses + clubs", d), g1).to_frame().iloc[-1]
    assert table["p_value_boundary"] == pytest.approx(table["p_value"] / 2, rel=ROUND_TRIP)
    without = mlm.lmer("gpa ~ ses*clubs + (1 | schoolnr)", d, reml=False)
    slope = mlm.lmer(
        "gpa ~ ses*clubs + (1 + ses | schoolnr)", d, reml=False, control={"optimizer": "bobyqa"}
    )
    row = mlm.lrt(without, slope).to_frame().iloc[-1]
    assert round(row["p_value_boundary"], 5) < round(row["p_value"], 5)
    from scipy.stats import chi2

    mixture = 0.5 * chi2.sf(row["chisq"], 1) + 0.5 * chi2.sf(row["chisq"], 2)
    assert row["p_value_boundary"] == pytest.approx(mixture, rel=ARITHMETIC)


def test_row_67_criteria_of_the_regression_table(g3):
    assert printed(g3.aic, "31363.21")
    assert printed(g3.bic, "31390.60")


def test_row_68_reml_is_ols_where_there_are_no_groups_to_speak_of(d):
    """REML estimates variances as OLS does, ML divides by N: balanced one-way, by hand."""
    data = mlm.load_dataset("Dyestuff")
    reml = mlm.lmer("Yield ~ 1 + (1 | Batch)", data)
    ml = reml.update(reml=False)
    groups = data.groupby("Batch", observed=True)["Yield"]
    between = 5 * groups.mean().var()
    within = groups.var().mean()
    # Balanced ANOVA: τ² = (MSB − MSW) / n; with ML, MSB is divided by J instead of J − 1.
    assert reml.varcorr().variance("Batch") == pytest.approx(
        (between - within) / 5, rel=OTHER_OPTIMIZER
    )
    assert ml.varcorr().variance("Batch") == pytest.approx(
        (between * 5 / 6 - within) / 5, rel=FLAT_CRITERION
    )


def test_row_71_the_lectures_r_output(g3, g1):
    text = g3.summary(ddf=None).text
    for line in (
        "Linear mixed model fit by REML ['lmerMod']",
        "REML criterion at convergence: 31355.2",
        "-3.1127 -0.5387 -0.1435  0.3598 15.2357",
        "Number of obs: 6948, groups:  Nationality, 28",
        "(Intercept)   2.6799     0.3386   7.915",
        "x            -1.6722     0.1678  -9.965",
    ):
        assert " ".join(line.split()) in " ".join(text.split())
    assert "fit by maximum likelihood" in g1.summary(ddf=None).text


def test_row_92_the_glossary_has_the_lectures_synonyms():
    text = (Path(__file__).resolve().parents[2] / "docs" / "glossary.md").read_text("utf-8")
    for name in (
        "Hierarchical linear model", "mixed model", "random coefficients model",
        "intercepts-as-outcomes", "slopes-as-outcomes", "random-effects ANOVA",
        "variance partition coefficient", "Conflated", "convergence", "composite",
        "Cross-classified", "systematically varying", "Restricted", "lincom", "contest1D",
        "varying-intercept", "group-mean centring", "sandwich",
    ):  # fmt: skip
        assert name.casefold() in text.casefold(), name
    # What the first column calls by a function's name is there.
    import re

    for name in re.findall(r"\| `([a-z_0-9]+)` \|", text):
        assert hasattr(mlm, name), name
