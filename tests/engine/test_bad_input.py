"""What tired users pass: each ends in a typed error, and R is usable afterwards."""

from __future__ import annotations

import datetime as dt
import pickle
import subprocess
import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    ArgumentError,
    DataError,
    FitError,
    FormulaError,
    RWarning,
    SingularFitWarning,
)
from tests.tolerances import BY_HAND

RI = "Reaction ~ Days + (1 | Subject)"
NOON = dt.datetime(2020, 1, 1, 12, tzinfo=dt.UTC)


@pytest.fixture(autouse=True)
def r_is_usable_afterwards(sleepstudy):
    yield
    assert round(mlm.lmer(RI, sleepstudy).reml_criterion, 4) == 1786.4651


def fails(error, match, formula, data, **kwargs):
    with pytest.raises(error, match=match) as caught:
        mlm.lmer(formula, data, **kwargs)
    again = pickle.loads(pickle.dumps(caught.value))
    assert type(again) is type(caught.value)
    assert str(again) == str(caught.value)
    return caught.value


def test_unknown_column_lists_near_names(sleepstudy):
    fails(FormulaError, "'days'.*Did you mean 'Days'", "Reaction ~ days + (1|Subject)", sleepstudy)
    fails(FormulaError, "'q'.*columns are: Reaction, Days", "q ~ Days + (1|Subject)", sleepstudy)


def test_unknown_argument_lists_near_names(sleepstudy):
    fails(ArgumentError, "'REML'.*Did you mean 'reml'", RI, sleepstudy, REML=False)
    fails(ArgumentError, "weight'.*Did you mean 'weights'", RI, sleepstudy, weight="Days")
    with pytest.raises(TypeError):  # it is one of those, too
        mlm.lmer(RI, sleepstudy, foo=1)
    with pytest.raises(ArgumentError, match="missing a required argument: 'data'"):
        mlm.lmer(RI)


@pytest.mark.parametrize("value", [0, "yes", None])
def test_reml_must_be_true_or_false(sleepstudy, value):
    fails(ArgumentError, "reml must be True or False", RI, sleepstudy, reml=value)


def test_response_not_numeric(sleepstudy):
    text = sleepstudy.assign(Reaction=sleepstudy["Reaction"].astype(str))
    fails(DataError, "'Reaction' is not numeric", RI, text)


def test_grouping_factor_with_one_level(sleepstudy):
    error = fails(FitError, "at least 2|> 1|sampled levels", RI, sleepstudy.assign(Subject="a"))
    assert "grouping factors must have > 1 sampled level" in error.r_message


def test_grouping_factor_with_one_row_per_level(sleepstudy):
    each = sleepstudy.assign(row=[f"r{i}" for i in range(180)])
    error = fails(FitError, "must be < number of observations", "Reaction ~ 1 + (1|row)", each)
    assert "number of levels of each grouping factor" in error.r_message


def test_all_rows_missing(sleepstudy):
    none = sleepstudy.assign(Days=np.nan)
    fails(DataError, "every one of the 180 rows.*'Days'", RI, none)


def test_empty_frame(sleepstudy):
    fails(DataError, "empty: 0 rows, 3 columns", RI, sleepstudy.iloc[:0])


def test_duplicate_column_names(sleepstudy):
    twice = pd.concat([sleepstudy, sleepstudy[["Days"]]], axis=1)
    fails(DataError, "2 columns of the data are called 'Days'", RI, twice)


@pytest.mark.parametrize("value", [np.inf, -np.inf])
def test_infinite_values(sleepstudy, value):
    data = sleepstudy.astype({"Days": float})
    data.loc[7, "Days"] = value
    fails(DataError, "'Days': 1 infinite value.*row 7", RI, data)


def test_integers_beyond_2_53(sleepstudy):
    big = sleepstudy.assign(Days=np.arange(180, dtype=np.int64) + 2**53 + 1)
    fails(DataError, r"'Days' \(dtype int64\): values above 2\^53", RI, big)
    unsigned = sleepstudy.assign(Days=np.full(180, 2**64 - 1, dtype=np.uint64))
    fails(DataError, r"'Days' \(dtype uint64\)", RI, unsigned)


def test_mixed_types_in_an_object_column(sleepstudy):
    mixed = sleepstudy.assign(Subject=pd.Series([1, "b"] * 90, dtype=object))
    fails(DataError, "mixes types: int, str", RI, mixed)


@pytest.mark.parametrize(
    ("column", "match"),
    [
        (np.full(180, 1 + 2j), "complex"),
        (pd.Series([[1]] * 180), "nested"),
        (pd.arrays.SparseArray([0.0] * 180), "sparse"),
        (pd.period_range("2020-01", periods=180, freq="M"), "period"),
        ([NOON, NOON.date()] * 90, "mixes"),
        ([NOON, NOON.astimezone(dt.timezone(dt.timedelta(hours=1)))] * 90, "several zones"),
    ],
)
def test_dtypes_that_r_cannot_hold(sleepstudy, column, match):
    with pytest.raises(DataError, match=rf"(?i)'Days'.*{match}|{match}"):
        mlm.lmer(RI, sleepstudy.assign(Days=column))


def test_names_that_r_keeps_for_itself(sleepstudy):
    """A column "(weights)" in a model frame are R's weights, whatever the formula makes of it."""
    odd = sleepstudy.rename(columns={"Days": "(weights)"})
    fails(DataError, "rename that column", "Reaction ~ `(weights)` + (1 | Subject)", odd)


def test_a_dict_that_makes_no_frame():
    fails(DataError, "makes no data frame", RI, {"Reaction": [1, 2], "Days": [1], "Subject": ["a"]})


def test_duplicate_levels_after_conversion(sleepstudy):
    both = pd.Categorical(["1"] * 90 + [1] * 90, categories=["1", 1])
    fails(DataError, "same R level '1'", RI, sleepstudy.assign(Subject=both))


def test_data_that_are_no_frame():
    fails(DataError, "data is a list", RI, [1, 2, 3])


@pytest.mark.parametrize(
    "formula",
    [
        "Reaction ~ I(system('true')) + (1|Subject)",
        "Reaction ~ eval(parse(text='1')) + (1|Subject)",
        "Reaction ~ (x <- Days) + (1|Subject)",
        "Reaction ~ base::log(Days) + (1|Subject)",
        "Reaction ~ base:::log(Days) + (1|Subject)",
        "Reaction ~ (function(x) x)(Days) + (1|Subject)",
        "Reaction ~ `system`('true') + (1|Subject)",
        "Reaction ~ get('system')('true') + (1|Subject)",
        "Reaction ~ do.call('system', list('true')) + (1|Subject)",
        "Reaction ~ Days@x + (1|Subject)",
        "Reaction ~ {Days} + (1|Subject)",
        "Reaction ~ sapply(Days, system) + (1|Subject)",
        "system('true') ~ Days + (1|Subject)",
        "Reaction ~ Days + (1|system('true'))",
    ],
)
def test_formulas_that_call_what_they_must_not(sleepstudy, formula):
    fails(FormulaError, "which is not among the functions", formula, sleepstudy)


def test_a_function_name_is_no_value(sleepstudy):
    fails(FormulaError, "'system'", "Reaction ~ relevel(Days, system) + (1|Subject)", sleepstudy)


def test_trusted_text_may_call_anything(sleepstudy):
    m = mlm.lmer("Reaction ~ base::log1p(Days) + (1|Subject)", sleepstudy, trusted=True)
    assert "base::log1p(Days)" in m.fixef().index


@pytest.mark.parametrize(
    ("formula", "match"),
    [
        ("", "empty"),
        ("Reaction", "no '~'"),
        ("Reaction ~ (Days", "cannot read"),
        ("Reaction ~ Days; Reaction ~ 1", "one formula, found 2"),
        ("Reaction ~ Days", "no random effects"),
        ("~ Days + (1|Subject)", "no response"),
        ("Reaction ~ I" + "(" * 40 + "Days" + ")" * 40 + " + (1|Subject)", "nested 39 deep"),
        ("(" * 3000 + "Reaction" + ")" * 3000 + " ~ 1 + (1|Subject)", "nested too deeply"),
        ("Reaction ~ \ud800", "Unicode"),
    ],
)
def test_formulas_that_are_none(sleepstudy, formula, match):
    fails(FormulaError, match, formula, sleepstudy)


def test_formula_of_another_type(sleepstudy):
    fails(FormulaError, "a formula is a text", 3, sleepstudy)


def test_formula_of_two_thousand_terms(sleepstudy):
    """R is usable afterwards, whether lme4 manages or says that it does not."""
    rng = np.random.default_rng(1)
    wide = pd.DataFrame(rng.normal(size=(30, 2000)), columns=[f"x{i}" for i in range(2000)])
    wide["y"], wide["g"] = rng.normal(size=30), ["a", "b", "c"] * 10
    formula = "y ~ " + " + ".join(f"x{i}" for i in range(2000)) + " + (1 | g)"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            assert mlm.lmer(formula, wide).nobs == 30
        except (FitError, FormulaError):
            return  # lme4's recursion over the formula reached R's limit: an ordinary error


def test_column_names_that_r_would_stumble_over(sleepstudy):
    names = ["(Intercept)", "if", "a b", "é", "c", "log", "TRUE", "x`y", "a\\b"]
    for name in names:
        data = sleepstudy.rename(columns={"Days": name})
        quoted = "`" + name.replace("\\", "\\\\").replace("`", "\\`") + "`"
        m = mlm.lmer(f"Reaction ~ {quoted} + (1 | Subject)", data)
        assert m.fixef().iloc[1] == pytest.approx(10.467285959596, rel=BY_HAND), name
        if name != "x`y":  # native R's own predict fails for a name with a backtick
            assert m.predict(data.head(2)).notna().all(), name


def test_missing_values_are_dropped_counted_and_keep_their_place(sleepstudy):
    data = sleepstudy.set_index(pd.Index([f"row{i}" for i in range(180)]))
    data.loc["row3", "Reaction"] = np.nan
    data["Subject"] = data["Subject"].astype(str).where(data.index != "row9")
    m = mlm.lmer(RI, data)
    assert (m.nobs, m.n_dropped, m.summary(ddf=None).n_dropped) == (178, 2, 2)
    for values in (m.fitted(), m.residuals(), m.predict()):
        assert list(values.index) == list(data.index)
        assert list(values.index[values.isna()]) == ["row3", "row9"]
    kept = data.dropna()
    pd.testing.assert_series_equal(m.fitted().dropna(), mlm.lmer(RI, kept).fitted())


def test_singular_fit_is_named(sleepstudy):
    with pytest.warns(SingularFitWarning, match=r"Batch: \(Intercept\)"):
        m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff2"))
    assert m.convergence.singular
    assert m.convergence.ok
    assert m.convergence.singular_terms == ("Batch: (Intercept)",)


@pytest.mark.parametrize(
    ("weights", "match"),
    [
        ([1.0] * 179, "179 values, the data have 180 rows"),
        ([0.0] + [1.0] * 179, "weights must be above 0; row 0"),
        ([-1.0] + [1.0] * 179, "weights must be above 0"),
        ([np.nan] + [1.0] * 179, "missing or infinite in 1 row"),
        (["a"] * 180, "must be numbers"),
        (pd.DataFrame({"w": [1.0] * 180}), "one dimension"),
    ],
)
def test_wrong_weights(sleepstudy, weights, match):
    fails(DataError, match, RI, sleepstudy, weights=weights)


def test_weights_of_an_unknown_column(sleepstudy):
    fails(DataError, "argument weights names 'dayz'", RI, sleepstudy, weights="dayz")


def test_weights_with_another_index(sleepstudy):
    shifted = pd.Series(1.0, index=sleepstudy.index + 1)
    fails(DataError, "index differs", RI, sleepstudy, weights=shifted)


@pytest.mark.parametrize(
    ("contrasts", "match"),
    [
        ({"Subject": "contr.wrong"}, "not one of contr.treatment"),
        ({"Subject": np.eye(3)}, "18 levels"),
        ("contr.sum", "maps a column"),
    ],
)
def test_wrong_contrasts(sleepstudy, contrasts, match):
    fails((ArgumentError, DataError), match, RI, sleepstudy, contrasts=contrasts)


def test_wrong_control(sleepstudy):
    fails(ArgumentError, "'optimiser'.*'optimizer'", RI, sleepstudy, control={"optimiser": "a"})


def test_wrong_choices(sleepstudy):
    m = mlm.lmer(RI, sleepstudy)
    with pytest.raises(ArgumentError, match=r"ddf='satterthwait'.*Did you mean"):
        m.summary(ddf="satterthwait")
    with pytest.raises(ArgumentError, match="type='x'"):
        m.residuals(type="x")
    with pytest.raises(ArgumentError, match=r"no argument 'dff'.*'ddf'"):
        m.summary(dff=None)
    with pytest.raises(ArgumentError, match=r"no grouping factor 'Subjects'.*'Subject'"):
        m.ranef()["Subjects"]


def test_damaged_or_foreign_files(tmp_path, sleepstudy):
    m = mlm.lmer(RI, sleepstudy)
    path = m.save(tmp_path / "m.rds")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="cannot be read as an R object"):
        mlm.load_model(path)
    with pytest.raises(DataError, match=r"no such file"):
        mlm.load_model(tmp_path / "absent.rds")
    with pytest.raises(DataError, match="no such folder"):
        m.save(tmp_path / "absent" / "m.rds")
    other = tmp_path / "other.rds"
    subprocess.run(["Rscript", "-e", f"saveRDS(1:3, '{other}')"], check=True)
    with pytest.raises(DataError, match="class 'integer', not a model"):
        mlm.load_model(other)
    (tmp_path / "text.rds").write_text("hello")
    with pytest.raises(DataError, match="cannot be read"):
        mlm.load_model(tmp_path / "text.rds")


def test_damaged_pickle(sleepstudy):
    m = mlm.lmer(RI, sleepstudy)
    state = m.__getstate__()
    broken = object.__new__(type(m))
    with pytest.raises(DataError, match="the pickle cannot be read"):
        broken.__setstate__(state | {"bytes": state["bytes"][:100]})


def test_a_column_dropped_for_rank_deficiency_is_told(sleepstudy):
    data = sleepstudy.assign(twice=sleepstudy["Days"] * 2)
    with pytest.warns(RWarning, match="rank deficient so dropping 1 column"):
        m = mlm.lmer("Reaction ~ Days + twice + (1 | Subject)", data)
    assert list(m.fixef().index) == ["(Intercept)", "Days"]


@pytest.mark.parametrize(
    ("formula", "match"),
    [
        ("Reaction ~ log(Days) + (1 | Subject)", r"'log\(Days\)' is infinite in 18 of 180 rows"),
        ("Reaction ~ Days + (log(Days) | Subject)", r"'log\(Days\)' is infinite .* R says: "),
        ("Reaction ~ part + late + (1 | Subject)", "'part' is 'a' in every complete row"),
    ],
)
def test_the_column_behind_an_error_of_r_is_named(sleepstudy, formula, match):
    data = sleepstudy.assign(
        part=np.where(sleepstudy["Days"] == 9, "b", "a"),
        late=sleepstudy["Days"].where(sleepstudy["Days"] < 9),
    )
    fails(DataError, match, formula, data)
    with pytest.raises(DataError, match=match):  # update() goes another way
        mlm.lmer(RI, data).update(formula)
