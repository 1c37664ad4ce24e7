"""Several designs and several formulas in one call: the lecture's numbers and its Table 1."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from tests.native import assert_close


def test_the_lecture_s_two_designs():
    """Lecture S4: 2.20 and 227, 1.95 and 513."""
    found = mlm.design_effect(icc=np.array([0.30, 0.05]), n=[5, 20], n_groups=(100, 50))
    assert np.round(found.design_effect, 2).tolist() == [2.20, 1.95]
    assert np.round(found.effective_n).tolist() == [227, 513]
    assert found.rows.tolist() == [500, 1000]
    assert np.isnan(found.n)
    assert list(found.level) == [
        "icc = 0.3, n = 5, n_groups = 100",
        "icc = 0.05, n = 20, n_groups = 50",
    ]


@pytest.mark.parametrize("grid", [True, False])
def test_every_row_is_the_call_of_its_own(grid):
    icc, n = [0.0, 0.1, 0.5], [2, 10, 30]
    found = mlm.design_effect(icc=pd.Series(icc), n=n, n_groups=20, grid=grid)
    asked = [(i, k) for i in icc for k in n] if grid else list(zip(icc, n, strict=True))
    assert len(found) == len(asked)
    for row, (i, k) in zip(range(len(asked)), asked, strict=True):
        alone = mlm.design_effect(icc=i, n=k, n_groups=20)
        for column in ("icc", "size", "design_effect", "effective_n", "kish_effective_n"):
            assert_close(getattr(found, column)[row], getattr(alone, column)[0])


def test_sizes_beside_one_icc_are_groups_of_one_sample():
    found = mlm.design_effect(icc=0.2, n=[3, 5, 7])
    assert list(found.level) == ["group"]
    assert found.n == 15
    tried = mlm.design_effect(icc=0.2, n=[3, 5, 7], grid=True)
    assert_close(tried.design_effect, [1.4, 1.8, 2.2])


WRONG = {
    "lengths": ({"icc": [0.1, 0.2], "n": [1, 2, 3]}, "grid=True"),
    "out of range": ({"icc": [0.1, 2], "n": 3}, "between 0 and 1"),
    "text": ({"icc": "a", "n": 3}, "number"),
    "nothing": ({"icc": [], "n": 3}, "no value"),
    "no group": ({"icc": 0.1, "n": []}, "no group"),
    "nested": ({"icc": [[0.1]], "n": 3}, "number"),
    "a truth value": ({"icc": [True], "n": 3}, "number"),
    "a dict": ({"icc": 0.1, "n": {}}, "number"),
    "too small": ({"icc": 0.1, "n": [5, 0.5], "grid": True}, "at least 1"),
    "no groups": ({"icc": [0.1], "n": 3, "n_groups": [0]}, "above 0"),
    "grid": ({"icc": 0.1, "n": 3, "grid": "yes"}, "True or False"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_designs(name):
    given, says = WRONG[name]
    with pytest.raises(ArgumentError, match=says):
        mlm.design_effect(**given)


# --- Table 1 --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def exam():
    data = mlm.center(mlm.load_dataset("mlmRev::Exam"), "standLRT", by="school")
    return data.rename(
        columns={"standLRT_within": "wc", "standLRT_between": "cm", "standLRT": "con"}
    )


TABLE = {
    "wc": {"wc": "within"},
    "con": {"con": "smushed"},
    "cm": {"cm": "between"},
    "wc + cm": {"wc": "within", "cm": "between"},
    "con + cm": {"con": "within", "cm": "contextual"},
}


def formula(terms):
    return f"normexam ~ {terms} + (1 | school)"


def test_the_lecture_s_table_in_one_call(exam):
    found = mlm.effect_types({k: formula(k) for k in TABLE}, exam, warn=False)
    wide = found.wide().drop(columns="(Intercept)")
    assert list(wide.index) == list(TABLE)
    for name, cells in TABLE.items():
        assert {k: v for k, v in wide.loc[name].items() if v} == cells
    assert set(found.to_frame()["model"]) == set(TABLE)
    assert "contextual" in str(found)
    assert found.wide("assumes").loc["wc", "wc"]  # what it presumes of the part left out


def test_each_is_the_call_of_its_own(exam):
    formulas = [formula(k) for k in TABLE]
    found = mlm.effect_types(formulas, exam, warn=False).to_frame()
    for text in formulas:
        alone = mlm.effect_types(text, exam, warn=False).to_frame()
        own = found[found["model"] == text].set_index("term")
        assert own["effect"].to_dict() == alone["effect"].to_dict()
        assert own["slope"].to_dict() == alone["slope"].to_dict()


def test_models_and_formulas_mix(exam):
    m = mlm.lmer(formula("wc"), exam)
    found = mlm.effect_types([m, formula("con + cm")], exam)
    assert found.group == ("school", "school")
    assert found.effect == ("intercept", "within", "intercept", "within", "contextual")


def test_wrong_tables(exam):
    for wrong in ([], {}, 5, None):
        with pytest.raises(ArgumentError, match="effect_types takes"):
            mlm.effect_types(wrong, exam)
    with pytest.raises(ArgumentError, match="stands twice"):
        mlm.effect_types([formula("wc"), formula("wc")], exam)
    with pytest.raises(ArgumentError, match="takes a fitted model or a formula"):
        mlm.effect_types([formula("wc"), 5], exam)
    with pytest.raises(ArgumentError, match="needs the data"):
        mlm.effect_types([formula("wc")])
    with pytest.raises(ArgumentError, match="no column"):
        mlm.effect_types([formula("wc")], exam).wide("size")
