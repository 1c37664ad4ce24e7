"""What crosses the door: every row of the table, by value."""

from __future__ import annotations

import datetime as dt
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pymlm.engine import call
from pymlm.errors import DataError
from pymlm.frames import as_pandas, prepare
from tests.native import rscript


def cross(series):
    """Send one column to R and read back kind, values, levels and class."""
    frame = prepare(pd.DataFrame({"x": series}))
    column = call("frame_columns", frame)["x"]
    return str(column["kind"][0]), column["values"], column.get("levels")


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "Float64", "Float32"])
def test_floats(dtype):
    kind, values, _ = cross(pd.Series([1.5, None, -2.0], dtype=dtype))
    assert kind == "double"
    np.testing.assert_array_equal(values, [1.5, np.nan, -2.0])


def test_a_missing_float_is_na_not_nan():
    frame = prepare(pd.DataFrame({"x": [1.0, np.nan]}))
    assert call("printed", frame, into=str).split() == ["x", "1", "1", "2", "NA"]


@pytest.mark.parametrize(
    "dtype", ["int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"]
)
def test_integers_that_fit(dtype):
    kind, values, _ = cross(pd.Series([1, 0, 100], dtype=dtype))
    assert kind == "integer"
    np.testing.assert_array_equal(values, [1, 0, 100])


def test_integers_that_do_not_fit_become_doubles_and_stay_exact():
    numbers = [2**31, -(2**31), 2**53, -(2**53)]
    kind, values, _ = cross(pd.Series(numbers, dtype="int64"))
    assert kind == "double"
    assert [int(v) for v in values] == numbers


def test_nullable_integers_and_booleans():
    kind, values, _ = cross(pd.Series([1, None, 3], dtype="Int64"))
    assert kind == "integer"
    np.testing.assert_array_equal(values, [1, np.nan, 3])
    kind, values, _ = cross(pd.Series([2**40, None], dtype="Int64"))
    assert kind == "double"
    np.testing.assert_array_equal(values, [2.0**40, np.nan])
    kind, values, _ = cross(pd.Series([True, None, False], dtype="boolean"))
    assert kind == "logical"
    np.testing.assert_array_equal(values, [1, np.nan, 0])
    kind, values, _ = cross(pd.Series([True, False]))
    assert kind == "logical"
    np.testing.assert_array_equal(values, [True, False])


def test_categories_keep_levels_order_and_unused_ones():
    values = pd.Categorical(["b", None, "a"], categories=["z", "b", "a"])
    kind, codes, levels = cross(pd.Series(values))
    assert (kind, levels) == ("factor", ["z", "b", "a"])
    np.testing.assert_array_equal(codes, [2, np.nan, 3])
    kind, _, levels = cross(pd.Series(values.as_ordered()))
    assert (kind, levels) == ("ordered", ["z", "b", "a"])


#: Categories, and as R code.
CATEGORIES = [
    ([1, 2], "1, 2"), ([1.0, 2.5], "1, 2.5"), ([True, False], "TRUE, FALSE"),
    ([0.1, 1e20], "0.1, 1e20"),
]  # fmt: skip


def test_category_names_are_those_that_r_gives():
    code = "\n".join(f'cat(as.character(c({r})), sep = ";"); cat("\\n")' for _, r in CATEGORIES)
    named = [line.split(";") for line in rscript(code).splitlines()]
    assert named == [["1", "2"], ["1", "2.5"], ["TRUE", "FALSE"], ["0.1", "1e+20"]]
    own = [cross(pd.Series(pd.Categorical(c, categories=c)))[2] for c, _ in CATEGORIES]
    assert own == named


@pytest.mark.parametrize("dtype", ["object", "str", "string"])
def test_text_becomes_a_factor_in_the_order_of_r(dtype):
    words = ["b", "A", "a", "B", "é", None, "_x", "10", "9"]
    kind, codes, levels = cross(pd.Series(words, dtype=dtype))
    assert kind == "factor"
    known = [w for w in words if w]
    environment = {k: v for k, v in os.environ.items() if k not in ("R_HOME", "LD_LIBRARY_PATH")}
    native = subprocess.run(
        ["Rscript", "-e", "cat(levels(factor(commandArgs(TRUE))), sep = '\\n')", *known],
        capture_output=True, text=True, check=True, env=environment,
    )  # fmt: skip
    assert levels == native.stdout.split("\n")[: len(known)]
    back = [None if np.isnan(c) else levels[int(c) - 1] for c in codes]
    assert back == words


def test_dates_and_times():
    day = dt.date(2024, 2, 29)
    kind, values, _ = cross(pd.Series([day, None], dtype=object))
    assert kind == "Date"
    np.testing.assert_array_equal(values, [(day - dt.date(1970, 1, 1)).days, np.nan])
    stamp = pd.Timestamp("2024-02-29 12:34:56.5")
    kind, values, _ = cross(pd.Series([stamp, pd.NaT]))
    assert kind == "POSIXct"
    np.testing.assert_array_equal(values, [stamp.timestamp(), np.nan])
    zoned = pd.Series([stamp.tz_localize("Europe/Berlin")])
    np.testing.assert_array_equal(cross(zoned)[1], [zoned.iloc[0].timestamp()])
    kind, values, _ = cross(pd.Series([pd.Timedelta("1h"), pd.NaT]))
    np.testing.assert_array_equal(values, [3600.0, np.nan])


def test_times_that_nanoseconds_cannot_hold():
    years = pd.Series(np.array(["3000-01-01", "1000-01-01"], dtype="datetime64[s]"))
    np.testing.assert_array_equal(cross(years)[1], [32503680000, -30610224000])
    np.testing.assert_array_equal(cross(years - years[1])[1], [63113904000, 0])


def test_times_of_arrow():
    pa = pytest.importorskip("pyarrow")
    day, hour = dt.date(2024, 2, 29), dt.timedelta(hours=1)
    stamp = dt.datetime(2024, 2, 29, 12, tzinfo=dt.UTC)
    for kind, arrow, value, number in [
        ("Date", pa.date32(), day, (day - dt.date(1970, 1, 1)).days),
        ("POSIXct", pa.timestamp("us", tz="Asia/Tokyo"), stamp, stamp.timestamp()),
        ("double", pa.duration("ms"), hour, 3600.0),  # difftime
    ]:
        found, values, _ = cross(pd.Series([value, None], dtype=pd.ArrowDtype(arrow)))
        assert found == kind
        np.testing.assert_array_equal(values, [number, np.nan])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.one_of(st.none(), st.text(min_size=1, max_size=8)), min_size=1, max_size=20))
def test_any_text_survives(words):
    words = [None if w is None or "\0" in w else w for w in words]
    kept = []
    for w in words:
        try:
            kept.append(w if w is None else w.encode().decode())
        except UnicodeEncodeError:
            kept.append(None)
    _, codes, levels = cross(pd.Series(kept, dtype=object))
    levels = [levels] if isinstance(levels, str) else (levels or [])
    back = [None if np.isnan(c) else levels[int(c) - 1] for c in np.atleast_1d(codes)]
    assert back == kept


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.one_of(st.none(), st.floats(allow_infinity=False, allow_nan=False)), min_size=1,
        max_size=30,
    )
)  # fmt: skip
def test_any_finite_double_survives(numbers):
    _, values, _ = cross(pd.Series(numbers, dtype="float64"))
    np.testing.assert_array_equal(values, np.array(numbers, dtype=float))


def test_frames_of_other_libraries():
    pl = pytest.importorskip("polars")
    frame = pl.DataFrame(
        {
            "f": [1.5, None],
            "i": [1, None],
            "s": ["b", "a"],
            "b": [True, None],
            "e": pl.Series(["q", "p"], dtype=pl.Enum(["q", "p", "r"])),
        }
    )
    columns = call("frame_columns", prepare(as_pandas(frame)))
    assert {k: str(v["kind"][0]) for k, v in columns.items()} == {
        "f": "double", "i": "integer", "s": "factor", "b": "logical", "e": "factor",
    }  # fmt: skip
    assert columns["e"]["levels"] == ["q", "p", "r"]
    np.testing.assert_array_equal(columns["i"]["values"], [1, np.nan])


def test_a_column_that_nothing_can_hold_matters_only_where_it_is_used():
    pl = pytest.importorskip("polars")
    frame = as_pandas(pl.DataFrame({"x": [1.0], "wide": pl.Series([2], dtype=pl.Int128)}))
    assert call("frame_columns", prepare(frame[["x"]]))["x"]["values"] == [1.0]
    with pytest.raises(DataError, match="'wide'"):
        prepare(frame)


def test_what_has_only_the_interchange_protocol():
    pa = pytest.importorskip("pyarrow")
    batch = pa.RecordBatch.from_pydict({"i": [1, None], "s": ["b", "a"]})
    assert as_pandas(batch)["i"].tolist() == [1, pd.NA]


def test_the_callers_frame_is_left_alone(sleepstudy):
    import pymlm as mlm

    before = sleepstudy.copy(deep=True)
    mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy, weights=np.ones(180))
    pd.testing.assert_frame_equal(sleepstudy, before)
    assert sleepstudy.attrs == before.attrs


def test_rpy2_beside_pymlm_keeps_its_state():
    """Converters, callbacks and the global environment are the user's own."""
    program = """
import rpy2.robjects as ro
from rpy2.rinterface_lib import callbacks
names = ("consolewrite_print", "consolewrite_warnerror", "consoleread")
before = [getattr(callbacks, n) for n in names]
rules = ro.conversion.get_conversion()
ro.r("x <- 41; options(digits = 3, contrasts = c('contr.sum', 'contr.poly'))")
import pymlm as mlm
d = mlm.load_dataset("sleepstudy")
m = mlm.lmer("Reaction ~ Days + (1 | Subject)", d)
m.summary()
assert ro.r("x + 1")[0] == 42
assert list(ro.r("ls()")) == ["x"], list(ro.r("ls(all.names = TRUE)"))
assert ro.r("getOption('digits')")[0] == 3
assert ro.r("getOption('contrasts')[1]")[0] == "contr.sum"
assert before == [getattr(callbacks, n) for n in names]
assert rules is ro.conversion.get_conversion()
assert "251.405" in str(m.summary())
print("same")
"""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "same", done.stderr


@pytest.mark.parametrize(
    "environment",
    [
        {"LANG": "C", "LC_ALL": "C"},
        {"LANG": "", "LC_ALL": ""},
        {"LANG": "xx_YY.ISO-8859-1", "LC_ALL": "xx_YY"},
        {"LANG": "en_US.UTF-8", "LC_ALL": "en_US.UTF-8"},
    ],
)
def test_utf8_whatever_the_locale(environment):
    program = """
import pymlm as mlm
d = mlm.load_dataset("sleepstudy").rename(columns={"Days": "Tage_ü"})
m = mlm.lmer("Reaction ~ `Tage_ü` + (1 | Subject)", d)
text = str(m.summary())
assert "Tage_ü" in text and "‘***’" in text, text
print(ascii(list(m.fixef().index)[1]))
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | environment | {"PYTHONUTF8": "1"},
        check=False,
    )
    assert done.stdout.strip() == ascii("Tage_ü"), done.stderr
    assert done.stderr == ""


def test_r_starts_without_profile_or_workspace(tmp_path):
    (tmp_path / ".Rprofile").write_text('stop("the profile was read")\n')
    (tmp_path / ".RData").write_bytes(b"no workspace")
    done = subprocess.run(
        [sys.executable, "-c", "import pymlm; print(len(pymlm.load_dataset('sleepstudy')))"],
        cwd=tmp_path, capture_output=True, text=True,
        env=os.environ | {"HOME": str(tmp_path), "R_PROFILE_USER": str(tmp_path / ".Rprofile")},
        check=False,
    )  # fmt: skip
    assert (done.stdout.strip(), done.stderr) == ("180", "")


def test_importing_pymlm_starts_nothing():
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys, pymlm; print([m for m in ('rpy2', 'scipy', 'joblib', 'typer', "
            "'matplotlib', 'polars') if m in sys.modules])",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.strip() == "[]"


def test_children_of_the_process_get_their_own_libraries():
    """rpy2 sets LD_LIBRARY_PATH; children would load libraries that this process did not."""
    program = """
import os
before = os.environ.get("LD_LIBRARY_PATH")
import pymlm
pymlm.load_dataset("sleepstudy")
print(os.environ.get("LD_LIBRARY_PATH") == before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "True"
