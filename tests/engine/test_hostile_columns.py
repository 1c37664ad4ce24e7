"""Columns of any name through what builds formulas itself: the numbers of plain names."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.formula import quoted, sides

NAMES = {
    "backtick": "a`b", "bar": "a|b", "tab": "a\tb", "backslash": "ab\\", "tilde": "a~b",
    "quote": "a'b\"", "keyword": "if", "space": "a b", "unicode": "größe β", "digit": "2nd",
    "operators": "a + b:c*d", "dollar": "a$b",
}  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(3)
    g = np.repeat(np.arange(10), 8)
    x = rng.normal(size=80) + rng.normal(size=10)[g]
    y = x + rng.normal(size=10)[g] + rng.normal(size=80)
    return pd.DataFrame({"y": y, "x": x, "g": [f"g{i}" for i in g]})


ASKED = {
    "pooling": lambda d, y, x, g: mlm.pooling(f"{y} ~ {x}", d, by=g).to_frame(),
    "compare_alternatives": lambda d, y, x, g: mlm.compare_alternatives(
        f"{y} ~ {x}", d, by=g, seed=1
    ).to_frame()[["estimate", "std_error"]],
    "icc_of": lambda d, y, x, g: mlm.icc_of(d, [y.strip("`")], by=g).to_frame(),
    "fit_many": lambda d, y, x, g: mlm.fit_many(
        f"~ {x} + (1 | {quoted(g)})", d, responses=["y"], progress=False
    ).to_frame(),
    "lmer": lambda d, y, x, g: mlm.lmer(f"{y} ~ {x} + (1 | {quoted(g)})", d).fixef().to_frame(),
}  # fmt: skip


def numbers(frame):
    return frame.select_dtypes("number").to_numpy(dtype=float)


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_group_of_any_name(frame, name, asked):
    plain = ASKED[asked](frame, "y", "x", "g")
    odd = ASKED[asked](frame.rename(columns={"g": name}), "y", "x", name)
    np.testing.assert_array_equal(numbers(odd), numbers(plain))


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_predictor_of_any_name(frame, name):
    for asked in ("pooling", "compare_alternatives", "fit_many", "lmer"):
        plain = ASKED[asked](frame, "y", "x", "g")
        odd = ASKED[asked](frame.rename(columns={"x": name}), "y", quoted(name), "g")
        np.testing.assert_array_equal(numbers(odd), numbers(plain), err_msg=asked)


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_an_outcome_and_a_predictor_within_and_between(frame, name):
    plain = mlm.within_between("y ~ x + (1 | g)", frame, "x", by="g").to_frame()
    data = frame.rename(columns={"x": name, "y": f"{name}y"})
    formula = f"{quoted(f'{name}y')} ~ {quoted(name)} + (1 | g)"
    odd = mlm.within_between(formula, data, name, by="g").to_frame()
    np.testing.assert_array_equal(numbers(odd), numbers(plain))


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_a_formula_is_split_outside_of_names(name):
    left, right = sides(f"{quoted(name)} ~ {quoted(name)} + (1 | g)")
    assert left == quoted(name)
    assert right == f" {quoted(name)} + (1 | g)"
