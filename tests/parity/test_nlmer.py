"""Nonlinear mixed models against native Rscript."""

from __future__ import annotations

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, FormulaError, NotSupportedError, PymlmWarning
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import OTHER_OPTIMIZER, REOPTIMIZED

START = {"Asym": 200, "xmid": 725, "scal": 350}
FORMULA = "circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree"
#: fitted() of lme4 is one iteration of its least squares behind the random effects.
ITERATION = 1e-5

pytestmark = pytest.mark.filterwarnings("ignore:variance-covariance matrix")  # as in R


@pytest.fixture(scope="module")
def orange() -> pd.DataFrame:
    return mlm.load_dataset("Orange")


@pytest.fixture(scope="module")
def m(orange):
    return mlm.nlmer(FORMULA, orange, START)


@pytest.fixture(scope="module")
def r():
    return native(
        """
        say <- function(x) paste(capture.output(print(x)), collapse = "\\n")
        start <- c(Asym = 200, xmid = 725, scal = 350)
        m <- nlmer(formula = circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree,
                   data = Orange, start = c(Asym = 200, xmid = 725, scal = 350))
        facts <- function(m) suppressWarnings({
          s <- summary(m)
          r <- as.data.frame(ranef(m, condVar = TRUE))
          list(fixef = fixef(m), coefs = coef(s), vcov = as.matrix(vcov(m)), sigma = sigma(m),
               loglik = as.numeric(logLik(m)), aic = AIC(m), bic = BIC(m),
               theta = getME(m, "theta"), fitted = unname(fitted(m)),
               resid = unname(residuals(m)), pearson = unname(residuals(m, "pearson")),
               condval = r$condval, grp = as.character(r$grp),
               deviance = minus_two_loglik(s), shown = say(m), summary = say(s),
               vc = as.data.frame(VarCorr(m))$sdcor)
        })
        f <- ~ Asym / (1 + exp((xmid - age) / scal))
        logistic <- deriv(f, namevec = names(start), function.arg = c("age", names(start)))
        d <- nlmer(circumference ~ logistic(age, Asym, xmid, scal) ~ Asym | Tree, Orange,
                   start = start)
        two <- nlmer(circumference ~ SSlogis(age, Asym, xmid, scal) ~ (Asym + xmid | Tree), Orange,
                     start = start, control = nlmerControl(optimizer = "bobyqa"))
        z <- nlmer(circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree, Orange,
                   start = start, nAGQ = 0L)
        compared <- anova(m, nlmer(circumference ~ SSlogis(age, Asym, xmid, scal) ~
                                     (Asym + xmid | Tree), Orange, start = start))
        b <- fixef(m)
        population <- unname(b["Asym"] / (1 + exp((b["xmid"] - Orange$age) / b["scal"])))
        Theoph$id <- factor(Theoph$Subject, ordered = FALSE)
        th <- nlmer(conc ~ SSfol(Dose, Time, lKe, lKa, lCl) ~ (lKa + lCl | id), Theoph,
                    start = c(lKe = -2.5, lKa = 0.5, lCl = -3), nAGQ = 0L)
        emit(list(m = facts(m), d = facts(d), two = facts(two), z = facts(z), th = facts(th),
                  x = unname(getME(m, "X")), zmat = unname(as.matrix(getME(m, "Z"))),
                  chisq = compared[["Chisq"]][2], p = compared[["Pr(>Chisq)"]][2],
                  population = population, tree = unname(coef(m)$Tree["3", "Asym"])))
        """
    )


def matrix(found):
    return np.array(found["values"], dtype=float)


def test_fixef(m, r):
    assert list(m.fixef().index) == list(r["m"]["fixef"])
    assert_close(m.fixef(), list(r["m"]["fixef"].values()))


def test_prints(m, r):
    assert str(m) == r["m"]["shown"]
    assert str(m.summary()) == r["m"]["summary"]
    assert m.summary().fixed.p_value is None  # lme4 gives none


def test_summary_table(m, r):
    table = m.summary().fixed
    theirs = matrix(r["m"]["coefs"])
    assert_close(table.std_error, theirs[:, 1])
    assert_close(table.statistic, theirs[:, 2])
    assert_close(m.vcov(), matrix(r["m"]["vcov"]))


@pytest.mark.parametrize("what", ["sigma", "loglik", "aic", "bic", "deviance"])
def test_scalar(m, r, what):
    assert_close(getattr(m, what), r["m"][what])


def test_random_effects(m, r):
    ours = m.ranef().to_frame()
    assert list(ours["grp"]) == r["m"]["grp"]
    assert_close(ours["condval"], r["m"]["condval"])
    assert_close(m.varcorr().to_frame()["sdcor"], r["m"]["vc"])
    assert_close(m.coef()["Tree"].loc["3", "Asym"], r["tree"])
    assert_close(m.theta, list(r["m"]["theta"].values()))


def test_rows(m, r, orange):
    assert_close(m.fitted(), r["m"]["fitted"])
    assert_close(m.residuals(), r["m"]["resid"])
    assert_close(m.residuals("pearson"), r["m"]["pearson"])
    assert list(m.fitted().index) == list(orange.index)


def test_model_matrix(m, r, orange):
    x = m.model_matrix()
    assert_close(x, matrix(r["x"]))
    assert x.index[0] == ("Asym", orange.index[0])
    assert x.loc["xmid"].index.equals(orange.index)
    assert_close(m.model_matrix("random"), matrix(r["zmat"]))


def test_predictions(m, r, orange):
    assert_close(m.predict(), r["m"]["fitted"])
    assert_close(m.predict(orange), r["m"]["fitted"], ITERATION)
    assert_close(m.predict(re_form="NA"), r["population"])
    new = pd.DataFrame({"age": orange["age"].to_numpy()}, index=range(100, 135))
    assert_close(m.predict(new, re_form="NA"), r["population"])
    assert list(m.predict(new, re_form="NA").index) == list(range(100, 135))


def test_prediction_of_an_unknown_group(m, r, orange):
    new = orange.assign(Tree="99")
    with pytest.raises(mlm.errors.DataError, match="levels of Tree"):
        m.predict(new)
    assert_close(m.predict(new, allow_new_levels=True), r["population"])
    with pytest.raises(mlm.errors.DataError, match="no column 'age'"):
        m.predict(orange[["Tree"]])


def test_an_expression_goes_through_deriv(m, r, orange):
    d = mlm.nlmer(
        "circumference ~ Asym / (1 + exp((xmid - age) / scal)) ~ Asym | Tree", orange, START
    )
    assert_close(d.fixef(), list(r["d"]["fixef"].values()))
    assert_close(d.summary().fixed.std_error, matrix(r["d"]["coefs"])[:, 1])
    assert_close(d.predict(orange), d.fitted(), ITERATION)
    zero = d.update(n_agq=0)
    assert_close(
        zero.fixef(), list(r["z"]["fixef"].values()), REOPTIMIZED
    )  # SSlogis and deriv() differ
    again = d.update(start={"Asym": 190, "xmid": 700, "scal": 330})
    assert_close(again.loglik, d.loglik, REOPTIMIZED)  # another way to the same optimum
    assert "nonlinear <- function" in d.to_r()


def test_control_and_two_random_effects(r, orange):
    two = mlm.nlmer(
        "circumference ~ SSlogis(age, Asym, xmid, scal) ~ (Asym + xmid | Tree)",
        orange, START, control=mlm.NlmerControl(optimizer="bobyqa"),
    )  # fmt: skip
    assert_close(two.fixef(), list(r["two"]["fixef"].values()))
    assert_close(two.varcorr().to_frame()["sdcor"], r["two"]["vc"])
    assert 'nlmerControl(optimizer = "bobyqa")' in two._described.call


def test_nagq_0(r, m):
    zero = m.update(n_agq=0)
    assert_close(zero.fixef(), list(r["z"]["fixef"].values()))
    assert "nAGQ = 0" in zero._described.call


@pytest.mark.parametrize("order", [("scal", "Asym", "xmid"), ("xmid", "scal", "Asym")])
def test_starting_values_go_by_their_names(m, orange, order):
    """R takes them by position: it fits another model, and calls 263.6 (an asymptote) scal."""
    other = mlm.nlmer(FORMULA, orange, {name: START[name] for name in order})
    assert_close(other.fixef()[list(START)], m.fixef())
    assert_close(other.loglik, m.loglik)
    assert list(other.model_matrix().index.unique(0)) == list(m.fixef().index)


def test_comparison(m, r, orange):
    two = m.update("circumference ~ SSlogis(age, Asym, xmid, scal) ~ (Asym + xmid | Tree)")
    test = mlm.anova(m, two)
    assert_close(test.chisq[1], r["chisq"])
    assert_close(test.p_value[1], r["p"])
    shuffled = mlm.nlmer(two.formula, orange.sample(frac=1, random_state=1), START)
    assert_close(
        mlm.lrt(m, shuffled).chisq[1], r["chisq"], OTHER_OPTIMIZER
    )  # another order of summation
    other = m.update("circumference ~ SSgompertz(age, Asym, xmid, scal) ~ Asym | Tree",
                     start={"Asym": 200, "xmid": 3, "scal": 0.998}, n_agq=0)  # fmt: skip
    with pytest.raises(mlm.errors.ComparisonError, match="not nested"):
        mlm.lrt(m, other)


def test_theoph(r):
    data = mlm.load_dataset("datasets::Theoph")
    data["id"] = pd.Categorical(
        data["Subject"].astype(str), categories=list(data["Subject"].cat.categories)
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PymlmWarning)
        m = mlm.nlmer(
            "conc ~ SSfol(Dose, Time, lKe, lKa, lCl) ~ (lKa + lCl | id)", data,
            {"lKe": -2.5, "lKa": 0.5, "lCl": -3}, n_agq=0,
        )  # fmt: skip
        assert_close(m.fixef(), list(r["th"]["fixef"].values()))
        assert_close(m.loglik, r["th"]["loglik"])
        assert_close(m.predict(data), r["th"]["fitted"], ITERATION)


def test_pickle_and_file(m, orange, tmp_path):
    for other in (pickle.loads(pickle.dumps(m)), mlm.load_model(m.save(tmp_path / "n.rds"))):
        assert type(other) is mlm.NonlinearMixedModel
        assert_close(other.fixef(), m.fixef())
        assert_close(other.predict(re_form="NA"), m.predict(re_form="NA"))
        assert_close(other.update(n_agq=0).loglik, m.update(n_agq=0).loglik)


@pytest.mark.parametrize(
    ("formula", "start", "error", "says"),
    [
        ("circumference ~ age + (1 | Tree)", START, FormulaError, "three parts"),
        ("circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym", START, FormulaError, "random"),
        (FORMULA, {"Asym": 200, "zmid": 1}, FormulaError, "'zmid'"),
        (FORMULA, {"Asym": 200}, FormulaError, "'xmid'"),  # then it is taken for a column
        (FORMULA, [200, 725, 350], ArgumentError, "start maps"),
        (FORMULA, {}, ArgumentError, "start maps"),
        (FORMULA, {"Asym": "200", "xmid": 1, "scal": 1}, ArgumentError, "finite number"),
        ("circumference ~ floor(Asym * age) ~ Asym | Tree", {"Asym": 1}, FormulaError,
         "differentiate"),
        ("circumference ~ SSlogis(`a b`, Asym, xmid, scal) ~ Asym | Tree", START, FormulaError,
         "rename the column 'a b'"),
        ("circumference ~ system(Asym) ~ Asym | Tree", {"Asym": 1}, FormulaError, "system"),
    ],
)  # fmt: skip
def test_bad_input(m, orange, formula, start, error, says):
    with pytest.raises(error, match=says):
        mlm.nlmer(formula, orange.assign(**{"a b": orange["age"]}), start)
    assert_close(mlm.nlmer(FORMULA, orange, START).loglik, m.loglik)  # R is usable


def test_a_text_response(orange):
    with pytest.raises(mlm.errors.DataError, match="not numeric"):
        mlm.nlmer(FORMULA, orange.assign(circumference="a"), START)


def test_what_is_not_defined(m):
    with pytest.raises(NotSupportedError, match="asymptotic"):
        m.summary(ddf="Satterthwaite")
    with pytest.raises(NotSupportedError, match="allFit"):
        m.all_fit()
    with pytest.raises(NotSupportedError, match="re_form"):
        m.predict(re_form="~ (Asym | Tree)")


@pytest.mark.parametrize(
    "ask",
    [
        lambda m: m.anova(),
        lambda m: m.anova(ddf="asymptotic"),
        lambda m: m.drop1(),
        lambda m: m.simulate(),
        lambda m: m.bootstrap(nsim=2),
        lambda m: m.profile(),
        lambda m: m.confint("profile"),
        lambda m: m.hat_values(),
        lambda m: m.cooks_distance(),
        lambda m: m.influence("Tree"),
        lambda m: m.vif(),
        lambda m: mlm.r2(m),
        lambda m: mlm.total_r2(m),
        lambda m: mlm.icc(m),
        lambda m: mlm.shrinkage(m),
    ],
)
def test_what_is_for_linear_predictors(m, r, ask):
    with pytest.raises(NotSupportedError, match="this is a nonlinear mixed model"):
        ask(m)
    # profile() of lme4 stops in the middle, and leaves other fitted values behind
    assert_close(m.fitted(), r["m"]["fitted"])


def test_augment(m, r):
    table = m.augment()
    assert_close(table[".fitted"], r["m"]["fitted"])
    assert ".hat" not in table  # as in broom.mixed, for lme4 has none


#: Random parts in which a random effect is no deviation of one parameter, or of several factors.
RANDOM_PARTS = ("(Asym + R0 || Seed)", "(0 + Asym | Seed)", "(Asym | w / Seed)")


@pytest.fixture(scope="module")
def pines() -> pd.DataFrame:
    d = mlm.load_dataset("Loblolly").reset_index(drop=True)
    return d.assign(Seed=d["Seed"].astype(str), w=np.where(d["age"] > 10, "old", "young"))


def of_pines(pines: pd.DataFrame, random: str) -> mlm.NonlinearMixedModel:
    return mlm.nlmer(
        f"height ~ SSasymp(age, Asym, R0, lrc) ~ {random}", pines,
        {"Asym": 103, "R0": -8.5, "lrc": -3.2},
    )  # fmt: skip


@pytest.mark.parametrize("random", RANDOM_PARTS)
def test_new_rows_have_every_random_effect(pines, random):
    """'||' brings an intercept, which lme4 adds to every parameter."""
    theirs = native(
        f"""
        Loblolly$Seed <- factor(as.character(Loblolly$Seed))
        Loblolly$w <- ifelse(Loblolly$age > 10, "old", "young")
        m <- suppressWarnings(nlmer(height ~ SSasymp(age, Asym, R0, lrc) ~ {random}, Loblolly,
                                    start = c(Asym = 103, R0 = -8.5, lrc = -3.2)))
        emit(list(fitted = unname(fitted(m))))
        """
    )
    m = of_pines(pines, random)
    backwards = pines.drop(columns="height").iloc[::-1]
    assert_close(m.predict(backwards).loc[pines.index], theirs["fitted"], ITERATION)


def test_random_effects_that_are_no_parameters_are_refused(pines):
    m = of_pines(pines, "(Asym:w | Seed)")
    with pytest.raises(NotSupportedError, match="'Asym:wold'"):
        m.predict(pines)
    assert m.predict(pines, re_form="NA").notna().all()


def test_missing_rows_in_any_order(orange):
    """Random parts, residuals and refits by row, where rows miss something."""
    d = orange.reset_index(drop=True).astype({"circumference": float, "age": float})
    d.loc[[2, 19], "circumference"] = np.nan
    d.loc[29, "age"] = np.nan
    order = [*range(34, -1, -2), *range(1, 34, 2)]
    d = d.iloc[order]
    theirs = native(
        f"""
        d <- Orange; d$circumference[c(3, 20)] <- NA; d$age[30] <- NA
        d <- d[c({",".join(str(i + 1) for i in order)}), ]
        facts <- function(m) list(fixef = fixef(m), fitted = as.list(fitted(m)),
          pearson = as.list(residuals(m, "pearson")), rows = rownames(m@frame),
          modes = as.list(setNames(ranef(m)$Tree[, 1], rownames(ranef(m)$Tree))),
          ci = as.matrix(confint(m, method = "Wald", parm = "beta_")))
        fit <- function(d) suppressWarnings(facts(nlmer(
          circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree, d,
          start = c(Asym = 200, xmid = 725, scal = 350))))
        emit(list(m = fit(d), more = fit(transform(d, circumference = circumference * 1.1))))
        """
    )
    m = mlm.nlmer(FORMULA, d, START)
    for found, r in ((m, theirs["m"]), (m.refit(d["circumference"] * 1.1), theirs["more"])):
        rows = [int(row) - 1 for row in r["rows"]]
        assert_close(found.fixef(), list(r["fixef"].values()))
        assert_close(found.fitted().loc[rows], list(r["fitted"].values()))
        assert_close(found.residuals("pearson").loc[rows], list(r["pearson"].values()))
        assert found.fitted().drop(rows).isna().all()
        modes = found.ranef().to_frame().set_index("grp")["condval"]
        assert_close(modes.loc[list(r["modes"])], list(r["modes"].values()))
        assert_close(found.confint(method="Wald").to_frame(), matrix(r["ci"]))
