"""Marginal means, trends, contrasts and joint tests against emmeans in native R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import BY_HAND, REOPTIMIZED, SAME_PATH

#: Two fits of one model stop within the optimizer's tolerance of each other.
REFITTED = 1e-6

#: Same R, same data, but Satterthwaite's df come from numerical derivatives whose last digits
#: depend on the state of the optimizer's memory.
DERIVATIVES = 1e-8

REFERENCE = r"""
suppressMessages({library(emmeans); library(multcomp)})
m <- lme4::lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake)
a <- lme4::lmer(angle ~ recipe * temperature + (1 | recipe:replicate), cake)
s <- lme4::lmer(Reaction ~ Days + (Days | Subject), sleepstudy)
g <- function(x) {
  said <- character() # messages come when x is computed
  withCallingHandlers(force(x), message = function(m) {
    said <<- c(said, trimws(conditionMessage(m)))
    invokeRestart("muffleMessage")
  })
  out <- as.list(as.data.frame(if (inherits(x, "summary_emm")) x else summary(x)))
  out$.text <- paste(c(capture.output(print(x)), grep("^NOTE", said, value = TRUE)),
                     collapse = "\n")
  out
}
SAT <- "satterthwaite"
out <- list(
  means = g(emmeans(m, "recipe", lmer.df = SAT)),
  kenward = g(emmeans(m, "recipe", lmer.df = "kenward-roger")),
  asymptotic = g(emmeans(m, "recipe", lmer.df = "asymptotic")),
  pairs = g(contrast(emmeans(m, "recipe", lmer.df = SAT), "pairwise")),
  pairs_kr = g(contrast(emmeans(m, "recipe", lmer.df = "kenward-roger"), "pairwise",
                        adjust = "bonferroni")),
  control = g(contrast(emmeans(m, "recipe", lmer.df = SAT), "trt.vs.ctrl", ref = 2)),
  poly = g(contrast(emmeans(a, "temperature", lmer.df = SAT), "poly")),
  custom = g(contrast(emmeans(m, "recipe", lmer.df = SAT), list(ab = c(1, -1, 0),
                                                              rest = c(1, -.5, -.5)))),
  by = g(contrast(emmeans(a, ~ recipe | temperature, lmer.df = SAT), "pairwise")),
  at = g(emmeans(m, ~ recipe * temp, at = list(temp = c(180, 220), recipe = c("A", "C")),
                 lmer.df = SAT)),
  both = g(summary(emmeans(m, "recipe", lmer.df = SAT), infer = c(TRUE, TRUE), level = .9)),
  interaction = g(contrast(emmeans(a, ~ recipe * temperature,
    at = list(temperature = c("175", "225")), lmer.df = SAT), interaction = "pairwise")),
  slopes = g(emtrends(m, "recipe", var = "temp", lmer.df = SAT)),
  slope_pairs = g(contrast(emtrends(m, "recipe", var = "temp", lmer.df = SAT), "pairwise")),
  log_slope = g(emtrends(lme4::lmer(angle ~ log(temp) + (1 | replicate), cake), "temp",
    var = "log(temp)", at = list(temp = c(180, 220)), lmer.df = SAT)),
  joint = g(joint_tests(a, lmer.df = SAT)),
  joint_by = g(joint_tests(a, by = "recipe", lmer.df = SAT)),
  joint_kr = g(joint_tests(m, lmer.df = "kenward-roger")),
  cld = g(cld(emmeans(a, "temperature", lmer.df = SAT))),
  slope_one = g(emtrends(s, ~ 1, var = "Days", lmer.df = SAT))
)
ls_log <- lme4::lmer(log(Reaction) ~ Days + (1 | Subject), sleepstudy)
out$response <- g(emmeans(ls_log, "Days", at = list(Days = c(0, 9)), lmer.df = SAT,
                          type = "response"))
hsb <- lme4::lmer(mAch ~ ses * sector + (1 | school), mlmRev::Hsb82)
out$big <- g(emmeans(hsb, "sector", lmer.df = SAT, lmerTest.limit = 1e5))
out$cross_level <- g(emtrends(hsb, "sector", var = "ses", lmer.df = SAT, lmerTest.limit = 1e5))
cb <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
out$glmm_link <- g(emmeans(cb, "period"))
out$glmm_response <- g(emmeans(cb, "period", type = "response"))
out$odds <- g(contrast(emmeans(cb, "period"), "pairwise", type = "response"))
wb <- lme4::lmer(log(breaks) ~ wool * tension + (1 | block),
                 transform(warpbreaks, block = rep(1:9, 6)))
out$warp <- g(contrast(emmeans(wb, ~ tension | wool, lmer.df = SAT), "pairwise",
                       type = "response"))
data(ham, package = "lmerTest")
h <- lme4::lmer(Informed.liking ~ Product * Information + (1 | Consumer) + (1 | Product:Consumer),
                ham)
out$ham <- g(emmeans(h, "Product", lmer.df = "kenward-roger"))
out$ham_joint <- g(joint_tests(h, lmer.df = SAT))
emit(out)
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def cake() -> Any:
    return mlm.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))


@pytest.fixture(scope="module")
def grid() -> Any:
    return mlm.lmer(
        "angle ~ recipe * temperature + (1 | recipe:replicate)", mlm.load_dataset("cake")
    )


@pytest.fixture(scope="module")
def hsb() -> Any:
    return mlm.lmer("mAch ~ ses * sector + (1 | school)", mlm.load_dataset("mlmRev::Hsb82"))


#: R's column names -> pymlm's fields.
COLUMNS = {
    "SE": "std_error", "df": "df", "lower.CL": "conf_low", "upper.CL": "conf_high",
    "asymp.LCL": "conf_low", "asymp.UCL": "conf_high", "t.ratio": "statistic",
    "z.ratio": "statistic", "p.value": "p_value", "null": "null",
}  # fmt: skip


def agree(ours: Any, theirs: dict[str, Any], tolerance: float = DERIVATIVES) -> None:
    """Every column that R has, and R's own print."""
    assert_close(ours.estimate, theirs[ours.estimate_name], tolerance, "estimate")
    seen = 0
    for name, field in COLUMNS.items():
        if name in theirs:
            seen += 1
            assert_close(getattr(ours, field), theirs[name], tolerance, name)
    assert seen >= 3
    for column in ours.labels:
        expected = np.atleast_1d(theirs[column.name])
        if column.number is None:
            assert list(column.text) == list(expected)
        else:
            assert_close(column.number, expected, ROUND_TRIP, column.name)
    assert str(ours) == theirs[".text"]


def test_means(cake: Any, reference: Any) -> None:
    agree(cake.emmeans("recipe"), reference["means"])


def test_frame_has_the_promised_columns(cake: Any) -> None:
    frame = cake.emmeans("recipe").to_frame()
    assert list(frame.columns) == ["recipe", "emmean", "std_error", "df", "conf_low", "conf_high"]
    tests = cake.emmeans("recipe", contrast="pairwise").to_frame()
    assert list(tests.columns) == [
        "contrast", "estimate", "std_error", "df", "statistic", "p_value",
    ]  # fmt: skip
    assert tests["contrast"].tolist() == ["A - B", "A - C", "B - C"]


def test_kenward_roger(cake: Any, reference: Any) -> None:
    agree(cake.emmeans("recipe", ddf="Kenward-Roger"), reference["kenward"])


@pytest.mark.parametrize("ddf", ["asymptotic", None])
def test_asymptotic(cake: Any, reference: Any, ddf: str | None) -> None:
    agree(cake.emmeans("recipe", ddf=ddf), reference["asymptotic"], BY_HAND)


def test_pairwise(cake: Any, reference: Any) -> None:
    agree(cake.emmeans("recipe", contrast="pairwise"), reference["pairs"])


def test_what_emmeans_says_in_messages_is_told(grid: Any) -> None:
    means = grid.emmeans("recipe")
    assert "involvement in interactions" in means.notes[-1]
    assert str(means).splitlines()[-1] == means.notes[-1]
    assert "involvement" in grid.emmeans("recipe", contrast="pairwise").notes[-1]
    assert "involvement" not in str(grid.emmeans("~ recipe | temperature"))


def test_pairwise_is_adjusted_by_tukey(cake: Any) -> None:
    pairs = cake.emmeans("recipe", contrast="pairwise")
    assert pairs.adjust == "tukey"
    plain = cake.emmeans("recipe", contrast="pairwise", adjust="none")
    assert (pairs.p_value > plain.p_value).all()


def test_kenward_roger_contrasts_adjusted(cake: Any, reference: Any) -> None:
    ours = cake.emmeans("recipe", contrast="pairwise", adjust="bonferroni", ddf="kenward-roger")
    agree(ours, reference["pairs_kr"])


def test_treatment_against_control(cake: Any, reference: Any) -> None:
    agree(cake.emmeans("recipe", contrast="trt.vs.ctrl", ref=2), reference["control"])
    agree(cake.emmeans("recipe", contrast="trt.vs.ctrl", ref="B"), reference["control"])


def test_control_whose_name_is_a_number() -> None:
    """emmeans puts the factor's name before such levels, and does not find them."""
    m = mlm.lmer("Informed.liking ~ Product + (1 | Consumer)", mlm.load_dataset("lmerTest::ham"))
    named, numbered = (m.emmeans("Product", contrast="trt.vs.ctrl", ref=r) for r in ("4", 4))
    assert str(named) == str(numbered)


def test_polynomial_contrasts(grid: Any, reference: Any) -> None:
    agree(grid.emmeans("temperature", contrast="poly"), reference["poly"])


def test_own_contrasts(cake: Any, reference: Any) -> None:
    ours = cake.emmeans("recipe", contrast={"ab": [1, -1, 0], "rest": [1, -0.5, -0.5]})
    agree(ours, reference["custom"])
    array = cake.emmeans("recipe", contrast=np.array([[1, -1, 0], [1, -0.5, -0.5]]))
    assert_close(array.estimate, ours.estimate)


def test_contrasts_within_a_factor(grid: Any, reference: Any) -> None:
    agree(grid.emmeans("~ recipe | temperature", contrast="pairwise"), reference["by"])
    named = grid.emmeans("recipe", by="temperature", contrast="pairwise")
    assert_close(named.p_value, reference["by"]["p.value"], DERIVATIVES)


def test_at_values(cake: Any, reference: Any) -> None:
    ours = cake.emmeans("~ recipe * temp", at={"temp": [180, 220], "recipe": ["A", "C"]})
    agree(ours, reference["at"])
    assert ours.to_frame()["temp"].dtype == np.float64


def test_intervals_and_tests_together(cake: Any, reference: Any) -> None:
    agree(cake.emmeans("recipe", infer="both", level=0.9), reference["both"])


def test_interaction_contrasts(grid: Any, reference: Any) -> None:
    ours = grid.emmeans(
        "~ recipe * temperature", at={"temperature": ["175", "225"]}, contrast="pairwise",
        interaction=True,
    )  # fmt: skip
    agree(ours, reference["interaction"])


def test_slopes(cake: Any, reference: Any) -> None:
    ours = cake.emtrends("recipe", "temp")
    agree(ours, reference["slopes"])
    assert list(ours.to_frame().columns)[:2] == ["recipe", "trend"]
    assert ours.estimate_name == "temp.trend"


def test_slope_differences(cake: Any, reference: Any) -> None:
    agree(cake.emtrends("recipe", "temp", contrast="pairwise"), reference["slope_pairs"])


def test_slope_of_a_function(reference: Any) -> None:
    m = mlm.lmer("angle ~ log(temp) + (1 | replicate)", mlm.load_dataset("cake"))
    ours = m.emtrends("temp", "log(temp)", at={"temp": [180, 220]})
    agree(ours, reference["log_slope"])


def test_one_slope_is_the_coefficient(sleepstudy: pd.DataFrame, reference: Any) -> None:
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    ours = m.emtrends("~ 1", "Days")
    agree(ours, reference["slope_one"])
    assert_close(ours.estimate, [m.fixef()["Days"]], BY_HAND)


def test_slopes_with_an_offset(sleepstudy: pd.DataFrame) -> None:
    """emmeans 1.8 stops here, itself having taken the offset away."""
    data = sleepstudy.assign(o=sleepstudy.Days**2.0, z=np.tile([0.0, 1.0, 2.0], 60))
    shifted = data.assign(Reaction=data.Reaction - data.o)
    m = mlm.lmer("Reaction ~ Days * z + (1 | Subject)", data, offset="o")
    same = mlm.lmer("Reaction ~ Days * z + (1 | Subject)", shifted)
    ours, theirs = (x.emtrends("z", "Days", at={"z": [0, 2]}) for x in (m, same))
    assert_close(ours.estimate, theirs.estimate, REFITTED)
    assert_close(ours.std_error, theirs.std_error, REFITTED)


def test_simple_slopes_by_hand(sleepstudy: pd.DataFrame) -> None:
    data = sleepstudy.assign(z=np.tile([0.0, 1.0, 2.0], 60))
    m = mlm.lmer("Reaction ~ Days * z + (1 | Subject)", data)
    slopes = m.emtrends("z", "Days", at={"z": [-1, 0, 1]}).to_frame()
    b, v = m.fixef(), m.vcov()
    for z, trend, se in zip(slopes["z"], slopes["trend"], slopes["std_error"], strict=True):
        weight = pd.Series({"Days": 1.0, "Days:z": z}).reindex(b.index, fill_value=0.0)
        # emtrends takes difference quotients: 1e-8 is their rounding
        assert trend == pytest.approx(b @ weight, rel=SAME_PATH)
        assert se == pytest.approx(np.sqrt(weight @ v @ weight), rel=SAME_PATH)


def test_joint_tests(grid: Any, cake: Any, reference: Any) -> None:
    for ours, key in (
        (grid.joint_tests(), "joint"),
        (grid.joint_tests(by="recipe"), "joint_by"),
        (cake.joint_tests(ddf="Kenward-Roger"), "joint_kr"),
    ):
        theirs = reference[key]
        assert list(ours.term) == list(np.atleast_1d(theirs["model term"]))
        assert_close(ours.num_df, theirs["df1"])
        assert_close(ours.den_df, theirs["df2"], DERIVATIVES)
        assert_close(ours.statistic, theirs["F.ratio"])
        assert_close(
            ours.p_value, theirs["p.value"], REOPTIMIZED
        )  # p of 1e-19: 1e-8 in df is 1e-7 here
        assert str(ours) == theirs[".text"]


def test_joint_tests_frame(grid: Any) -> None:
    frame = grid.joint_tests(by="recipe").to_frame()
    assert list(frame.columns) == [
        "recipe", "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value",
    ]  # fmt: skip
    assert frame["recipe"].tolist() == ["A", "B", "C"]


def test_letters(grid: Any, reference: Any) -> None:
    ours = grid.cld("temperature")
    agree(ours, reference["cld"])
    assert list(ours.group) == [g.strip() for g in reference["cld"][".group"]]


def test_back_transformation(sleepstudy: pd.DataFrame, reference: Any) -> None:
    m = mlm.lmer("log(Reaction) ~ Days + (1 | Subject)", sleepstudy)
    agree(m.emmeans("Days", at={"Days": [0, 9]}, type="response"), reference["response"])


def test_large_data_keep_their_degrees_of_freedom(hsb: Any, reference: Any) -> None:
    assert hsb.nobs > 3000  # above which emmeans alone gives infinite df
    ours = hsb.emmeans("sector")
    assert np.isfinite(ours.df).all()
    agree(ours, reference["big"], REOPTIMIZED)  # numerical derivatives on 7,185 rows


def test_cross_level_slopes(hsb: Any, reference: Any) -> None:
    agree(hsb.emtrends("sector", "ses"), reference["cross_level"], REOPTIMIZED)


def test_glmm(reference: Any) -> None:
    m = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", mlm.load_dataset("cbpp"),
        family="binomial",
    )  # fmt: skip
    link = m.emmeans("period")
    agree(
        link, reference["glmm_link"], REOPTIMIZED
    )  # the optimum of a GLMM repeats to about seven digits
    assert link.ddf == "asymptotic"
    assert np.isinf(link.df).all()
    response = m.emmeans("period", type="response")
    agree(response, reference["glmm_response"], REOPTIMIZED)
    assert response.estimate_name == "prob"
    assert list(response.to_frame().columns)[:2] == ["period", "emmean"]
    odds = m.emmeans("period", contrast="pairwise", type="response")
    agree(odds, reference["odds"], REOPTIMIZED)
    assert odds.estimate_name == "odds.ratio"
    with pytest.raises(NotSupportedError, match="generalized"):
        m.emmeans("period", ddf="Satterthwaite")


@pytest.mark.filterwarnings("ignore::pymlm.errors.PymlmWarning")
def test_ratios_of_a_logged_response(reference: Any) -> None:
    data = mlm.load_dataset("datasets::warpbreaks")
    data["block"] = np.tile(np.arange(1, 10), 6)
    m = mlm.lmer("log(breaks) ~ wool * tension + (1 | block)", data)
    ours = m.emmeans("~ tension | wool", contrast="pairwise", type="response")
    agree(ours, reference["warp"], REOPTIMIZED)


def test_ham(reference: Any) -> None:
    m = mlm.lmer(
        "Informed.liking ~ Product * Information + (1 | Consumer) + (1 | Product:Consumer)",
        mlm.load_dataset("lmerTest::ham"),
    )
    agree(m.emmeans("Product", ddf="Kenward-Roger"), reference["ham"], SAME_PATH)
    joint = m.joint_tests()
    assert_close(joint.den_df, reference["ham_joint"]["df2"], REOPTIMIZED)
    assert str(joint) == reference["ham_joint"][".text"]


def test_user_workspace_is_left_alone(cake: Any) -> None:
    import rpy2.rinterface as ri

    from pymlm.engine.r_thread import R

    cake.emmeans("recipe", level=0.8)
    names = R.run(lambda: list(ri.baseenv["ls"](ri.globalenv, **{"all.names": True})))
    assert ".Last.ref_grid" not in names
