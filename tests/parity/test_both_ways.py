"""Models that R saved answer in pymlm, and models that pymlm saved work in native R."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import DataError, FormulaError
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import OTHER_OPTIMIZER, SAME_PATH

#: Satterthwaite's df come from numerical derivatives.
DERIVATIVES = 1e-7

# What R saves from its workspace comes without the workspace: `d` is not in the files.
SAVE = r"""
suppressMessages(library(emmeans))
d <- cake; s <- sleepstudy; data <- airquality
plain <- lme4::lmer(angle ~ recipe * temp + (1 | recipe:replicate), d)
tested <- lmerTest::lmer(Reaction ~ Days + (Days | Subject), s)
binary <- glmer(cbind(incidence, size - incidence) ~ period + (1 | herd), cbpp, binomial)
holes <- lme4::lmer(Ozone ~ Temp + (1 | Month), data)
excluding <- lme4::lmer(Ozone ~ Temp + (1 | Month), data, na.action = na.exclude)
excluding_lm <- lm(Ozone ~ Temp, data, na.action = na.exclude)
logged <- lme4::lmer(angle ~ log(temp) + (1 | replicate), d)
inside <- (function(x) lme4::lmer(Reaction ~ Days + (1 | Subject), x))(s)
made_in_a_function <- function(d) {
  d$lsize <- log(d$size)
  list(counts = glmer(incidence ~ period + offset(lsize) + (1 | herd), d, poisson,
                      control = glmerControl(optimizer = "bobyqa")),
       curve = (function(o) nlmer(circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree, o,
                                  start = c(Asym = 200, xmid = 725, scal = 350)))(Orange))
}
list2env(made_in_a_function(cbpp), globalenv())
for (n in c("plain", "tested", "binary", "holes", "logged", "inside", "counts", "curve",
            "excluding", "excluding_lm"))
  saveRDS(get(n), file.path("FOLDER", paste0(n, ".rds")))
SAT <- "satterthwaite"
g <- function(x) as.list(as.data.frame(summary(x)))
emit(list(
  fixef = unname(fixef(plain)), df = unname(coef(summary(tested))[, "df"]),
  text = paste(capture.output(print(summary(tested))), collapse = "\n"),
  means = g(emmeans(plain, "recipe", lmer.df = SAT)),
  trends = g(emtrends(plain, "recipe", var = "temp", lmer.df = SAT)),
  means_binary = g(emmeans(binary, "period")),
  predicted = unname(predict(tested, data.frame(Days = 4, Subject = c("308", "309")))),
  cook = unname(cooks.distance(influence(plain, "replicate", data = d))),
  simulated = simulate(tested, 1, seed = 1)[[1]],
  hole_means = g(emmeans(holes, "Temp", at = list(Temp = c(70, 80)), lmer.df = SAT)),
  dropped = made_in_a_function(cbpp)$counts |> drop1(test = "Chisq") |> getElement("LRT"),
  counts_0 = unname(fixef(update(counts, nAGQ = 0))),
  curve_0 = unname(fixef(nlmer(circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree, Orange,
                               start = c(Asym = 200, xmid = 725, scal = 350), nAGQ = 0))),
  excluding = list(unname(fitted(excluding)), unname(residuals(excluding_lm))),
  inside_means = g(emmeans(inside, "Days", at = list(Days = 3), lmer.df = SAT))
))
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory: Any) -> tuple[Path, Any]:
    folder = tmp_path_factory.mktemp("from_r")
    return folder, native(SAVE.replace("FOLDER", str(folder)))


def opened(saved: tuple[Path, Any], name: str) -> Any:
    return mlm.load_model(saved[0] / f"{name}.rds")


def agree(grid: Any, theirs: dict[str, Any], tolerance: float = DERIVATIVES) -> None:
    assert_close(grid.estimate, theirs[grid.estimate_name], tolerance)
    assert_close(grid.std_error, theirs["SE"], tolerance)
    df = [np.inf if x == "Infinity" else x for x in np.atleast_1d(theirs["df"])]
    assert_close(grid.df, df, tolerance)


def test_lme4_from_the_workspace(saved: tuple[Path, Any]) -> None:
    m = opened(saved, "plain")
    assert_close(m.fixef(), saved[1]["fixef"])
    agree(m.emmeans("recipe"), saved[1]["means"])
    agree(m.emtrends("recipe", "temp"), saved[1]["trends"])
    assert m.joint_tests().term == ("recipe", "temp", "recipe:temp")
    assert_close(
        m.influence("replicate").cooks_distance, saved[1]["cook"], OTHER_OPTIMIZER
    )  # refits


def test_lmertest_from_the_workspace(saved: tuple[Path, Any]) -> None:
    m = opened(saved, "tested")
    assert_close(m.summary().fixed.df, saved[1]["df"], DERIVATIVES)
    assert str(m.summary()) == saved[1]["text"]
    rows = pd.DataFrame({"Days": [4, 4], "Subject": ["308", "309"]})
    assert_close(m.predict(rows), saved[1]["predicted"])
    assert_close(m.simulate(seed=1)["sim_1"], saved[1]["simulated"])
    assert m.predict(rows, interval="prediction").std_error.min() > m.sigma
    assert np.isfinite(m.tidy("fixed").df).all()
    assert m.glance().nobs == 180
    assert len(m.augment()) == 180


def test_glmer(saved: tuple[Path, Any]) -> None:
    m = opened(saved, "binary")
    agree(m.emmeans("period"), saved[1]["means_binary"])
    assert len(m.predict(interval="confidence")) == 56


def test_dropped_rows_and_a_frame_called_data(saved: tuple[Path, Any]) -> None:
    m = opened(saved, "holes")
    assert m.n_dropped == 37
    agree(m.emmeans("Temp", at={"Temp": [70, 80]}), saved[1]["hole_means"])
    assert m.predict().notna().sum() == 116
    assert len(m.influence("Month").level) == 5


def test_rows_of_a_model_fitted_with_na_exclude(saved: tuple[Path, Any]) -> None:
    folder, r = saved
    fitted, residuals = ([np.nan if v is None else v for v in x] for x in r["excluding"])
    m, linear = (mlm.load_model(folder / f"{n}.rds") for n in ("excluding", "excluding_lm"))
    assert np.isnan(fitted).sum() == m.n_dropped
    np.testing.assert_allclose(m.fitted(), fitted, rtol=SAME_PATH)
    np.testing.assert_allclose(m.predict(), fitted, rtol=SAME_PATH)
    np.testing.assert_allclose(linear.residuals(), residuals, rtol=SAME_PATH)
    assert len(m.update(reml=False).residuals()) == len(fitted)


def test_a_model_made_in_a_function_keeps_its_data(saved: tuple[Path, Any]) -> None:
    agree(opened(saved, "inside").emmeans("Days", at={"Days": [3]}), saved[1]["inside_means"])


def test_a_model_made_in_a_function_is_fitted_again(saved: tuple[Path, Any]) -> None:
    """Its call names glmer() and glmerControl(), which R finds where lme4 is attached."""
    counts, curve = opened(saved, "counts"), opened(saved, "curve")
    assert_close(counts.drop1().statistic[1], saved[1]["dropped"][1])
    assert_close(counts.update(n_agq=0).fixef(), saved[1]["counts_0"])
    assert_close(curve.update(n_agq=0).fixef(), saved[1]["curve_0"])


def test_a_response_of_two_columns_needs_the_data(saved: tuple[Path, Any]) -> None:
    m = opened(saved, "binary")
    for again in (m.drop1, lambda: m.update(n_agq=0), lambda: m.update(". ~ . - period")):
        with pytest.raises(DataError, match="'incidence' stands inside a function"):
            again()


def test_transformed_predictors_need_the_data(saved: tuple[Path, Any]) -> None:
    m = opened(saved, "logged")
    with pytest.raises(DataError, match="'temp' stands inside a function"):
        m.emtrends("~ 1", "temp")
    assert_close(m.predict(mlm.load_dataset("cake")), m.fitted())


# --- the other way ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sent(tmp_path_factory: Any) -> tuple[dict[str, Any], Any]:
    folder = tmp_path_factory.mktemp("to_r")
    cake, cbpp = mlm.load_dataset("cake"), mlm.load_dataset("cbpp")
    models = {
        "cake": mlm.lmer("angle ~ recipe + log(temp) + (1 | recipe:replicate)", cake),
        "cbpp": mlm.glmer(
            "cbind(incidence, size - incidence) ~ period + (1 | herd)", cbpp, family="binomial"
        ),
    }
    for name, m in models.items():
        m.save(folder / f"{name}.rds")
    # a plain R without pymlm: the bridge is not there, the data come with the model
    answer = native(f"""
        suppressMessages(library(emmeans))
        m <- readRDS("{folder / "cake.rds"}"); g <- readRDS("{folder / "cbpp.rds"}")
        small <- update(m, . ~ . - log(temp), REML = FALSE)
        new <- data.frame(recipe = c("A", "C"), temp = c(180, 200), replicate = c("1", "2"))
        a <- suppressMessages(anova(m, small))
        emit(list(fixef = unname(fixef(small)), chisq = a$Chisq[2], p = a[["Pr(>Chisq)"]][2],
          means = as.list(as.data.frame(summary(emmeans(m, "recipe", lmer.df = "satterthwaite")))),
          trends = as.list(as.data.frame(summary(emtrends(m, "recipe", "temp",
                                                          lmer.df = "satterthwaite")))),
          predicted = unname(predict(m, new)), fm = coef(summary(lmerTest::as_lmerModLmerTest(m))),
          odds = as.list(as.data.frame(summary(emmeans(g, "period", type = "response")))),
          without = unname(fixef(update(g, . ~ . - period))),
          glmm = unname(predict(g, data.frame(period = "2", herd = "3", size = 1),
                                type = "response")),
          drop = drop1(m)$npar))
        """)
    return models, answer


def test_update_and_anova_in_r(sent: tuple[dict[str, Any], Any]) -> None:
    models, answer = sent
    small = models["cake"].update(". ~ . - log(temp)", reml=False)
    assert_close(small.fixef(), answer["fixef"], SAME_PATH)
    big = models["cake"].update(reml=False)
    assert 2 * (big.loglik - small.loglik) == pytest.approx(answer["chisq"], rel=SAME_PATH)


def test_emmeans_in_r(sent: tuple[dict[str, Any], Any]) -> None:
    models, answer = sent
    agree(models["cake"].emmeans("recipe"), answer["means"])
    agree(models["cake"].emtrends("recipe", "temp"), answer["trends"])
    ours = models["cbpp"].emmeans("period", type="response")
    assert_close(ours.estimate, answer["odds"]["prob"], DERIVATIVES)


def test_predict_in_r(sent: tuple[dict[str, Any], Any]) -> None:
    models, answer = sent
    rows = pd.DataFrame({"recipe": ["A", "C"], "temp": [180.0, 200.0], "replicate": ["1", "2"]})
    assert_close(models["cake"].predict(rows), answer["predicted"])
    one = pd.DataFrame({"period": ["2"], "herd": ["3"], "size": [1]})
    assert_close(models["cbpp"].predict(one), answer["glmm"])


def test_lmertest_in_r(sent: tuple[dict[str, Any], Any]) -> None:
    models, answer = sent
    table = np.array(answer["fm"]["values"])
    ours = models["cake"].summary().fixed
    assert_close(ours.df, table[:, answer["fm"]["cols"].index("df")], DERIVATIVES)


def test_a_loaded_model_is_saved_and_loaded_again(tmp_path: Path) -> None:
    m = mlm.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", mlm.load_dataset("cake"))
    again = mlm.load_model(m.save(tmp_path / "m"))
    twice = mlm.load_model(again.save(tmp_path / "n"))
    assert_close(twice.emmeans("recipe").df, m.emmeans("recipe").df, DERIVATIVES)
    assert str(twice.emmeans("recipe")) == str(m.emmeans("recipe"))


def test_a_loaded_model_has_its_own_columns_alone(tmp_path: Path) -> None:
    data = mlm.load_dataset("cbpp")
    for m in (
        mlm.glmer("incidence ~ size + (1 | herd)", data, family="poisson", n_agq=0),
        mlm.lm("incidence ~ size + herd", data),
    ):
        loaded = mlm.load_model(m.save(tmp_path / "m.rds"))
        assert_close(loaded.update(". ~ . - size").fixef(), m.update(". ~ . - size").fixef())
        with pytest.raises(FormulaError, match="names 'period'; this model came from a file"):
            loaded.update(". ~ . + period")
