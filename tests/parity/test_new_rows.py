"""predict() on new rows: the formula's functions, what the fit cannot say, odd groups, names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import AdviceWarning, DataError, NotSupportedError
from tests.native import ROUND_TRIP, assert_close, native

#: A row's value computed from its own columns, in another order of sums.
SAME = 1e-9

# R's own remark on a handful of draws.
pytestmark = pytest.mark.filterwarnings("ignore:extreme order statistics")

KEPT = (
    "I(x - mean(x))", "I(x / max(x))", "I(scale(x)^2)", "scale(poly(x, 2))", "scale(x)",
    "poly(x, 2)", "ns(x, df = 3)", "I((x - mean(x)) / sd(x))", "I(x > median(x))",
    "cut(x, 3)", "log(x)",
    "cut(x, quantile(x, c(0, 0.3, 1)), include.lowest = TRUE)", "scale(log(x)) * f",
    "as.numeric(factor(k))", "as.integer(f)", "I(`a b` - mean(`a b`))", "I(`a b`^2)",
)  # fmt: skip
REFUSED = ("rank(x)", "cumsum(x)", "rev(x)", "I(x / cumsum(x))")


def _data() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    n = 200
    d = pd.DataFrame({"g": rng.choice(list("abcdefghij"), n), "x": rng.gamma(3, 1, n) + 0.1})
    d["f"], d["k"] = rng.choice(list("uvw"), n), rng.choice([1.0, 4.0, 9.0], n)
    d["a b"] = rng.normal(size=n)
    group = d["g"].map("abcdefghij".index) / 5
    d["y"] = d["x"] + group * (d["f"] == "v") + group + 0.3 * d["k"] + rng.normal(size=n)
    d["n"] = rng.poisson(np.exp(d["y"] / 4))
    return d


def _fit(kind: str, term: str, d: pd.DataFrame) -> Any:
    if kind in ("lm", "glm"):
        return mlm.lm(f"y ~ {term}", d) if kind == "lm" else mlm.glm(f"n ~ {term}", d, "poisson")
    if kind == "lmer":
        return mlm.lmer(f"y ~ {term} + (1 | g)", d)
    return mlm.glmer(f"n ~ {term} + (1 | g)", d, family="poisson")


@pytest.fixture(scope="module")
def data() -> pd.DataFrame:
    return _data()


@pytest.mark.parametrize("kind", ["lmer", "lm", "glm"])
@pytest.mark.parametrize("term", KEPT)
def test_statistics_of_the_fit_are_kept(data: pd.DataFrame, kind: str, term: str) -> None:
    m = _fit(kind, term, data)
    for rows in (data.iloc[[5]], data.iloc[[150, 3, 77]]):
        assert_close(m.predict(rows), m.fitted().loc[rows.index], SAME, term)
    if kind == "lmer":
        ours = m.predict(data.iloc[[5]], interval="confidence").to_frame()
        assert_close(ours, m.predict(interval="confidence").to_frame().iloc[[5]], SAME)


@pytest.mark.parametrize("kind", ["lmer", "glmer", "lm", "glm"])
@pytest.mark.parametrize("term", REFUSED)
def test_what_a_row_does_not_tell_is_refused(data: pd.DataFrame, kind: str, term: str) -> None:
    if kind == "glmer" and term != "rank(x)":
        return
    m = _fit(kind, term.replace("rank(x)", "I(rank(x) / 100)"), data)
    with pytest.raises(NotSupportedError, match="depends on the whole column"):
        m.predict(data.head(5))
    assert m.predict().notna().all()


def test_slopes_keep_them_too(data: pd.DataFrame) -> None:
    steep = data.assign(y=data["y"] + data["x"] * data["g"].map("abcdefghij".index))
    m = mlm.lmer("y ~ x + (0 + I(x - mean(x)) | g)", steep)
    assert m.theta.iloc[0] > 0
    assert_close(m.predict(steep.iloc[[9]]), m.fitted().iloc[[9]], SAME)


def test_means_at_values_of_a_centred_predictor(data: pd.DataFrame) -> None:
    """emmeans would centre at the mean of the values asked for."""
    m = mlm.lmer("y ~ I(x - mean(x)) + f + (1 | g)", data)
    means = m.emmeans(["x", "f"], at={"x": [1, 2]}).to_frame()
    rows = pd.DataFrame({"x": means["x"], "f": means["f"]})
    assert_close(means["emmean"], m.predict(rows, re_form="NA"), SAME)


@pytest.mark.parametrize("term", ["I(x - mean(x))", "I(rank(x) / 100)"])
def test_nlme_refuses(data: pd.DataFrame, term: str) -> None:
    for m in (
        mlm.gls(f"y ~ {term}", data),
        mlm.lme(f"y ~ {term}", data, random="~ 1 | g"),
    ):
        with pytest.raises(NotSupportedError, match="new rows alone"):
            m.predict(data.head(3))


def test_nlme_answers_what_a_row_tells(data: pd.DataFrame) -> None:
    m = mlm.lme("y ~ log(x) + f", data, random="~ 1 | g")
    assert_close(m.predict(data.head(3)), m.fitted().head(3), SAME)


# --- rank deficiency ------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:fixed-effect model matrix is rank deficient")
@pytest.mark.parametrize("kind", ["lmer", "glmer", "lm", "glm"])
@pytest.mark.parametrize("first", ["p", "q"])
def test_an_empty_cell_is_nan_whatever_the_reference(kind: str, first: str) -> None:
    d = _data().head(180)
    d["a"], d["b"] = np.tile(list("pqrs"), 45), np.repeat(list("uvw"), 60)
    d = d[~((d.a == "s") & (d.b == "w"))]
    d["a"] = pd.Categorical(d.a, [first, *(x for x in "pqrs" if x != first)])
    m = _fit(kind, "a * b", d)
    cells = pd.DataFrame({"a": ["s", "p"], "b": ["w", "w"], "g": ["a", "a"]})
    with pytest.warns(AdviceWarning, match="1 of 2 rows cannot be estimated"):
        found = m.predict(cells)
    assert np.isnan(found.iloc[0])
    row = d[(d.a == "p") & (d.b == "w")].iloc[[0]]
    assert_close(m.predict(row), m.fitted().loc[row.index], SAME)
    if kind == "lmer":
        with pytest.warns(AdviceWarning, match="cannot be estimated"):
            limits = m.predict(cells, interval="prediction").to_frame()
        assert limits.iloc[0].isna().all()
        assert limits.iloc[1].notna().all()


# --- groups ---------------------------------------------------------------------------------------


def test_ordered_grouping_factors_of_the_lectures() -> None:
    """Hsb82's schools are an ordered factor: native R, where the factor is a plain one."""
    data = mlm.load_dataset("mlmRev::Hsb82")
    m = mlm.lmer("mAch ~ cses + (cses | school)", data)
    rows = data.iloc[[10, 4000]]
    found = native(
        "d <- mlmRev::Hsb82; d$school <- factor(as.character(d$school), levels(d$school))\n"
        "m <- lme4::lmer(mAch ~ cses + (cses | school), d)\n"
        "emit(list(p = unname(predict(m, d[c(11, 4001), ]))))"
    )
    assert_close(m.predict(rows), found["p"], SAME)
    lines = mlm.group_lines(m, "cses", groups=[str(data["school"].iloc[10])])
    assert lines["predicted"].notna().all()


def test_one_level_of_a_dummy(data: pd.DataFrame) -> None:
    d = data.assign(f=pd.Categorical(data["f"]))
    m = mlm.lmer("y ~ 1 + (1 | k) + (0 + dummy(f, 'v') | g)", d)
    for level in "uvw":
        rows = d[d["f"] == level].astype({"f": str}).head(2)
        assert_close(m.predict(rows), m.fitted().loc[rows.index], SAME, level)
    part = m.fixef().iloc[0] + m.ranef()["k"]["(Intercept)"].loc[d["k"].head(2).map("{:g}".format)]
    assert_close(m.predict(d.head(2)[["k"]], re_form="~ (1 | k)"), part, SAME)
    assert_close(m.predict(re_form="~ (1 | k)").head(2), part, SAME)


#: Factors that are made in a random term: of some new rows alone they have other levels.
MADE = ("factor(k)", "0 + factor(k)", "ordered(f)", "factor(k):x", "factor(x > 2)", "cut(x, 2)")


@pytest.mark.parametrize("term", MADE)
@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
@pytest.mark.filterwarnings("ignore::pymlm.errors.ConvergenceWarning")
def test_factors_made_in_random_terms_keep_the_levels_of_the_fit(
    data: pd.DataFrame, term: str
) -> None:
    d = data.assign(h=data["g"].iloc[::-1].to_numpy())
    units = {"u": (["g", "h"], None)}
    m = mlm.lmer(f"y ~ x + ({term} | g)", d)
    for each in (m, mlm.multiple_membership(f"y ~ x + ({term} | u)", d, units)):
        for rows in (d.iloc[[5]], d.iloc[[150, 3]]):
            assert_close(each.predict(rows), each.fitted().loc[rows.index], SAME, term)
    ours = m.predict(d.iloc[[5]], interval="confidence").to_frame()
    assert_close(ours, m.predict(interval="confidence").to_frame().iloc[[5]], SAME)
    part = m.predict(d.iloc[[5]], re_form=f"~ ({term} | g)")
    assert_close(part, m.fitted().iloc[[5]], SAME)
    if term == "factor(k)":
        with pytest.raises(DataError, match=r"'factor\(k\)' has the level '2'"):
            m.predict(d.iloc[[5]].assign(k=2.0))


def test_a_level_that_only_dropped_rows_have(data: pd.DataFrame) -> None:
    for column, level in (("f", "z"), ("g", "lost")):
        d = data.copy()
        d.loc[d.index[:2], column] = level
        d.loc[d.index[:2], "y"] = np.nan
        m = mlm.lmer("y ~ x + f + (1 | g)", d)
        with pytest.warns(AdviceWarning, match=f"'{level}' only in rows that the fit dropped"):
            found = m.predict(d)
        assert found.iloc[:2].isna().all()
        assert_close(found.iloc[2:], m.fitted().iloc[2:], ROUND_TRIP * 1e3)
        with pytest.raises(DataError, match="'other'"):
            m.predict(d.tail(2).assign(**{column: "other"}))


def test_draws_given_ordered_groups() -> None:
    """As with the same factor unordered, which lme4 can simulate from."""
    data = mlm.load_dataset("mlmRev::Hsb82")
    plain = data.assign(school=data["school"].cat.as_unordered())
    text = "mAch ~ cses + (1 | school)"
    one, two = mlm.lmer(text, data), mlm.lmer(text, plain)
    assert_close(one.simulate(1, seed=1, use_u=True), two.simulate(1, seed=1, use_u=True), SAME)
    form = "~ (1 | school)"
    assert_close(one.simulate(1, seed=1, re_form=form), two.simulate(1, seed=1, re_form=form), SAME)
    draws = [m.bootstrap(nsim=2, seed=1, use_u=True).draws_frame() for m in (one, two)]
    assert_close(draws[0], draws[1], SAME)


def test_part_of_the_effects_beside_a_dummy_is_not_drawn(data: pd.DataFrame) -> None:
    d = data.assign(f=pd.Categorical(data["f"]))
    m = mlm.lmer("y ~ 1 + (1 | k) + (0 + dummy(f, 'v') | g)", d)
    with pytest.raises(NotSupportedError, match="beside dummy"):
        m.simulate(1, seed=1, re_form="~ (1 | k)")
    assert m.simulate(1, seed=1).notna().all(axis=None)
