"""Several outcomes: stacked for one mixed model, and by lavaan, against native R."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, PymlmError
from tests.native import assert_close, assert_fits_close, native, needs_r

needs_r("lavaan")

#: EM and quasi-Newton of lavaan, and nlme's optimizer, in two processes.
ITERATED = 1e-5
#: lavaan and nlme find the optimum of one likelihood, each to its own tolerance.
TWO_OPTIMIZERS = 2e-3

CODE = """
suppressMessages({library(lavaan); library(nlme)})
g <- na.omit(mlmRev::Gcsemv)
g <- g[g$school %in% levels(g$school)[1:40], ]
g$f <- as.numeric(g$gender == "F")
model <- "
  level: 1
    written ~ f
    course ~ f
    written ~~ course
  level: 2
    written ~ f
    course ~ f
    written ~~ course
"
fit <- suppressWarnings(sem(model, data = g, cluster = "school", fixed.x = FALSE,
                            meanstructure = TRUE, missing = "ml"))
e <- parameterEstimates(fit)
pick <- function(lhs, op, rhs, level) {
  r <- e[e$lhs == lhs & e$op == op & e$rhs == rhs & e$level == level, ]
  c(r$est, r$se)
}
n <- nrow(g)
long <- data.frame(school = rep(g$school, each = 2), f = rep(g$f, each = 2),
  row = rep(1:n, each = 2),
  outcome = factor(rep(c("written", "course"), n), levels = c("written", "course")),
  value = as.vector(rbind(g$written, g$course)), position = rep(1:2, n))
m <- lme(value ~ 0 + outcome + outcome:f, long, random = ~ 0 + outcome | school,
         correlation = corSymm(form = ~ position | school/row),
         weights = varIdent(form = ~ 1 | outcome), method = "ML")
empty <- "
  level: 1
    written ~~ course
  level: 2
    written ~~ course
"
lav0 <- suppressWarnings(lavaan(empty, data = g, cluster = "school", auto.var = TRUE,
                                meanstructure = TRUE, int.ov.free = TRUE))
m0 <- lme(value ~ 0 + outcome, long, random = ~ 0 + outcome | school,
          correlation = corSymm(form = ~ position | school/row),
          weights = varIdent(form = ~ 1 | outcome), method = "ML")
emit(list(
  w1 = pick("written", "~", "f", 1), w2 = pick("course", "~", "f", 1),
  b1 = pick("written", "~", "f", 2), b2 = pick("course", "~", "f", 2),
  cw = pick("written", "~~", "course", 1), cb = pick("written", "~~", "course", 2),
  fixef = as.list(fixef(m)), se = as.list(sqrt(diag(vcov(m)))), loglik = as.numeric(logLik(m)),
  rho = as.numeric(coef(m$modelStruct$corStruct, unconstrained = FALSE)),
  lavaan0 = as.numeric(logLik(lav0)), lme0 = as.numeric(logLik(m0))))
"""


@pytest.fixture(scope="module")
def theirs():
    return native(CODE)


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("mlmRev::Gcsemv").dropna()
    d = d[d["school"].isin(d["school"].cat.categories[:40])]
    return d.assign(f=(d["gender"] == "F").astype(float))


def test_two_outcomes_by_lavaan(data, theirs):
    fit = mlm.latent_centering(["written", "course"], "f", data, by="school")
    table = fit.to_frame()
    for row, key in (
        ("written: within: f", "w1"), ("course: within: f", "w2"),
        ("written: between: f", "b1"), ("course: between: f", "b2"),
        ("within covariance: written, course", "cw"),
        ("between covariance: written, course", "cb"),
    ):  # fmt: skip
        ours = table.loc[row, ["estimate", "std_error"]].to_numpy(dtype=float)
        assert_fits_close(ours, theirs[key], ITERATED, row)
    assert_close(
        table.loc["course: contextual: f", "estimate"],
        table.loc["course: between: f", "estimate"] - table.loc["course: within: f", "estimate"],
        ITERATED,
    )
    assert len(table) == 8


def test_two_outcomes_stacked(data, theirs):
    long = mlm.stack_outcomes(data, ["written", "course"])
    m = mlm.lme(
        "value ~ 0 + outcome + outcome:f", long, random="~ 0 + outcome | school",
        correlation="symm", correlation_by="row", time="position", variance_by="outcome",
        reml=False,
    )  # fmt: skip
    ours = m.summary().fixed.to_frame()
    assert set(ours.index) == set(theirs["fixef"])
    for name, value in theirs["fixef"].items():
        assert_fits_close(ours.loc[name, "estimate"], value, ITERATED, name)
    assert_fits_close(m.loglik, theirs["loglik"], ITERATED)
    assert_fits_close(np.asarray(m.correlation()).ravel()[0], theirs["rho"], ITERATED)
    again = m.update(". ~ . - outcome:f")
    assert "correlation_by" not in str(again.formula)
    assert_fits_close(again.loglik, theirs["lme0"], ITERATED)


def test_stacked_and_latent_are_one_model_without_predictors(theirs):
    """Two programs, one likelihood: outcomes that covary at both levels."""
    assert abs(theirs["lavaan0"] - theirs["lme0"]) < TWO_OPTIMIZERS * abs(theirs["lme0"])


def test_stacking():
    wide = pd.DataFrame(
        {"a": [1.0, np.nan, 3.0], "b": [4, 5, 6], "g": ["x", "x", "y"]}, index=["p", "q", "q"]
    )
    long = mlm.stack_outcomes(wide, ["b", "a"])
    assert long["value"].tolist() == [4, 1, 5, 6, 3]
    assert long["outcome"].tolist() == ["b", "a", "b", "b", "a"]
    assert list(long["outcome"].cat.categories) == ["b", "a"]
    assert long["row"].tolist() == ["1", "1", "2", "3", "3"]
    assert long["position"].tolist() == [1, 2, 1, 1, 2]
    assert long["g"].tolist() == ["x", "x", "x", "y", "y"]
    assert list(wide.columns) == ["a", "b", "g"]  # the user's frame stays as it was


def test_what_is_refused(data):
    frame = data[["written", "course", "school", "f", "gender"]]
    made = frame.rename(columns={"f": "value"})
    calls = {
        "one outcome": (lambda: mlm.stack_outcomes(frame, ["written"]), ArgumentError, "two"),
        "a text": (lambda: mlm.stack_outcomes(frame, "written"), ArgumentError, "two"),
        "twice": (lambda: mlm.stack_outcomes(frame, ["f", "f"]), ArgumentError, "twice"),
        "unknown": (lambda: mlm.stack_outcomes(frame, ["writen", "f"]), DataError, "written"),
        "a factor": (lambda: mlm.stack_outcomes(frame, ["gender", "f"]), DataError, "not numeric"),
        "taken": (lambda: mlm.stack_outcomes(made, ["written", "course"]), DataError, "'value'"),
        "no frame": (lambda: mlm.stack_outcomes(3, ["a", "b"]), PymlmError, "int"),
        "no correlation": (
            lambda: mlm.lme("f ~ 1", frame, random="~ 1 | school", correlation_by="gender"),
            ArgumentError, "correlation",
        ),
        "outcome in x": (
            lambda: mlm.latent_centering(["written", "f"], "f", frame, by="school"),
            ArgumentError, "two places",
        ),
        "no outcome": (
            lambda: mlm.latent_centering([], "f", frame, by="school"), ArgumentError, "outcome"
        ),
        "numbers": (
            lambda: mlm.latent_centering([1, 2], "f", frame, by="school"), ArgumentError, "outcome"
        ),
        "no column": (
            lambda: mlm.latent_centering(["written", "curse"], "f", frame, by="school"),
            DataError, "course",
        ),
        "five": (lambda: mlm.latent_centering(5, "f", frame, "school"), ArgumentError, "outcome"),
    }  # fmt: skip
    for ask, error, says in calls.values():
        with pytest.raises(error, match=says):
            ask()
    assert len(mlm.stack_outcomes(frame, ["written", "course"])) == 2 * len(frame)
