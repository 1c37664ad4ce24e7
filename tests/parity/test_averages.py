"""Averages over the data: marginaleffects' published numbers, and matrix algebra in native R."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, NotSupportedError, PymlmError
from tests.native import assert_fits_close, native

#: Central differences with a step of 1e-5 of the range leave about nine digits.
DIFFERENCES = 1e-6
#: Satterthwaite's df come from numerical derivatives at each process's optimum.
DF = 1e-5
#: The tolerance of insight's own test: versions of lme4 stop at other points of a flat likelihood.
SINGULAR = 1e-3
#: Half a unit of the last digit that was printed.
PRINTED = {"four": 5e-5, "three": 5e-4, "two": 5e-3}

REFERENCE = r"""
mt <- transform(mtcars, cyl = factor(cyl), am = am == 1)
# mean of mu'(eta) x over rows for data changed by hand, and its delta-method standard error
delta <- function(X1, X0, b, V, off = 0, inv = identity, d = function(e) rep(1, length(e)), w = 1) {
  e1 <- drop(X1 %*% b) + off; e0 <- drop(X0 %*% b) + off
  J <- colMeans((d(e1) * X1 - d(e0) * X0)) / w
  c(mean(inv(e1) - inv(e0)) / w, sqrt(drop(J %*% V %*% J)))
}
out <- list()
lg <- plogis; dl <- function(e) plogis(e) * (1 - plogis(e))

# interaction, polynomial, offset, factor, weights: least squares
q <- lm(mpg ~ poly(hp, 2) * am + offset(wt) + cyl, mt, weights = qsec)
at <- function(d) model.matrix(delete.response(terms(q)), d, xlev = q$xlevels)
out$lm_am <- delta(at(transform(mt, am = TRUE)), at(transform(mt, am = FALSE)), coef(q), vcov(q))
h <- 1e-3
out$lm_hp <- delta(at(transform(mt, hp = hp + h)), at(transform(mt, hp = hp - h)), coef(q), vcov(q),
                   w = 2 * h)
out$lm_cyl8 <- delta(at(transform(mt, cyl = factor("8", levels(cyl)))),
                     at(transform(mt, cyl = factor("4", levels(cyl)))), coef(q), vcov(q))
out$lm_mean <- c(mean(fitted(q)), sqrt(drop({J <- colMeans(model.matrix(q)); J %*% vcov(q) %*% J})))

# logistic, with a log and an interaction
g <- glm(am ~ log(hp) * qsec, binomial, mtcars)
gx <- function(d) model.matrix(delete.response(terms(g)), d)
out$glm_hp <- delta(gx(transform(mtcars, hp = hp + h)), gx(transform(mtcars, hp = hp - h)), coef(g),
                    vcov(g), inv = lg, d = dl, w = 2 * h)

# glmer with a size and a random intercept: modes held, and none
cb <- transform(cbpp, x = as.numeric(period))
cm <- glmer(cbind(incidence, size - incidence) ~ x + (1 | herd), cb, binomial)
X <- getME(cm, "X"); b <- fixef(cm); V <- as.matrix(vcov(cm))
zb <- as.numeric(crossprod(getME(cm, "Zt"), getME(cm, "b")))
plus <- X; plus[, "x"] <- plus[, "x"] + 1
up <- down <- X; up[, "x"] <- up[, "x"] + h; down[, "x"] <- down[, "x"] - h
out$glmer_step <- delta(plus, X, b, V, zb, lg, dl)
out$glmer_step_na <- delta(plus, X, b, V, 0, lg, dl)
out$glmer_slope <- delta(up, down, b, V, zb, lg, dl, 2 * h)
out$glmer_link <- delta(up, down, b, V, zb, w = 2 * h)
e <- drop(X %*% b) + zb
one <- function(rows) {
  J <- colMeans((dl(e) * X)[rows, , drop = FALSE]); c(mean(lg(e[rows])), sqrt(drop(J %*% V %*% J)))
}
out$glmer_by <- lapply(split(seq_along(e), cb$herd), one)

# random slopes: the degrees of freedom of an average
s <- lmerTest::lmer(Reaction ~ Days + I(Days^2) + (Days | Subject), sleepstudy)
L <- c(0, 1, 2 * mean(sleepstudy$Days))
out$sat <- as.list(contest1D(s, L, confint = TRUE))
out$kr <- as.list(contest1D(s, L, confint = TRUE, ddf = "Kenward-Roger"))
X <- getME(s, "X"); up <- X; u <- sleepstudy$Days + 1; up[, 2] <- u; up[, 3] <- u^2
out$plus <- as.list(contest1D(s, colMeans(up - X), confint = TRUE))
out$mtcars <- as.list(mtcars)
emit(out)
"""


@pytest.fixture(scope="module")
def reference() -> Any:
    return native(REFERENCE)


@pytest.fixture(scope="module")
def cars(reference: Any) -> pd.DataFrame:
    data = pd.DataFrame({k: np.asarray(v) for k, v in reference["mtcars"].items()})
    data["cyl"] = data["cyl"].astype(int).astype(str).astype("category")
    return data.assign(am=data["am"] == 1)


@pytest.fixture(scope="module")
def quadratic(cars: pd.DataFrame) -> Any:
    return mlm.lm("mpg ~ poly(hp, 2) * am + offset(wt) + cyl", cars, weights="qsec")


@pytest.fixture(scope="module")
def herds() -> Any:
    data = mlm.load_dataset("cbpp")
    data["x"] = data["period"].astype(float)
    return mlm.glmer("cbind(incidence, size - incidence) ~ x + (1 | herd)", data)


@pytest.fixture(scope="module")
def sleep() -> Any:
    return mlm.lmer(
        "Reaction ~ Days + I(Days^2) + (Days | Subject)", mlm.load_dataset("sleepstudy")
    )


def pair(found: Any, **where: Any) -> list[float]:
    """Estimate and standard error of the one row where columns have these values."""
    frame = found.to_frame()
    for column, value in where.items():
        frame = frame[frame[column] == value]
    assert len(frame) == 1
    return frame[["estimate", "std_error"]].to_numpy()[0].tolist()


# --- published by marginaleffects (its vignettes and printed snapshots) ---------------------------


def published(cars: pd.DataFrame) -> Any:
    return mlm.lmer("mpg ~ hp + am + (1 | cyl)", cars)


def test_slopes_at_the_mean_row(cars: pd.DataFrame) -> None:
    found = published(cars).slopes(newdata="mean").to_frame().set_index(["term", "contrast"])
    am, hp = found.loc[("am", "TRUE - FALSE")], found.loc[("hp", "dY/dX")]
    for row, numbers in ((am, (4.6661, 1.1343)), (hp, (-0.0518, 0.0115))):
        assert abs(row["estimate"] - numbers[0]) <= PRINTED["four"]
        assert abs(row["std_error"] - numbers[1]) <= PRINTED["four"]
    for row, limits in ((am, (2.4430, 6.8892)), (hp, (-0.0743, -0.0294))):
        assert np.abs(row[["conf_low", "conf_high"]].to_numpy() - limits).max() <= PRINTED["four"]
    assert abs(am["statistic"] - 4.11) <= PRINTED["two"]
    assert abs(hp["statistic"] + 4.52) <= PRINTED["two"]


def test_kenward_roger_at_the_mean_row(cars: pd.DataFrame) -> None:
    m = published(cars)
    found = m.slopes(newdata="mean", ddf="Kenward-Roger").to_frame().set_index("term")
    assert abs(found.loc["am", "std_error"] - 1.2824) <= PRINTED["four"]
    assert abs(found.loc["hp", "std_error"] - 0.0152) <= PRINTED["four"]
    assert abs(found.loc["am", "statistic"] - 3.64) <= PRINTED["two"]
    assert abs(found.loc["hp", "statistic"] + 3.41) <= PRINTED["two"]
    # The 1.68 degrees of freedom that marginaleffects prints for both slopes are those of the
    # prediction for that row; a slope has those of its own hypothesis, as in the summary.
    row = m.predictions(newdata="mean", ddf="Kenward-Roger")
    assert abs(row.df[0] - 1.68) <= PRINTED["two"]
    # With them, the limits and p values that it prints:
    for term, limits, p in (("am", (-1.980, 11.3121), 0.0874), ("hp", (-0.131, 0.0269), 0.0964)):
        estimate, se = found.loc[term, ["estimate", "std_error"]]
        half = stats.t.ppf(0.975, row.df[0]) * se
        assert np.abs(np.add(estimate, [-half, half]) - limits).max() <= PRINTED["three"]
        two_sided = 2 * stats.t.sf(abs(estimate / se), row.df[0])
        assert abs(two_sided - p) <= PRINTED["four"]
    own = m.summary(ddf="Kenward-Roger").fixed.to_frame()
    for term, name in (("am", "amTRUE"), ("hp", "hp")):
        assert_fits_close(found.loc[term, "df"], own.loc[name, "df"], DIFFERENCES)


def test_comparisons_by_group(cars: pd.DataFrame) -> None:
    found = mlm.lm("mpg ~ hp * factor(gear)", cars).avg_comparisons(by="gear")
    printed = {
        ("4 - 3", 3): (-7.0969, 2.8074), ("5 - 3", 3): (6.4076, 1.3640),
        ("4 - 3", 4): (3.9009, 1.6136), ("5 - 3", 4): (6.9300, 2.2776),
        ("4 - 3", 5): (-9.5681, 3.3758), ("5 - 3", 5): (6.2903, 1.3712),
        ("+1", 3): (-0.0522, 0.0146), ("+1", 4): (-0.1792, 0.0303), ("+1", 5): (-0.0583, 0.0126),
    }  # fmt: skip
    assert len(found) == len(printed)
    for (contrast, gear), numbers in printed.items():
        ours = pair(found, contrast=contrast, gear=gear)
        assert np.abs(np.subtract(ours, numbers)).max() <= PRINTED["four"] * 1.01


def test_predictions_by_group(cars: pd.DataFrame) -> None:
    found = mlm.lm("mpg ~ hp * factor(gear)", cars).avg_predictions(by="gear")
    for gear, numbers in {4: (24.5, 0.750), 3: (16.1, 0.671), 5: (21.4, 1.162)}.items():
        ours = pair(found, gear=gear)
        assert abs(ours[0] - numbers[0]) <= 0.05
        assert abs(ours[1] - numbers[1]) <= PRINTED["three"]


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")  # as published
def test_population_predictions_of_growth_curves() -> None:
    """Those that R's insight has in its tests, for rows of one chick."""
    chicks = mlm.load_dataset("datasets::ChickWeight")
    m = mlm.lmer(
        "weight ~ 1 + Time + I(Time^2) + Diet + Time:Diet + I(Time^2):Diet + "
        "(1 + Time + I(Time^2) | Chick)",
        chicks,
    )
    grid = {"Diet": ["1"], "Time": [0, 2, 4, 6, 8, 10]}
    found = m.predictions(newdata=grid, re_form="NA")
    estimates = (37.53433, 47.95719, 58.78866, 70.02873, 81.67742, 93.73472)
    errors = (1.68687, 0.82574, 1.52747, 2.56109, 3.61936, 4.76178)
    assert np.abs(found.estimate / estimates - 1).max() <= SINGULAR
    assert np.abs(found.std_error / errors - 1).max() <= SINGULAR


# --- by hand in native R --------------------------------------------------------------------------

CASES = {
    "lm_am": lambda q: pair(q.avg_comparisons("am")),
    "lm_hp": lambda q: pair(q.avg_slopes("hp")),
    "lm_cyl8": lambda q: pair(q.avg_comparisons("cyl"), contrast="8 - 4"),
    "lm_mean": lambda q: pair(q.avg_predictions()),
}


@pytest.mark.parametrize("case", CASES)
def test_least_squares(case: str, quadratic: Any, reference: Any) -> None:
    assert_fits_close(CASES[case](quadratic), reference[case], DIFFERENCES, case)


def test_logistic(cars: pd.DataFrame, reference: Any) -> None:
    g = mlm.glm("am ~ log(hp) * qsec", cars)
    assert_fits_close(pair(g.avg_slopes("hp")), reference["glm_hp"], DIFFERENCES)


GLMER = {
    "glmer_step": lambda m: m.avg_comparisons("x"),
    "glmer_step_na": lambda m: m.avg_comparisons({"x": 1}, re_form="NA"),
    "glmer_slope": lambda m: m.avg_slopes(),
    "glmer_link": lambda m: m.avg_slopes(type="link"),
}


@pytest.mark.parametrize("case", GLMER)
def test_glmer(case: str, herds: Any, reference: Any) -> None:
    assert_fits_close(pair(GLMER[case](herds)), reference[case], DIFFERENCES, case)


def test_glmer_by_group(herds: Any, reference: Any) -> None:
    found = herds.avg_predictions(by="herd")
    assert len(found) == len(reference["glmer_by"])
    for herd, numbers in reference["glmer_by"].items():
        assert_fits_close(pair(found, herd=herd), numbers, DIFFERENCES, herd)


@pytest.mark.parametrize(
    ("method", "ddf", "case"),
    [
        ("avg_slopes", "Satterthwaite", "sat"),
        ("avg_slopes", "Kenward-Roger", "kr"),
        ("avg_comparisons", "Satterthwaite", "plus"),
    ],
)
def test_degrees_of_freedom(method: str, ddf: str, case: str, sleep: Any, reference: Any) -> None:
    row = getattr(sleep, method)("Days", ddf=ddf, re_form="NA").to_frame().iloc[0]
    theirs = reference[case]
    names = {
        "estimate": "Estimate", "std_error": "Std. Error", "df": "df", "statistic": "t value",
        "p_value": "Pr(>|t|)", "conf_low": "lower", "conf_high": "upper",
    }  # fmt: skip
    for ours, name in names.items():
        assert_fits_close(row[ours], theirs[name], DF, name)


def test_rows_average_to_the_average(herds: Any) -> None:
    each = herds.slopes().to_frame()
    assert_fits_close(each["estimate"].mean(), herds.avg_slopes().estimate[0], DIFFERENCES)
    limits = herds.predictions().to_frame()
    assert (limits["conf_low"] > 0).all()
    assert (limits["conf_high"] < 1).all()
    theirs = herds.predict()
    assert_fits_close(limits["estimate"], theirs, DIFFERENCES)


def test_new_rows_of_a_model_without_random_effects() -> None:
    data = mlm.load_dataset("sleepstudy")
    data["key"] = 3_000_000_000 + data.index // 60  # a name, which crosses as a factor's level
    for m in (
        mlm.lm("Reaction ~ Days + factor(key)", data),
        mlm.glm("Reaction ~ Days + factor(key)", data, family="Gamma", link="log"),
    ):
        rows = data.iloc[[0, 70, 150]]
        found = m.predictions(newdata=rows)
        assert_fits_close(found.estimate, m.predict(rows), DIFFERENCES)
        assert_fits_close(m.avg_predictions(newdata=rows).estimate[0], m.predict(rows).mean())
        with pytest.raises(DataError, match="'Days'"):
            m.avg_predictions(newdata=rows.drop(columns="Days"))
        with pytest.raises(ArgumentError, match="no grouping factor 'Subject'"):
            m.avg_predictions(re_form="~ (1 | Subject)")
        with pytest.raises(NotSupportedError, match="Satterthwaite"):
            m.avg_slopes(ddf="Satterthwaite")


def test_values_of_variables(sleep: Any) -> None:
    beta = sleep.fixef()
    found = sleep.avg_predictions({"Days": [0, 9]}, re_form="NA").to_frame().set_index("Days")
    for day in (0, 9):
        by_hand = beta.iloc[0] + beta.iloc[1] * day + beta.iloc[2] * day**2
        assert_fits_close(found.loc[day, "estimate"], by_hand, DIFFERENCES)
    step = sleep.avg_comparisons({"Days": [0, 9]}, re_form="NA")
    both = found["estimate"]
    assert_fits_close(step.estimate[0], both.loc[9] - both.loc[0], DIFFERENCES)
    sds = sleep.avg_comparisons({"Days": "minmax"}, re_form="NA")
    assert_fits_close(sds.estimate[0], step.estimate[0], DIFFERENCES)


def test_by_a_column_that_the_model_has_not() -> None:
    data = mlm.load_dataset("sleepstudy")
    data["half"] = np.where(data["Days"] < 5, "early", "late")
    data.loc[3, "Days"] = np.nan
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    found = m.avg_predictions(by="half").to_frame().set_index("half")["estimate"]
    for half, rows in m.fitted().groupby(data["half"]):
        assert_fits_close(found[half], rows.mean(), DIFFERENCES)
    assert (
        mlm.lmer("Reaction ~ Days + (1 | Subject)", data).avg_predictions(by="half").n_rows.sum()
        == 179
    )


# --- refusals -------------------------------------------------------------------------------------

BAD = {
    "no such predictor": (lambda m: m.avg_slopes("Dayss"), ArgumentError, "Days"),
    "the response": (lambda m: m.avg_slopes("Reaction"), ArgumentError, "no predictor"),
    "a group": (lambda m: m.avg_comparisons("Subject"), ArgumentError, "no predictor"),
    "no such column": (lambda m: m.avg_predictions(by="Dais"), DataError, "Dais"),
    "a word": (lambda m: m.avg_comparisons({"Days": "lots"}), ArgumentError, "minmax"),
    "missing value": (lambda m: m.avg_comparisons({"Days": [0, np.nan]}), ArgumentError, "missing"),
    "empty": (lambda m: m.avg_slopes({}), ArgumentError, "empty"),
    "newdata": (lambda m: m.slopes(newdata="modes"), ArgumentError, "mean"),
    "rule": (lambda m: m.avg_slopes(ddf="between-within"), NotSupportedError, "Satterthwaite"),
    "residual": (lambda m: m.avg_slopes(ddf="residual"), NotSupportedError, "Satterthwaite"),
    "new group": (
        lambda m: m.avg_slopes(newdata=pd.DataFrame({"Days": [1], "Subject": ["new"]})),
        DataError, "new",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_refused_in_words(case: str, sleep: Any) -> None:
    ask, error, words = BAD[case]
    with pytest.raises(error, match=words):
        ask(sleep)
    assert sleep.avg_slopes("Days").estimate[0] > 0  # R is usable


def test_glmer_has_no_kenward_roger(herds: Any) -> None:
    with pytest.raises(PymlmError, match=r"Kenward-Roger|linear"):
        herds.avg_slopes(ddf="Kenward-Roger")
    with pytest.raises(PymlmError, match=r"Satterthwaite|linear"):
        herds.avg_slopes(ddf="Satterthwaite")


def test_a_result_comes_back_from_json(sleep: Any) -> None:
    found = sleep.avg_slopes(by="Subject")
    again = type(found).from_json(found.to_json())
    pd.testing.assert_frame_equal(again.to_frame(), found.to_frame())
