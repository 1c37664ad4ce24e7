"""The workflow at its edges: odd names, several terms of a factor, memberships, groups of one."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, ArgumentError, DataError, NotSupportedError
from pymlm.models.membership import multiple_membership
from tests.native import assert_fits_close as assert_close
from tests.tolerances import ARITHMETIC, BY_HAND, REOPTIMIZED


@pytest.fixture(scope="module")
def odd(d: pd.DataFrame) -> pd.DataFrame:
    return d.rename(columns={"ses": "my ses", "schoolnr": "the school"})


def test_any_name_of_a_column_works(d: pd.DataFrame, odd: pd.DataFrame) -> None:
    plain = mlm.within_between("gpa ~ ses * clubs", d, "ses", "schoolnr")
    named = mlm.within_between("gpa ~ `my ses` * clubs", odd, "my ses", "the school")
    assert_close(named.estimate, plain.estimate)
    assert named.term[0] == "within: my ses"
    formula, renamed = "gpa ~ ses + clubs", "gpa ~ `my ses` + clubs"
    for model in ("within", "random"):
        a = mlm.panel(formula, d, "schoolnr", model).fixed
        b = mlm.panel(renamed, odd, "the school", model).fixed
        assert_close(a.estimate, b.estimate)
        assert "`my ses`" in b.term
    assert_close(
        mlm.gee(formula, d, "schoolnr").fixed.estimate,
        mlm.gee(renamed, odd, "the school").fixed.estimate,
    )
    m = mlm.lmer("gpa ~ `my ses` * clubs + (1 | `the school`)", odd)
    assert mlm.simple_slopes(m, "my ses", "clubs").term[1].startswith("my ses at clubs")
    assert mlm.johnson_neyman(m, "my ses", "clubs").predictor == "my ses"


def test_uncorrelated_terms_of_one_factor_add_up(sleepstudy: pd.DataFrame) -> None:
    m = mlm.lmer("Reaction ~ Days + (Days || Subject)", sleepstudy)
    frame = m.varcorr().to_frame()
    tau0 = frame.loc[(frame["var1"] == "(Intercept)"), "vcov"].iloc[0]
    tau1 = frame.loc[(frame["var1"] == "Days"), "vcov"].iloc[0]
    assert_close(mlm.icc(m, at={"Days": 2}).variance, tau0 + 4 * tau1)
    assert_close(mlm.variance_function(m, "Days", at=[2]).between, tau0 + 4 * tau1)
    only = mlm.lmer("Reaction ~ Days + (0 + Days | Subject)", sleepstudy)
    with pytest.warns(AdviceWarning, match="no random intercept: at 0 of Days"):
        assert mlm.icc(only).icc[0] == 0.0  # at Day 0 nothing is shared
    assert mlm.icc(only, at={"Days": 3}).icc[0] > 0.3


@pytest.mark.parametrize("formula", ["(Days | Subject)", "(Days || Subject)"])
def test_partition_is_the_mean_diagonal_of_v(sleepstudy: pd.DataFrame, formula: str) -> None:
    m = mlm.lmer(f"Reaction ~ Days + {formula}", sleepstudy)
    v = mlm.implied_covariance(m, rows=list(sleepstudy.index)).to_numpy()
    assert_close(mlm.variance_partition(m).total, np.diag(v).mean(), ARITHMETIC)


@pytest.fixture(scope="module")
def member() -> mlm.LinearMixedModel:
    rng = np.random.default_rng(1)
    n, units = 300, 20
    share = np.zeros((n, units))
    share[np.arange(n), rng.integers(0, units, n)] += 0.5
    share[np.arange(n), rng.integers(0, units, n)] += 0.5
    frame = pd.DataFrame({"x": rng.normal(size=n)})
    frame["y"] = frame["x"] + share @ rng.normal(size=units) + rng.normal(size=n)
    names = [f"s{i}" for i in range(units)]
    weights = {"school": pd.DataFrame(share, columns=names)}
    return multiple_membership("y ~ x + (1 | school)", frame, weights)


def test_multiple_membership_has_the_variance_of_its_shares(member: mlm.LinearMixedModel) -> None:
    rows = list(range(300))
    v = mlm.implied_covariance(member, rows=rows).to_numpy()
    assert_close(mlm.variance_partition(member).total, np.diag(v).mean(), ARITHMETIC)
    tau, sigma2 = member.varcorr().variance("school"), member.sigma**2
    assert_close(float(mlm.icc(member, ci=None)), tau / (tau + sigma2))
    found = mlm.r2(member)
    assert found.source == "own"  # performance takes every row to lie in one school
    xb = member.predict(re_form="NA").var()
    shared = np.diag(v).mean() - sigma2
    assert_close(found.conditional, (xb + shared) / (xb + shared + sigma2), BY_HAND)


def test_what_needs_one_group_a_row_is_refused(member: mlm.LinearMixedModel) -> None:
    for function in (mlm.design_effect, mlm.r2_decomposition, mlm.effect_types):
        with pytest.raises(NotSupportedError, match="multiple membership"):
            function(member)
    with pytest.raises(NotSupportedError, match="several clusters"):
        mlm.cluster_robust(member)


def test_groups_of_one(d: pd.DataFrame) -> None:
    single = d.groupby("schoolnr", observed=True).head(1)
    with pytest.warns(AdviceWarning, match="has one row"):
        found = mlm.describe_levels(single, "schoolnr", "ses")
    assert found.n_single[0] == 131
    with pytest.raises(DataError, match="no predictor varies within"):
        mlm.panel("gpa ~ ses", single, "schoolnr")
    with pytest.raises(DataError, match="does not vary within"):
        mlm.within_between("gpa", single, "ses", "schoolnr")
    some = pd.concat([d.iloc[:100], single.iloc[50:]])
    within = mlm.panel("gpa ~ ses", some, "schoolnr").fixed
    known = mlm.panel("gpa ~ ses", d.iloc[:100], "schoolnr").fixed
    assert_close(within.estimate, known.estimate, BY_HAND)  # groups of one count for nothing


def test_crossed_models(d: pd.DataFrame) -> None:
    m = mlm.lmer("diameter ~ 1 + (1 | plate) + (1 | sample)", mlm.load_dataset("lme4::Penicillin"))
    with pytest.raises(NotSupportedError, match="nested within the"):
        mlm.cluster_robust(m, by="plate")
    with pytest.raises(ArgumentError, match="several grouping factors"):
        mlm.implied_covariance(m, group="a")
    v = mlm.implied_covariance(m, group="a", by="plate").to_numpy()
    assert_close(v[0, 1], m.varcorr().variance("plate"))  # same plate, other sample


def test_nested_factors_by_their_name_in_the_model() -> None:
    pastes = mlm.load_dataset("lme4::Pastes")
    m = mlm.lmer("strength ~ 1 + (1 | batch/cask)", pastes)
    pair = mlm.implied_covariance(m, group="a:A", by="cask:batch", correlation=True).to_numpy()
    assert_close(pair[0, 1], mlm.icc(m, ci=None).icc[1])
    assert mlm.describe_levels(pastes, ["cask:batch", "batch"], "strength").n_groups.tolist() == [
        30, 10,
    ]  # fmt: skip
    cake = mlm.load_dataset("lme4::cake")
    cake_fit = mlm.lmer("angle ~ recipe * temp + (1 | recipe:replicate)", cake)
    assert mlm.effect_types(cake_fit).to_frame().loc["temp", "varies"] == "within"


def test_models_that_travelled(d: pd.DataFrame, tmp_path: Path) -> None:
    m = mlm.lmer("gpa ~ ses + (1 | schoolnr)", d)
    again = pickle.loads(pickle.dumps(m))
    assert_close(mlm.icc(again).conf_low, mlm.icc(m).conf_low, REOPTIMIZED)
    loaded = mlm.load_model(m.save(tmp_path / "m.rds"))
    assert_close(mlm.cluster_robust(loaded).std_error, mlm.cluster_robust(m).std_error)
    with pytest.warns(AdviceWarning, match="smushed"):  # by the rows that R keeps with the model
        assert mlm.effect_types(loaded).smushed == ("ses",)
    with pytest.warns(AdviceWarning, match="smushed"):
        assert mlm.effect_types(loaded, data=d).smushed == ("ses",)


def test_other_frames_and_types() -> None:
    frame = pl.DataFrame(
        {"g": ["a", "a", "b", "b"], "x": [1, None, 5, 7], "t": [True, False, True, True]}
    )
    found = mlm.center(frame, ["x", "t"], by="g")
    assert found["x_between"].tolist() == [1, 1, 6, 6]
    assert found["t_within"].tolist() == [0.5, -0.5, 0, 0]
    assert mlm.aggregate(frame, by="g", columns="x")["x"].tolist() == [1, 6]


def test_missing_groups_in_every_function(d: pd.DataFrame) -> None:
    holes = d.assign(schoolnr=d["schoolnr"].astype(object))
    holes.loc[holes.index[:3], "schoolnr"] = None
    clean = holes.dropna()
    with pytest.warns(AdviceWarning, match="3 rows have no"):
        assert mlm.describe_levels(holes, "schoolnr", "ses").n_missing[0] == 3
    assert mlm.aggregate(holes, "schoolnr")["n"].sum() == len(clean)
    for function in (mlm.panel, mlm.gee):
        a, b = (function("gpa ~ ses", f, "schoolnr").fixed.estimate for f in (holes, clean))
        assert_close(a, b)
    found = mlm.latent_centering("gpa", "ses", holes, "schoolnr", missing="listwise")
    assert found.nobs == len(clean)
    with pytest.raises(DataError, match="missing in every row"):
        mlm.center(d.assign(schoolnr=None), "ses", by="schoolnr")


def test_row_25_lavaan_prints_the_columns_names() -> None:
    exam = mlm.load_dataset("mlmRev::Exam")
    exam = exam.assign(größe=exam["standLRT"], level=(exam["schgend"] == "girls").astype(int))
    found = mlm.latent_centering("normexam", "größe", exam, by="school", between="level")
    assert found.syntax.startswith("level: 1\n  normexam ~ w_v1*v1\nlevel: 2")
    assert "Number of clusters [school]" in str(found)
    assert found.term[0] == "within: größe"
    assert found.term[-1] == "between: level"
    with pytest.raises(ArgumentError, match="normexam stand"):
        mlm.latent_centering("normexam", ["standLRT", "normexam"], exam, by="school")


@pytest.mark.parametrize("column", ["text", "date", "nested"])
def test_columns_that_are_no_numbers_are_named(column: str) -> None:
    day = mlm.load_dataset("sleepstudy")
    day = day.assign(text="a", date=pd.Timestamp("2020-01-01"), nested=[{}] * len(day))
    asked = [
        lambda: mlm.meta_analysis("Reaction ~ 1", day, column, "~ 1 | Subject"),
        lambda: mlm.panel(f"{column} ~ Days", day, by="Subject"),
        lambda: mlm.gee(f"{column} ~ Days", day, by="Subject"),
        lambda: mlm.pooling(f"{column} ~ Days", day, by="Subject"),
        lambda: mlm.center(day, column, by="Subject"),
    ]
    if column == "nested":
        asked.append(lambda: mlm.describe_levels(day, "Subject", column))
        asked.append(lambda: mlm.describe_levels(day, column))
    for ask in asked:
        with pytest.raises(DataError, match=column):
            ask()


def test_arguments_of_a_wrong_kind_are_typed_errors() -> None:
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    asked = {
        "at is a dict": lambda: mlm.icc(m, at=5),
        "at must be a list": lambda: mlm.variance_function(m, "Days", at="a"),
        "list of the data's row labels": lambda: mlm.implied_covariance(m, rows=0),
        "row labels, not": lambda: mlm.implied_covariance(m, rows=[]),
        "t must be a list": lambda: mlm.effect_sizes(t="a", df=3),
        "names no group": lambda: mlm.design_effect(icc=0.2, n=[]),
        "at least 1": lambda: mlm.design_effect(icc=0.2, n=0.5),
        "whole number": lambda: mlm.one_per_group(
            mlm.load_dataset("sleepstudy"), "Subject", seed="a"
        ),
    }
    for words, ask in asked.items():
        with pytest.raises(ArgumentError, match=words):
            ask()
