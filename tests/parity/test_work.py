"""No work twice: what crosses the door, and what R computes, is counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import pymlm as mlm
from pymlm.engine import calls, to_r
from pymlm.engine.r_thread import R

FORMULA = "Reaction ~ Days + (Days | Subject)"


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    """Names of the columns of every frame that goes to R."""
    frames: list[tuple[str, ...]] = []
    usual = to_r.frame_to_r

    def counted(frame: to_r.Frame) -> Any:
        frames.append(tuple(c.name for c in frame.columns))
        return usual(frame)

    monkeypatch.setattr(to_r, "frame_to_r", counted)
    return frames


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the bridge functions that Python calls."""
    names: list[str] = []
    usual = calls._run

    def counted(function: str, *rest: Any) -> Any:
        names.append(function)
        return usual(function, *rest)

    monkeypatch.setattr(calls, "_run", counted)
    return names


@pytest.fixture
def r_calls() -> Iterator[Any]:
    """Count the calls of two R functions: the Hessian of lmerTest, the matrices of pbkrtest."""

    def evaluate(code: str) -> Any:
        def work() -> list[float]:
            import rpy2.rinterface as ri

            return [float(x) for x in ri.baseenv["eval"](ri.parse(code))]

        return R.run(work)

    mlm.lmer(FORMULA, mlm.load_dataset("sleepstudy")).summary()  # R has started
    evaluate(
        """{
        count <- function(name) {
          key <- paste0("pymlm.test.", name)
          do.call(options, stats::setNames(list(getOption(key, 0) + 1), key))
        }
        for (f in list(c("as_lmerModLmerTest", "lmerTest"), c("get_SigmaG", "pbkrtest")))
          suppressMessages(trace(f[1L], bquote(.(count)(.(f[1L]))), print = FALSE,
                                 where = asNamespace(f[2L])))
        0 }"""
    )
    yield lambda: evaluate(
        """c(getOption("pymlm.test.as_lmerModLmerTest", 0),
             getOption("pymlm.test.get_SigmaG", 0))"""
    )
    evaluate(
        """{
        suppressMessages(untrace("as_lmerModLmerTest", where = asNamespace("lmerTest")))
        suppressMessages(untrace("get_SigmaG", where = asNamespace("pbkrtest")))
        options(pymlm.test.as_lmerModLmerTest = NULL, pymlm.test.get_SigmaG = NULL)
        0 }"""
    )


def test_a_fit_sends_its_columns_once_and_no_others(sleepstudy, sent):
    d = sleepstudy.assign(unused=1.0, text="a")
    mlm.lmer(FORMULA, d)
    assert len(sent) == 1
    assert sorted(sent[0]) == ["Days", "Reaction", "Subject"]


def test_questions_and_refits_send_no_data(sleepstudy, sent):
    m = mlm.lmer(FORMULA, sleepstudy)
    del sent[:]
    m.summary()
    m.ranef()
    m.predict()
    m.residuals()
    assert m.update(reml=False).nobs == 180
    assert m.update("~ . - Days").nobs == 180
    assert m.refit(sleepstudy["Reaction"] + 1.0).nobs == 180
    assert not sent


def test_the_same_question_is_answered_from_what_is_kept(sleepstudy, asked):
    m = mlm.lmer(FORMULA, sleepstudy)
    first = m.summary(), m.anova(), m.ranef(), m.varcorr(), m.fixef(), m.vcov()
    text = str(first[0])
    del asked[:]
    again = m.summary(), m.anova(), m.ranef(), m.varcorr(), m.fixef(), m.vcov()
    assert str(again[0]) == text
    assert not asked
    assert again[0] is first[0]


def test_one_hessian_for_all_tests(sleepstudy, r_calls):
    m = mlm.lmer(FORMULA, sleepstudy)
    before = r_calls()
    m.anova()
    m.summary()
    m.contest([0, 1])
    m.emmeans("Days", at={"Days": [2.0]})
    assert r_calls()[0] - before[0] == 1


def test_one_adjusted_covariance_for_all_tests(sleepstudy, r_calls):
    m = mlm.lmer(FORMULA, sleepstudy)
    before = r_calls()
    m.summary("Kenward-Roger", engine="lmerTest")
    m.anova(ddf="Kenward-Roger", engine="lmerTest")
    m.vcov(ddf="Kenward-Roger", engine="lmerTest")
    m.emmeans("Days", at={"Days": [2.0]}, ddf="Kenward-Roger", engine="lmerTest")
    assert r_calls()[1] - before[1] == 1


def test_the_exact_engine_asks_neither(sleepstudy, r_calls):
    m = mlm.lmer(FORMULA, sleepstudy)
    before = r_calls()
    for ddf in ("Satterthwaite", "Kenward-Roger"):
        m.summary(ddf, engine="exact")
        m.anova(ddf=ddf, engine="exact")
        m.emmeans("Days", at={"Days": [2.0]}, ddf=ddf, engine="exact")
    assert r_calls() == before


def test_lme4s_own_summary_computes_no_degrees_of_freedom(sleepstudy, r_calls):
    m = mlm.lmer(FORMULA, sleepstudy)
    before = r_calls()
    m.summary(ddf=None)
    m.ranef()
    m.confint(method="Wald")
    assert r_calls() == before
