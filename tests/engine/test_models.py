"""What a fitted model does beyond numbers: nothing ignored, files, pickles, scripts."""

from __future__ import annotations

import concurrent.futures
import copy
import multiprocessing
import pickle
import subprocess

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import (
    ArgumentError,
    DataError,
    FormulaError,
    NotSupportedError,
    SingularFitWarning,
)
from tests.native import ROUND_TRIP, native, rscript
from tests.native import assert_fits_close as assert_close
from tests.tolerances import BY_HAND

FORMULA = "Reaction ~ Days + (Days | Subject)"
#: predict() sums the same products in another order than the fit.
SUMMED = 1e-13


@pytest.fixture(scope="module")
def model(sleepstudy):
    return mlm.lmer(FORMULA, sleepstudy)


@pytest.mark.parametrize(
    "changed",
    [
        {"reml": False},
        {"weights": np.linspace(1, 3, 180)},
        {"offset": np.linspace(1, 30, 180)},
        {"control": {"optimizer": "Nelder_Mead"}},
        {"start": [1.0, 0.0, 0.2]},
    ],
    ids=lambda c: next(iter(c)),
)
def test_every_argument_reaches_r_and_changes_the_answer(model, sleepstudy, changed):
    other = mlm.lmer(FORMULA, sleepstudy, **changed)
    assert other.loglik != model.loglik or other.convergence.evaluations != (
        model.convergence.evaluations
    )


def test_contrasts_reach_r(sleepstudy):
    cake = mlm.load_dataset("cake")
    formula = "angle ~ recipe + (1 | replicate)"
    plain = mlm.lmer(formula, cake).fixef()
    coded = mlm.lmer(formula, cake, contrasts={"recipe": "contr.sum"}).fixef()
    assert list(plain.index) == ["(Intercept)", "recipeB", "recipeC"]
    assert list(coded.index) == ["(Intercept)", "recipe1", "recipe2"]
    assert_close(coded["(Intercept)"], plain["(Intercept)"] + plain[1:].sum() / 3, BY_HAND)


def test_a_matrix_of_contrasts_belongs_to_the_levels_that_are_there():
    cake = mlm.load_dataset("cake")
    formula = "angle ~ recipe + (1 | replicate)"
    coded = mlm.lmer(formula, cake, contrasts={"recipe": "contr.sum"}).fixef()
    sums = pd.DataFrame([[-1, -1], [0, 1], [1, 0]], index=["C", "B", "A"])  # rows go by name
    np.testing.assert_array_equal(
        mlm.lmer(formula, cake, contrasts={"recipe": sums}).fixef(), coded
    )
    with pytest.raises(DataError, match="DataFrame's index, D, B, A"):
        mlm.lmer(formula, cake, contrasts={"recipe": sums.rename(index={"C": "D"})})
    two = cake[cake["recipe"] != "C"]  # R drops the unused level
    halves = mlm.lmer(formula, two, contrasts={"recipe": [[1], [-1]]}).fixef()
    np.testing.assert_array_equal(
        halves, mlm.lmer(formula, two, contrasts={"recipe": "contr.sum"}).fixef()
    )
    with pytest.raises(DataError, match="the 2 levels in the complete rows"):
        mlm.lmer(formula, two, contrasts={"recipe": [[1, 0], [0, 1], [-1, -1]]})
    with pytest.raises(DataError, match="no number"):
        mlm.lmer(formula, two, contrasts={"recipe": [["a"], ["b"]]})


def test_data_name_stands_in_the_print(model, sleepstudy):
    assert "   Data: sleepstudy\n" in str(model.summary(ddf=None))
    assert "   Data: df\n" in str(mlm.lmer(FORMULA, sleepstudy, data_name="df").summary(ddf=None))
    bare = pd.DataFrame(dict(sleepstudy))
    assert "   Data: data\n" in str(mlm.lmer(FORMULA, bare).summary(ddf=None))


def test_the_call_stays_short_however_large_the_data(model):
    assert len(model._described.call) < 120


def test_answers_are_kept(model):
    assert model.summary() is model.summary(ddf="satterthwaite")
    assert model.varcorr() is model.varcorr()


def test_results_do_not_change(model):
    fixed = model.summary().fixed
    with pytest.raises(ValueError, match="read-only"):
        fixed.estimate[0] = 1.0
    with pytest.raises(AttributeError):
        fixed.estimate = None
    mine, frame = model.fixef(), fixed.to_frame()
    mine["Days"] = 0.0
    frame.loc["Days", "estimate"] = 0.0
    assert model.fixef()["Days"] == fixed.estimate[1] != 0.0


def test_save_and_load(model, sleepstudy, tmp_path):
    path = model.save(tmp_path / "model")
    assert path.name == "model.rds"
    again = mlm.load_model(path)
    assert type(again) is type(model)
    assert str(again.summary()) == str(model.summary())
    assert_close(again.fitted(), model.fitted())
    assert_close(again.predict(sleepstudy.head()), model.predict(sleepstudy.head()))
    assert again.update(reml=False).reml is False
    assert mlm.check_parity(again).ok


def test_r_reads_what_pymlm_saved_and_goes_on_with_it(model, tmp_path):
    path = model.save(tmp_path / "model.rds")
    answer = native(
        f'm <- readRDS("{path}"); m2 <- update(m, . ~ . - Days); '
        "emit(list(aic = AIC(m), ml = logLik(update(m, REML = FALSE))[1], f = deparse(formula(m2)),"
        " p = unname(predict(m, sleepstudy[1:3, ])), n = nrow(anova(m, m2))))"
    )
    assert_close(model.aic, answer["aic"])
    assert_close(model.update(reml=False).loglik, answer["ml"])
    assert answer["f"] == "Reaction ~ (Days | Subject)"
    assert_close(model.predict()[:3], answer["p"])
    assert answer["n"] == 2


def test_a_model_of_r_opens_in_pymlm(tmp_path):
    path = tmp_path / "r.rds"
    rscript(
        "suppressMessages(library(lmerTest)); d <- sleepstudy; d$Days[4] <- NA; "
        f"m <- lmer(Reaction ~ Days + (Days | Subject), d); saveRDS(m, '{path}')"
    )
    m = mlm.load_model(path)
    assert (m.nobs, m.n_dropped) == (179, 1)
    assert "Data: d" in str(m.summary(ddf=None))
    assert "lmerMod" in str(m.summary(ddf=None)).splitlines()[0]
    assert np.isnan(m.fitted().iloc[3])
    assert m.summary().fixed.df is not None
    assert mlm.check_parity(m).ok


def test_pickle_travels_with_index_and_data(sleepstudy):
    data = sleepstudy.set_index(pd.date_range("2020", periods=180))
    data["extra"] = 1
    m = mlm.lmer(FORMULA, data)
    again = pickle.loads(pickle.dumps(m))
    pd.testing.assert_series_equal(again.fitted(), m.fitted())
    assert str(again.summary()) == str(m.summary())
    assert again.update(". ~ . + I(Days^2)").formula.endswith("I(Days^2)")
    assert copy.deepcopy(m) is m


def _loglik(model):
    return model.loglik, model.update(reml=False).loglik


def test_models_travel_to_worker_processes(model):
    context = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, mp_context=context) as pool:
        assert pool.submit(_loglik, model).result() == _loglik(model)


def test_results_pickle_with_their_print(model):
    again = pickle.loads(pickle.dumps(model.summary()))
    assert str(again) == str(model.summary())
    assert_close(again.fixed.estimate, model.summary().fixed.estimate)


def test_json_and_back(model):
    for result in (model.summary(), model.varcorr(), model.ranef(), model.convergence,
                   model.confint()):  # fmt: skip
        again = type(result).from_json(result.to_json())
        assert again.to_dict() == result.to_dict()
        pd.testing.assert_frame_equal(again.to_frame(), result.to_frame())


def test_the_script_repeats_the_analysis(model, sleepstudy, tmp_path):
    bare = rscript(model.to_r())
    assert bare.rstrip("\n") == str(model.summary(ddf=None))
    m = mlm.lmer(
        "Reaction ~ ns(Days, 2) + (1 | Subject)", sleepstudy, weights=np.linspace(1, 2, 180)
    )
    saved = m.save(tmp_path / "analysis.rds")
    m.to_r(tmp_path / "analysis.R")
    done = subprocess.run(
        ["Rscript", "--vanilla", "analysis.R"], cwd=tmp_path, capture_output=True, text=True,
        encoding="utf-8", check=True,
    )  # fmt: skip
    assert "Weights: .weights" in done.stdout
    assert done.stdout.rstrip("\n") == str(m.summary(ddf=None))
    assert mlm.load_model(saved).theta.equals(m.theta)  # the data stand beside it, not in its place
    with pytest.raises(DataError, match="folder"):
        m.to_r(tmp_path)
    with pytest.raises(DataError, match="no such folder"):
        m.to_r(tmp_path / "none" / "x.R")


def test_update_keeps_to_what_it_knows(model, sleepstudy):
    with pytest.raises(ArgumentError, match=r"no argument 'REML'.*'reml'"):
        model.update(REML=False)
    with pytest.raises(FormulaError, match=r"'days'.*Did you mean 'Days'"):
        model.update(". ~ . + days")
    data = sleepstudy.assign(x=np.arange(180.0))
    m = mlm.lmer(FORMULA, data)
    assert "x" in m.update(". ~ . + x").fixef().index  # a column that was not sent before
    weighted = m.update(weights=np.linspace(1, 2, 180))
    assert_close(
        weighted.loglik, mlm.lmer(FORMULA, data, weights=np.linspace(1, 2, 180)).loglik, ROUND_TRIP
    )


def test_refit_refuses_what_does_not_fit(model, sleepstudy):
    with pytest.raises(DataError, match="179 values"):
        model.refit(np.zeros(179))
    with pytest.raises(DataError, match="missing or infinite"):
        model.refit(np.full(180, np.nan))
    with pytest.raises(DataError, match="must be numbers"):
        model.refit(["a"] * 180)
    with pytest.raises(DataError, match="one dimension"):
        model.refit(sleepstudy[["Reaction"]].to_numpy())
    with pytest.raises(DataError, match="index differs"):  # rows in another order
        model.refit(sleepstudy["Reaction"].iloc[::-1])
    assert_close(model.refit("Reaction").loglik, model.loglik, BY_HAND)


def test_kenward_roger_of_an_ml_fit(model):
    with pytest.raises(NotSupportedError, match="Refit it with reml=True"):
        model.update(reml=False).summary(ddf="Kenward-Roger")


BREAK = "suppressMessages(trace('vcovAdj.lmerMod', quote(stop('no luck')), print = FALSE, %s))"
MEND = "suppressMessages(untrace('vcovAdj.lmerMod', %s))"
WHERE = "where = asNamespace('pbkrtest')"


def test_kenward_roger_that_fails_is_an_error_not_satterthwaite(sleepstudy):
    """Where pbkrtest fails, lmerTest answers with Satterthwaite under a message; not here."""
    from pymlm.engine.r_thread import R

    def evaluate(code: str) -> None:
        import rpy2.rinterface as ri

        ri.baseenv["eval"](ri.parse(code))

    m = mlm.lmer(FORMULA, sleepstudy)
    R.run(lambda: evaluate(BREAK % WHERE))
    try:
        with pytest.raises(mlm.errors.RError, match=r"Kenward-Roger|no luck"):
            m.summary(ddf="Kenward-Roger")
    finally:
        R.run(lambda: evaluate(MEND % WHERE))
    assert m.summary(ddf="Kenward-Roger").fixed.df is not None


def test_the_repr_says_what_it_is(model):
    assert repr(model) == (
        "<LinearMixedModel 'Reaction ~ Days + (Days | Subject)', 180 rows, groups Subject: 18>"
    )
    assert "<table" in model._repr_html_()
    assert "Days" in model.summary()._repr_html_()


def test_names_in_the_script_are_quoted_where_they_must_be(sleepstudy):
    odd = sleepstudy.rename(columns={"Days": 'the "days"'})
    m = mlm.lmer('Reaction ~ `the "days"` + (1 | Subject)', odd, data_name="my data")
    assert rscript(m.to_r()).rstrip("\n") == str(m.summary(ddf=None))


def test_the_script_of_a_negative_binomial_model_repeats_the_search_for_theta():
    ticks = mlm.load_dataset("grouseticks")
    m = mlm.glmer_nb("TICKS ~ YEAR + (1 | BROOD)", ticks)
    assert "glmer.nb(" in m.to_r()
    assert mlm.check_parity(m).ok


def test_the_script_of_a_refitted_model_holds_its_response(model):
    again = model.refit(np.arange(180.0) ** 2)
    assert "c(0x0p+0, 0x1p+0, 0x1p+2, 0x1.2p+3" in again.to_r()
    assert mlm.check_parity(again).ok


def test_whatever_fits_again_warns_at_the_line_of_the_user(sleepstudy):
    """Nothing in `Days % 2` differs between subjects: every fit of it is singular."""
    data = sleepstudy.assign(flat=sleepstudy.Days % 2 + 0.01 * sleepstudy.Days)
    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", data)
    ways = (
        lambda: mlm.lmer("flat ~ Days + (1 | Subject)", data),
        lambda: m.refit("flat"),
        lambda: m.update("flat ~ ."),
        lambda: m.update("flat ~ .", reml=False),
        lambda: m.update(data=data.assign(Reaction=data.flat)),
    )
    for fit_again in ways:
        with pytest.warns(SingularFitWarning) as given:
            fit_again()
        assert [w.filename for w in given] == [__file__]


@pytest.mark.parametrize("name", ["T", "F", "pi", "letters"])
def test_a_column_named_like_a_constant_of_r_is_the_column(sleepstudy, name):
    """R's T is TRUE: I(T * Days) would be Days, without a word."""
    draw = np.random.default_rng(1).normal
    data = sleepstudy.assign(x=draw(size=180), g=np.arange(180) % 12)
    data["Reaction"] += draw(scale=40, size=12)[data["g"]]
    plain = mlm.lmer("Reaction ~ I(x * Days) + (1 | g) + (1 | Subject)", data)
    odd = data.rename(columns={"x": name})
    m = mlm.lmer(f"Reaction ~ I({name} * Days) + (1 | g) + (1 | Subject)", odd)
    np.testing.assert_array_equal(m.fixef(), plain.fixef())
    np.testing.assert_array_equal(m.predict(odd.head(3)), plain.predict(data.head(3)))
    odd = data.rename(columns={"g": name})
    m = mlm.lmer(f"Reaction ~ I(x * Days) + (1 | {name}) + (1 | Subject)", odd)
    kept = m.predict(odd.head(3), re_form=f"~ (1 | {name})")
    np.testing.assert_array_equal(kept, plain.predict(data.head(3), re_form="~ (1 | g)"))


def test_a_constant_of_r_is_one_where_no_column_has_its_name(sleepstudy):
    m = mlm.lmer("Reaction ~ poly(Days, 2, raw = T) + (1 | Subject)", sleepstudy)
    # A column of that name in the new rows is none of the model's.
    rows = sleepstudy.head(3).assign(T=0.0)
    np.testing.assert_allclose(m.predict(rows), m.fitted().head(3), rtol=SUMMED)


def test_a_column_on_both_sides_is_needed_for_predictions(sleepstudy):
    m = mlm.lmer("I(Reaction + Days) ~ Days + (1 | Subject)", sleepstudy)
    rows = sleepstudy[["Days", "Subject"]].head(3)
    np.testing.assert_allclose(m.predict(rows), m.fitted().head(3), rtol=SUMMED)
