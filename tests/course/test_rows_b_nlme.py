"""Checklist rows 2, 29, 31, 77: correlated residuals and variances by group, by nlme."""

from __future__ import annotations

import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    ArgumentError,
    ComparisonError,
    DataError,
    FitError,
    FormulaError,
    NotSupportedError,
)
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import ARITHMETIC, FLAT_CRITERION, OTHER_OPTIMIZER, REOPTIMIZED, SAME_PATH

#: The same optimizer of the same nlme on the same data.
SAME_FIT = 1e-8
CODE = """
library(nlme)
d <- as.data.frame(Orthodont)
d$distance[7] <- NA
m <- lme(fixed = distance ~ age, data = d, random = ~age | Subject,
         correlation = corAR1(form = ~1 | Subject), weights = varIdent(form = ~1 | Sex),
         method = "REML", na.action = na.omit)
g <- gls(model = distance ~ age, data = d, correlation = corCompSymm(form = ~1 | Subject),
         method = "REML", na.action = na.omit)
ml <- lme(fixed = distance ~ age, data = d, random = ~1 | Subject, method = "ML",
          na.action = na.omit)
ml1 <- lme(fixed = distance ~ age, data = d, random = ~1 | Subject, method = "ML",
           correlation = corAR1(form = ~1 | Subject), na.action = na.omit)
car <- gls(model = distance ~ age, data = d, correlation = corCAR1(form = ~age | Subject),
           method = "REML", na.action = na.omit)
p <- lme(fixed = pixel ~ day, data = Pixel, random = ~1 | Dog/Side, method = "REML",
         na.action = na.omit)
text <- function(x) paste(capture.output(print(x)), collapse = "\\n")
t <- summary(m)$tTable
i <- intervals(m)
a <- anova(ml, ml1)
new <- data.frame(age = c(9, 11), Subject = c("M01", "F02"))
emit(list(t = unname(t), phi = unname(coef(m$modelStruct$corStruct, unconstrained = FALSE)),
  ratio = unname(coef(m$modelStruct$varStruct, unconstrained = FALSE, allCoef = TRUE)),
  sigma = m$sigma, vc = unname(as.matrix(getVarCov(m))), loglik = as.numeric(logLik(m)),
  aic = AIC(m), bic = BIC(m), fitted = unname(fitted(m)), fitted0 = unname(fitted(m, level = 0)),
  normalized = as.numeric(residuals(m, type = "normalized")),
  pearson = as.numeric(residuals(m, type = "pearson")), ranef = as.matrix(ranef(m)),
  coef = as.matrix(coef(m)), vcov = unname(vcov(m)), fixed_ci = unname(i$fixed[, c(1, 3)]),
  phi_ci = unname(as.numeric(i$corStruct[, c(1, 3)])), ratio_ci = unname(as.numeric(
    i$varStruct[, c(1, 3)])), sd_ci = unname(as.matrix(i$reStruct$Subject[, c(1, 3)])),
  sigma_ci = unname(as.numeric(i$sigma[c(1, 3)])),
  predict = as.numeric(predict(m, new)), predict0 = as.numeric(predict(m, new, level = 0)),
  summary = text(summary(m)), intervals = text(i), varcorr = text(VarCorr(m)), print = text(m),
  R = unname(as.matrix(getVarCov(m, individuals = "F02", type = "conditional")[[1]])),
  g = list(t = unname(summary(g)$tTable), rho = unname(coef(g$modelStruct$corStruct, FALSE)),
           summary = text(summary(g)), ci = unname(intervals(g)$coef[, c(1, 3)])),
  car = unname(coef(car$modelStruct$corStruct, unconstrained = FALSE)),
  lrt = c(a$L.Ratio[2], a$df, a$`p-value`[2]),
  pixel = list(vc = as.numeric(VarCorr(p)[c(2, 4, 5), 2]), b = unname(fixef(p)),
               dog = unname(as.matrix(ranef(p)$Dog)), side = rownames(ranef(p)$Side))))
"""


@pytest.fixture(scope="module")
def r() -> Any:
    return native(CODE)


@pytest.fixture(scope="module")
def d() -> pd.DataFrame:
    frame = mlm.load_dataset("nlme::Orthodont")
    frame.iloc[6, frame.columns.get_loc("distance")] = np.nan
    frame.attrs["name"] = "d"
    return frame


@pytest.fixture(scope="module")
def m(d) -> Any:
    return mlm.lme(
        "distance ~ age", d, random="~ age | Subject", correlation="ar1", variance_by="Sex"
    )


@pytest.fixture(scope="module")
def g(d) -> Any:
    return mlm.gls("distance ~ age", d, correlation="cs", group="Subject")


def test_row_31_coefficient_table(m, r):
    f = m.summary().fixed
    table = np.column_stack([f.estimate, f.std_error, f.df, f.statistic, f.p_value])
    assert_close(table, r["t"]["values"], SAME_FIT)
    assert_close(m.fixef(), f.estimate)
    assert_close(m.vcov(), r["vcov"]["values"], SAME_FIT)


def test_row_31_ar1(m, r):
    assert m.correlation()["Phi"] == pytest.approx(r["phi"], rel=SAME_FIT)


def test_row_29_variances_by_group(m, r):
    ratios = m.sd_ratios()
    assert_close(ratios.to_numpy(), r["ratio"], SAME_FIT)
    assert_close(m.variance_ratios().to_numpy(), ratios.to_numpy() ** 2)
    assert list(ratios.index) == ["Male", "Female"]
    assert m.sigma == pytest.approx(r["sigma"], rel=SAME_FIT)


def test_row_31_residual_covariance(m, r):
    R = m.residual_covariance("F02").to_numpy()
    assert_close(R, r["R"]["values"], SAME_FIT)
    s = m.sigma * m.sd_ratios()["Female"]
    phi = m.correlation()["Phi"]
    lags = np.abs(np.subtract.outer(np.arange(4), np.arange(4)))
    assert_close(R, s**2 * phi**lags, ARITHMETIC)


def test_row_31_variance_components(m, r):
    vc = m.varcorr()
    assert_close(vc.matrix("Subject").to_numpy(), r["vc"]["values"], SAME_FIT)
    assert str(vc) == r["varcorr"]
    frame = vc.to_frame()
    assert frame["grp"].tolist() == ["Subject", "Subject", "Subject", "Residual"]
    row = frame.iloc[2]
    product = frame["sdcor"][0] * frame["sdcor"][1]
    assert row["sdcor"] == pytest.approx(row["vcov"] / product)


def test_row_31_criteria(m, r):
    assert m.loglik == pytest.approx(r["loglik"], rel=SAME_FIT)
    assert m.aic == pytest.approx(r["aic"], rel=SAME_FIT)
    assert m.bic == pytest.approx(r["bic"], rel=SAME_FIT)
    assert (m.nobs, m.ngroups, m.reml) == (107, {"Subject": 27}, True)


def test_row_31_rows_come_back_on_the_index(m, r, d):
    fitted = m.fitted()
    assert np.isnan(fitted.iloc[6])
    assert fitted.index.equals(d.index)
    assert_close(fitted.dropna(), r["fitted"], SAME_FIT)
    assert_close(m.fitted(level=0).dropna(), r["fitted0"], SAME_FIT)
    assert_close(m.residuals("normalized").dropna(), r["normalized"], REOPTIMIZED)
    assert_close(m.residuals("pearson").dropna(), r["pearson"], REOPTIMIZED)
    assert_close(m.residuals().dropna(), (d["distance"] - fitted).dropna(), ROUND_TRIP)


def test_row_31_random_effects(m, r):
    modes = m.ranef()["Subject"]
    assert list(modes.index) == r["ranef"]["rows"]
    assert_close(modes, r["ranef"]["values"], REOPTIMIZED)
    assert_close(m.coef()["Subject"], r["coef"]["values"], SAME_FIT)


def test_row_31_intervals(m, r):
    f = m.confint().to_frame()

    def bounds(part: str) -> Any:
        return f.loc[f["part"] == part, ["conf_low", "conf_high"]].to_numpy()

    assert_close(bounds("fixed"), r["fixed_ci"]["values"], SAME_FIT)
    assert_close(bounds("correlation")[0], r["phi_ci"], REOPTIMIZED)
    assert_close(bounds("variance ratio")[0], r["ratio_ci"], REOPTIMIZED)
    assert_close(bounds("random"), r["sd_ci"]["values"], REOPTIMIZED)
    assert_close(bounds("sigma")[0], r["sigma_ci"], REOPTIMIZED)
    assert str(m.confint()) == r["intervals"]


def test_row_31_prediction(m, r):
    new = pd.DataFrame({"age": [9.0, 11.0], "Subject": ["M01", "F02"]}, index=["a", "b"])
    assert_close(m.predict(new), r["predict"], SAME_FIT)
    assert_close(m.predict(new, level=0), r["predict0"], SAME_FIT)
    assert_close(m.predict(new[["age"]], level=0), r["predict0"], SAME_FIT)
    unseen = new.assign(Subject="new")
    with pytest.raises(DataError, match="'new', which the model has not seen"):
        m.predict(unseen)
    assert m.predict(unseen, allow_new_levels="nan").isna().all()
    assert_close(m.predict(unseen, allow_new_levels=True), r["predict0"], SAME_FIT)
    assert m.predict().equals(m.fitted().rename("predicted"))


def test_row_31_prints_as_r_prints(m, g, r):
    assert str(m.summary()) == r["summary"]
    assert str(g.summary()) == r["g"]["summary"]
    assert str(m) == r["print"]


def test_row_31_compound_symmetry(g, r):
    f = g.summary().fixed
    values = np.array(r["g"]["t"]["values"])
    assert_close(
        np.column_stack([f.estimate, f.std_error, f.statistic, f.p_value]), values, SAME_PATH
    )
    assert np.all(f.df == 105)
    assert g.correlation()["Rho"] == pytest.approx(r["g"]["rho"], rel=SAME_FIT)
    rows = g.confint().to_frame()
    fixed = rows.loc[rows["part"] == "fixed", ["conf_low", "conf_high"]]
    assert_close(fixed, r["g"]["ci"]["values"], SAME_FIT)


def test_row_31_compound_symmetry_is_the_random_intercept(g, d):
    m = mlm.lmer("distance ~ age + (1 | Subject)", d)
    tau2, sigma2 = m.varcorr().variance("Subject"), m.sigma**2
    assert g.correlation()["Rho"] == pytest.approx(tau2 / (tau2 + sigma2), rel=FLAT_CRITERION)
    assert_close(g.fixef(), m.fixef(), REOPTIMIZED)
    assert g.loglik == pytest.approx(m.loglik, abs=OTHER_OPTIMIZER)


def test_row_31_continuous_time(d, r):
    m = mlm.gls("distance ~ age", d, correlation="car1", group="Subject", time="age")
    assert m.correlation().iloc[0] == pytest.approx(r["car"], rel=REOPTIMIZED)


def test_row_2_a_panel_compared_with_and_without_ar1(d, r):
    m0 = mlm.lme("distance ~ age", d, random="~ 1 | Subject", reml=False)
    m1 = mlm.lme("distance ~ age", d, random="~ 1 | Subject", reml=False, correlation="ar1")
    table = m0.compare(m1)
    lr, df0, df1, p = r["lrt"]
    assert table["chisq"].iloc[1] == pytest.approx(lr, rel=REOPTIMIZED)
    assert table["npar"].tolist() == [df0, df1]
    assert table["p_value"].iloc[1] == pytest.approx(p, rel=REOPTIMIZED)
    with pytest.raises(ComparisonError, match="REML"):
        m0.compare(mlm.lme("distance ~ age", d, random="~ 1 | Subject"))
    with pytest.raises(ComparisonError, match="different fixed effects"):
        mlm.lme("distance ~ age", d, random="~ 1 | Subject").compare(
            mlm.lme("distance ~ 1", d, random="~ 1 | Subject")
        )
    with pytest.raises(ComparisonError, match="different numbers"):
        m0.compare(mlm.lme("distance ~ age", d.head(80), random="~ 1 | Subject", reml=False))


def test_row_8_nested_groups(r):
    m = mlm.lme("pixel ~ day", mlm.load_dataset("nlme::Pixel"), random="~ 1 | Dog/Side")
    vc = m.varcorr().to_frame().set_index("grp")
    dog, side, residual = r["pixel"]["vc"]
    assert vc.loc["Dog", "sdcor"] == pytest.approx(dog, rel=REOPTIMIZED)
    assert vc.loc["Side", "sdcor"] == pytest.approx(side, rel=REOPTIMIZED)
    assert vc.loc["Residual", "sdcor"] == pytest.approx(residual, rel=REOPTIMIZED)
    assert_close(m.fixef(), r["pixel"]["b"], SAME_FIT)
    assert_close(
        m.ranef()["Dog"].to_numpy()[:, 0], np.ravel(r["pixel"]["dog"]["values"]), REOPTIMIZED
    )
    assert list(m.ranef()["Side"].index) == r["pixel"]["side"]


def test_row_77_nlme_has_its_own_degrees_of_freedom(m):
    # The lecture has Satterthwaite and Kenward-Roger "in LME"; nlme has inner and outer df alone.
    assert set(m.summary().fixed.df) == {79.0}
    with pytest.raises(TypeError):
        m.summary(ddf="Kenward-Roger")


def test_row_31_models_travel(m, g, tmp_path):
    for model in (m, g):
        copy = pickle.loads(pickle.dumps(model))
        assert_close(copy.fixef(), model.fixef())
        loaded = mlm.load_model(model.save(tmp_path / "m.rds"))
        assert type(loaded) is type(model)
        assert_close(loaded.fitted().dropna(), model.fitted().dropna(), ROUND_TRIP)


def test_row_31_bad_input(d):
    with pytest.raises(FormulaError, match="one bar"):
        mlm.lme("distance ~ age", d, random="~ age")
    with pytest.raises(FormulaError, match="fixed part"):
        mlm.lme("distance ~ age + (1 | Subject)", d, random="~ 1 | Subject")
    with pytest.raises(FormulaError, match="Subject"):
        mlm.lme("distance ~ age", d, random="~ 1 | subject")
    with pytest.raises(ArgumentError, match="ar1"):
        mlm.gls("distance ~ age", d, correlation="ar2", group="Subject")
    with pytest.raises(ArgumentError, match="orders the rows"):
        mlm.gls("distance ~ age", d, time="age")
    with pytest.raises(FitError, match="unique"):
        mlm.gls("distance ~ age", d.assign(t=1), correlation="ar1", group="Subject", time="t")
    assert mlm.gls("distance ~ age", d).sigma > 0  # R is still there


def test_row_31_what_a_gls_has_not(g, m, d):
    with pytest.raises(NotSupportedError, match="no random effects"):
        g.ranef()
    with pytest.raises(NotSupportedError, match="fixef"):
        g.coef()
    for level in (2, "Subject", True):
        with pytest.raises(ArgumentError, match="level is a whole number from 0 to 1"):
            m.fitted(level)
    with pytest.raises(ArgumentError, match="Did you mean 'newdata'"):
        m.predict(new_data=None)
    with pytest.raises(ArgumentError, match="one or more other models"):
        m.compare()
    with pytest.raises(ArgumentError, match="no group"):
        m.residual_covariance("nobody")
    with pytest.raises(DataError, match="no column 'age'"):
        m.predict(d[["Subject"]])
    assert mlm.gls("distance ~ age", d).correlation().empty


def test_row_31_names_that_nlme_cannot_read_are_said(d):
    odd = d.rename(columns={"age": "the age"})
    with pytest.raises(DataError, match="column name 'the age'"):
        mlm.lme("distance ~ `the age`", odd, random="~ 1 | Subject")
    with pytest.raises(DataError, match="column name 'the age'"):
        mlm.gls("distance ~ 1", odd, variance_by="the age")
    fine = d.rename(columns={"age": "größe.1"})
    assert mlm.gls("distance ~ größe.1", fine).sigma == mlm.gls("distance ~ age", d).sigma


def test_row_31_one_group_has_no_variance_between_groups(d):
    with pytest.raises(DataError, match="all rows are in one 'Subject'"):
        mlm.lme("distance ~ age", d[d["Subject"] == "M01"], random="~ 1 | Subject")


@pytest.mark.parametrize("times", [[8, 10, 12, 14], [0.1, 0.5, 0.9, 1.3]])
def test_row_31_ar1_refuses_times_that_are_no_occasions(times):
    """nlme cuts fractions to whole numbers, and stays at phi = 0 where no lag is 1."""
    d = pd.DataFrame({"y": np.arange(20.0) % 7, "t": times * 5, "g": np.repeat(list("abcde"), 4)})
    for fit in (lambda **k: mlm.gls("y ~ t", d, group="g", **k),
                lambda **k: mlm.lme("y ~ t", d, random="~ 1 | g", **k)):  # fmt: skip
        with pytest.raises(DataError, match="'car1'"):
            fit(correlation="ar1", time="t")


def test_row_77_means_of_an_lme_have_no_satterthwaite_df(m):
    """emmeans refits to noise for them, and stops where nlme is not attached."""
    with pytest.raises(NotSupportedError, match="Leave ddf out"):
        m.emmeans("age", ddf="Satterthwaite")
    assert np.isfinite(m.emmeans("age").to_frame()["df"]).all()
