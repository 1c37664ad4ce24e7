"""One model a group (lmList) against native Rscript."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, FormulaError, RWarning
from tests.native import assert_fits_close as assert_close
from tests.native import native
from tests.tolerances import ARITHMETIC


@pytest.fixture(scope="module")
def r():
    return native(
        """
        say <- function(x) paste(capture.output(print(x)), collapse = "\\n")
        long <- function(a) list(level = rep(dimnames(a)[[1]], dim(a)[3]),
                                 term = rep(dimnames(a)[[3]], each = dim(a)[1]))
        facts <- function(m) {
          s <- summary(m); ci <- confint(m, level = 0.9)
          c(list(coef = as.matrix(coef(m)), fixef = fixef(m),
                 ranef = do.call(cbind, unclass(ranef(m))),
                 sigma = sigma(m), loglik = as.numeric(logLik(m)),
                 est = as.numeric(s$coefficients[, "Estimate", ]),
                 se = as.numeric(s$coefficients[, "Std. Error", ]),
                 p = as.numeric(s$coefficients[, 4L, ]),
                 low = as.numeric(ci[, 1L, ]), high = as.numeric(ci[, 2L, ]),
                 shown = say(m), summary = say(s)), long(s$coefficients))
        }
        sleep <- lmList(Reaction ~ Days | Subject, sleepstudy)
        bin <- suppressWarnings(lmList(cbind(incidence, size - incidence) ~ period | herd, cbpp,
                                       family = binomial))
        own <- lmList(Reaction ~ Days | Subject, sleepstudy, pool = FALSE)
        emit(list(sleep = facts(sleep), own_se = as.numeric(summary(own)$coefficients[, 2L, ]),
                  fitted = unname(unlist(lapply(levels(sleepstudy$Subject),
                                                function(g) fitted(sleep[[g]])))),
                  sizes = unname(sapply(levels(sleepstudy$Subject),
                                        function(g) sigma(sleep[[g]]))),
                  bin = as.matrix(coef(bin)), bin_shown = say(bin)))
        """
    )


@pytest.fixture(scope="module")
def m(sleepstudy):
    return mlm.lm_list("Reaction ~ Days | Subject", sleepstudy)


def matrix(found):
    return np.array(
        [[np.nan if v is None else v for v in row] for row in found["values"]], dtype=float
    )


def test_coef(m, r):
    theirs = r["sleep"]["coef"]
    assert list(m.coef().index) == theirs["rows"]
    assert list(m.coef().columns) == theirs["cols"]
    assert m.coef().index.name == "Subject"
    assert_close(m.coef(), matrix(theirs))


def test_fixef_and_ranef(m, r):
    assert_close(m.fixef(), list(r["sleep"]["fixef"].values()))
    assert_close(m.ranef(), matrix(r["sleep"]["ranef"]), ARITHMETIC)  # differences cancel digits


def test_pooled_sigma_and_loglik(m, r):
    assert_close(m.sigma, r["sleep"]["sigma"])
    assert_close(m.loglik, r["sleep"]["loglik"])
    assert (m.df_residual, m.nobs) == (144, 180)
    assert_close(m.group_sizes()["sigma"], r["sizes"])


def test_summary(m, r):
    ours, theirs = m.summary(), r["sleep"]
    assert list(ours.level) == theirs["level"]
    assert list(ours.term) == theirs["term"]
    assert_close(ours.estimate, theirs["est"])
    assert_close(ours.std_error, theirs["se"])
    assert_close(ours.p_value, theirs["p"])
    assert str(ours).strip() == theirs["summary"].strip()


def test_print(m, r):
    assert str(m).strip() == r["sleep"]["shown"].strip()


def test_confint(m, r):
    ours = m.confint(level=0.9)
    assert list(ours.level) == r["sleep"]["level"]
    assert_close(ours.conf_low, r["sleep"]["low"])
    assert_close(ours.conf_high, r["sleep"]["high"])


def test_own_standard_deviations(r, sleepstudy):
    own = mlm.lm_list("Reaction ~ Days | Subject", sleepstudy, pool=False)
    assert_close(own.summary().std_error, r["own_se"])


def test_rows_come_back_in_their_own_order(r, sleepstudy, m):
    assert_close(m.fitted(), r["fitted"])  # the data are sorted by Subject
    shuffled = sleepstudy.sample(frac=1, random_state=1)
    other = mlm.lm_list("Reaction ~ Days | Subject", shuffled)
    assert_close(other.fitted().loc[sleepstudy.index], r["fitted"])
    assert_close((other.fitted() + other.residuals()).to_numpy(), shuffled["Reaction"])
    assert_close(m.predict(shuffled), m.fitted().loc[shuffled.index])


def test_missing_rows(sleepstudy, m):
    holes = sleepstudy.copy()
    holes.index = [f"row {i}" for i in range(180)]
    holes.loc["row 3", "Reaction"] = np.nan
    other = mlm.lm_list("Reaction ~ Days | Subject", holes)
    assert np.isnan(other.fitted()["row 3"])
    assert other.nobs == 179
    assert_close(other.coef().loc["309"], m.coef().loc["309"])


def test_binomial(r):
    with pytest.warns(RWarning, match="failed for 1 group"):
        m = mlm.lm_list(
            "cbind(incidence, size - incidence) ~ period | herd", mlm.load_dataset("cbpp"),
            family="binomial",
        )  # fmt: skip
    assert m.failed == ("8",)
    assert_close(m.coef(), matrix(r["bin"]))
    assert str(m).strip() == r["bin_shown"].strip()


def test_pickle_and_file(m, tmp_path):
    for other in (pickle.loads(pickle.dumps(m)), mlm.load_model(m.save(tmp_path / "l.rds"))):
        assert type(other) is mlm.LmList
        assert_close(other.coef(), m.coef())
        assert_close(other.fitted(), m.fitted())
        assert str(other) == str(m)


@pytest.mark.parametrize(
    ("call", "error", "says"),
    [
        (lambda d: mlm.lm_list("Reaction ~ Days", d), FormulaError, "one bar"),
        (lambda d: mlm.lm_list("Reaction ~ (Days | Subject) + (1 | Days)", d), FormulaError, "bar"),
        (lambda d: mlm.lm_list("Reaction ~ Days | Sujbect", d), FormulaError, "'Subject'"),
        (lambda d: mlm.lm_list("Reaction ~ Days | Subject", d, "binomial"), DataError, "binomial"),
        (
            lambda d: mlm.lm_list("Reaction ~ Days | Subject", d, link="log"),
            ArgumentError,
            "family",
        ),
        (lambda d: mlm.lm_list("Subject ~ Days | Subject", d), DataError, "not numeric"),
    ],
)
def test_bad_input(sleepstudy, m, call, error, says):
    with pytest.raises(error, match=says):
        call(sleepstudy)
    with pytest.raises(DataError, match="not seen: new"):
        m.predict(sleepstudy.head(2).assign(Subject="new"))


def test_predictions_take_the_offset_from_the_new_rows(sleepstudy):
    """predict() of R takes the numbers of the group's own first rows, recycled."""
    data = sleepstudy.assign(off=np.linspace(0, 50, len(sleepstudy)))
    m = mlm.lm_list("Reaction ~ Days | Subject", data, offset="off")
    new = data.iloc[[17, 3, 99]]
    one = mlm.lm("Reaction ~ Days", data[data["Subject"] == "308"], offset="off")
    assert_close(m.predict(new), m.fitted().iloc[[17, 3, 99]])
    assert_close(m.predict(new.iloc[1:2]), one.predict(new.iloc[1:2]))
    with pytest.raises(DataError, match="no column 'off'"):
        m.predict(sleepstudy)


def test_negative_binomial_with_a_known_dispersion():
    data = mlm.load_dataset("grouseticks")
    kept = data[data["LOCATION"].isin(["14", "32"])]
    theirs = native(
        """
        kept <- droplevels(subset(grouseticks, LOCATION %in% c("14", "32")))
        emit(as.matrix(coef(lmList(TICKS ~ HEIGHT | LOCATION, kept,
                                   family = MASS::negative.binomial(2)))))
        """
    )
    m = mlm.lm_list("TICKS ~ HEIGHT | LOCATION", kept, family="negative.binomial(2)")
    assert_close(m.coef(), matrix(theirs))
