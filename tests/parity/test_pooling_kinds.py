"""Pooling of slopes, with predictors of two levels, and errors of what is pooled in part."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, DataError, NotSupportedError
from tests.native import assert_close, assert_fits_close, native

#: A dense matrix of 40 rows is inverted where the bridge solves a sparse one.
INVERTED = 1e-8
#: lm by two model matrices, and the optimum of an lmer in two processes.
SAME_FIT = 1e-7

CODE = """
d <- sleepstudy
d$age <- as.numeric(d$Subject) %% 5
henderson <- function(m) {
  # sigma^2 times the inverse of [X'X, X'Z; Z'X, Z'Z + sigma^2 G^-1], dense
  X <- getME(m, "X"); Z <- as.matrix(getME(m, "Z"))
  L <- as.matrix(getME(m, "Lambda"))
  W <- cbind(X, Z %*% L)
  A <- crossprod(W); p <- ncol(X); q <- ncol(Z)
  A[p + seq_len(q), p + seq_len(q)] <- A[p + seq_len(q), p + seq_len(q)] + diag(q)
  C <- sigma(m)^2 * solve(A)
  T <- rbind(cbind(diag(p), matrix(0, p, q)), cbind(matrix(0, q, p), L))
  T %*% C %*% t(T)
}
errors <- function(m, own) { # own: the random coefficient of each fixed one, NA for none
  C <- henderson(m); p <- length(fixef(m)); k <- length(m@cnms[[1]])
  sapply(seq_len(p), function(t) sapply(seq_len(18), function(j) {
    e <- numeric(nrow(C)); e[t] <- 1
    if (!is.na(own[t])) e[p + (j - 1) * k + own[t]] <- 1
    sqrt(drop(t(e) %*% C %*% e))
  }))
}
all <- lmer(Reaction ~ Days + (Days | Subject), d)
int <- lmer(Reaction ~ Days + (1 | Subject), d)
slope <- lmer(Reaction ~ Days + (0 + Days | Subject), d)
two <- lmer(Reaction ~ Days + age + (1 + Days | Subject), d)
none <- lm(Reaction ~ 1 + Subject:Days, d)
emit(list(all = errors(all, 1:2), intercept = errors(int, c(1, NA)),
  slope = errors(slope, c(NA, 1)), two = errors(two, c(1, 2, NA)),
  slope_partial = as.matrix(coef(slope)$Subject),
  two_partial = as.matrix(coef(two)$Subject), none = unname(coef(none)),
  none_se = unname(sqrt(diag(vcov(none))))))
"""


@pytest.fixture(scope="module")
def theirs():
    return native(CODE)


@pytest.fixture(scope="module")
def data():
    d = mlm.load_dataset("sleepstudy")
    d["age"] = (d["Subject"].cat.codes + 1) % 5
    return d


def by_group(values):
    return values.reshape(-1, 18).T


@pytest.mark.parametrize("vary", ["all", "intercept", "slope"])
def test_errors_of_partial_pooling(data, theirs, vary):
    p = mlm.pooling("Reaction ~ Days", data, "Subject", vary=vary)
    assert_fits_close(by_group(p.partial_se), theirs[vary]["values"], SAME_FIT)


def test_slopes_alone(data, theirs):
    p = mlm.pooling("Reaction ~ Days", data, "Subject", vary="slope")
    f = p.to_frame()
    days, intercept = f[f["term"] == "Days"], f[f["term"] == "(Intercept)"]
    assert_close(days["no_pooling"], theirs["none"][1:], SAME_FIT)
    assert_close(days["no_pooling_se"], theirs["none_se"][1:], SAME_FIT)
    assert_close(intercept["no_pooling"].unique(), theirs["none"][:1], SAME_FIT)
    assert_fits_close(by_group(p.partial), theirs["slope_partial"]["values"], SAME_FIT)
    assert np.ptp(intercept["partial"]) == 0


def test_predictors_of_two_levels(data, theirs):
    with pytest.warns(AdviceWarning, match="age does not vary within Subject"):
        p = mlm.pooling("Reaction ~ Days + age", data, "Subject")
    columns = list(dict.fromkeys(p.term))
    at = [theirs["two_partial"]["cols"].index(c) for c in columns]
    partial = np.array(theirs["two_partial"]["values"])[:, at]
    assert_fits_close(by_group(p.partial), partial, SAME_FIT)
    assert_fits_close(by_group(p.partial_se), theirs["two"]["values"], SAME_FIT)
    f = p.to_frame().set_index("term")
    assert f.loc["age", "no_pooling"].isna().all()
    own = mlm.pooling("Reaction ~ Days", data, "Subject").to_frame().set_index("term")
    assert_close(f.loc["Days", "no_pooling"], own.loc["Days", "no_pooling"], SAME_FIT)


def test_errors_are_of_what_is_estimated():
    """Of 400 groups the errors hold: (estimate - truth) / se has variance 1, where SDs of the modes
    or of the fixed effect alone would not do."""
    rng = np.random.default_rng(6)
    groups, n = 400, 5
    g = np.repeat(np.arange(groups), n)
    x = rng.normal(size=groups * n)
    b = rng.normal(size=(groups, 2)) * [1.0, 0.5] + [3.0, -1.0]
    data = pd.DataFrame({"g": g.astype(str), "x": x, "y": b[g, 0] + b[g, 1] * x})
    data["y"] += rng.normal(size=len(data))
    p = mlm.pooling("y ~ x", data, "g")
    at = np.array([int(k) for k in p.grp])
    truth = np.where(np.array(p.term) == "x", b[at, 1], b[at, 0])
    z = (p.partial - truth) / p.partial_se
    # The mean of 800 squares has a standard error of sqrt(2 / 800) = 0.05.
    assert abs(np.mean(z**2) - 1) < 0.15


@pytest.mark.filterwarnings("ignore:fixed-effect model matrix is rank deficient")
def test_offsets_and_aliased_columns(data):
    plain = mlm.pooling("Reaction ~ Days", data, "Subject", vary="intercept")
    moved = mlm.pooling("Reaction ~ Days + offset(5 * Days)", data, "Subject", vary="intercept")
    days = np.array(plain.term) == "Days"
    assert_close(moved.no_pooling[days], plain.no_pooling[days] - 5, SAME_FIT)
    twice = mlm.pooling("Reaction ~ Days + I(2 * Days)", data, "Subject", vary="intercept")
    assert_close(twice.no_pooling, plain.no_pooling, SAME_FIT)
    assert_fits_close(twice.partial, plain.partial, SAME_FIT)


def test_what_is_refused(data):
    with pytest.raises(DataError, match="no predictor varies within Subject"):
        mlm.pooling("Reaction ~ age", data, "Subject", vary="slope")
    with pytest.raises(DataError, match="no predictor varies"):
        mlm.pooling("Reaction ~ 1", data, "Subject", vary="slope")
    late = data.assign(late=np.where(data["Days"] > 4, "yes", "no"))
    with pytest.raises(NotSupportedError, match="0 and 1"):
        mlm.pooling("Reaction ~ late", late, "Subject", vary="slope")
