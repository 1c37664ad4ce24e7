"""Checklist rows 9 to 13, 20 to 22, 26, 40, 41, 73, 80, 82: what is not yet a multilevel model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, DataError, FormulaError, NotSupportedError
from tests.course.lecture_data import GPA_IN_R, OPTIMIZED, SAME_FIT
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import BY_HAND, FLAT_CRITERION, OTHER_OPTIMIZER, REOPTIMIZED, SAME_PATH

CODE = (
    GPA_IN_R
    + """
suppressMessages({library(plm); library(sandwich); library(clubSandwich); library(geepack)})
l <- lm(gpa ~ ses + clubs, d)
m <- lme4::lmer(gpa ~ ses + clubs + (1 | schoolnr), d)
means <- aggregate(cbind(gpa, ses) ~ schoolnr, d, mean)
panel <- function(model) {
  s <- coef(summary(plm(gpa ~ ses + clubs, d, index = "schoolnr", model = model)))
  list(term = rownames(s), b = unname(s[, 1]), se = unname(s[, 2]), p = unname(s[, 4]))
}
hc <- function(type) unname(sqrt(diag(vcovCL(l, cluster = d$schoolnr, type = type))))
cr <- function(model, type) {
  v <- vcovCR(model, type = type, cluster = d$schoolnr)
  t <- coef_test(model, vcov = v, test = "Satterthwaite")
  list(se = t$SE, df = t$df_Satt, p = t$p_Satt, text = paste(capture.output(t), collapse = "\n"))
}
o <- d[order(as.integer(d$schoolnr)), ]
gee <- function(corstr) {
  s <- summary(geeglm(gpa ~ ses + clubs, data = o, id = schoolnr, corstr = corstr))
  list(b = s$coefficients[, 1], se = s$coefficients[, 2], p = s$coefficients[, 4],
       alpha = s$corr[["Estimate"]], scale = s$dispersion[["Estimate"]])
}
h <- phtest(plm(gpa ~ ses, d, index = "schoolnr", model = "within"),
            plm(gpa ~ ses, d, index = "schoolnr", model = "random"))
random <- plm(gpa ~ ses + clubs, d, index = "schoolnr", model = "random")
data <- d
shown <- plm(gpa ~ ses + clubs, data = data, index = "schoolnr", model = "random")
dummies <- summary(lm(gpa ~ ses + schoolnr, d))$coefficients["ses", 1:2]
emit(list(
  means = list(gpa = means$gpa, ses = means$ses, b = unname(coef(lm(gpa ~ ses, means)))),
  ols = unname(summary(l)$coefficients[, 2]), dummies = unname(dummies),
  within = panel("within"), between = panel("between"), random = panel("random"),
  pooling = panel("pooling"), sigma = unname(sqrt(random$ercomp$sigma2[c("id", "idios")])),
  printed = paste(capture.output(print(summary(shown))), collapse = "\\n"),
  HC0 = hc("HC0"), HC1 = hc("HC1"), HC2 = hc("HC2"), HC3 = hc("HC3"),
  lm0 = cr(l, "CR0"), lm1 = cr(l, "CR1"), lm2 = cr(l, "CR2"), lm3 = cr(l, "CR3"),
  lmer2 = cr(m, "CR2"), lmer3 = cr(m, "CR3"),
  exchangeable = gee("exchangeable"), independence = gee("independence"), ar1 = gee("ar1"),
  hausman = list(chisq = unname(h$statistic), df = unname(h$parameter), p = unname(h$p.value))
))
"""
)


@pytest.fixture(scope="module")
def r() -> Any:
    return native(CODE)


@pytest.fixture(scope="module")
def ols(d: pd.DataFrame) -> mlm.LinearModel:
    return mlm.lm("gpa ~ ses + clubs", d)


@pytest.fixture(scope="module")
def fit(d: pd.DataFrame) -> mlm.LinearMixedModel:
    return mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", d)


def test_row_09_aggregation(d: pd.DataFrame, r: Any) -> None:
    found = mlm.aggregate(d, by="schoolnr", columns=["gpa", "ses"])
    assert found["n"].sum() == 2287
    expected = d.groupby("schoolnr", observed=True)[["gpa", "ses"]].mean()
    assert_close(found["gpa"], expected.loc[found["schoolnr"], "gpa"])
    assert_close(sorted(found["ses"]), sorted(r["means"]["ses"]), SAME_FIT)
    slope = mlm.lm("gpa ~ ses", found).summary().fixed
    assert_close(slope.estimate, r["means"]["b"], SAME_FIT)
    assert slope.estimate[1] > mlm.panel("gpa ~ ses", d, "schoolnr").fixed.estimate[0] + 0.05


def test_row_10_disaggregation_understates_the_error_of_a_level_2_slope(
    d: pd.DataFrame, fit: mlm.LinearMixedModel, ols: mlm.LinearModel, r: Any
) -> None:
    naive = ols.summary().fixed
    assert_close(naive.std_error, r["ols"], SAME_FIT)
    assert naive.std_error[2] < 0.55 * fit.summary().fixed.std_error[2]


def test_row_11_one_random_row_per_group(d: pd.DataFrame) -> None:
    one = mlm.one_per_group(d, by="schoolnr", seed=1)
    assert len(one) == 131
    assert one["schoolnr"].is_unique
    pd.testing.assert_frame_equal(one, d.loc[one.index])
    assert not one.index.equals(mlm.one_per_group(d, by="schoolnr", seed=2).index)
    # Every row of a group is drawn equally often.
    small = pd.DataFrame({"g": ["a"] * 3 + ["b"], "x": range(4)})
    draws = [mlm.one_per_group(small, by="g", seed=s)["x"].iloc[0] for s in range(300)]
    counts = np.bincount(draws, minlength=3)
    assert counts.min() > 60  # 100 expected; 60 is 5 standard deviations below


def test_row_12_empty_single_level_model_is_mean_and_sample_variance() -> None:
    y = pd.DataFrame({"y": [32.0, 90.0, 148.0]})
    m = mlm.lm("y ~ 1", y)
    assert_close(m.summary().fixed.estimate, [90.0])
    assert_close(m.residuals().iloc[0], -58.0)  # 32 = 90 + (-58)
    assert_close(m.summary().sigma ** 2, ((y["y"] - 90) ** 2).sum() / (3 - 1))


def test_row_13_random_effects_anova_has_three_parameters(d: pd.DataFrame) -> None:
    reml = mlm.lmer("gpa ~ 1 + (1 | schoolnr)", d)
    ml = mlm.lmer("gpa ~ 1 + (1 | schoolnr)", d, reml=False)
    assert reml.npar == 3
    assert round(float(mlm.icc(reml, ci=None)), 4) == 0.2332
    assert round(float(mlm.icc(ml, ci=None)), 4) == 0.2313


def test_row_20_cluster_dummies_give_the_within_slope(d: pd.DataFrame, r: Any) -> None:
    within = mlm.panel("gpa ~ ses", d, by="schoolnr", model="within").fixed
    assert_close([within.estimate[0], within.std_error[0]], r["dummies"], SAME_FIT)
    hybrid = mlm.within_between("gpa", d, x="ses", by="schoolnr")
    assert_close(hybrid.row("within: ses")["estimate"], within.estimate[0], BY_HAND)
    some = d[d["schoolnr"].isin(d["schoolnr"].unique()[:3])].copy()  # a slope per cluster
    some["schoolnr"] = some["schoolnr"].cat.remove_unused_categories()
    slopes = mlm.lm("gpa ~ ses * schoolnr", some).summary().fixed
    assert sum(t.startswith("ses:schoolnr") for t in slopes.term) == 2


def test_row_21_pooled_and_partial_pooling_side_by_side(d: pd.DataFrame, r: Any) -> None:
    table = mlm.compare_alternatives("gpa ~ ses + clubs", d, by="schoolnr", seed=1)
    wide = table.wide("estimate")
    assert_close(wide["disaggregated"], r["pooling"]["b"], SAME_FIT)
    assert_close(wide["multilevel"]["ses"], 0.3574651, REOPTIMIZED)  # lme4, REML
    assert np.isnan(wide.loc["clubs", "within"])  # a level-2 slope has no within part


def test_row_22_within_model(d: pd.DataFrame, r: Any) -> None:
    found = mlm.panel("gpa ~ ses + clubs", d, by="schoolnr", model="within")
    assert found.fixed.term == ("ses",)
    assert round(float(found.fixed.estimate[0]), 7) == 0.3598268
    assert round(float(found.fixed.std_error[0]), 7) == 0.0214048
    assert_close(found.fixed.p_value, r["within"]["p"], REOPTIMIZED)


@pytest.mark.parametrize("model", ["within", "between", "random", "pooling"])
def test_panel_estimators_against_plm(d: pd.DataFrame, r: Any, model: str) -> None:
    found = mlm.panel("gpa ~ ses + clubs", d, by="schoolnr", model=model).fixed
    theirs = r[model]
    assert list(found.term) == np.atleast_1d(theirs["term"]).tolist()
    assert_close(found.estimate, theirs["b"], SAME_FIT)
    assert_close(found.std_error, theirs["se"], SAME_FIT)
    assert found.p_value is not None
    assert_close(found.p_value, theirs["p"], REOPTIMIZED)


def test_row_26_gee_of_one_group_is_refused(d: pd.DataFrame) -> None:
    """geepack prints standard errors of 1e-8 and p-values of 0 for it."""
    with pytest.raises(DataError, match="all rows are in one 'schoolnr'"):
        mlm.gee("gpa ~ ses", d[d["schoolnr"] == d["schoolnr"].iloc[0]], by="schoolnr")


@pytest.mark.parametrize("corstr", ["exchangeable", "ar1"])
def test_row_26_gee_of_clusters_of_one_row(corstr: str) -> None:
    """geepack counts the pairs of the cluster before: alpha's error hung on the order."""
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(20), np.arange(20) % 4 + 1)
    e = pd.DataFrame({"g": g, "x": rng.normal(size=len(g))})
    e["y"] = e["x"] + rng.normal(size=20)[g] + rng.normal(size=len(g))
    alone_first = e.assign(alone=e.groupby("g")["x"].transform("size")).sort_values(
        by="alone", key=lambda n: n > 1, kind="stable"
    )
    theirs = native(f"""
      suppressMessages(library(geepack))
      d <- data.frame(y = c({",".join(map(repr, alone_first["y"].tolist()))}),
                      x = c({",".join(map(repr, alone_first["x"].tolist()))}),
                      g = c({",".join(map(str, alone_first["g"]))}))
      s <- summary(geeglm(y ~ x, data = d, id = g, corstr = "{corstr}"))
      emit(list(se = coef(s)[, 2], alpha = unname(unlist(s$corr))))
    """)
    turned = e.assign(g=19 - e["g"])
    for data in (e, turned):
        found = mlm.gee("y ~ x", data, by="g", corstr=corstr)
        assert_close(found.fixed.std_error, theirs["se"])
        assert_close([found.alpha[0], found.alpha_std_error[0]], theirs["alpha"])


def test_row_26_gee_whatever_the_order_of_rows(d: pd.DataFrame, r: Any) -> None:
    shuffled = d.sample(frac=1, random_state=3)
    for corstr in ("exchangeable", "independence"):
        found = mlm.gee("gpa ~ ses + clubs", shuffled, by="schoolnr", corstr=corstr)
        theirs = r[corstr]
        # geepack iterates to 1e-4 by its default; the order of clusters is not that of R's factor.
        assert_close(found.fixed.estimate, theirs["b"], OPTIMIZED)
        assert_close(found.fixed.std_error, theirs["se"], OPTIMIZED)
        assert_close(found.scale, theirs["scale"], OPTIMIZED)
    assert found.n_clusters == 131
    assert found.max_cluster == 35
    ordered = mlm.gee("gpa ~ ses + clubs", d, by="schoolnr", corstr="ar1")
    assert_close(ordered.alpha, r["ar1"]["alpha"], FLAT_CRITERION)
    assert "Correlation structure = ar1" in str(ordered)


@pytest.mark.parametrize("type", ["HC0", "HC1", "HC2", "HC3"])
def test_row_40_cluster_robust_errors_of_ols(ols: mlm.LinearModel, r: Any, type: str) -> None:
    found = mlm.cluster_robust(ols, by="schoolnr", type=type)
    assert_close(found.std_error, r[type], SAME_FIT)
    assert found.df is not None
    assert set(found.df) == {130.0}
    if type == "HC1":  # what Stata and statsmodels call cluster-robust
        assert np.round(found.std_error, 6).tolist() == [0.040688, 0.025081, 0.041895]


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_row_40_club_sandwich_with_satterthwaite_df(
    ols: mlm.LinearModel, r: Any, number: int
) -> None:
    found = mlm.cluster_robust(ols, by="schoolnr", type=f"CR{number}")
    theirs = r[f"lm{number}"]
    assert_close(found.std_error, theirs["se"], SAME_FIT)
    assert_close(found.df, theirs["df"], SAME_PATH)
    assert_close(found.p_value, theirs["p"], OTHER_OPTIMIZER)
    assert_close(np.sqrt(np.diag(found.vcov)), found.std_error)
    # The intercept is 0 but for rounding, which prints as another 1e-15 each time.
    ours, text = (
        [line for line in x.splitlines()[1:] if "(Intercept)" not in line]
        for x in (str(found), theirs["text"])
    )
    assert ours == text
    assert len(ours) >= 2


@pytest.mark.parametrize("type", ["CR2", "CR3"])
def test_row_41_cluster_robust_errors_of_a_multilevel_model(
    fit: mlm.LinearMixedModel, r: Any, type: str
) -> None:
    found = mlm.cluster_robust(fit, type=type)
    theirs = r["lmer" + type[-1]]
    assert_close(found.std_error, theirs["se"], OPTIMIZED)
    assert_close(found.df, theirs["df"], FLAT_CRITERION)
    assert_close(mlm.cluster_robust(fit, by="schoolnr", type=type).df, found.df)


def test_row_41_sandwich_has_no_method_for_lmer(fit: mlm.LinearMixedModel) -> None:
    with pytest.raises(NotSupportedError, match="estfun"):
        mlm.cluster_robust(fit, by="schoolnr", type="HC1")
    assert fit.nobs == 2287  # R is usable


def test_row_73_xtreg_re(d: pd.DataFrame, r: Any) -> None:
    found = mlm.panel("gpa ~ ses + clubs", d, by="schoolnr", model="random")
    at = found.fixed.term.index("ses")
    assert f"{found.fixed.estimate[at]:.5f}" == "0.35720"
    assert f"{found.fixed.std_error[at]:.5f}" == "0.02107"
    assert found.fixed.statistic_name == "z"
    assert_close([found.sigma_u, found.sigma_e], r["sigma"], SAME_FIT)
    assert_close(
        found.rho, r["sigma"][0] ** 2 / (r["sigma"][0] ** 2 + r["sigma"][1] ** 2), SAME_PATH
    )


def test_row_73_prints_what_plm_prints(d: pd.DataFrame, r: Any) -> None:
    assert str(mlm.panel("gpa ~ ses + clubs", d, by="schoolnr", model="random")) == r["printed"]


def test_hausman(d: pd.DataFrame, r: Any) -> None:
    found = mlm.hausman("gpa ~ ses", d, by="schoolnr")
    assert_close([found.chisq, found.df, found.p_value], list(r["hausman"].values()), REOPTIMIZED)
    assert set(found.within) == {"ses"}


def test_row_80_few_groups_get_advice(d: pd.DataFrame) -> None:
    few = d[d["schoolnr"].isin(d["schoolnr"].unique()[:9])]
    with pytest.warns(AdviceWarning, match="9 groups.*fixed effects"):
        found = mlm.describe_levels(few, "schoolnr", "ses")
    assert found.n_empty[0] == 131 - 9
    assert not mlm.describe_levels(d, "schoolnr", "ses").advice


def test_row_82_only_groups_with_variation_within_count(d: pd.DataFrame) -> None:
    found = mlm.describe_levels(d, "schoolnr", ["ses", "clubs", "gpa"])
    by_name = {p.predictor: p for p in found.predictors}
    within = d.groupby("schoolnr", observed=True)["ses"].nunique()
    assert by_name["ses"].n_varying == int((within > 1).sum()) == 130  # school 182 has none
    sizes = d.groupby("schoolnr", observed=True).size()
    assert by_name["ses"].n_rows_varying == int(sizes[within > 1].sum())
    assert by_name["clubs"].level == "between only"
    assert by_name["gpa"].level == "within and between"


def test_describe_levels_tells_nested_crossed_and_multiple_membership() -> None:
    pastes = mlm.load_dataset("lme4::Pastes")
    with pytest.warns(AdviceWarning, match="'cask' has 3 groups"):
        found = mlm.describe_levels(pastes, ["batch", "cask", "sample"], "strength")
    pairs = {(x.lower, x.upper): x.relation for x in found.relations}
    assert pairs == {
        ("batch", "cask"): "crossed",
        ("sample", "batch"): "nested",
        ("sample", "cask"): "nested",
    }
    assert found.to_frame().loc["sample", "max_size"] == 2
    moved = pd.DataFrame({"pupil": [1, 1, 2, 3] * 4, "school": [1, 2, 1, 2] * 4})
    with pytest.warns(AdviceWarning):
        member = mlm.describe_levels(moved.assign(x=1.0), "school", "x", unit="pupil")
    assert member.relations[-1].relation == "multiple membership"
    assert member.relations[-1].detail.startswith("1 of 3")


def test_bad_input_is_refused_and_r_stays_usable(d: pd.DataFrame, ols: mlm.LinearModel) -> None:
    with pytest.raises(DataError, match="Did you mean 'schoolnr'"):
        mlm.aggregate(d, by="schoolnnr")
    with pytest.raises(FormulaError, match="random effects"):
        mlm.panel("gpa ~ ses + (1 | schoolnr)", d, by="schoolnr")
    with pytest.raises(DataError, match="all rows are in one"):
        mlm.cluster_robust(mlm.lm("gpa ~ ses", d.assign(k=1)), by="k")
    holes = d.assign(k=d["schoolnr"].astype(object).where(d.index != d.index[5]))
    with pytest.raises(DataError, match="1 rows that the model used have no 'k'"):
        mlm.cluster_robust(mlm.lm("gpa ~ ses", holes), by="k")
    assert mlm.cluster_robust(ols, by="schoolnr").n_clusters == 131


def test_the_frame_of_the_caller_is_left_alone(d: pd.DataFrame) -> None:
    before = d.copy()
    mlm.aggregate(d, by="schoolnr")
    mlm.gee("gpa ~ ses", d, by="schoolnr")
    mlm.panel("gpa ~ ses", d, by="schoolnr")
    mlm.describe_levels(d, "schoolnr")
    pd.testing.assert_frame_equal(d, before)


def test_hermansen_s_reform_only_counts_where_it_varies(course: Path) -> None:
    """S1: in a fixed-effects model only observations with variation within groups count."""
    mep = pd.read_csv(course / "data" / "hermansen_mep.csv")
    found = mlm.describe_levels(mep, "Nationality", ["OpenList", "x"])
    z, x = found.predictors
    assert (z.level, z.n_varying) == ("between only", 0)
    assert x.n_varying == 28
