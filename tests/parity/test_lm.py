"""lm and glm against native Rscript: one test per model and quantity."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import (
    ArgumentError,
    DataError,
    FormulaError,
    NotSupportedError,
    RWarning,
)
from tests.native import ROUND_TRIP, assert_close, native

#: glm's profile likelihood intervals come from interpolated curves.
PROFILE = 1e-9
#: predict() multiplies X by the coefficients, fitted() comes from the QR decomposition.
ROUNDING = 1e-11

#: name -> (data set, formula, Python's arguments, R's arguments)
LMS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "simple": ("sleepstudy", "Reaction ~ Days", {}, ""),
    "fixed effects": ("sleepstudy", "Reaction ~ Days + Subject", {}, ""),
    "interaction": ("cake", "angle ~ recipe * temperature", {}, ""),
    "sum contrasts": (
        "cake", "angle ~ recipe * temp", {"contrasts": {"recipe": "contr.sum"}},
        "contrasts = list(recipe = 'contr.sum')",
    ),
    "weights offset": (
        "sleepstudy", "Reaction ~ Days + offset(Days)", {"weights": "w"}, "weights = w",
    ),
    "holes": ("holes", "Reaction ~ poly(Days, 2)", {}, ""),
    "aliased": ("sleepstudy", "Reaction ~ Days + I(2 * Days)", {}, ""),
    "no intercept": ("sleepstudy", "Reaction ~ 0 + Days + I(Days^2)", {}, ""),
}  # fmt: skip
GLMS: dict[str, tuple[str, str, dict[str, Any], str]] = {
    "binomial": (
        "cbpp", "cbind(incidence, size - incidence) ~ period", {}, "family = binomial",
    ),
    "probit": (
        "cbpp", "cbind(incidence, size - incidence) ~ period", {"link": "probit"},
        "family = binomial(link = 'probit')",
    ),
    "quasibinomial": (
        "cbpp", "cbind(incidence, size - incidence) ~ period", {"family": "quasibinomial"},
        "family = quasibinomial",
    ),
    "poisson": ("grouseticks", "TICKS ~ YEAR + cHEIGHT", {"family": "poisson"}, "family = poisson"),
    "Gamma": (
        "sleepstudy", "Reaction ~ Days", {"family": "Gamma('log')"}, "family = Gamma(link = 'log')",
    ),
    "gaussian": ("sleepstudy", "Reaction ~ Days", {"family": "gaussian"}, "family = gaussian"),
}  # fmt: skip
ALL = LMS | GLMS

FACTS = """
say <- function(x) paste(capture.output(print(x)), collapse = "\\n")
facts <- function(m) {
  s <- summary(m); glm <- inherits(m, "glm")
  a <- if (glm) anova(m, test = "Chisq") else anova(m)
  list(coef = coef(m), coefs = coef(s), vcov = vcov(m), fitted = unname(fitted(m)),
       resid = unname(residuals(m)), pearson = unname(residuals(m, "pearson")),
       standardized = unname(if (glm) rstandard(m, type = 'deviance') else rstandard(m)),
       studentized = unname(rstudent(m)),
       anova = as.matrix(a), anova_print = say(a), shown = say(m), summary = say(s),
       confint = suppressMessages(confint(m)), wald = confint.default(m),
       loglik = as.numeric(logLik(m)), aic = AIC(m), bic = BIC(m), deviance = deviance(m),
       sigma = sigma(m), df_residual = df.residual(m), nobs = nobs(m),
       npar = attr(logLik(m), "df"), x = unname(model.matrix(m)),
       r2 = s$r.squared, adj = s$adj.r.squared, f = unname(s$fstatistic),
       dispersion = s$dispersion, null = s$null.deviance, link = if (glm) unname(predict(m)),
       call = paste(deparse(m$call, 500), collapse = "\\n"),
       interval = if (!glm) suppressWarnings(predict(m, interval = "prediction", level = 0.9)))
}
"""


@pytest.fixture(scope="module")
def r():
    code = FACTS + (
        "sleepstudy$w <- seq(0.5, 2, length.out = 180); holes <- sleepstudy\n"
        "holes$Reaction[c(3, 50)] <- NA\nout <- list()\n"
    )
    for name, (data, formula, _, arguments) in ALL.items():
        fun = "glm" if name in GLMS else "lm"
        extra = f", {arguments.replace(chr(39), chr(34))}" if arguments else ""
        code += f"out[['{name}']] <- facts({fun}(formula = {formula}, data = {data}{extra}))\n"
    return native(code + "emit(out)")


@functools.cache
def data_of(name):
    data = mlm.load_dataset("lme4::sleepstudy" if name == "holes" else f"lme4::{name}")
    if "Reaction" in data:
        data["w"] = np.linspace(0.5, 2, 180)
    if name == "holes":
        data.loc[data.index[[2, 49]], "Reaction"] = np.nan
        data.attrs["name"] = "holes"
    return data


@functools.cache
def fitted(name):
    data, formula, arguments, _ = ALL[name]
    return (mlm.glm if name in GLMS else mlm.lm)(formula, data_of(data), **arguments)


def matrix(found):
    return np.array(found["values"], dtype=float)


each = pytest.mark.parametrize("name", ALL)


@each
def test_coef(r, name):
    theirs = r[name]["coef"]
    values = [np.nan if v is None else v for v in theirs.values()]
    assert list(fitted(name).coef().index) == list(theirs)
    assert_close(fitted(name).coef(), values)
    assert_close(fitted(name).fixef(), [v for v in theirs.values() if v is not None])


@each
def test_summary_table(r, name):
    ours = fitted(name).summary().fixed
    theirs = matrix(r[name]["coefs"])
    assert list(ours.term) == r[name]["coefs"]["rows"]
    assert_close(ours.estimate, theirs[:, 0])
    assert_close(ours.std_error, theirs[:, 1])
    assert_close(ours.statistic, theirs[:, 2])
    assert_close(ours.p_value, theirs[:, 3])
    if "t value" in r[name]["coefs"]["cols"]:
        assert set(ours.df) == {r[name]["df_residual"]}
    else:
        assert ours.df is None
        assert ours.statistic_name == "z"


@each
def test_summary_facts(r, name):
    s, theirs = fitted(name).summary(), r[name]
    assert s.sigma == pytest.approx(theirs["sigma"], rel=ROUND_TRIP)
    if name in LMS:
        assert_close([s.r_squared, s.adj_r_squared], [theirs["r2"], theirs["adj"]])
        if theirs["f"] is None:
            assert s.f_statistic is None
        else:
            assert_close([s.f_statistic, s.f_num_df, s.f_den_df], theirs["f"])
    else:
        assert_close([s.dispersion, s.null_deviance], [theirs["dispersion"], theirs["null"]])


@each
def test_prints(r, name):
    assert str(fitted(name)).strip() == r[name]["shown"].strip()
    assert str(fitted(name).summary()).strip() == r[name]["summary"].strip()
    test = "Chisq" if name in GLMS else None
    assert str(fitted(name).anova(test=test)).strip() == r[name]["anova_print"].strip()


@each
def test_call_is_what_a_person_writes(r, name):
    assert fitted(name)._described.call == r[name]["call"]


@each
def test_anova(r, name):
    theirs = r[name]["anova"]
    if name in LMS:
        ours = fitted(name).anova()
        by_r = {"Df": ours.num_df, "Sum Sq": ours.sum_sq, "Mean Sq": ours.mean_sq,
                "F value": ours.statistic, "Pr(>F)": ours.p_value}  # fmt: skip
        assert list(ours.to_frame().columns) == [
            "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value",
        ]  # fmt: skip
    else:
        ours = fitted(name).anova(test="Chisq")
        by_r = {"Df": ours.num_df, "Deviance": ours.deviance, "Resid. Df": ours.residual_df,
                "Resid. Dev": ours.residual_deviance, "Pr(>Chi)": ours.p_value}  # fmt: skip
    assert list(ours.term) == theirs["rows"]
    for i, column in enumerate(theirs["cols"]):
        wanted = [np.nan if row[i] is None else row[i] for row in theirs["values"]]
        got = by_r[column]
        assert_close(np.full(len(wanted), np.nan) if got is None else got, wanted, what=column)


@each
def test_vcov(r, name):
    theirs = np.array(
        [[np.nan if v is None else v for v in row] for row in r[name]["vcov"]["values"]]
    )
    assert_close(fitted(name).vcov(), theirs)


@each
def test_confint(r, name):
    for method, key in (("profile", "confint"), ("Wald", "wald")):
        ours = fitted(name).confint(method=method)
        theirs = r[name][key]
        if isinstance(theirs, dict) and "values" in theirs:
            values = [[np.nan if v is None else v for v in row] for row in theirs["values"]]
        else:
            values = [list(theirs.values())]
        assert_close(ours.to_frame(), values, PROFILE, what=method)


@each
@pytest.mark.parametrize(
    "what", ["loglik", "aic", "bic", "deviance", "sigma", "df_residual", "nobs", "npar"]
)
def test_scalar(r, name, what):
    theirs = r[name][what]
    assert_close(getattr(fitted(name), what), np.nan if theirs is None else theirs)


@each
def test_rows(r, name):
    m, theirs = fitted(name), r[name]
    assert_close(m.fitted().dropna(), theirs["fitted"])
    assert_close(m.residuals().dropna(), theirs["resid"], what="R's default")
    for kind in ("pearson", "standardized", "studentized"):
        assert_close(m.residuals(kind).dropna(), theirs[kind], what=kind)
    assert_close(m.predict().dropna(), theirs["fitted"], ROUNDING)
    x = m.model_matrix()
    assert_close(x, matrix(theirs["x"]))
    assert list(x.index) == list(m.fitted().dropna().index)
    if name in GLMS:
        assert_close(m.predict(type="link"), theirs["link"])


@pytest.mark.filterwarnings("ignore:prediction from a rank-deficient fit")  # as in R
@pytest.mark.parametrize("name", [n for n in LMS if n != "weights offset"])
def test_prediction_intervals(r, name):
    ours = fitted(name).predict(interval="prediction", level=0.9)
    assert_close(ours.dropna(), matrix(r[name]["interval"]))
    data = data_of(LMS[name][0])
    new = fitted(name).predict(data.drop(columns="Reaction", errors="ignore"),
                               interval="prediction", level=0.9)  # fmt: skip
    if name == "holes":  # there, the rows without a response can be predicted
        assert new.notna().to_numpy().all()
        new = new[ours["predicted"].notna()]
    assert_close(new, matrix(r[name]["interval"]))


def test_holes_keep_their_place():
    m = fitted("holes")
    assert (m.nobs, m.n_dropped) == (178, 2)
    assert list(np.flatnonzero(m.residuals().isna())) == [2, 49]
    assert m.summary().n_dropped == 2


def test_glm_attributes():
    m = fitted("probit")
    assert (m.family, m.link, m.converged) == ("binomial", "probit", True)
    assert m.ngroups == {}


def test_update_and_refits():
    m = fitted("fixed effects")
    assert_close(m.update(". ~ . - Subject").coef(), fitted("simple").coef())
    g = fitted("binomial")
    assert_close(g.update(link="probit").coef(), fitted("probit").coef())
    assert_close(
        m.update("Reaction ~ Days + offset(Days)", weights="w").coef(),
        fitted("weights offset").coef(),
    )
    with pytest.raises(ArgumentError, match="has no argument 'weigths'"):
        m.update(weigths=1)


def test_pickle_file_and_script(tmp_path):
    for name in ("holes", "binomial"):
        m = fitted(name)
        for other in (pickle.loads(pickle.dumps(m)), mlm.load_model(m.save(tmp_path / "m.rds"))):
            assert type(other) is type(m)
            assert_close(other.coef(), m.coef())
            assert_close(other.residuals(), m.residuals())
        assert f"({'g' if name == 'binomial' else ''}lm(" in m.to_r().replace("<- ", "(")


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda d: mlm.lm("Reaction ~ Days + (1 | Subject)", d), FormulaError, r"use pymlm\.lmer"),
        (lambda d: mlm.glm("Reaction ~ (1 | Subject)", d), FormulaError, r"use pymlm\.glmer"),
        (lambda d: mlm.lm("~ Days", d), FormulaError, "no response"),
        (lambda d: mlm.lm("Subject ~ Days", d), DataError, "not numeric"),
        (lambda d: mlm.glm("Reaction ~ Days", d), DataError, "binomial family needs 0 and 1"),
        (lambda d: mlm.glm("Reaction ~ Days", d, "poison"), ArgumentError, "'poisson'"),
        (lambda d: mlm.lm("Reaction ~ Dyas", d), FormulaError, "'Days'"),
        (lambda d: mlm.lm("Reaction ~ Days", d, weights=np.zeros(180)), DataError, "above 0"),
        (lambda d: mlm.lm("Reaction ~ Days", d, offset=[1, 2]), DataError, "2 values"),
        (lambda d: fitted("binomial").predict(interval="confidence"), NotSupportedError, "glm"),
        (lambda d: fitted("simple").anova(test="Chisq"), NotSupportedError, "by F"),
        (lambda d: fitted("simple").predict(d[["Subject"]]), DataError, "no column 'Days'"),
        (lambda d: fitted("simple").predict(d.assign(Days="a")), DataError, "fitted to numbers"),
        (
            lambda d: fitted("fixed effects").predict(d.assign(Subject="new")),
            DataError,
            "the level 'new'",
        ),
        (
            lambda d: mlm.lm("Reaction ~ Days", d, offset="Subject"),
            DataError,
            "offset",
        ),
        (lambda d: mlm.lm("cbind(Reaction, Days) ~ 1", d), FormulaError, "several columns"),
        (
            lambda d: mlm.lmer("cbind(Reaction, Days) ~ 1 + (1 | Subject)", d),
            FormulaError,
            "several columns",
        ),
        (lambda d: fitted("simple").confint(level=95), ArgumentError, "between 0 and 1"),
    ],
)
def test_bad_input(call, error, says):
    with pytest.raises(error, match=says):
        call(data_of("sleepstudy"))
    assert mlm.lm("Reaction ~ Days", data_of("sleepstudy")).nobs == 180  # R is usable


def test_r_s_warnings_are_given():
    data = data_of("sleepstudy").assign(y=lambda d: d["Days"] > 4.5)
    with pytest.warns(RWarning) as given:
        m = mlm.glm("y ~ Days", data)
    texts = [str(w.message) for w in given]
    assert "glm.fit: fitted probabilities numerically 0 or 1 occurred" in texts
    assert "glm.fit: algorithm did not converge" in texts
    assert not m.converged


def test_a_model_of_the_mean_alone():
    m = mlm.lm("Reaction ~ 1", data_of("sleepstudy"))
    y = data_of("sleepstudy")["Reaction"]
    assert_close(m.coef(), y.mean())
    assert_close(m.sigma, y.std())
    assert m.summary().f_statistic is None
    assert m.confint().term == ("(Intercept)",)
    assert m.vcov().shape == (1, 1)


def test_predictions_take_the_offset_from_the_new_rows():
    theirs = native(
        """
        cbpp$log_size <- log(cbpp$size)
        m <- glm(incidence ~ period, poisson, cbpp, offset = log_size)
        w <- lm(incidence ~ period, cbpp, offset = log_size, weights = size)
        emit(list(glm = unname(predict(m, cbpp[5:1, ], type = "response")),
                  lm = as.numeric(suppressWarnings(
                    predict(w, cbpp[5:1, ], interval = "prediction")))))
        """
    )
    data = mlm.load_dataset("cbpp").assign(log_size=lambda d: np.log(d["size"]))
    new = data.iloc[4::-1]
    m = mlm.glm("incidence ~ period", data, family="poisson", offset="log_size")
    assert_close(m.predict(new), theirs["glm"])
    w = mlm.lm("incidence ~ period", data, offset="log_size", weights="size")
    with pytest.warns(RWarning, match="constant prediction variance"):
        limits = w.predict(new, interval="prediction")
    assert_close(limits.to_numpy().ravel(order="F"), theirs["lm"])
    with pytest.raises(DataError, match="no column 'log_size'"):
        m.predict(new[["period"]])
    array = mlm.glm("incidence ~ period", data, family="poisson", offset=data["log_size"].array)
    assert_close(array.predict(), m.predict())
    with pytest.raises(DataError, match="offset was given as an array"):
        array.predict(new)
