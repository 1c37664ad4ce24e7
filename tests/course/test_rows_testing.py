"""Checklist rows 58, 59, 62, 63, 67, 70, 78, 79: tests, rules of comparison."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ComparisonError, NotSupportedError
from tests.course.lecture_data import GPA_IN_R, OPTIMIZED, gpa
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import FLAT_CRITERION, FLAT_TAIL, SAME_PATH

CODE = (
    GPA_IN_R
    + """
m <- lmer(gpa ~ ses + clubs + (1 | schoolnr), d)
ml <- lmer(gpa ~ ses + clubs + (1 | schoolnr), d, REML = FALSE)
sat <- coef(summary(m)); kr <- coef(summary(m, ddf = "Kenward-Roger"))
L <- rbind(c(0, 1, 0), c(0, 0, 1))
wald <- drop(t(L %*% fixef(ml)) %*% solve(L %*% as.matrix(vcov(ml)) %*% t(L)) %*% (L %*% fixef(ml)))
md <- contestMD(m, L); mk <- contestMD(m, L, ddf = "Kenward-Roger")
emit(list(
  sat = list(df = unname(sat[, "df"]), p = unname(sat[, 5])),
  kr = list(se = unname(kr[, 2]), df = unname(kr[, "df"]), p = unname(kr[, 5])),
  z = list(p = unname(2 * pnorm(-abs(sat[, "t value"])))), wald = wald,
  md = unname(unlist(md[c("F value", "NumDF", "DenDF", "Pr(>F)")])),
  mk = unname(unlist(mk[c("F value", "NumDF", "DenDF", "Pr(>F)")])),
  aic = AIC(m), bic = BIC(m), crit = REMLcrit(m)
))
"""
)

CRITICAL = [("asymptotic", math.inf, "1.960"), ("between-within", 20, "2.086")]


@pytest.fixture(scope="module")
def r() -> Any:
    return native(CODE)


@pytest.fixture(scope="module")
def fit(d: pd.DataFrame) -> mlm.LinearMixedModel:
    return mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", d)


@pytest.fixture(scope="module")
def ml(fit: mlm.LinearMixedModel) -> mlm.LinearMixedModel:
    return fit.update(reml=False)


def test_row_58_hand_predictions(course: Path) -> None:
    """S1: 2.68 − 0.5 = 2.18 and 2.02; 2.189 after and 2.193 before an election."""
    mep = pd.read_csv(course / "data" / "hermansen_mep.csv")
    ri = mlm.lmer("y ~ x + (1 | Nationality)", mep)
    new = pd.DataFrame({"x": [0.0, 0.1], "Nationality": "Austria"})
    assert [f"{v:.2f}" for v in ri.predict(new)] == ["2.18", "2.02"]
    rs = mlm.lmer("y ~ x + (ProxNatElection | Nationality)", mep)
    new = pd.DataFrame({"x": 0.0, "ProxNatElection": [-4.0, 0.0], "Nationality": "Austria"})
    after, before = rs.predict(new)
    assert [f"{after:.3f}", f"{before:.3f}", f"{before - after:.3f}"] == ["2.189", "2.193", "0.004"]
    slopes = rs.ranef()["Nationality"]["ProxNatElection"]
    assert f"{4 * slopes['Belgium']:.3f}" == "-0.073"


def test_row_59_between_within_df_are_sas_s(fit: mlm.LinearMixedModel) -> None:
    """Level 2: 131 schools − 2 level-2 effects; level 1: 2287 − 131 − 1."""
    df = mlm.ddf_table(fit).wide("df")["between-within"]
    assert df.to_dict() == {"(Intercept)": 129, "ses": 2155, "clubs": 129}


def test_row_59_every_rule_side_by_side(fit: mlm.LinearMixedModel, r: Any) -> None:
    table = mlm.ddf_table(fit)
    df, p, se = table.wide("df"), table.wide("p_value"), table.wide("std_error")
    assert list(df.columns) == [
        "asymptotic", "residual", "between-within", "Satterthwaite", "Kenward-Roger",
    ]  # fmt: skip
    assert_close(df["Satterthwaite"], r["sat"]["df"], FLAT_CRITERION)
    assert_close(p["Satterthwaite"], r["sat"]["p"], FLAT_TAIL)
    assert_close(df["Kenward-Roger"], r["kr"]["df"], FLAT_CRITERION)
    assert_close(se["Kenward-Roger"], r["kr"]["se"], OPTIMIZED)
    assert_close(p["Kenward-Roger"], r["kr"]["p"], FLAT_TAIL)
    assert set(df["residual"]) == {2284.0}
    assert np.isinf(df["asymptotic"]).all()
    assert table.notes == {}


def test_row_59_kenward_roger_of_an_ml_fit_is_nan_with_the_reason(
    ml: mlm.LinearMixedModel,
) -> None:
    table = mlm.ddf_table(ml)
    assert table.wide("df")["Kenward-Roger"].isna().all()
    assert "REML" in table.notes["Kenward-Roger"]
    assert table.wide("df")["Satterthwaite"].notna().all()


def test_row_59_crossed_factors_have_no_between_within_df() -> None:
    m = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)",
                 mlm.load_dataset("lme4::Penicillin"))  # fmt: skip
    table = mlm.ddf_table(m)
    assert "crossed" in table.notes["between-within"]
    assert table.wide("df").loc["(Intercept)", "Satterthwaite"] > 0


def test_row_62_z_tests_are_stata_s(ml: Any, fit: Any, r: Any) -> None:
    table = mlm.ddf_table(ml).to_frame()
    z = table[table["ddf"] == "asymptotic"]
    assert [f"{x:.2f}" for x in z["statistic"]] == ["-0.83", "16.99", "1.82"]
    assert [f"{x:.3f}" for x in z["p_value"]] == ["0.408", "0.000", "0.069"]
    assert_close(z["chisq"], z["statistic"] ** 2)
    assert_close(mlm.ddf_table(fit).wide("p_value")["asymptotic"], r["z"]["p"], FLAT_TAIL)


@pytest.mark.parametrize(("ddf", "df", "critical"), CRITICAL)
def test_row_62_critical_values(ddf: str, df: float, critical: str) -> None:
    """Half of a 95 % interval, in standard errors; 22 schools, one predictor of theirs: 20 df."""
    few = gpa().query("schoolnr in schoolnr.unique()[:22]")
    test = mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", few).contest("clubs = 0", ddf=ddf)
    assert test.df[0] == df
    assert f"{(test.conf_high[0] - test.estimate[0]) / test.std_error[0]:.3f}" == critical


def test_row_63_joint_chi2(ml: mlm.LinearMixedModel, r: Any) -> None:
    found = mlm.joint_wald(ml, ["ses", "clubs"]).to_frame()
    assert f"{found.loc['asymptotic', 'statistic']:.2f}" == "320.68"
    assert_close(found.loc["asymptotic", "statistic"], r["wald"], OPTIMIZED)
    assert found.loc["asymptotic", "num_df"] == 2


def test_row_63_joint_f(fit: mlm.LinearMixedModel, r: Any) -> None:
    found = mlm.joint_wald(fit, ["ses", "clubs"]).to_frame()
    columns = ["statistic", "num_df", "den_df", "p_value"]
    # p-values of 1e-45 move with the 5th digit of F.
    assert_close(found.loc["Satterthwaite", columns[:3]].astype(float), r["md"][:3], FLAT_CRITERION)
    assert_close(found.loc["Kenward-Roger", columns[:3]].astype(float), r["mk"][:3], FLAT_CRITERION)
    assert found.loc["between-within", "den_df"] == 129
    assert found.loc["residual", "den_df"] == 2284


def test_row_67_flavours(sleepstudy: pd.DataFrame) -> None:
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    by_r, by_sas = (mlm.information_criteria(m, flavour=f) for f in ("R", "SAS"))
    assert (f"{by_r.aic:.2f}", f"{by_sas.aic:.2f}") == ("1755.63", "1751.63")
    assert (by_r.npar, by_sas.npar) == (6, 4)
    assert_close([by_r.aic, by_r.bic], [m.aic, m.bic])
    groups = mlm.information_criteria(m, flavour="SAS", n="groups")
    assert_close(groups.bic, groups.minus_2ll + math.log(18) * 4)
    by_ml = m.update(reml=False)
    assert mlm.information_criteria(by_ml, flavour="SAS").aic == pytest.approx(by_ml.aic)


def test_row_67_r_s_numbers(fit: mlm.LinearMixedModel, r: Any) -> None:
    found = mlm.information_criteria(fit)
    assert_close(
        [found.aic, found.bic, found.minus_2ll], [r["aic"], r["bic"], r["crit"]], SAME_PATH
    )


def test_row_67_hermansen(course: Path) -> None:
    mep = pd.read_csv(course / "data" / "hermansen_mep.csv")
    found = mlm.information_criteria(mlm.lmer("y ~ x + (1 | Nationality)", mep))
    assert (f"{found.aic:.2f}", f"{found.bic:.2f}") == ("31363.21", "31390.60")


def test_row_70_there_is_no_wald_test_of_a_variance(fit: mlm.LinearMixedModel) -> None:
    with pytest.raises(NotSupportedError, match=r"cannot be negative.*pymlm\.lrt"):
        mlm.wald_variance_test(fit, "schoolnr")


# --- rows 78, 79: S4's table, cell by cell --------------------------------------------------------


def rules(a: mlm.LinearMixedModel, b: mlm.LinearMixedModel) -> dict[str, Any]:
    found = mlm.compare_rules(a, b)
    names = ("differ_in", "nested", "lrt", "wald", "criteria", "boundary", "refit")
    return {n: getattr(found, n) for n in names}


@pytest.fixture(scope="module")
def models(d: pd.DataFrame) -> dict[str, mlm.LinearMixedModel]:
    formulas = {
        "ri": "gpa ~ ses + (1 | schoolnr)",
        "ri2": "gpa ~ ses + clubs + (1 | schoolnr)",
        "other": "gpa ~ clubs + (1 | schoolnr)",
        "rs": "gpa ~ ses + (1 + ses | schoolnr)",
        "rs2": "gpa ~ ses + clubs + (1 + ses | schoolnr)",
        "class": "gpa ~ ses + (1 | k)",
        "shifted": "gpa ~ I(ses + 1) + (1 | schoolnr)",
    }
    data = d.assign(k=np.arange(len(d)) // 9)
    return {k: mlm.lmer(f, data) for k, f in formulas.items()}


def test_row_79_nested_means(models: dict[str, Any]) -> None:
    reml = rules(models["ri"], models["ri2"])
    assert reml == {"differ_in": "means", "nested": True, "lrt": False, "wald": True,
                    "criteria": False, "boundary": False, "refit": "ML"}  # fmt: skip
    by_ml = rules(models["ri"].update(reml=False), models["ri2"].update(reml=False))
    assert by_ml == reml | {"lrt": True, "criteria": True, "refit": None}


def test_row_79_nested_variances(models: dict[str, Any]) -> None:
    reml = rules(models["ri"], models["rs"])
    assert reml == {"differ_in": "variances", "nested": True, "lrt": True, "wald": False,
                    "criteria": True, "boundary": True, "refit": None}  # fmt: skip
    by_ml = mlm.compare_rules(models["ri"].update(reml=False), models["rs"].update(reml=False))
    assert by_ml.lrt
    assert by_ml.refit == "REML"
    assert any("ML is fine" in text for text in by_ml.reasons)


def test_row_79_nested_both(models: dict[str, Any]) -> None:
    reml = rules(models["ri"], models["rs2"])
    assert reml == {"differ_in": "both", "nested": True, "lrt": False, "wald": False,
                    "criteria": False, "boundary": True, "refit": "ML"}  # fmt: skip
    by_ml = rules(models["ri"].update(reml=False), models["rs2"].update(reml=False))
    assert by_ml["lrt"]
    assert by_ml["criteria"]


def test_row_79_not_nested(models: dict[str, Any]) -> None:
    means = rules(models["ri"], models["other"])
    assert (means["differ_in"], means["nested"], means["criteria"]) == ("means", False, False)
    by_ml = rules(models["ri"].update(reml=False), models["other"].update(reml=False))
    assert (by_ml["lrt"], by_ml["wald"], by_ml["criteria"]) == (False, False, True)
    variances = rules(models["ri"], models["class"])
    assert variances == {"differ_in": "variances", "nested": False, "lrt": False, "wald": False,
                         "criteria": True, "boundary": False, "refit": None}  # fmt: skip


def test_row_79_same_sample(models: dict[str, Any], d: pd.DataFrame) -> None:
    with pytest.raises(ComparisonError, match="same"):
        mlm.compare_rules(models["ri"], mlm.lmer("gpa ~ ses + (1 | schoolnr)", d.iloc[5:]))


def test_row_79_one_reml_one_ml(models: dict[str, Any]) -> None:
    found = mlm.compare_rules(models["ri"], models["rs"].update(reml=False))
    assert (found.lrt, found.criteria, found.refit) == (False, False, "REML")
    assert found.estimation == ("REML", "ML")


def test_row_79_other_columns_change_the_reml_criterion(models: dict[str, Any]) -> None:
    same = mlm.compare_rules(models["ri"], models["shifted"])
    assert same.differ_in == "nothing"
    with_slope = mlm.compare_rules(models["shifted"], models["rs"])
    assert with_slope.differ_in == "variances"
    assert not with_slope.lrt
    assert any("other columns" in text for text in with_slope.reasons)


def test_row_78_fixed_effects_may_be_tested_by_wald_in_ml_or_reml(models: dict[str, Any]) -> None:
    for a, b in ((models["ri"], models["ri2"]),
                 (models["ri"].update(reml=False), models["ri2"].update(reml=False))):  # fmt: skip
        assert mlm.compare_rules(a, b).wald
    variances = mlm.compare_rules(models["ri"], models["rs"])
    assert not variances.wald
    assert "no Wald p-value" in str(variances)


def test_row_79_fewer_means_and_more_variances_is_not_nested() -> None:
    d = mlm.load_dataset("sleepstudy")
    more_means = mlm.lmer("Reaction ~ Days + (1 | Subject)", d, reml=False)
    more_variances = mlm.lmer("Reaction ~ 1 + (Days | Subject)", d, reml=False)
    for pair in ((more_means, more_variances), (more_variances, more_means)):
        rules = mlm.compare_rules(*pair)
        assert (rules.differ_in, rules.nested, rules.lrt, rules.criteria) == (
            "both", False, False, True,
        )  # fmt: skip


def test_row_79_same_rows_in_another_order_and_other_weights() -> None:
    d = mlm.load_dataset("sleepstudy").assign(w=np.linspace(1, 2, 180))
    a = mlm.lmer("Reaction ~ Days + (1 | Subject)", d)
    b = mlm.lmer("Reaction ~ Days + (Days | Subject)", d.sample(frac=1, random_state=1))
    assert mlm.compare_rules(a, b).differ_in == "variances"
    assert mlm.pseudo_r2(a, b).pseudo_r2[-1] > 0
    for other in (a.update(weights="w"), a.update(". ~ . + offset(w)")):
        with pytest.raises(ComparisonError, match=r"different (weights|offset)"):
            mlm.compare_rules(a, other)


# --- kinds of models ------------------------------------------------------------------------------


def test_generalized_models_are_refused_where_linear_ones_are_meant() -> None:
    m = mlm.glmer("incidence ~ period + (1 | herd)", mlm.load_dataset("lme4::cbpp"),
                  family="poisson")  # fmt: skip
    for function in (mlm.ddf_table, mlm.check_assumptions):
        with pytest.raises(NotSupportedError):
            function(m)
    with pytest.raises(NotSupportedError):
        mlm.compare_rules(m, m)
    with pytest.raises(NotSupportedError):
        mlm.joint_wald(m, ["period2"])
