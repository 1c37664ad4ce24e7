"""Frames come back in the caller's library where `mlm.options.frames` asks: the same numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError

pl = pytest.importorskip("polars")
pa = pytest.importorskip("pyarrow")

FORMULA = "Reaction ~ Days + (Days | Subject)"
MADE = {"polars": pl.from_pandas, "pyarrow": lambda d: pa.Table.from_pandas(d)}
FRAME = {"polars": pl.DataFrame, "pyarrow": pa.Table}
COLUMN = {"polars": pl.Series, "pyarrow": pa.ChunkedArray}


@pytest.fixture(scope="module")
def data(sleepstudy):
    frame = sleepstudy.assign(Subject=sleepstudy["Subject"].astype(str))
    frame.loc[3, "Days"] = np.nan
    return frame


@pytest.fixture(scope="module", params=["polars", "pyarrow"])
def library(request):
    return request.param


@pytest.fixture(scope="module")
def given(library, data):
    return MADE[library](data)


@pytest.fixture(scope="module")
def models(given, data):
    return mlm.lmer(FORMULA, given), mlm.lmer(FORMULA, data)


#: What gives one column by row.
COLUMNS = {
    "fitted": lambda m: m.fitted(),
    "residuals": lambda m: m.residuals(),
    "predict": lambda m: m.predict(),
    "hat_values": lambda m: m.hat_values(),
}
#: What gives a table, and the name that its row names get.
TABLES = {
    "to_frame": (lambda m: m.summary().to_frame(), "term"),
    "in a result": (lambda m: m.summary().fixed.to_frame(), "term"),
    "fixef": (lambda m: m.fixef(), "term"),
    "ranef": (lambda m: m.ranef()["Subject"], "term"),
    "ranef long": (lambda m: m.ranef().to_frame(), None),
    "coef": (lambda m: m.coef()["Subject"], "term"),
    "vcov": (lambda m: m.vcov(), "term"),
    "simulate": (lambda m: m.simulate(2, seed=1), None),
    "tidy": (lambda m: m.tidy().to_frame(), None),
    "glance": (lambda m: m.glance().to_frame(), None),
    "varcorr": (lambda m: m.varcorr().to_frame(), None),
    "intervals": (lambda m: m.confint().to_frame(), "term"),
    "of a function": (lambda m: mlm.icc(m).to_frame(), "term"),
    "comparison": (lambda m: mlm.anova(m.update(". ~ . - Days"), m).to_frame(), "term"),
    "some rows": (lambda m: m.summary()[:1], "term"),
    "augment": (lambda m: m.augment(), "row"),
}


def as_pandas(value):
    return value.to_pandas()


def texts(column):
    return [None if pd.isna(x) else str(x) for x in column]


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(name, models, library):
    ours, theirs = models
    expected = COLUMNS[name](theirs)
    with mlm.options(frames="same"):
        found = COLUMNS[name](ours)
        assert isinstance(COLUMNS[name](theirs), pd.Series)
    assert isinstance(found, COLUMN[library])
    missing = found.null_count() if library == "polars" else found.null_count
    assert missing == expected.isna().sum()
    np.testing.assert_array_equal(as_pandas(found).astype(float), expected)
    assert isinstance(COLUMNS[name](ours), pd.Series)


@pytest.mark.parametrize("name", TABLES)
def test_tables(name, models, library):
    ask, row_names = TABLES[name]
    ours, theirs = models
    expected = ask(theirs)
    if isinstance(expected, pd.Series):
        expected = expected.to_frame()
    with mlm.options(frames="same"):
        found = ask(ours)
        assert isinstance(ask(theirs), pd.DataFrame | pd.Series)
    assert isinstance(found, FRAME[library]), type(found)
    back = as_pandas(found)
    if row_names is not None and row_names in back and row_names not in expected:
        assert texts(back[row_names]) == list(map(str, expected.index))
        back = back.drop(columns=row_names)
    assert [str(c) for c in expected.columns] == back.columns.tolist()
    for a, b in zip(expected.columns, back.columns, strict=True):
        column = expected[a]
        if pd.api.types.is_numeric_dtype(column.dtype):
            np.testing.assert_array_equal(back[b].astype(float), column.astype(float))
        else:
            assert texts(back[b]) == texts(column)
    assert isinstance(ask(ours), pd.DataFrame | pd.Series)


def test_the_frame_that_is_given_decides(models, data, library, given):
    ours, theirs = models
    with mlm.options(frames="same"):
        assert isinstance(ours.predict(newdata=data.head(3)), pd.Series)
        assert isinstance(theirs.predict(newdata=given[:3]), COLUMN[library])


def test_center_keeps_the_types_of_the_columns_that_were_given():
    frame = pl.DataFrame(
        {
            "x": pl.Series([1, 2, 4, None], dtype=pl.Int8),
            "g": pl.Series(["b", "a", "b", "a"], dtype=pl.Enum(["b", "a"])),
            "day": pl.Series([None, 1, 2, 3], dtype=pl.Date),
        }
    )
    with mlm.options(frames="same"):
        found = mlm.center(frame, "x", by="g")
    assert isinstance(found, pl.DataFrame)
    assert found.select("x", "g", "day").equals(frame)
    assert found.schema["g"] == frame.schema["g"]
    assert found["x_between"].to_list() == [2.5, 2.0, 2.5, 2.0]
    assert found["x_within"].to_list() == [-1.5, 0.0, 1.5, None]


def test_many_fits_and_lazy_frames(data):
    lazy = pl.from_pandas(data).lazy()
    with mlm.options(frames="same"):
        fits = mlm.fit_many("Reaction ~ Days + (1 | Subject)", lazy, responses=["Reaction"])
        assert isinstance(fits.to_frame(), pl.DataFrame)
        m = mlm.lmer(FORMULA, lazy)
        assert isinstance(m.fitted(), pl.Series)
        assert isinstance(mlm.lm("Reaction ~ Days", lazy).augment(), pl.DataFrame)


def test_pymlm_s_own_work_is_in_pandas(models):
    ours, theirs = models
    with mlm.options(frames="same"):
        assert mlm.r2(ours).to_dict() == mlm.r2(theirs).to_dict()
        assert str(mlm.check_parity(ours)).count("they agree") == 1
        assert ours.summary().to_markdown() == theirs.summary().to_markdown()
        mlm.plot.group_lines(ours, "Days")
        assert ours.summary()._repr_html_() == theirs.summary()._repr_html_()


def test_the_option_is_checked():
    with pytest.raises(ArgumentError, match="'pandas', 'same'"):
        mlm.options.frames = "polars"
    assert mlm.options.frames == "pandas"
