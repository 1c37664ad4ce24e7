"""Questions of lm, glm, lme and gls against native Rscript: class by question, every number."""

from __future__ import annotations

import functools
import pickle
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError
from tests.native import OPTIMUM, assert_close, native, needs_r

needs_r("emmeans", "car", "broom", "multcomp", "multcompView")

#: glm's and nlme's iterations stop at a difference; emmeans' trends are difference quotients.
ITERATED = 1e-7

#: name -> (R's fit, factor, covariate, hypothesis as text, its row of L in R)
MODELS: dict[str, tuple[str, str, str, str]] = {
    "lm": ("lm(angle ~ recipe * temp, cake)", "recipe", "temp", "temp = 0"),
    "lm weights": ("lm(angle ~ recipe + temp, cake, weights = w)", "recipe", "temp", "temp = 0"),
    "lm sums": (
        "lm(angle ~ recipe * temp, cake, contrasts = list(recipe = 'contr.sum'))",
        "recipe", "temp", "temp = 0",
    ),
    "glm binomial": (
        "glm(cbind(incidence, size - incidence) ~ period + size, binomial, cbpp)",
        "period", "size", "period2 - period3 = 0",
    ),
    "glm poisson": (
        "glm(TICKS ~ YEAR + cHEIGHT, poisson, grouseticks)", "YEAR", "cHEIGHT", "cHEIGHT = 0",
    ),
    "glm Gamma": ("glm(angle ~ recipe + temp, Gamma('log'), cake)", "recipe", "temp", "temp = 0"),
    "lme": ("lme(distance ~ age * Sex, Orthodont, ~ age | Subject)", "Sex", "age", "age = 0"),
    "lme ML": (
        "lme(distance ~ age + Sex, Orthodont, ~ 1 | Subject, method = 'ML')",
        "Sex", "age", "age = 0",
    ),
    "gls": (
        "gls(distance ~ age * Sex, Orthodont, corCompSymm(form = ~ 1 | Subject))",
        "Sex", "age", "age = 0",
    ),
}  # fmt: skip
PLAIN = [n for n in MODELS if n.startswith(("lm ", "glm", "lm")) and not n.startswith("lme")]
NLME = [n for n in MODELS if n not in PLAIN]

FACTS = """
suppressMessages(library(nlme))
cake$w <- seq(0.5, 2, length.out = nrow(cake))
means <- function(x) { x <- as.data.frame(summary(x, infer = c(TRUE, TRUE)))
  names(x) <- sub("^asymp.LCL$|^lower.CL$", "low", names(x))
  names(x) <- sub("^asymp.UCL$|^upper.CL$", "high", names(x))
  list(se = x$SE, df = x$df, low = x$low, high = x$high, p = x$p.value) }
table <- function(x) { x <- as.data.frame(x)
  list(rows = rownames(x), cols = lapply(x, as.numeric)) }
facts <- function(m, f, v) {
  e <- emmeans::emmeans(m, f)
  out <- list(emm = as.data.frame(e)$emmean, means = means(e), pairs = means(pairs(e)),
    trends = means(emmeans::emtrends(m, f, v)), joint = as.data.frame(emmeans::joint_tests(m)),
    groups = trimws(multcomp::cld(e)$.group), aic = AIC(m), bic = BIC(m), loglik = c(logLik(m)))
  if (inherits(m, "lm")) {
    g <- inherits(m, "glm")
    out <- c(out, list(a2 = table(car::Anova(m, type = 2)), a3 = table(car::Anova(m, type = 3)),
      tidy = as.list(broom::tidy(m, conf.int = TRUE)), glance = as.list(broom::glance(m)),
      augment = as.list(broom::augment(m)[c(".fitted", ".resid", ".hat", ".sigma", ".cooksd",
                                            ".std.resid")]),
      se = unname(predict(m, se.fit = TRUE, type = "response")$se.fit),
      hat = unname(hatvalues(m)), cook = unname(cooks.distance(m)),
      dfbetas = unname(c(dfbetas(m))), dfbeta = unname(c(dfbeta(m))),
      simulated = {set.seed(11); unname(as.numeric(unlist(simulate(m, 2))))},
      drop1 = table(drop1(m, test = if (g && m$family$family != "Gamma") "Chisq" else "F"))))
    vif <- suppressMessages(car::vif(m))
    out$vif <- unname(if (is.matrix(vif)) vif[, 1] else vif)
  } else {
    out <- c(out, list(a1 = table(anova(m)), a3 = table(anova(m, type = "marginal")),
      a2 = table(car::Anova(m, type = 2)), t = unname(summary(m)$tTable),
      fitted = as.numeric(fitted(m)), resid = as.numeric(residuals(m))))
    if (inherits(m, "lme")) out <- c(out, list(fixed = as.numeric(fitted(m, level = 0)),
      L = table(anova(m, L = c(age = 1)))))
  }
  out
}
"""


@pytest.fixture(scope="module")
def r() -> Any:
    code = FACTS + "out <- list()\n"
    for name, (fit, factor, covariate, _) in MODELS.items():
        code += f"m <- {fit}\nout[['{name}']] <- facts(m, '{factor}', '{covariate}')\n"
    return native(code + "emit(out)")


@functools.cache
def data(name: str) -> Any:
    frame = mlm.load_dataset(name)
    if name.endswith("cake"):
        frame["w"] = np.linspace(0.5, 2, len(frame))
    return frame


@functools.cache
def fitted(name: str) -> Any:
    cake, cbpp, orth = data("lme4::cake"), data("lme4::cbpp"), data("nlme::Orthodont")
    fits = {
        "lm": lambda: mlm.lm("angle ~ recipe * temp", cake),
        "lm weights": lambda: mlm.lm("angle ~ recipe + temp", cake, weights="w"),
        "lm sums": lambda: mlm.lm("angle ~ recipe * temp", cake, contrasts={"recipe": "contr.sum"}),
        "glm binomial": lambda: mlm.glm("cbind(incidence, size - incidence) ~ period + size", cbpp),
        "glm poisson": lambda: mlm.glm(
            "TICKS ~ YEAR + cHEIGHT", data("lme4::grouseticks"), family="poisson"
        ),
        "glm Gamma": lambda: mlm.glm("angle ~ recipe + temp", cake, family="Gamma('log')"),
        "lme": lambda: mlm.lme("distance ~ age * Sex + (age | Subject)", orth),
        "lme ML": lambda: mlm.lme("distance ~ age + Sex", orth, random="~ 1 | Subject", reml=False),
        "gls": lambda: mlm.gls("distance ~ age * Sex", orth, correlation="cs", group="Subject"),
    }
    return fits[name]()


def tolerance(name: str) -> float:
    return OPTIMUM if name.startswith("lm") and not name.startswith("lme") else ITERATED


def number(values: Any) -> Any:
    """R's numbers; NA, NaN and Inf come as None or text."""
    words = {None: np.nan, "NA": np.nan, "NaN": np.nan, "Inf": np.inf, "-Inf": -np.inf}
    values = list(values.values()) if isinstance(values, dict) else values
    one = values if isinstance(values, list) else [values]
    return np.array([words.get(v, v) if not isinstance(v, float) else v for v in one], dtype=float)


def same(ours: Any, theirs: Any, name: str, what: str = "") -> None:
    a, b = np.atleast_1d(np.asarray(ours, dtype=float)), number(theirs)
    assert a.shape == b.shape, what
    finite = np.isfinite(b)
    assert (np.isfinite(a) == finite).all(), what
    assert_close(a[finite], b[finite], tolerance(name), what)


each = pytest.mark.parametrize("name", MODELS)
plain = pytest.mark.parametrize("name", PLAIN)
nlme = pytest.mark.parametrize("name", NLME)


def compare_means(ours: Any, theirs: Any, name: str) -> None:
    for field, key in (("std_error", "se"), ("conf_low", "low"), ("conf_high", "high"),
                       ("p_value", "p")):  # fmt: skip
        same(getattr(ours, field), theirs[key], name, field)
    if number(theirs["df"]).max() < np.inf:
        same(ours.df, theirs["df"], name, "df")
    else:
        assert np.isinf(ours.df).all()


@pytest.mark.filterwarnings("ignore:NOTE")
@each
def test_emmeans(r: Any, name: str) -> None:
    factor = MODELS[name][1]
    ours = fitted(name).emmeans(factor, infer="both")
    same(ours.estimate, r[name]["emm"], name)
    compare_means(ours, r[name]["means"], name)
    compare_means(
        fitted(name).emmeans(factor, contrast="pairwise", infer="both"), r[name]["pairs"], name
    )
    assert list(fitted(name).cld(factor).group) == r[name]["groups"]


@each
def test_emtrends(r: Any, name: str) -> None:
    _, factor, covariate, _ = MODELS[name]
    compare_means(fitted(name).emtrends(factor, covariate, infer="both"), r[name]["trends"], name)


@each
def test_joint_tests(r: Any, name: str) -> None:
    ours, theirs = fitted(name).joint_tests(), r[name]["joint"]
    assert list(ours.term) == theirs["model term"]
    for field, key in (("num_df", "df1"), ("statistic", "F.ratio"), ("p_value", "p.value")):
        same(getattr(ours, field), theirs[key], name, field)


def compare_tests(ours: Any, theirs: Any, name: str) -> None:
    assert [t.strip() for t in ours.term] == [t.strip() for t in theirs["rows"]]
    known = {
        "Sum Sq": "sum_sq", "Df": "num_df", "numDF": "num_df", "denDF": "den_df",
        "F value": "statistic", "F values": "statistic", "F-value": "statistic",
        "LR Chisq": "statistic", "Chisq": "statistic", "LRT": "statistic", "AIC": "aic",
        "scaled dev.": "statistic", "Sum of Sq": "sum_sq", "Pr(>F)": "p_value",
        "p-value": "p_value", "Pr(>Chisq)": "p_value", "Pr(>Chi)": "p_value",
    }  # fmt: skip
    seen = 0
    for column, values in theirs["cols"].items():
        if column in known:
            same(getattr(ours, known[column]), values, name, column)
            seen += 1
    assert seen >= 3


@pytest.mark.parametrize("type", [2, 3])
@each
def test_anova(r: Any, name: str, type: int) -> None:
    compare_tests(fitted(name).anova(type=type), r[name][f"a{type}"], name)


@nlme
def test_sequential_anova(r: Any, name: str) -> None:
    compare_tests(fitted(name).anova(), r[name]["a1"], name)


@plain
def test_drop1(r: Any, name: str) -> None:
    compare_tests(fitted(name).drop1(), r[name]["drop1"], name)


@plain
def test_tidy(r: Any, name: str) -> None:
    method = "profile" if name.startswith("glm") else "Wald"  # broom's, too
    ours, theirs = fitted(name).tidy(conf_int=True, conf_method=method), r[name]["tidy"]
    assert list(ours.term) == theirs["term"]
    for field, key in (
        ("estimate", "estimate"), ("std_error", "std.error"), ("statistic", "statistic"),
        ("p_value", "p.value"), ("conf_low", "conf.low"), ("conf_high", "conf.high"),
    ):  # fmt: skip
        same(getattr(ours, field), theirs[key], name, field)


@nlme
def test_tidy_is_the_summary(r: Any, name: str) -> None:
    ours = fitted(name).tidy("fixed")
    theirs = np.array(r[name]["t"]["values"], dtype=float)
    columns = ["estimate", "std_error", "df", "statistic", "p_value"]
    if name == "gls":
        columns.remove("df")
    for i, field in enumerate(columns):
        same(getattr(ours, field), theirs[:, i].tolist(), name, field)


@plain
def test_glance(r: Any, name: str) -> None:
    ours = fitted(name).glance().to_frame().iloc[0]
    names = {
        "r.squared": "r_squared", "adj.r.squared": "adj_r_squared", "sigma": "sigma",
        "statistic": "statistic", "p.value": "p_value", "df": "df", "logLik": "loglik",
        "AIC": "aic", "BIC": "bic", "deviance": "deviance", "df.residual": "df_residual",
        "nobs": "nobs", "null.deviance": "null_deviance", "df.null": "df_null",
    }  # fmt: skip
    for key, value in r[name]["glance"].items():
        same(ours[names[key]], value, name, key)


@each
def test_criteria(r: Any, name: str) -> None:
    ours = fitted(name).glance()
    for field in ("aic", "bic", "loglik"):
        same(getattr(ours, field), r[name][field], name, field)


@plain
def test_augment(r: Any, name: str) -> None:
    ours = fitted(name).augment()
    for column, values in r[name]["augment"].items():
        same(ours[column], values, name, column)


@nlme
def test_augment_nlme(r: Any, name: str) -> None:
    ours = fitted(name).augment()
    same(ours[".fitted"], r[name]["fitted"], name)
    same(ours[".resid"], r[name]["resid"], name)
    if "fixed" in r[name]:
        same(ours[".fixed"], r[name]["fixed"], name)


@plain
def test_influence(r: Any, name: str) -> None:
    m, theirs = fitted(name), r[name]
    same(m.predict(se=True)["std_error"], theirs["se"], name)
    same(m.hat_values(), theirs["hat"], name)
    same(m.cooks_distance(), theirs["cook"], name)
    influence = m.influence()
    same(influence.cooks_distance, theirs["cook"], name)
    same(influence.dfbetas.ravel(order="F"), theirs["dfbetas"], name)
    same(influence.dfbeta.ravel(order="F"), theirs["dfbeta"], name)
    same(m.vif().vif, theirs["vif"], name)


@plain
def test_simulate(r: Any, name: str) -> None:
    ours = fitted(name).simulate(nsim=2, seed=11)
    same(ours.to_numpy().ravel(order="F"), r[name]["simulated"], name)


@each
def test_contest(name: str) -> None:
    """A contest of one coefficient is the summary's test of it, a joint one its square."""
    m, (_, _, _, text) = fitted(name), MODELS[name]
    single, joint = m.contest(text), m.contest([text], joint=True)
    assert_close(joint.statistic, single.statistic**2, ITERATED)
    assert_close(joint.p_value, single.p_value, ITERATED)
    if "-" not in text:
        table = m.summary().fixed
        at = list(table.term).index(text.split()[0])
        assert_close(single.statistic, table.statistic[at], ITERATED)
        assert_close(single.p_value, table.p_value[at], ITERATED)


@pytest.mark.parametrize("name", ["lme", "lme ML"])
def test_contest_of_lme_is_nlme_s(r: Any, name: str) -> None:
    ours = fitted(name).contest(["age = 0"], joint=True)
    same(ours.statistic, r[name]["L"]["cols"]["F-value"], name)
    same(ours.p_value, r[name]["L"]["cols"]["p-value"], name)


@pytest.mark.filterwarnings("ignore:extreme order statistics")  # of three draws
@pytest.mark.parametrize("name", ["lm", "lm weights", "glm binomial", "glm poisson"])
def test_bootstrap_refits_what_simulate_draws(name: str) -> None:
    m = fitted(name)
    draws = m.bootstrap(lambda fit: fit.fixef(), nsim=3, seed=12).draws
    again = m.simulate(nsim=3, seed=12)
    for i in range(3):
        if name == "glm binomial":
            y = again[[c for c in again if c.startswith(f"sim_{i + 1}.")]]
        else:
            y = again[f"sim_{i + 1}"]
        assert_close(draws[i], m.refit(y).fixef(), ITERATED)
    default = m.bootstrap(nsim=3, seed=12)
    assert_close(default.draws[:, -len(m.fixef()) :], draws, ITERATED)


@nlme
def test_update_and_pickle(name: str) -> None:
    m = fitted(name)
    other = m.update(reml=not m.reml)
    assert other.reml != m.reml
    assert_close(other.update(reml=m.reml).fixef(), m.fixef(), ITERATED)
    assert list(m.update(". ~ age").fixef().index) == ["(Intercept)", "age"]
    assert_close(pickle.loads(pickle.dumps(m)).update(reml=not m.reml).loglik, other.loglik)


def test_lme4_s_random_terms_and_contrasts() -> None:
    orth = data("nlme::Orthodont")
    theirs = native(
        """
        suppressMessages(library(nlme))
        m <- lme(distance ~ age * Sex, Orthodont, ~ 1 | Subject,
                 contrasts = list(Sex = "contr.sum"))
        d <- Orthodont; contrasts(d$Sex) <- "contr.sum"
        g <- gls(distance ~ age * Sex, d, corAR1(form = ~ 1 | Subject))
        emit(list(lme = fixef(m), gls = coef(g)))
        """
    )
    sums = {"Sex": "contr.sum"}
    m = mlm.lme("distance ~ age * Sex + (1 | Subject)", orth, contrasts=sums)
    g = mlm.gls("distance ~ age * Sex", orth, correlation="ar1", group="Subject", contrasts=sums)
    for ours, name in ((m, "lme"), (g, "gls")):
        assert list(ours.fixef().index) == list(theirs[name])
        assert_close(ours.fixef(), list(theirs[name].values()), ITERATED)
    with pytest.raises(mlm.errors.FormulaError, match="one random term"):
        mlm.lme("distance ~ age + (1 | Subject) + (1 | Sex)", orth)


#: What R does not answer for a class: question -> classes.
REFUSED: dict[str, tuple[str, ...]] = {
    "step": ("lm", "glm poisson", "lme", "gls"), "ls_means": ("lm", "lme", "gls"),
    "re_pca": ("lm", "lme", "gls"), "hat_values": ("lme", "gls"),
    "cooks_distance": ("lme", "gls"), "influence": ("lme", "gls"), "drop1": ("lme", "gls"),
    "simulate": ("lme", "gls"), "bootstrap": ("lme", "gls"),
}  # fmt: skip


@pytest.mark.parametrize(("what", "name"), [(q, n) for q, names in REFUSED.items() for n in names])
def test_what_r_does_not_answer_is_refused_by_class(what: str, name: str) -> None:
    with pytest.raises(NotSupportedError):
        getattr(fitted(name), what)()
    assert fitted(name).nobs > 0


@pytest.mark.parametrize(
    ("name", "ddf"),
    [("lm", "Satterthwaite"), ("lm", "Kenward-Roger"), ("glm poisson", "between-within"),
     ("lme", "Kenward-Roger"), ("gls", "containment")],
)  # fmt: skip
def test_degrees_of_freedom_of_other_classes_are_refused(name: str, ddf: str) -> None:
    for ask in (lambda m: m.contest(MODELS[name][3], ddf=ddf), lambda m: m.tidy(ddf=ddf),
                lambda m: m.vcov(ddf="Kenward-Roger"), lambda m: m.anova(ddf=ddf)):  # fmt: skip
        with pytest.raises(NotSupportedError):
            ask(fitted(name))
    assert (fitted(name).contest(MODELS[name][3], ddf="asymptotic").df == np.inf).all()


def test_type_three_says_where_it_depends_on_the_contrasts() -> None:
    assert any("contr.sum" in note for note in fitted("lm").anova(type=3).notes)
    assert not fitted("lm sums").anova(type=3).notes
