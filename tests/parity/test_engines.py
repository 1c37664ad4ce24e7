"""Both engines of degrees of freedom side by side, on every model and every question.

The reference engine is lmerTest and pbkrtest themselves, whose own parity with native R other
modules test.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError, RWarning
from tests.parity.models import MODELS, fitted

#: lmerTest differentiates numerically; this is its error.
NUMERICAL = 1e-5
#: Kenward-Roger is closed form on both sides; rounding in other orders is left.
ROUNDING = 1e-8
#: A small p-value moves by far more than its degrees of freedom do.
P_VALUES = 1e-3

SATTERTHWAITE, KENWARD_ROGER = "Satterthwaite", "Kenward-Roger"

#: pbkrtest takes from a second to two minutes for these.
SLOW_KENWARD_ROGER = {"Exam", "ScotsSec crossed", "egsingle three levels", "InstEval sample"}
#: pbkrtest leaves prior weights out; see test_prior_weights.
WEIGHTED = "sleepstudy weights offset"

CASES = [
    (name, ddf)
    for name, (_, _, arguments, _) in MODELS.items()
    for ddf in (SATTERTHWAITE, KENWARD_ROGER)
    if ddf == SATTERTHWAITE
    or (arguments.get("reml", True) and name not in SLOW_KENWARD_ROGER and name != WEIGHTED)
]


@pytest.fixture(scope="module")
def models() -> Callable[[str], Any]:
    known: dict[str, Any] = {}

    def get(name: str) -> Any:
        if name not in known:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", mlm.errors.SingularFitWarning)
                known[name] = fitted(name)
        return known[name]

    return get


def both(ask: Callable[[str], Any], ddf: str) -> None:
    """Compare all numbers of two answers, by column and row name."""
    ours, theirs = ask("exact"), ask("lmerTest")
    assert ours.ddf_engine == "exact"
    assert theirs.ddf_engine == ("lmerTest" if ddf == SATTERTHWAITE else "pbkrtest")
    a, b = ours.to_frame(), theirs.to_frame()
    assert list(a.columns) == list(b.columns)
    assert list(a.index) == list(b.index)
    for column in b.select_dtypes("number"):
        x, y = a[column].to_numpy(float), b[column].to_numpy(float)
        scale = np.nanmax(np.abs(y[np.isfinite(y)]), initial=0.0)
        close = NUMERICAL if ddf == SATTERTHWAITE else ROUNDING
        rtol = P_VALUES if column == "p_value" else close
        # Where a p-value is rounding error itself, it says nothing.
        atol = 1e-300 if column == "p_value" else close * scale * 1e-2
        np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, err_msg=column)


@pytest.mark.parametrize(("name", "ddf"), CASES)
def test_summary(models, name, ddf):
    m = models(name)
    both(lambda engine: m.summary(ddf=ddf, engine=engine), ddf)


@pytest.mark.parametrize("name", [n for n, d in CASES if d == KENWARD_ROGER])
def test_adjusted_covariance(models, name):
    m = models(name)
    ours = m.vcov(ddf=KENWARD_ROGER, engine="exact")
    theirs = m.vcov(ddf=KENWARD_ROGER, engine="lmerTest")
    assert list(ours.index) == list(theirs.index)
    scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    np.testing.assert_allclose(ours / scale, theirs / scale, rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("type", [1, 2, 3])
@pytest.mark.parametrize(("name", "ddf"), [c for c in CASES if "~ 1 +" not in MODELS[c[0]][1]])
def test_anova(models, name, ddf, type):
    m = models(name)
    if name == "sleepstudy no intercept" and type != 1:
        pytest.skip("lmerTest's contrasts of these types need an intercept")
    both(lambda engine: m.anova(type=type, ddf=ddf, engine=engine), ddf)


@pytest.mark.parametrize("joint", [True, False])
@pytest.mark.parametrize(("name", "ddf"), [c for c in CASES if "~ 1 +" not in MODELS[c[0]][1]])
def test_contest(models, name, ddf, joint):
    m = models(name)
    p = len(m.fixef())
    rows = np.eye(p)[1:] if p > 1 else np.eye(p)
    L = np.vstack([rows, rows.sum(axis=0)]) if not joint else rows
    both(lambda engine: m.contest(L, joint=joint, ddf=ddf, engine=engine), ddf)


#: Models with several terms, factors among them.
TERMS = ("cake interaction", "carrots", "ham", "TVbo", "Oats split plot", "Orthodont")


@pytest.mark.parametrize("ddf", [SATTERTHWAITE, KENWARD_ROGER])
@pytest.mark.parametrize("name", TERMS)
def test_drop1(models, name, ddf):
    m = models(name)
    both(lambda engine: m.drop1(ddf=ddf, engine=engine), ddf)


@pytest.mark.parametrize("ddf", [SATTERTHWAITE, KENWARD_ROGER])
@pytest.mark.parametrize("name", ["cake interaction", "carrots", "Orthodont", "Machines"])
def test_step_asks_the_same_engine_of_the_models_that_it_refits(models, name, ddf):
    m = models(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RWarning)  # candidates on the boundary
        ours, theirs = (m.step(ddf=ddf, engine=e) for e in ("exact", "lmerTest"))
    assert (ours.ddf_engine, ours.formula) == ("exact", theirs.formula)
    close = NUMERICAL if ddf == SATTERTHWAITE else ROUNDING
    assert ours.fixed.term == theirs.fixed.term
    np.testing.assert_allclose(ours.fixed.den_df, theirs.fixed.den_df, rtol=close)
    np.testing.assert_allclose(ours.fixed.statistic, theirs.fixed.statistic, rtol=ROUNDING)
    np.testing.assert_allclose(ours.random.lrt, theirs.random.lrt, rtol=ROUNDING)
    assert repr(ours.model) == repr(theirs.model)


@pytest.mark.parametrize("pairwise", [True, False])
@pytest.mark.parametrize("ddf", [SATTERTHWAITE, KENWARD_ROGER])
@pytest.mark.parametrize("name", ["cake interaction", "carrots", "ham", "Machines"])
def test_ls_means(models, name, ddf, pairwise):
    m = models(name)
    both(lambda engine: m.ls_means(ddf=ddf, pairwise=pairwise, engine=engine), ddf)


MEANS = {
    "cake interaction": "recipe", "ham": ["Product", "Information"], "TVbo": "TVset",
    "Oats split plot": "Variety", "Orthodont": "Sex", "Machines": "Machine",
}  # fmt: skip


@pytest.mark.parametrize("contrast", [None, "pairwise"])
@pytest.mark.parametrize("ddf", [SATTERTHWAITE, KENWARD_ROGER])
@pytest.mark.parametrize("name", MEANS)
def test_emmeans(models, name, ddf, contrast):
    m = models(name)
    both(
        lambda engine: m.emmeans(MEANS[name], contrast=contrast, ddf=ddf, engine=engine),
        ddf,
    )


@pytest.mark.parametrize("ddf", [SATTERTHWAITE, KENWARD_ROGER])
def test_emtrends_and_joint_tests(models, ddf):
    m = models("Orthodont")
    both(lambda engine: m.emtrends("Sex", "age", ddf=ddf, engine=engine), ddf)
    both(lambda engine: m.joint_tests(ddf=ddf, engine=engine), ddf)


@pytest.mark.parametrize("restriction", ["model", "array"])
def test_modcomp(models, restriction):
    m = models("cake sum contrasts")
    L = np.eye(len(m.fixef()))[[1, 2]]
    small = m.update(". ~ . - recipe:temp") if restriction == "model" else L
    both(lambda engine: mlm.kr_modcomp(m, small, engine=engine), KENWARD_ROGER)
    ours, theirs = (mlm.sat_modcomp(m, small, engine=e) for e in ("exact", "lmerTest"))
    assert (ours.ddf_engine, theirs.ddf_engine) == ("exact", "pbkrtest")
    np.testing.assert_allclose(ours.statistic, theirs.statistic, rtol=ROUNDING)
    np.testing.assert_allclose(ours.den_df, theirs.den_df, rtol=NUMERICAL)
    np.testing.assert_array_equal(ours.num_df, theirs.num_df)


def test_standard_errors_of_variances(models):
    m = models("Orthodont")
    ours, theirs = (m.varcorr_se(engine=e) for e in ("exact", "lmerTest"))
    np.testing.assert_allclose(ours.std_error, theirs.std_error, rtol=NUMERICAL)


def test_both_engines_of_one_model_do_not_mix(models):
    m = models("Hsb82 cross-level")
    first = m.summary(engine="lmerTest").fixed.df
    exact = m.summary(engine="exact").fixed.df
    assert not np.array_equal(first, exact)
    assert m.summary(engine="lmerTest").fixed.df is first
    assert m.summary(engine="exact").fixed.df is exact
    # What is printed belongs to the same engine: lmerTest's sixth digit differs here.
    assert str(m.summary(engine="exact")) != str(m.summary(engine="lmerTest"))


# --- the rule of "auto" ---------------------------------------------------------------------------


def test_small_models_stay_with_the_reference(sleepstudy):
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    assert m.summary().ddf_engine == "lmerTest"
    assert m.summary("Kenward-Roger").ddf_engine == "pbkrtest"
    assert m.anova(ddf="between-within").ddf_engine == "rule"
    assert m.summary(None).ddf_engine is None
    with mlm.options(engine="exact"):
        assert m.summary().ddf_engine == "exact"
        assert m.summary(engine="lmerTest").ddf_engine == "lmerTest"
    assert m.emmeans("1").ddf_engine == "lmerTest"


def test_large_kenward_roger_is_exact(models):
    m = models("ScotsSec crossed")
    assert m.summary("Kenward-Roger").ddf_engine == "exact"
    assert m.summary().ddf_engine == "lmerTest"


def test_a_model_of_lmertest_has_its_own_numbers(models, tmp_path, course_free_rds):
    m = mlm.load_model(course_free_rds)
    assert m.summary().ddf_engine == "lmerTest"
    both(lambda engine: m.summary(engine=engine), SATTERTHWAITE)
    both(lambda engine: m.summary(ddf=KENWARD_ROGER, engine=engine), KENWARD_ROGER)


@pytest.fixture(scope="module")
def course_free_rds(tmp_path_factory) -> Any:
    """A model that lmerTest::lmer fitted in native R."""
    from tests.native import rscript

    path = tmp_path_factory.mktemp("rds") / "fitted.rds"
    rscript(
        "suppressMessages(library(lmerTest))\n"
        "m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)\n"
        f'saveRDS(m, "{path}")\n'
    )
    return path


def test_the_saved_model_knows_nothing_of_the_engine(sleepstudy, tmp_path):
    from tests.native import rscript

    m = mlm.lmer("Reaction ~ Days + (1 | Subject)", sleepstudy)
    m.summary("Kenward-Roger", engine="exact")
    path = m.save(tmp_path / "m.rds")
    said = rscript(f'm <- readRDS("{path}"); cat(class(m), attr(class(m), "package"))')
    assert said.split() == ["lmerMod", "lme4"]


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("engine", ["auto", "lmerTest", "exact"])
def test_kenward_roger_needs_reml(models, engine):
    m = models("sleepstudy ML")
    with pytest.raises(NotSupportedError, match="needs a REML fit"):
        m.summary("Kenward-Roger", engine=engine)
    assert m.summary(engine=engine).fixed.df is not None


@pytest.mark.parametrize("engine", ["auto", "lmerTest", "exact"])
@pytest.mark.parametrize("ddf", [SATTERTHWAITE, KENWARD_ROGER])
def test_glmer_has_no_degrees_of_freedom(ddf, engine):
    d = mlm.load_dataset("lme4::cbpp").assign(w=lambda x: x["size"])
    d["p"] = d["incidence"] / d["size"]
    m = mlm.glmer("p ~ period + (1 | herd)", d, family="binomial", weights="w")
    with mlm.options(engine=engine), pytest.raises(NotSupportedError):
        m.emmeans("period", ddf=ddf)


def test_dropped_columns_are_gone_for_both(sleepstudy):
    d = sleepstudy.assign(Twice=2.0 * sleepstudy["Days"])
    m = mlm.lmer(
        "Reaction ~ Days + Twice + (1 | Subject)", d, control={"check_rank_x": "silent.drop.cols"}
    )
    assert list(m.fixef().index) == ["(Intercept)", "Days"]
    for ddf in (SATTERTHWAITE, KENWARD_ROGER):
        both(lambda engine, ddf=ddf: m.summary(ddf=ddf, engine=engine), ddf)


def _said(ask: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ask()
    return [str(w.message) for w in caught if issubclass(w.category, RWarning)]


def test_a_hessian_that_is_not_positive_gets_the_same_warning(sleepstudy):
    # Stopped far from the optimum, where the deviance bends the other way.
    m = None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        m = mlm.lmer(
            "Reaction ~ Days + (1 | Subject)", sleepstudy, start=[8.0],
            control={"optimizer": "bobyqa", "opt_ctrl": {"maxfun": 1}, "calc_derivs": False},
        )  # fmt: skip
        assert m.theta.iloc[0] > 2
    ours, theirs = (_said(lambda e=e: m.summary(engine=e)) for e in ("exact", "lmerTest"))
    assert len(theirs) == 1
    assert "negative eigenvalue" in theirs[0]
    # The eigenvalue itself stands in the message with two digits.
    assert ours == theirs
    both(lambda engine: m.summary(engine=engine), SATTERTHWAITE)


def test_prior_weights(models):
    m = models(WEIGHTED)
    with pytest.warns(RWarning, match="pbkrtest ignores prior weights"):
        theirs = m.summary("Kenward-Roger", engine="lmerTest").fixed
    ours = m.summary("Kenward-Roger", engine="exact").fixed
    assert np.abs(ours.df / theirs.df - 1).max() > 0.1


def test_kenward_roger_too_large_for_pbkrtest_is_refused_before_r_tries():
    rng = np.random.default_rng(5)
    n = 60_000
    import pandas as pd

    d = pd.DataFrame({"x": rng.normal(size=n), "a": rng.integers(0, 40, n).astype(str)})
    d["b"] = rng.integers(0, 30, n).astype(str)
    d["y"] = d["x"] + rng.normal(size=n)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.errors.SingularFitWarning)
        m = mlm.lmer("y ~ x + (1 | a) + (1 | b)", d)
    with pytest.raises(NotSupportedError, match=r"(?s)GB.*engine='exact'"):
        m.summary("Kenward-Roger", engine="lmerTest")
    assert m.summary("Kenward-Roger").ddf_engine == "exact"


def test_a_refit_leaves_the_model_as_it_was(sleepstudy):
    # lme4's C++ writes new parameters where the old ones lie, unless they were copied.
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    before = m.summary(engine="exact").fixed.df
    twin = mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)
    rng = np.random.default_rng(3)
    twin.refit(sleepstudy["Reaction"] + rng.normal(scale=20.0, size=len(sleepstudy)))
    np.testing.assert_array_equal(twin.summary(engine="exact").fixed.df, before)
    np.testing.assert_array_equal(twin.ranef().to_frame()["condsd"], m.ranef().to_frame()["condsd"])
