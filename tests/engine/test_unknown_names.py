"""One mistake, one error: a name that is nothing, in every argument of everything public.

In a formula it is a FormulaError, as a column of data or of new rows a DataError, as a part of a
model (term, coefficient, level, grouping factor) an ArgumentError. Each lists what is near.
"""

from __future__ import annotations

import inspect

import matplotlib.pyplot as plt
import numpy as np
import pytest

import pymlm as mlm
from pymlm import plot
from pymlm.errors import ArgumentError, DataError, FormulaError
from tests.engine.wrong_names import (
    AS_COLUMNS,
    AS_COLUMNS_OF_MODELS,
    AS_PARTS,
    IN_FORMULAS,
    IN_NEW_ROWS,
    NO_NAMES,
    NO_NAMES_HERE,
)

#: The bootstrap here is short, for its table's rows alone are asked.
pytestmark = pytest.mark.filterwarnings("ignore:extreme order statistics")

WRONG = "Dayz"
#: What an error about a part ends with: near names, or all that there are.
LISTED = r"(Did you mean|It has|There are|the first are|Terms that can go|terms of factors are)[ :]"


@pytest.fixture(scope="module")
def d():
    sleepstudy = mlm.load_dataset("sleepstudy")
    return sleepstudy.assign(
        y2=sleepstudy["Reaction"] + 1.0, bin=(sleepstudy["Reaction"] > 290).astype(int),
        half=np.where(sleepstudy["Days"] % 2, "odd", "even"), v=1.0, w=1.0,
        s2=sleepstudy["Subject"],
        person=["Day" + chr(97 + code) for code in sleepstudy["Subject"].cat.codes],
    )  # fmt: skip


@pytest.fixture(scope="module")
def models(d):
    lmer = mlm.lmer("Reaction ~ Days * half + (Days | Subject)", d)
    units = {"mm": mlm.membership_weights(d, ["Subject", "s2"])}
    return {
        "lmer": lmer, "data": d, "groups": mlm.lmer("Reaction ~ Days + (1 | person)", d),
        "glmer": mlm.glmer("bin ~ Days + half + (1 | Subject)", d),
        "lm": mlm.lm("Reaction ~ Days * half", d),
        "lme": mlm.lme("Reaction ~ Days", d, random="~ 1 | Subject"),
        "lm_list": mlm.lm_list("Reaction ~ Days | Subject", d),
        "membership": mlm.multiple_membership("Reaction ~ Days + half + (1 | mm)", d, units),
        "pooling": mlm.pooling("Reaction ~ Days", d, "Subject"),
        "profile": lmer.profile("Days"), "bootstrap": lmer.bootstrap(nsim=50, seed=1),
    }  # fmt: skip


@pytest.fixture(autouse=True)
def no_figure_stays():
    yield
    plt.close("all")


@pytest.mark.parametrize("call", IN_FORMULAS)
def test_in_a_formula(d, call):
    with pytest.raises(FormulaError, match=f"'{WRONG}'.* Did you mean 'Days'"):
        IN_FORMULAS[call](d, WRONG)


@pytest.mark.parametrize("call", AS_COLUMNS)
def test_as_a_column(d, call):
    with pytest.raises(DataError, match=f"'{WRONG}'.* Did you mean 'Days'"):
        AS_COLUMNS[call](d, WRONG)


@pytest.mark.parametrize("call", AS_COLUMNS_OF_MODELS)
def test_as_a_column_of_a_models_data(models, call):
    lacking = f"no column 'Days'.* Did you mean '{WRONG}'"  # of new rows
    with pytest.raises(DataError, match=f"'{WRONG}'.* Did you mean 'Days'|{lacking}"):
        AS_COLUMNS_OF_MODELS[call](models, WRONG)


@pytest.mark.parametrize("kind", IN_NEW_ROWS)
def test_new_rows_without_a_column(d, models, kind):
    name, kept = IN_NEW_ROWS[kind]
    with pytest.raises(DataError, match="newdata has no column"):
        models[name].predict(d[kept])


@pytest.mark.parametrize("call", AS_PARTS)
def test_as_a_part_of_a_model(models, call):
    with pytest.raises(ArgumentError, match=f"(?s){WRONG}.*{LISTED}"):
        AS_PARTS[call](models, WRONG)


def public():
    """Every public function and method, by its bare name."""
    for name in mlm.__all__:
        item = getattr(mlm, name)
        if inspect.isfunction(item):
            yield name, item
        elif inspect.isclass(item):
            for method, value in inspect.getmembers(item, inspect.isfunction):
                if not method.startswith("_"):
                    yield method, value
    for name in plot.__all__:
        yield f"plot.{name}", getattr(plot, name)


def test_every_argument_is_known_here():
    """A new function, or argument, belongs into a table of `wrong_names`, or into NO_NAMES."""
    tables = (IN_FORMULAS, AS_COLUMNS, AS_COLUMNS_OF_MODELS, AS_PARTS)
    tried = {call.split(" ")[0].removesuffix("'s") for table in tables for call in table}
    tried |= {"predict.newdata"}  # `test_new_rows_without_a_column`
    tried -= {"fit_many.weights", "fit_many.offset"}  # among its **options
    found = {
        f"{name}.{argument}"
        for name, item in public() for argument in inspect.signature(item).parameters
        if argument not in NO_NAMES
    }  # fmt: skip
    assert sorted(found - tried - NO_NAMES_HERE) == []
    assert sorted(tried - found) == []
