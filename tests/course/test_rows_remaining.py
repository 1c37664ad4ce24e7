"""Rows 81, 89 and 93 of the lectures' checklist."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.course.lecture_data import gpa
from tests.tolerances import BY_HAND

DOCS = Path(__file__).resolve().parents[2] / "docs"

#: A share of 4,000 new rows has a standard error of 0.0035 around 0.95; four of them, and the
#: normal quantiles' own error with 60 groups.
COVERAGE_SLACK = 0.02


def test_row_81_when_groups_are_fixed_and_when_random():
    """The lectures' choice: few groups or an interest in these very groups -> fixed effects."""
    few = pd.DataFrame({"y": np.arange(24.0) % 5, "g": np.repeat(list("abcd"), 6)})
    with pytest.warns(mlm.errors.AdviceWarning, match="10"):
        mlm.describe_levels(few, "g")
    many = few.assign(g=np.arange(24) // 2)
    mlm.describe_levels(many, "g")  # no advice: a warning would be an error here
    page = (DOCS / "lectures" / "index.md").read_text(encoding="utf-8")
    assert "81" in page


def test_row_89_predictive_intervals_in_and_out_of_sample():
    """New group: x'Vx + tau² + sigma²; a group of the sample is known better; a row adds sigma²."""
    data = gpa()
    m = mlm.lmer("gpa ~ ses + (1 | schoolnr)", data)
    rows = data[["ses", "schoolnr"]].iloc[[0]]
    known = m.predict(rows, interval="prediction").to_frame()["std_error"].iloc[0]
    mean = m.predict(rows, interval="confidence").to_frame()["std_error"].iloc[0]
    assert np.isclose(known**2 - mean**2, m.sigma**2, rtol=BY_HAND)
    new = rows.assign(schoolnr="a new school")
    out = m.predict(new, interval="prediction", allow_new_levels=True).to_frame()
    x = np.array([1.0, rows["ses"].iloc[0]])
    tau2 = m.varcorr().variance("schoolnr")
    expected = x @ m.vcov().to_numpy() @ x + tau2 + m.sigma**2
    assert np.isclose(out["std_error"].iloc[0] ** 2, expected, rtol=BY_HAND)
    assert out["std_error"].iloc[0] > known


def test_row_89_out_of_sample_intervals_cover():
    rng = np.random.default_rng(89)

    def draw(groups: int, size: int, start: int) -> pd.DataFrame:
        g = np.repeat(np.arange(start, start + groups), size)
        x = rng.normal(size=g.size)
        y = 1 + 0.5 * x + rng.normal(size=groups).repeat(size) + 1.5 * rng.normal(size=g.size)
        return pd.DataFrame({"y": y, "x": x, "g": g.astype(str)})

    m = mlm.lmer("y ~ x + (1 | g)", draw(60, 20, 0))
    new = draw(4000, 1, 1000)
    frame = m.predict(new, interval="prediction", allow_new_levels=True).to_frame()
    inside = (new["y"] >= frame["conf_low"]) & (new["y"] <= frame["conf_high"])
    assert abs(inside.mean() - 0.95) < COVERAGE_SLACK


def test_row_93_what_the_lectures_only_name():
    """Rosche's parties in governments are multiple membership; S3's slope is a number alone.

    The ECLS-K data behind "2.32 points less for each hour of TV" are not public; the model is the
    lecture's pooled regression beside the random intercept, on children in schools that are.
    """
    children = mlm.load_dataset("mlmRev::egsingle")
    pooled = mlm.lm("math ~ lowinc", children)
    nested = mlm.lmer("math ~ lowinc + (1 | schoolid)", children)
    assert pooled.summary().fixed.std_error[1] < nested.summary(ddf=None).fixed.std_error[1] / 3
    assert callable(mlm.multiple_membership)
