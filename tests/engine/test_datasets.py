"""The data sets of the R packages, value by value."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import DataError
from tests.native import native

NAMES = ["lme4::sleepstudy", "lme4::cbpp", "lmerTest::carrots", "nlme::bdf", "MASS::Insurance",
         "mlmRev::Exam", "nlme::Milk"]  # fmt: skip


@pytest.fixture(scope="module")
def theirs():
    pairs = [n.split("::") for n in NAMES]
    code = "".join(
        f"d <- as.data.frame({p}::{n}); columns <- unname(as.list(d)); "
        f'out[["{p}::{n}"]] <- list(data = lapply(columns, unname), names = names(d), '
        "classes = lapply(columns, class), levels = lapply(columns, levels))\n"
        for p, n in pairs
    )
    return native("out <- list()\n" + code + "emit(out)")


@pytest.mark.parametrize("name", NAMES)
def test_every_value_and_level(name, theirs):
    ours, native_frame = mlm.load_dataset(name), theirs[name]
    assert list(ours.columns) == native_frame["names"]
    for i, column in enumerate(ours.columns):
        series, values = ours[column], native_frame["data"][i]
        classes = np.atleast_1d(native_frame["classes"][i]).tolist()
        if "factor" in classes:
            assert isinstance(series.dtype, pd.CategoricalDtype), column
            assert series.cat.ordered == ("ordered" in classes)
            assert list(series.cat.categories) == list(np.atleast_1d(native_frame["levels"][i]))
            assert [None if pd.isna(x) else x for x in series] == values
        else:
            numbers = pd.to_numeric(series).to_numpy(dtype=float, na_value=np.nan)
            np.testing.assert_array_equal(numbers, np.array(values, dtype=float))


def test_unknown_names():
    with pytest.raises(DataError, match="Did you mean 'sleepstudy'"):
        mlm.load_dataset("sleepstudi")
    with pytest.raises(DataError, match="no data set 'nothing'"):
        mlm.load_dataset("lme4::nothing")
    with pytest.raises(DataError, match="not installed"):
        mlm.datasets("notapackage")
    with pytest.raises(DataError, match="'notapackage' is not installed"):
        mlm.load_dataset("notapackage::d")
    with pytest.raises(DataError, match="not None"):
        mlm.load_dataset(None)


def test_a_matrix_in_the_data_is_not_left_out():
    ours = mlm.load_dataset("emmeans::MOats")
    printed = native(
        "data(MOats, package = 'emmeans'); m <- as.matrix(MOats)\n"
        "emit(list(names = colnames(m), first = as.numeric(unclass(MOats$yield)[1, ])))"
    )
    assert ours.columns.tolist() == printed["names"]
    assert ours.iloc[0, 2:].tolist() == printed["first"]


def test_the_list_of_data_sets():
    known = mlm.datasets()
    assert list(known.columns) == ["package", "name", "rows", "columns", "title"]
    row = known[(known.package == "lme4") & (known.name == "sleepstudy")].iloc[0]
    assert (row["rows"], row["columns"]) == (180, 3)
    assert {"lme4", "lmerTest", "nlme", "MASS", "mlmRev"} <= set(known.package)
