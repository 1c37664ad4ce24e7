"""Names of ours, beside columns of the user's that are called the same."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError, DataError, FormulaError
from tests.native import ROUND_TRIP, assert_close
from tests.tolerances import BY_HAND

NAMES = (".weights", ".offset", "(Intercept)", "T")


@pytest.fixture(scope="module")
def numbers():
    return np.random.default_rng(0).uniform(0.5, 2, 180)


@pytest.mark.parametrize("argument", ["weights", "offset"])
@pytest.mark.parametrize("name", NAMES)
def test_a_column_of_that_name_stays_the_users(sleepstudy, numbers, name, argument):
    given = {argument: numbers}
    right = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, **given)
    renamed = sleepstudy.rename(columns={"Days": name})
    for text in (
        f"Reaction ~ `{name}` + (1 | Subject)",
        "Reaction ~ . - Subject + (1 | Subject)",
    ):
        m = mlm.lmer(text, renamed, **given)
        assert_close(m.fixef(), right.fixef(), ROUND_TRIP, text)
        assert_close(m.fitted(), right.fitted(), ROUND_TRIP, text)
        assert_close(
            m.update(f". ~ . + I(`{name}`^2)").fixef(),
            right.update(". ~ . + I(Days^2)").fixef(),
            ROUND_TRIP,
            text,
        )
    again = pickle.loads(pickle.dumps(m))
    assert_close(again.fitted(), right.fitted(), ROUND_TRIP)


@pytest.mark.parametrize("argument", ["weights", "offset"])
def test_the_dot_holds_the_users_columns_and_none_of_ours(sleepstudy, numbers, argument):
    plain = sleepstudy[["Reaction", "Days"]].assign(z=numbers[::-1])
    mine = plain.rename(columns={"z": f".{argument}"})
    for function in (mlm.lm, partial(mlm.glm, family="gaussian")):
        m = function("Reaction ~ .", mine, **{argument: numbers})
        right = function("Reaction ~ Days + z", plain, **{argument: numbers})
        assert m.fixef().index.tolist() == ["(Intercept)", "Days", f".{argument}"]
        assert_close(m.fixef(), right.fixef())


def test_new_rows_know_a_column_from_an_array(sleepstudy, numbers):
    """The user's own column `.offset` may be the offset; an array is known under any name."""
    mine = sleepstudy.rename(columns={"Days": ".offset"}).assign(x=numbers)
    for fit in (
        partial(mlm.lmer, "Reaction ~ x + (1 | Subject)"),
        partial(mlm.lm, "Reaction ~ x"),
        partial(mlm.lm_list, "Reaction ~ x | Subject"),
    ):
        m = fit(mine, offset=".offset")
        assert_close(m.predict(mine), m.fitted(), BY_HAND)
        assert_close(
            pickle.loads(pickle.dumps(m)).predict(mine.head(9)), m.fitted().head(9), BY_HAND
        )
        with pytest.raises(DataError, match="given as an array"):
            fit(mine, offset=numbers).predict(mine)


def test_an_array_is_no_column_of_a_changed_formula(sleepstudy, numbers):
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, weights=numbers)
    with pytest.raises(FormulaError, match=r"'\.weights'"):
        m.update(". ~ . + .weights")


@pytest.mark.parametrize("name", [".contrasts", "nonlinear"])
def test_names_of_what_the_call_names_beside_the_data(sleepstudy, name):
    with pytest.raises(ArgumentError, match="data_name"):
        mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, data_name=name)


@pytest.mark.parametrize("name", ["c", "T", "Reaction", "it`s"])
def test_any_other_name_of_the_data(sleepstudy, name):
    right = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, data_name=name)
    assert_close(m.fixef(), right.fixef())
    assert_close(m.update(". ~ . - Days").fixef(), right.update(". ~ . - Days").fixef())
    assert_close(m.anova().p_value, right.anova().p_value)
    assert mlm.check_parity(m).ok


def test_a_folder_of_r_is_no_shell_code(tmp_path):
    home = tmp_path / 'R$(touch ran)`touch ran`"; touch ran; "'
    found = subprocess.run(["R", "RHOME"], capture_output=True, text=True, check=True)
    home.symlink_to(found.stdout.strip())
    code = "import pymlm as m; print(m.lm('Reaction ~ Days', m.load_dataset('sleepstudy')).nobs)"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "R_HOME": str(home)}, cwd=tmp_path,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert not (tmp_path / "ran").exists()
    assert done.stdout.strip() == "180", done.stderr
