"""Every number of every linear model, against native Rscript in its own process."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import PymlmWarning
from tests.native import assert_fits_close, native, rscript
from tests.native import assert_fits_close as assert_close
from tests.parity.models import MODELS, fitted
from tests.parity.one_process import native_answers, report
from tests.tolerances import ARITHMETIC


@pytest.fixture(scope="module")
def every_model() -> dict[str, Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return {name: fitted(name) for name in MODELS}


@pytest.fixture(scope="module")
def every_answer(every_model: Any, tmp_path_factory: Any) -> dict[str, Any]:
    return native_answers(every_model, tmp_path_factory.mktemp)


@pytest.mark.parametrize("name", MODELS)
def test_every_number_agrees_with_native_r(name, every_model, every_answer):
    found = report(every_model[name], every_answer[name])
    assert found.ok, str(found)
    assert len(found.what) > 30


def test_the_report_sees_a_difference(sleepstudy):
    """Another data set: the numbers must not agree."""
    model = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy)
    model._source.data.iloc[0, 0] += 1.0  # the model's own; no user gets at it
    report = mlm.check_parity(model)
    assert not report.ok
    assert report.max_difference > 1e-6
    assert len(report.failures) > 0
    assert "DO NOT all agree" in str(report)


def test_dates_and_times_agree_with_native_r(sleepstudy):
    time = pd.Timestamp("2020-01-01") + pd.to_timedelta(sleepstudy["Days"], unit="h")
    data = sleepstudy.assign(
        day=[t.date() for t in pd.Timestamp("2020-01-01") + 5 * (time - time.min())],
        time=time.where(sleepstudy["Days"] < 9),
        since=time - time.min(),
    )
    for name in ("day", "time", "since"):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PymlmWarning)  # "on very different scales"
            m = mlm.lmer(f"Reaction ~ {name} + (1 | Subject)", data)
        assert mlm.check_parity(m).ok, name


def test_the_issue_s_minimum_is_met():
    assert len(MODELS) >= 12
    assert len({d for d, *_ in MODELS.values()}) >= 8


PRINTS = {
    "sleepstudy": "lmer(Reaction ~ Days + (Days | Subject), sleepstudy)",
    "Pastes": "lmer(strength ~ 1 + (1 | batch/cask), Pastes, REML = FALSE)",
    "ham": "lmer(Informed.liking ~ Product*Information + (1|Consumer) + (1|Product:Consumer), ham)",
    "cake": "lmer(angle ~ recipe * temp + (1 | recipe:replicate), cake,"
    " contrasts = list(recipe = 'contr.sum'))",
    "Machines": "lmer(score ~ Machine + (1 | Worker) + (1 | Worker:Machine), Machines,"
    " control = lmerControl(optimizer = 'bobyqa'))",
    "Dyestuff2": "lmer(Yield ~ 1 + (1 | Batch), Dyestuff2)",
}


@pytest.fixture(scope="module")
def r_prints():
    code = "data(ham, package = 'lmerTest'); data(Machines, package = 'nlme')\n"
    code += "lmer <- lme4::lmer; out <- list()\n"
    for name, fit in PRINTS.items():
        code += f"""
m <- {fit}
show_all <- function(x) paste(capture.output(print(x)), collapse = "\\n")
out[["{name}"]] <- list(
  lme4 = show_all(summary(m)),
  Satterthwaite = show_all(summary(lmerTest::as_lmerModLmerTest(m), ddf = "Satterthwaite")),
  `Kenward-Roger` = if (isREML(m))
    show_all(summary(lmerTest::as_lmerModLmerTest(m), ddf = "Kenward-Roger")),
  model = show_all(m), VarCorr = show_all(VarCorr(m)), ranef = show_all(ranef(m)))
"""
    return native(code + "emit(out)")


@pytest.fixture(scope="module")
def ours():
    data = {n: mlm.load_dataset(n) for n in PRINTS}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        return {
            "sleepstudy": mlm.lmer("Reaction ~ Days + (Days | Subject)", data["sleepstudy"]),
            "Pastes": mlm.lmer("strength ~ 1 + (1 | batch/cask)", data["Pastes"], reml=False),
            "ham": mlm.lmer(
                "Informed.liking ~ Product*Information + (1|Consumer) + (1|Product:Consumer)",
                data["ham"],
            ),
            "cake": mlm.lmer(
                "angle ~ recipe * temp + (1 | recipe:replicate)", data["cake"],
                contrasts={"recipe": "contr.sum"},
            ),
            "Machines": mlm.lmer(
                "score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", data["Machines"],
                control={"optimizer": "bobyqa"},
            ),
            "Dyestuff2": mlm.lmer("Yield ~ 1 + (1 | Batch)", data["Dyestuff2"]),
        }  # fmt: skip


@pytest.mark.parametrize("name", PRINTS)
@pytest.mark.parametrize("ddf", [None, "Satterthwaite", "Kenward-Roger"])
def test_summary_prints_character_for_character(name, ddf, ours, r_prints):
    expected = r_prints[name][ddf or "lme4"]
    if not expected:
        pytest.skip("Kenward-Roger needs a REML fit")
    assert str(ours[name].summary(ddf=ddf)) == expected


@pytest.mark.parametrize("name", PRINTS)
def test_model_varcorr_and_ranef_print_character_for_character(name, ours, r_prints):
    assert str(ours[name]) == r_prints[name]["model"]
    assert str(ours[name].varcorr()) == r_prints[name]["VarCorr"]
    assert str(ours[name].ranef()) == r_prints[name]["ranef"]


@pytest.fixture(scope="module")
def pieces():
    """What summary does not hold: one list of numbers from native R."""
    return native(
        """
        d <- sleepstudy; d$Days[c(3, 50)] <- NA
        m <- lme4::lmer(Reaction ~ Days + (Days | Subject), d)
        nd <- data.frame(Days = c(0, 5, NA), Subject = c("308", "new", "309"))
        emit(list(
          vcov = as.matrix(vcov(m)), kr = as.matrix(pbkrtest::vcovAdj(m)),
          x = unname(model.matrix(m)), z = unname(as.matrix(model.matrix(m, "random"))),
          coef = coef(m)$Subject, wald = confint(m, parm = "beta_", method = "Wald"),
          wald90 = confint(m, parm = "beta_", method = "Wald", level = 0.9),
          response = unname(residuals(m)), pearson = unname(residuals(m, "pearson")),
          deviance = unname(residuals(m, "deviance")),
          scaled = unname(residuals(m, "pearson", scaled = TRUE)),
          p_new = unname(predict(m, nd, allow.new.levels = TRUE, na.action = na.pass)),
          p_na = unname(predict(m, nd, re.form = NA, na.action = na.pass)),
          p_re = unname(predict(m, nd[1, ], re.form = ~ (1 | Subject))),
          p_own = unname(predict(m)),
          theta = m@theta,
          corr = cov2cor(as.matrix(vcov(m))),
          scaled5 = unname(quantile(residuals(m, "pearson", scaled = TRUE))),
          refit = {
            used <- m@frame
            used$Reaction <- fitted(m) + 1 + seq_len(178) %% 7
            anew <- lme4::lmer(Reaction ~ Days + (Days | Subject), used, start = m@theta)
            same <- update(m, REML = FALSE)
            list(fixef = unname(fixef(anew)), reml = REMLcrit(anew), ml = logLik(refit(
              same, structure(used$Reaction, na.action = attr(m@frame, "na.action"))))[1])
          },
          ml = logLik(update(m, REML = FALSE))[1], smaller = REMLcrit(update(m, . ~ . - Days)),
          deviance_reml = deviance(m, REML = FALSE)))
        """
    )


@pytest.fixture(scope="module")
def holey(sleepstudy):
    data = sleepstudy.copy()
    data.loc[[2, 49], "Days"] = np.nan
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", data)


def test_vcov(holey, pieces):
    assert_close(holey.vcov().to_numpy(), pieces["vcov"]["values"])
    assert_close(holey.vcov(ddf="Kenward-Roger").to_numpy(), pieces["kr"]["values"])
    assert list(holey.vcov().index) == ["(Intercept)", "Days"]


def test_model_matrix(holey, pieces):
    assert_close(holey.model_matrix().to_numpy(), pieces["x"]["values"])
    assert_close(holey.model_matrix("random").to_numpy(), pieces["z"]["values"])
    assert 2 not in holey.model_matrix().index


def test_coef(holey, pieces):
    ours = holey.coef()["Subject"]
    assert list(ours.index) == pieces["coef"][".rows"]
    assert_close(ours["Days"], pieces["coef"]["Days"])
    assert_close(ours["(Intercept)"], pieces["coef"]["(Intercept)"])


def test_confint_wald(holey, pieces):
    assert_close(holey.confint().to_frame().to_numpy(), pieces["wald"]["values"])
    ninety = holey.confint(level=0.9, parm="Days").to_frame()
    assert list(ninety.index) == ["Days"]
    assert_close(ninety.to_numpy()[0], pieces["wald90"]["values"][1])


@pytest.mark.parametrize("kind", ["response", "pearson", "deviance", "scaled"])
def test_residuals(holey, pieces, kind):
    ours = holey.residuals(kind)
    assert list(ours.index[ours.isna()]) == [2, 49]
    assert_close(ours.dropna(), pieces[kind])


def test_predict(holey, pieces):
    import pandas as pd

    new = pd.DataFrame(
        {"Days": [0, 5, np.nan], "Subject": ["308", "new", "309"]}, index=list("abc")
    )
    ours = holey.predict(new, allow_new_levels=True)
    assert list(ours.index) == ["a", "b", "c"]
    assert_close(ours[:2], pieces["p_new"][:2])
    assert np.isnan(ours["c"])
    assert_close(holey.predict(new, re_form="NA")[:2], pieces["p_na"][:2])
    assert_close(holey.predict(new[:1], re_form="~ (1 | Subject)"), pieces["p_re"])
    assert_close(holey.predict().dropna(), pieces["p_own"])


def test_scaled_residuals_and_correlation_of_the_summary(holey, pieces):
    s = holey.summary(ddf=None)
    assert_close(s.scaled_residuals, pieces["scaled5"])
    assert_close(s.correlation, pieces["corr"]["values"])


#: lme4's optimizer promises about six digits of theta; what the same path gives is closer.
SAME_OPTIMUM = 1e-8


def test_refit(holey, pieces):
    """REML as lmer() fits the new response: lme4's own refit() counts one fixed effect only."""
    y = holey.fitted().dropna() + 1 + np.arange(1, 179) % 7
    again = holey.refit(y)
    assert_close(again.fixef(), pieces["refit"]["fixef"], SAME_OPTIMUM)
    assert_close(again.reml_criterion, pieces["refit"]["reml"], SAME_OPTIMUM)
    full = y.reindex(holey.fitted().index)  # one number per row of the data, too
    assert_close(holey.refit(full).fixef(), again.fixef())
    assert_close(holey.update(reml=False).refit(y).loglik, pieces["refit"]["ml"], SAME_OPTIMUM)


def test_update(holey, pieces):
    assert_close(holey.update(reml=False).loglik, pieces["ml"])
    assert_close(holey.update(". ~ . - Days").reml_criterion, pieces["smaller"])
    assert_close(holey.deviance, pieces["deviance_reml"])
    assert holey.update(". ~ . + I(Days^2)").formula.endswith("I(Days^2)")


def test_a_dot_stands_for_the_other_columns(sleepstudy):
    """With it left in the formula R's own anova(), predict() ... of a mixed model fail."""
    data = sleepstudy.assign(z=np.arange(180) % 7)
    m = mlm.lmer("Reaction ~ . - Subject + (1 | Subject)", data)
    reference = native(
        "d <- sleepstudy; d$z <- 0:179 %% 7\n"
        "m <- lme4::lmer(Reaction ~ . - Subject + (1 | Subject), d)\n"
        "written <- lmer(Reaction ~ Days + z + (1 | Subject), d)\n"
        "emit(list(fixef = fixef(m), ms = anova(written)[['Mean Sq']]))"
    )
    assert m.fixef().index.tolist() == list(reference["fixef"])
    assert_fits_close(m.fixef(), list(reference["fixef"].values()))
    assert_fits_close(m.anova().mean_sq, reference["ms"])
    assert_fits_close(m.predict(data.head(3)), m.fitted().head(3))
    assert m.update(". ~ . - z").fixef().index.tolist() == ["(Intercept)", "Days"]
    # Weights given as numbers travel in a column of ours, for which the dot does not stand.
    for fit in (mlm.lmer, mlm.lm):
        formula = "Reaction ~ . - Subject" + (" + (1 | Subject)" if fit is mlm.lmer else "")
        weighted = fit(formula, data, weights=np.linspace(1, 2, 180))
        assert weighted.fixef().index.tolist() == ["(Intercept)", "Days", "z"]


def test_a_model_without_fixed_effects(sleepstudy):
    m = mlm.lmer("Reaction ~ 0 + (1 | Subject)", sleepstudy)
    native_text = rscript(
        "suppressMessages(library(lmerTest))\n"
        "m <- lme4::lmer(Reaction ~ 0 + (1 | Subject), sleepstudy)\n"
        "print(summary(m)); print(summary(as_lmerModLmerTest(m)))"
    )
    assert f"{m.summary(ddf=None)}\n{m.summary()}\n" == native_text
    assert mlm.check_parity(m).ok
    assert m.tidy("fixed").to_frame().empty
    assert len(m.tidy().to_frame()) == 2
    assert m.summary(ddf="between-within").fixed.statistic.size == 0
    # One group's mode alone: the variance of u given y, and nothing from fixed effects.
    at = m.predict(sleepstudy.head(1), interval="confidence")
    assert_close(
        at.std_error, m.ranef().to_frame()["condsd"].iloc[0], rtol=ARITHMETIC
    )  # two algorithms


def test_rows_that_miss_their_weight_or_offset_are_dropped_as_r_drops_them(sleepstudy):
    data = sleepstudy.assign(w=np.linspace(1, 2, 180))
    data.loc[[3, 7], "w"] = np.nan
    reference = native(
        "d <- sleepstudy; d$w <- seq(1, 2, length.out = 180); d$w[c(4, 8)] <- NA\n"
        "m <- lme4::lmer(Reaction ~ Days + (1 | Subject), d, weights = w)\n"
        "emit(list(weights = unname(fixef(m)), offset = unname(fixef(\n"
        "  lme4::lmer(Reaction ~ Days + (1 | Subject), d, offset = w)))))"
    )
    for name, fixef in reference.items():
        m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data, **{name: "w"})
        assert_fits_close(m.fixef(), fixef)
        assert m.n_dropped == 2
        assert m.fitted()[[3, 7]].isna().all()
        assert mlm.check_parity(m).ok
