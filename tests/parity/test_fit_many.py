"""Many fits: the same as one by one, in any number of processes; failures are data."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, FormulaError
from tests.native import ROUND_TRIP, native
from tests.native import assert_fits_close as assert_close
from tests.tolerances import BY_HAND


@pytest.fixture(scope="module")
def exam():
    data = mlm.load_dataset("mlmRev::Exam")
    data["noise"] = np.sin(np.arange(len(data)))
    return data


@pytest.fixture(scope="module")
def reference():
    return native(
        """
data(Exam, package = "mlmRev")
Exam$noise <- sin(seq_len(nrow(Exam)) - 1)
one <- function(d, y) coef(summary(lmerTest::lmer(
  as.formula(paste(y, "~ standLRT + (1 | school)")), d)))
emit(list(
  by = lapply(split(Exam, Exam$schgend), one, y = "normexam"),
  responses = lapply(c(normexam = "normexam", standLRT2 = "I(normexam * 2)"), one, d = Exam)
))"""
    )


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_by_group(exam, reference, n_jobs):
    fits = mlm.fit_many(
        "normexam ~ standLRT + (1 | school)", exam, by="schgend", n_jobs=n_jobs, progress=False
    )
    assert list(fits) == list(exam.schgend.cat.categories)
    frame = fits.to_frame()
    assert list(frame.columns)[:3] == ["schgend", "term", "estimate"]
    for key in fits:
        theirs = np.array(reference["by"][key]["values"])
        ours = frame[frame.schgend == key]
        columns = ["estimate", "std_error", "df", "statistic", "p_value"]
        assert_close(ours[columns[:2]].to_numpy(), theirs[:, :2], ROUND_TRIP)
        assert_close(ours[columns].to_numpy()[:, 2:4], theirs[:, 2:4], BY_HAND)
        assert fits[key].nobs == (exam.schgend == key).sum()
    # a model from a worker goes on here
    assert fits["boys"].anova().term == ("standLRT",)
    assert fits["boys"].ranef()["school"].shape[0] == fits["boys"].ngroups["school"]


def test_responses(exam, reference):
    data = exam.assign(double=exam.normexam * 2)
    fits = mlm.fit_many("~ standLRT + (1 | school)", data, responses=["normexam", "double"])
    assert fits.names == ("response",)
    for ours, theirs in (("normexam", "normexam"), ("double", "standLRT2")):
        table = np.array(reference["responses"][theirs]["values"])
        assert_close(fits.tables[ours].estimate, table[:, 0], BY_HAND)
        assert_close(fits.tables[ours].std_error, table[:, 1], BY_HAND)


def test_the_response_of_the_formula_is_replaced(exam):
    fits = mlm.fit_many("normexam ~ standLRT + (1 | school)", exam.rename(columns={
        "noise": "my noise"}), responses=["my noise"])  # fmt: skip
    assert fits["my noise"].formula.startswith("`my noise` ~ standLRT")
    with pytest.raises(FormulaError, match="no '~'"):
        mlm.fit_many("standLRT", exam, responses=["noise"])


def test_groups_and_responses(exam):
    fits = mlm.fit_many(
        "~ standLRT + (1 | school)", exam, by=["schgend", "sex"], responses=["normexam", "noise"]
    )
    assert fits.names == ("response", "schgend", "sex")
    assert ("normexam", "mixed", "M") in fits.models
    # boys' schools have no girls: groups that are not there are not made up
    assert ("normexam", "boys", "F") not in fits.models
    assert {"response", "schgend", "sex"} <= set(fits.to_frame().columns)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_failures_and_warnings_are_data(sleepstudy, n_jobs):
    half = (sleepstudy.Subject.cat.codes % 3).map({0: "good", 1: "constant", 2: "empty"})
    data = sleepstudy.assign(part=half)
    data.loc[data.part == "empty", "Days"] = np.nan
    data.loc[data.part == "constant", "Reaction"] = 250.0 + data.Days
    data.loc[data.index[:2], "part"] = None
    fits = mlm.fit_many(
        "Reaction ~ Days + (1 | Subject)", data, by="part", n_jobs=n_jobs, progress=True
    )
    assert "empty" in fits.failures
    assert fits.failures["empty"].error == "DataError"
    assert "good" in fits.models
    assert fits.n_without_group == 2
    assert "2 rows without a group" in repr(fits)
    frame = fits.to_frame()
    assert frame[frame.part == "empty"].estimate.isna().tolist() == [True]
    assert fits.failures_frame().part.tolist() == list(fits.failures)
    with pytest.raises(DataError, match="every one of the"):
        fits["empty"]
    with pytest.raises(ArgumentError, match="'good'"):
        fits["goo"]
    if "constant" in fits.models:
        assert fits.warnings["constant"]


def test_generalized():
    data = mlm.load_dataset("cbpp")
    data["half"] = np.where(data.herd.cat.codes < 8, "low", "high")
    fits = mlm.fit_many(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", data, by="half",
        family="binomial",
    )  # fmt: skip
    one = mlm.glmer(
        "cbind(incidence, size - incidence) ~ period + (1 | herd)", data[data.half == "low"],
        family="binomial",
    )  # fmt: skip
    assert_close(fits.tables["low"].estimate, one.fixef().to_numpy())
    assert fits.tables["low"].statistic_name == "z"


def test_options_reach_every_fit(sleepstudy):
    data = sleepstudy.assign(w=1.0 + (sleepstudy.Days > 4), part="all")
    fits = mlm.fit_many(
        "Reaction ~ Days + (1 | Subject)", data, by="part", reml=False, weights="w", ddf=None
    )
    one = mlm.lmer("Reaction ~ Days + (1 | Subject)", data, reml=False, weights="w")
    assert_close(fits["all"].loglik, one.loglik)
    assert fits.tables["all"].df is None


def test_arguments(sleepstudy):
    formula = "Reaction ~ Days + (1 | Subject)"
    with pytest.raises(ArgumentError, match="by="):
        mlm.fit_many(formula, sleepstudy)
    with pytest.raises(DataError, match="'Subject'"):
        mlm.fit_many(formula, sleepstudy, by="Subjekt")
    with pytest.raises(ArgumentError, match="'reml'"):
        mlm.fit_many(formula, sleepstudy, by="Subject", rem=False)
    with pytest.raises(ArgumentError, match="column's name"):
        mlm.fit_many(formula, sleepstudy, by="Subject", weights=np.ones(180))
    with pytest.raises(ArgumentError, match="different columns"):
        mlm.fit_many(formula, sleepstudy, responses=["Reaction", "Reaction"])
    with pytest.raises(ArgumentError, match="by takes a name"):
        mlm.fit_many(formula, sleepstudy, by=3)
    with pytest.raises(ArgumentError, match="no fit 'x'"):
        mlm.fit_many("~ Days + (1 | Subject)", sleepstudy, responses=["Reaction"])["x"]


def test_the_caller_s_frame_is_left_alone(sleepstudy):
    before = sleepstudy.copy()
    mlm.fit_many("~ Days + (1 | Subject)", sleepstudy, responses=["Reaction"])
    pd.testing.assert_frame_equal(before, sleepstudy)
