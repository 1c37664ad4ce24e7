"""Checklist rows 18, 19, 23 to 25, 45 to 49: predictors that live at two levels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    AdviceWarning,
    ArgumentError,
    DataError,
    FitError,
    FormulaError,
    NotSupportedError,
    RWarning,
)
from tests.course.lecture_data import GPA_IN_R, OPTIMIZED, SAME_FIT
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import (
    BY_HAND,
    FIVE_DIGITS,
    FLAT_CRITERION,
    FLAT_TAIL,
    SAME_PATH,
    SEVEN_DIGITS,
)

CODE = (
    GPA_IN_R
    + """
suppressMessages({library(lavaan)})
wb <- lmer(gpa ~ within + between + (1 | schoolnr), d)
cx <- lmer(gpa ~ ses + between + (1 | schoolnr), d)
c1 <- function(m, L, ddf = "Satterthwaite") unname(unlist(contest1D(m, L, ddf = ddf)))
dm <- d; dm$ses[seq(7, nrow(d), 11)] <- NA; dm$g <- as.integer(dm$schoolnr)
latent <- function(data, missing) {
  f <- suppressWarnings(sem("level: 1\\n gpa ~ w*ses\\nlevel: 2\\n gpa ~ b*ses\\nc := b - w",
    data = data, cluster = "g", fixed.x = FALSE, meanstructure = TRUE, missing = missing))
  e <- parameterEstimates(f)
  e <- e[e$label %in% c("w", "b", "c"), ]
  list(est = e$est, se = e$se, p = e$pvalue, logl = as.numeric(fitMeasures(f, "logl")),
       text = paste(capture.output(print(summary(f))), collapse = "\\n"))
}
d$g <- as.integer(d$schoolnr)
slope <- lmer(gpa ~ (within + between) * clubs + (1 + within | schoolnr), d)
emit(list(
  within = c1(wb, c(0, 1, 0)), between = c1(wb, c(0, 0, 1)), contextual = c1(wb, c(0, -1, 1)),
  mundlak = c1(cx, c(0, 0, 1)), kr = c1(wb, c(0, -1, 1), "Kenward-Roger"),
  smushed = unname(fixef(lmer(gpa ~ ses + (1 | schoolnr), d))[2]),
  slope = unname(fixef(slope)),
  latent = latent(d, "listwise"), fiml = latent(dm, "ml"), drop = latent(dm, "listwise")
))
"""
)

TABLE = pd.DataFrame({"c": ["a", "a", "b", "b"], "x": [2, 4, 6, 8]})


@pytest.fixture(scope="module")
def r() -> Any:
    return native(CODE)


@pytest.fixture(scope="module")
def centred(d: pd.DataFrame) -> pd.DataFrame:
    return mlm.center(d, "ses", by="schoolnr")


@pytest.fixture(scope="module")
def hybrid(d: pd.DataFrame) -> Any:
    return mlm.within_between("gpa", d, x="ses", by="schoolnr")


# --- rows 47, 48: centring ------------------------------------------------------------------------


def test_row_47_cluster_mean_centring_is_the_lecture_s_table() -> None:
    found = mlm.center(TABLE, "x", by="c", between_at=5)
    assert found["x_between"].tolist() == [-2, -2, 2, 2]
    assert found["x_within"].tolist() == [-1, 1, -1, 1]
    raw = mlm.center(TABLE, "x", by="c")
    assert raw["x_between"].tolist() == [3, 3, 7, 7]
    assert raw["x_within"].tolist() == [-1, 1, -1, 1]
    assert mlm.center(TABLE, "x", by="c", between_at="grand")["x_between"].tolist() == [
        -2, -2, 2, 2,
    ]  # fmt: skip


def test_row_48_constant_and_grand_mean_centring() -> None:
    assert mlm.center(TABLE, "x", method=5)["x_centered"].tolist() == [-3, -1, 1, 3]
    assert mlm.center(TABLE, "x", method="grand")["x_centered"].tolist() == [-3, -1, 1, 3]
    assert mlm.center(TABLE, "x", method=2.0)["x_centered"].tolist() == [0, 2, 4, 6]


def test_row_47_leave_one_out() -> None:
    found = mlm.center(TABLE, "x", by="c", method="leave-one-out")
    assert found["x_between"].tolist() == [4, 2, 8, 6]
    assert found["x_within"].tolist() == [-2, 2, -2, 2]
    alone = pd.concat([TABLE, pd.DataFrame({"c": ["z"], "x": [1]})], ignore_index=True)
    with pytest.warns(AdviceWarning, match="1 rows are alone"):
        found = mlm.center(alone, "x", by="c", method="leave-one-out")
    assert np.isnan(found["x_between"].iloc[4])


def test_centring_leaves_the_caller_s_frame_alone() -> None:
    frame = TABLE.copy()
    out = mlm.center(frame, "x", by="c")
    out.loc[0, "x"] = 99
    pd.testing.assert_frame_equal(frame, TABLE)
    with pytest.raises(DataError, match="replace=True"):
        mlm.center(out, "x", by="c")
    assert mlm.center(out, "x", by="c", replace=True)["x_within"].iloc[0] == 99 - 51.5


def test_centring_with_missing_values_and_groups() -> None:
    holes = pd.DataFrame({"c": ["a", "a", None, "b", "b"], "x": [1.0, 3.0, 5.0, None, 7.0]})
    with pytest.warns(AdviceWarning, match="1 rows have no 'c'"):
        found = mlm.center(holes, "x", by="c")
    np.testing.assert_array_equal(found["x_between"], [2, 2, np.nan, 7, 7])
    np.testing.assert_array_equal(found["x_within"], [-1, 1, np.nan, np.nan, 0])


def test_centring_says_where_a_predictor_has_one_level_only(d: pd.DataFrame) -> None:
    with pytest.warns(AdviceWarning, match="does not vary within any"):
        mlm.center(d, "clubs", by="schoolnr")
    flat = TABLE.assign(x=[1, 3, 1, 3])
    with pytest.warns(AdviceWarning, match="does not vary between"):
        mlm.center(flat, "x", by="c")


def test_centring_refuses_what_it_cannot_do() -> None:
    with pytest.raises(ArgumentError, match="needs the grouping factor"):
        mlm.center(TABLE, "x")
    with pytest.raises(ArgumentError, match="is not one of"):
        mlm.center(TABLE, "x", by="c", method="median")
    with pytest.raises(DataError, match="not numeric"):
        mlm.center(TABLE, "c", by="x")
    with pytest.raises(DataError, match="not a column"):
        mlm.center(TABLE, "y", by="c")


# --- rows 23, 24, 45, 46: within, between, contextual, smushed ------------------------------------


@pytest.mark.parametrize("which", ["within", "between", "contextual"])
def test_row_23_within_between_model(hybrid: Any, r: Any, which: str) -> None:
    row = hybrid.row(f"{which}: ses")
    estimate, se, t, low, high, df, p = _contest(r[which])
    assert_close(
        [row["estimate"], row["std_error"], row["statistic"]], [estimate, se, t], OPTIMIZED
    )
    assert_close(row["df"], df, FLAT_CRITERION)
    assert_close(row["p_value"], p, FLAT_TAIL)
    assert_close([row["conf_low"], row["conf_high"]], [low, high], FLAT_CRITERION)


def _contest(x: list[float]) -> tuple[float, ...]:
    """contest1D's columns: Estimate, Std. Error, df, t value, (lower, upper,) Pr(>|t|)."""
    estimate, se, df, t, p = x
    from scipy import stats

    half = stats.t.ppf(0.975, df) * se
    return estimate, se, t, estimate - half, estimate + half, df, p


def test_row_23_numbers_of_the_checklist(hybrid: Any) -> None:
    assert f"{hybrid.row('within: ses')['estimate']:.5f}" == "0.35983"
    assert f"{hybrid.row('between: ses')['estimate']:.5f}" == "0.43395"


def test_row_24_and_46_the_contextual_slope_is_mundlak_s(hybrid: Any, r: Any) -> None:
    row = hybrid.row("contextual: ses")
    assert_close(row["estimate"], r["mundlak"][0], OPTIMIZED)
    assert_close(row["std_error"], r["mundlak"][1], OPTIMIZED)
    printed = [f"{row['estimate']:.6f}", f"{row['std_error']:.6f}", f"{row['df']:.2f}"]
    assert printed == ["0.074126", "0.076177", "144.86"]
    assert f"{row['p_value']:.3f}" == "0.332"
    contextual = hybrid.models["contextual"].summary().fixed
    at = contextual.term.index("ses_between")
    assert_close(contextual.estimate[at], row["estimate"], OPTIMIZED)


def test_row_46_kenward_roger(d: pd.DataFrame, r: Any) -> None:
    found = mlm.within_between("gpa", d, x="ses", by="schoolnr", ddf="Kenward-Roger")
    row = found.row("contextual: ses")
    assert_close([row["estimate"], row["std_error"]], r["kr"][:2], OPTIMIZED)
    assert_close(row["df"], r["kr"][2], FLAT_CRITERION)


def test_row_45_smushed_is_a_weighted_mean(hybrid: Any, r: Any) -> None:
    assert f"{hybrid.phi['ses']:.4f}" == "0.9203"
    assert f"{hybrid.smushed_at_common_variances['ses']:.7f}" == "0.3657144"
    smushed = hybrid.row("smushed: ses")["estimate"]
    assert_close(hybrid.smushed_at_common_variances["ses"], smushed, BY_HAND)
    assert_close(smushed, r["smushed"], OPTIMIZED)


def test_row_45_holds_with_covariates_and_random_slopes(d: pd.DataFrame) -> None:
    found = mlm.within_between("gpa ~ ses + clubs + (1 + ses | schoolnr)", d, "ses", "schoolnr")
    smushed = found.row("smushed: ses")["estimate"]
    assert_close(found.smushed_at_common_variances["ses"], smushed, BY_HAND)
    assert 0.5 < found.phi["ses"] < 1


def test_within_between_keeps_random_slopes_and_interactions(d: pd.DataFrame, r: Any) -> None:
    found = mlm.within_between("gpa ~ ses * clubs + (1 + ses | schoolnr)", d, "ses", "schoolnr")
    assert found.formulas["within-between"] == (
        "gpa ~ (ses_within + ses_between) * clubs + (1 + ses_within | schoolnr)"
    )
    assert "(1 + ses_within | schoolnr)" in found.formulas["contextual"]
    b = found.models["within-between"].fixef()
    assert_close(b, r["slope"], FLAT_CRITERION)  # six parameters: the optimum is flat


def test_within_between_drops_incomplete_rows_before_the_means(d: pd.DataFrame) -> None:
    holes = d.copy()
    holes.loc[holes.index[::5], "gpa"] = np.nan
    found = mlm.within_between("gpa", holes, x="ses", by="schoolnr")
    clean = mlm.within_between("gpa", holes.dropna(), x="ses", by="schoolnr")
    assert_close(found.estimate, clean.estimate)
    # Only so is the within slope that of the fixed-effects model.
    fixed = mlm.panel("gpa ~ ses", holes, by="schoolnr").fixed.estimate[0]
    assert_close(found.row("within: ses")["estimate"], fixed, BY_HAND)


def test_within_between_refuses_what_has_no_two_slopes(d: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="does not vary within"):
        mlm.within_between("gpa ~ clubs", d, x="clubs", by="schoolnr")
    flat = pd.DataFrame({"y": np.arange(12.0), "x": [0.0, 1, 2] * 4, "g": np.repeat(range(4), 3)})
    with pytest.raises(DataError, match="does not vary between"):
        mlm.within_between("y", flat, x="x", by="g")
    with pytest.raises(NotSupportedError, match="within a function call"):
        mlm.within_between("gpa ~ I(ses^2)", d, x="ses", by="schoolnr")
    with pytest.raises(ArgumentError, match="does not use x='clubs'"):
        mlm.within_between("gpa ~ ses", d, x="clubs", by="schoolnr")
    with pytest.raises(FormulaError):
        mlm.within_between("gpa ~ ses + nothing", d, x="ses", by="schoolnr")


def test_within_between_leaves_data_alone_and_travels(d: pd.DataFrame, hybrid: Any) -> None:
    before = d.copy()
    mlm.within_between("gpa", d, x="ses", by="schoolnr")
    pd.testing.assert_frame_equal(d, before)
    again = type(hybrid).from_json(hybrid.to_json())
    assert again.models == {}
    assert_close(again.estimate, hybrid.estimate)


def test_hoffman_context_and_cluster_mean_centring(course: Path) -> None:
    """S4's companion: contest1D of both parametrizations, printed."""
    h = pd.read_csv(course / "data" / "hoffman_templin_modelingData.csv")
    found = mlm.within_between("sumScore", h, x="frlunch", by="schoolID", reml=False)
    row = found.row("contextual: frlunch")
    printed = {"estimate": -3.1252519, "std_error": 0.32316535, "statistic": -9.6707518}
    for name, value in printed.items():
        assert_close(row[name], value, SEVEN_DIGITS)
    assert_close(row["df"], 77.372583, FIVE_DIGITS)
    assert_close(found.row("between: frlunch")["estimate"], -4.1676375, SEVEN_DIGITS)
    assert_close(found.row("within: frlunch")["estimate"], -1.042386, SEVEN_DIGITS)


# --- row 25: latent centring ----------------------------------------------------------------------


def test_row_25_latent_centring(d: pd.DataFrame, r: Any) -> None:
    found = mlm.latent_centering("gpa", "ses", d, by="schoolnr", missing="listwise")
    theirs = r["latent"]
    assert found.term == ("within: ses", "between: ses", "contextual: ses")
    assert_close(found.estimate, theirs["est"], FLAT_CRITERION)
    assert_close(found.std_error, theirs["se"], FLAT_TAIL)
    assert_close(found.loglik, theirs["logl"], SAME_PATH)
    assert [f"{x:.3f}" for x in found.estimate] == ["0.362", "0.417", "0.055"]
    assert f"{found.std_error[2]:.3f}" == "0.089"
    assert abs(found.p_value[2] - 0.535) < 0.001
    assert found.n_flat == {"ses": 1}  # lavaan: no variance within cluster 182
    assert found.admissible


def test_row_25_missing_predictors_by_fiml(d: pd.DataFrame, r: Any) -> None:
    holes = d.copy()
    holes.iloc[6::11, holes.columns.get_loc("ses")] = np.nan
    found = mlm.latent_centering("gpa", "ses", holes, by="schoolnr")
    assert found.nobs == len(d)
    assert_close(found.estimate, r["fiml"]["est"], FLAT_TAIL)
    listwise = mlm.latent_centering("gpa", "ses", holes, by="schoolnr", missing="listwise")
    assert listwise.nobs == len(holes.dropna())
    assert_close(listwise.estimate, r["drop"]["est"], FLAT_TAIL)


def test_row_25_limits_are_said(d: pd.DataFrame) -> None:
    with pytest.raises(DataError, match="does not vary within"):
        mlm.latent_centering("gpa", "clubs", d, by="schoolnr")
    with pytest.raises(DataError, match="varies within"):
        mlm.latent_centering("gpa", "ses", d, by="schoolnr", between="gpa")
    found = mlm.latent_centering("gpa", "ses", d, by="schoolnr", between="clubs")
    assert found.term[-1] == "between: clubs"


def test_row_25_a_model_that_does_not_converge_is_an_error() -> None:
    # Two groups of two: nothing to estimate two covariance matrices from.
    tiny = pd.DataFrame({"y": [1.0, 2, 3, 5], "x": [0.0, 1, 5, 2], "g": [1, 1, 2, 2]})
    with pytest.raises(FitError):
        # The EM of lavaan 0.7 ("fiml") has no end on these.
        mlm.latent_centering("y", "x", tiny, by="g", missing="listwise")
    assert mlm.load_dataset("sleepstudy").shape == (180, 3)  # R is usable


# --- rows 18, 19, 49: which effect is it? ---------------------------------------------------------


@pytest.mark.filterwarnings("ignore::pymlm.errors.AdviceWarning")
def test_row_49_only_the_coefficients_that_the_fit_has() -> None:
    """No school of boys has girls: R drops the products, which moderate nothing then."""
    with pytest.warns(RWarning, match="rank deficient"):
        m = mlm.lmer("normexam ~ schgend * sex + (1 | school)", mlm.load_dataset("mlmRev::Exam"))
    found = mlm.effect_types(m)
    assert found.term == tuple(m.fixef().index)
    assert found.to_frame().loc["sexM", "slope"] == "fixed"


@pytest.mark.parametrize(
    ("fixed", "expected"),
    [
        ("ses_within", {"ses_within": ("within", "between = 0")}),
        ("ses_between", {"ses_between": ("between", "within = 0")}),
        ("ses_within + ses_between",
         {"ses_within": ("within", ""), "ses_between": ("between", "")}),
        ("ses + ses_between", {"ses": ("within", ""), "ses_between": ("contextual", "")}),
        ("I(ses - 1) + I(ses_between + 3)",
         {"I(ses - 1)": ("within", ""), "I(ses_between + 3)": ("contextual", "")}),
    ],
)  # fmt: skip
def test_row_49_table_1(
    centred: pd.DataFrame, fixed: str, expected: dict[str, tuple[str, str]]
) -> None:
    found = mlm.effect_types(f"gpa ~ {fixed} + (1 | schoolnr)", centred).to_frame()
    for term, (effect, assumes) in expected.items():
        assert (found.loc[term, "effect"], found.loc[term, "assumes"]) == (effect, assumes)


def test_row_49_a_raw_level_1_predictor_alone_is_smushed(centred: pd.DataFrame) -> None:
    with pytest.warns(AdviceWarning, match="slope of 'ses' is smushed"):
        found = mlm.effect_types("gpa ~ ses + (1 | schoolnr)", centred)
    assert found.smushed == ("ses",)
    assert found.to_frame().loc["ses", "assumes"] == "between = within"
    # Of a fitted model, and of a dummy variable: the same.
    m = mlm.lmer("gpa ~ rich + (1 | schoolnr)", centred.assign(
        rich=np.where(centred["ses"] > 0, "yes", "no")))  # fmt: skip
    with pytest.warns(AdviceWarning, match="'richyes' is smushed"):
        assert mlm.effect_types(m).smushed == ("richyes",)


def test_row_49_a_smushed_random_slope_is_warned_of(centred: pd.DataFrame) -> None:
    formula = "gpa ~ ses + ses_between + (1 + ses | schoolnr)"
    with pytest.warns(AdviceWarning, match="random slope of 'ses' is smushed"):
        mlm.effect_types(formula, centred)
    clean = mlm.effect_types(formula.replace("1 + ses |", "1 + ses_within |"), centred)
    assert clean.smushed == ()


def test_row_18_and_19_random_and_systematically_varying_slopes(centred: pd.DataFrame) -> None:
    base = "gpa ~ ses_within * clubs + ses_between + "
    systematic = mlm.effect_types(base + "(1 | schoolnr)", centred).to_frame()
    assert systematic.loc["ses_within", "slope"] == "systematically varying"
    assert systematic.loc["ses_within:clubs", "effect"] == "cross-level interaction"
    both = mlm.effect_types(base + "(1 + ses_within | schoolnr)", centred).to_frame()
    assert both.loc["ses_within", "slope"] == "random and systematically varying"
    plain = mlm.effect_types("gpa ~ ses_within + (1 | schoolnr)", centred).to_frame()
    assert plain.loc["ses_within", "slope"] == "fixed"


def test_row_49_needs_to_know_what_level_2_is(centred: pd.DataFrame) -> None:
    with pytest.raises(ArgumentError, match="needs the data"):
        mlm.effect_types("gpa ~ ses + (1 | schoolnr)")
    two = centred.assign(k=np.arange(len(centred)) % 7)
    with pytest.raises(ArgumentError, match="grouping factors"):
        mlm.effect_types("gpa ~ ses_within + (1 | schoolnr) + (1 | k)", two)
    found = mlm.effect_types("gpa ~ ses_within + (1 | schoolnr) + (1 | k)", two, by="schoolnr")
    assert found.group == "schoolnr"


def test_slopes_of_raw_and_centred_predictors_agree_with_the_panel(d: pd.DataFrame) -> None:
    both = mlm.within_between("gpa ~ ses + clubs", d, x="ses", by="schoolnr")
    within = mlm.panel("gpa ~ ses + clubs", d, by="schoolnr").fixed.estimate[0]
    assert_close(both.row("within: ses")["estimate"], within, SAME_FIT)
