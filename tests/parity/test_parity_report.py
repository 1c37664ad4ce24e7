"""check_parity tells native R's own noise, and a neighbouring optimum, from a wrong number.

Native R's noise comes and goes with the alignment of memory, so one set of these tests replays it;
another asks real processes, which fit the same model with another optimizer than ours.
"""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import pymlm as mlm
from pymlm import cli, parity
from pymlm.parity_answers import RUNS, SAME_LOGLIK

#: A drift of 1e-4 relative to what has drifted is 1e-4 but for its square.
SECOND_ORDER = 1e-3
#: Further apart than lme4's optimizer repeats itself where it is stable.
APART = 1e-6

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def model() -> Any:
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))


@pytest.fixture(scope="module")
def answer(model: Any) -> dict[str, Any]:
    """What a native process really says of the model."""
    kept: list[dict[str, Any]] = []
    original = parity.ask_native
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parity, "ask_native", lambda folder: kept.append(original(folder)) or kept[0])
        assert mlm.check_parity(model).ok
    return kept[0]


def drift(by: float) -> Change:
    """A native fit that stopped a little elsewhere."""

    def change(said: dict[str, Any]) -> None:
        for table in ("theta", "summary[lme4]", "VarCorr", "fitted"):
            said[table] = {k: v * (1 + by) for k, v in said[table].items()}

    return change


def set_to(table: str, name: str, factor: float) -> Change:
    def change(said: dict[str, Any]) -> None:
        said[table][name] *= factor

    return change


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]) -> Any:
    """Native processes that answer in turn with these changes, the last one again and again."""

    def use(*changes: Change | None, there: Change | None = None) -> list[int]:
        asked: list[int] = []

        def made(change: Change | None) -> dict[str, Any]:
            said = copy.deepcopy(answer)
            if change is not None:
                change(said)
            return said

        def ask(folder: Path) -> dict[str, Any]:
            asked.append(1)
            return made(changes[min(len(asked), len(changes)) - 1])

        monkeypatch.setattr(parity, "ask_native", ask)
        monkeypatch.setattr(parity, "ask_native_at", lambda model, folder: made(there))
        return asked

    return use


def test_equal_numbers_ask_once(model: Any, replay: Any) -> None:
    asked = replay(None)
    report = mlm.check_parity(model)
    assert report.ok
    assert report.runs == len(asked) == 1
    assert not report.varies.any()


def test_native_r_that_differs_from_itself(model: Any, replay: Any) -> None:
    asked = replay(drift(1e-4), drift(2e-4), None)
    report = mlm.check_parity(model)
    assert report.ok
    assert report.runs == len(asked) == 3
    frame = report.to_frame()
    assert frame.loc["theta 1", "difference"] == pytest.approx(
        1e-4, rel=SECOND_ORDER
    )  # its first answer
    assert frame.loc["theta 1", "varies"] == pytest.approx(2e-4, rel=SECOND_ORDER)
    assert frame.loc["criteria logLik", "varies"] == 0
    assert "3 native fits" in str(report)
    assert "0.0002" in str(report)
    assert "tighter optimizer" in str(report)


def test_ours_between_two_native_answers(model: Any, replay: Any) -> None:
    replay(drift(1e-4), drift(-1e-4))
    report = mlm.check_parity(model)
    assert report.ok
    assert report.runs == 2


def test_a_difference_that_native_r_has_not_stays_one(model: Any, replay: Any) -> None:
    """All of native R's fits say another number, also at our estimates."""
    wrong = set_to("summary[lme4]", "Days std_error", 1.001)
    asked = replay(wrong, there=wrong)
    report = mlm.check_parity(model)
    assert not report.ok
    assert report.runs == len(asked) == RUNS
    assert list(report.failures.index) == ["summary[lme4] Days std_error"]
    assert "DO NOT all agree" in str(report)
    assert "summary[lme4] Days std_error" in str(report)
    assert "tighter" not in str(report)


def test_noise_elsewhere_hides_no_wrong_number(model: Any, replay: Any) -> None:
    def both(by: float) -> Change:
        def change(said: dict[str, Any]) -> None:
            drift(by)(said)
            said["ranef Subject"]["308 Days condval"] *= 1.01

        return change

    replay(both(1e-4), both(-1e-4), there=set_to("ranef Subject", "308 Days condval", 1.01))
    report = mlm.check_parity(model)
    assert list(report.failures.index) == ["ranef Subject 308 Days condval"]


def test_a_number_that_one_side_lacks(model: Any, replay: Any) -> None:
    def lacking(said: dict[str, Any]) -> None:
        del said["theta"]["2"]

    replay(lacking, there=lacking)
    report = mlm.check_parity(model)
    assert list(report.failures.index) == ["theta 2"]


def test_a_worse_likelihood_is_no_neighbour(model: Any, replay: Any) -> None:
    """The numbers at our estimates agree, of course; native R's own optimum is better."""

    def better(said: dict[str, Any]) -> None:
        drift(1e-4)(said)
        said["criteria"]["logLik"] *= 1 - 3 * SAME_LOGLIK

    replay(better)
    report = mlm.check_parity(model)
    assert not report.ok
    assert not report.neighbour
    assert "theta 1" in report.failures.index


def test_the_command_line_follows(
    replay: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "sleepstudy.csv"
    mlm.load_dataset("sleepstudy").to_csv(data, index=False)
    call = ["parity", str(data), "Reaction ~ Days + (Days | Subject)", "--factor", "Subject"]
    wrong = set_to("theta", "1", 1.001)
    replay(drift(1e-4), None)
    noisy = CliRunner().invoke(cli.app, call)
    assert (noisy.exit_code, "they agree" in noisy.output) == (0, True)
    replay(wrong, there=wrong)
    off = CliRunner().invoke(cli.app, call)
    assert (off.exit_code, "theta 1" in off.output) == (1, True)


# --- real processes -----------------------------------------------------------------------------


@pytest.fixture
def against(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any, Any], Any]:
    """Compare a model with native R's fit of another one's call; two fits of it must do here."""
    original = parity.export
    monkeypatch.setattr(parity, "RUNS", 2)

    def compare(ours: Any, theirs: Any) -> Any:
        monkeypatch.setattr(
            parity, "export", lambda model, folder, ddfs: original(theirs, folder, ddfs)
        )
        return mlm.check_parity(ours)

    return compare


def crossed() -> pd.DataFrame:
    """Data on which lme4's default optimizer has been seen to stop at either of two points."""
    r, n = np.random.default_rng(8), 400
    g, h, k = r.integers(0, 20, n), r.integers(0, 15, n), r.uniform(0, 10, n)
    y = 5 + 0.3 * k + r.normal(size=20)[g] + 0.05 * r.normal(size=20)[g] * k
    y = y + r.normal(size=15)[h] + r.normal(size=n) * 2
    return pd.DataFrame({"y": y, "k": k, "g": pd.Categorical(g), "h": pd.Categorical(h)})


def fitted(**options: Any) -> Any:
    """lme4 doubts some of these fits, as it should. ML: native Kenward-Roger takes long."""
    options = {"reml": False} | options
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", mlm.errors.PymlmWarning)
        return mlm.lmer("y ~ k + (k | g) + (1 | h)", crossed(), **options)


def test_a_crossed_model_agrees() -> None:
    """Whichever of its two points native R stops at today."""
    report = mlm.check_parity(fitted(reml=True))
    assert report.ok, str(report)


COARSE = {"optimizer": "bobyqa", "opt_ctrl": {"rhoend": 1e-4}}
FINE = {"optimizer": "bobyqa", "opt_ctrl": {"rhoend": 1e-10}}


def test_a_neighbouring_optimum_of_a_linear_model(against: Any) -> None:
    fine, coarse = (fitted(control=c) for c in (FINE, COARSE))
    assert not np.allclose(fine.theta, coarse.theta, rtol=APART, atol=0)
    report = against(fine, coarse)
    assert report.ok, str(report)
    assert report.runs == 2
    assert report.neighbour
    assert (~(report.difference <= report.allowed)).sum() > 100
    assert "neighbouring optimum" in str(report)


def test_a_neighbouring_optimum_of_a_generalized_model(against: Any) -> None:
    formula = "cbind(incidence, size - incidence) ~ period + (1 | herd)"
    ours, theirs = (
        mlm.glmer(formula, mlm.load_dataset("cbpp"), family="binomial", control=control)
        for control in (None, {"optimizer": "nloptwrap"})
    )
    report = against(ours, theirs)
    assert report.ok, str(report)
    assert report.neighbour


def test_an_optimizer_that_gave_up_disagrees(against: Any) -> None:
    early = fitted(control={"optimizer": "bobyqa", "opt_ctrl": {"maxfun": 20}})
    report = against(early, fitted())
    assert not report.ok
    assert not report.neighbour
    assert "theta 1" in report.failures.index


def test_another_estimator_disagrees(against: Any) -> None:
    report = against(fitted(), fitted(reml=True))
    assert not report.ok
    assert {"criteria logLik", "theta 1"} <= set(report.failures.index)
