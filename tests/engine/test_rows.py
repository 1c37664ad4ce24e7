"""A result as a table: rows and columns, other libraries' frames, Markdown, LaTeX, HTML."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from pymlm.tables import cells_of, frame_as
from tests.engine.test_inert_output import HOSTILE, Reader, read_markdown, said

ASKED = {
    "summary": lambda m: m.summary(),
    "tidy": lambda m: m.tidy(),
    "anova": lambda m: m.anova(),
    "varcorr": lambda m: m.varcorr(),
    "ranef": lambda m: m.ranef(),
    "convergence": lambda m: m.convergence,
    "predict": lambda m: m.predict(interval="confidence"),
}


@pytest.fixture(scope="module")
def model():
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


@pytest.mark.parametrize("name", ["summary", "tidy", "anova", "varcorr", "ranef", "convergence"])
def test_other_libraries_read_the_same_values(model, name):
    result = ASKED[name](model)
    frame = result.to_frame()
    assert len(result) == len(list(result)) == len(frame)
    made = pd.DataFrame(result)
    assert list(made.columns) == list(frame.columns)
    polars, arrow = pl.DataFrame(result), pa.table(result)
    for column in frame.columns:
        expected = frame[column]
        if pd.api.types.is_float_dtype(expected.dtype):
            for found in (made[column], polars[column].to_numpy(), arrow[column].to_numpy()):
                np.testing.assert_array_equal(np.asarray(found, dtype=float), expected)
        else:
            texts = [None if pd.isna(x) else str(x) for x in expected]
            assert [None if x is None else str(x) for x in polars[column]] == texts
    assert np.asarray(result).shape == frame.shape


def test_columns_and_rows_by_name_and_position(model):
    summary, frame = model.summary(), model.summary().to_frame()
    pd.testing.assert_series_equal(summary["estimate"], frame["estimate"])
    pd.testing.assert_series_equal(summary["Days"], frame.loc["Days"])
    pd.testing.assert_series_equal(summary[-1], frame.iloc[-1])
    pd.testing.assert_frame_equal(summary[:1], frame.iloc[:1])
    assert "Days" in summary
    assert "days" not in summary
    assert {"estimate", "Days"} <= set(summary._ipython_key_completions_())
    with pytest.raises(ArgumentError, match=r"'Day'.*Did you mean 'Days'"):
        summary["Day"]
    with pytest.raises(IndexError):
        summary[2]


def test_random_effects_complete_and_give_their_factors(model):
    effects = model.ranef()
    assert effects._ipython_key_completions_() == ["Subject"]
    assert list(dict(effects)) == ["Subject"]
    assert "Subject" in effects
    assert list(effects["Subject"].columns) == ["(Intercept)", "Days"]


def test_digits_are_decimals_and_stars_follow_the_p_values():
    frame = pd.DataFrame(
        {"estimate": [1.23456, -0.5, 2.0, 3.0], "p_value": [0.0004, 0.03, 0.2, np.nan]},
        index=["a", "b", "c", "d"],
    )
    cells = cells_of(frame, digits=2, stars=True)
    assert [r[1] for r in cells.rows] == ["1.23***", "-0.50*", "2.00", "3.00"]
    assert [r[2] for r in cells.rows] == ["<0.001", "0.030", "0.200", ""]
    assert cells.notes == ("* p < 0.05  ** p < 0.01  *** p < 0.001",)
    assert [r[1] for r in cells_of(frame, 1, (0.1,)).rows] == ["1.2*", "-0.5*", "2.0", "3.0"]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"digits": -1}, "digits"), ({"digits": 2.5}, "digits"), ({"digits": True}, "digits"),
        ({"stars": "yes"}, "stars"), ({"stars": (0.01, 0.05)}, "stars"), ({"stars": 0.05}, "stars"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("format", ["markdown", "latex", "html"])
def test_wrong_digits_and_stars_are_refused(model, format, arguments, says):
    with pytest.raises(ArgumentError, match=says):
        getattr(model.summary(), f"to_{format}")(**arguments)


def test_stars_without_p_values_are_refused(model):
    with pytest.raises(ArgumentError, match="no p values"):
        model.summary(ddf=None).to_markdown(stars=True)


@pytest.mark.parametrize("format", ["markdown", "latex", "html"])
def test_a_summary_has_its_random_effects(model, format):
    text = getattr(model.summary(), f"to_{format}")(digits=2)
    for part in ("Fixed effects", "251.41", "Random effects", "612.10", "180 observations"):
        assert part in text


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_text_stays_text_everywhere(text):
    frame = pd.DataFrame({"estimate": [1.5], text: [text]}, index=[text])
    page = Reader(frame_as(frame, "html", caption=text, notes=[text]))
    assert page.tags <= {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td"}
    assert said(page.caption) == said(text)
    read = read_markdown(frame_as(frame, "md"))
    assert read.tags == {"table", "thead", "tbody", "tr", "th", "td"}
    assert said(read.rows[1][-1]) == said(text)


@pytest.mark.parametrize("format", ["markdown", "latex", "html"])
def test_a_regression_table_in_another_format(model, format):
    table = mlm.regression_table(model)
    again = pickle.loads(pickle.dumps(table))
    for t in (table, again):
        assert getattr(t, f"to_{format}")() == mlm.regression_table(model, format=format)
        changed = getattr(t, f"to_{format}")(digits=1, stars=False)
        assert changed == mlm.regression_table(model, format=format, digits=1, stars=())


def test_many_fits_are_written_and_read_as_their_table():
    frame = mlm.load_dataset("sleepstudy").assign(half=lambda d: d.index % 2)
    fits = mlm.fit_many("Reaction ~ Days + (1 | Subject)", frame, by="half")
    table = fits.to_frame()
    for found in (pl.DataFrame(fits).to_pandas(), pa.table(fits).to_pandas()):
        assert list(found.columns) == list(table.columns)
        np.testing.assert_array_equal(found["estimate"], table["estimate"])
        assert found["term"].tolist() == table["term"].tolist()
    written = fits.to_markdown(digits=2, stars=True)
    assert f"| 1 | Days | {table['estimate'].iloc[3]:.2f}\\*\\*\\* |" in written
    assert "2 fitted, 0 failed" in written
    assert "2 fitted, 0 failed" in fits.to_latex()
    assert f"{table['std_error'].iloc[3]:.2f}" in fits.to_html(digits=2)
    assert list(fits) == [0, 1]  # a loop gives the keys, as before
