"""Bars of long work: where somebody looks, gone when it is done, without a trace in the numbers."""

from __future__ import annotations

import io
import os
import pty
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import pymlm as mlm
from pymlm import progress
from pymlm.engine import call
from pymlm.engine.r_thread import R
from pymlm.engine.steps import steps_of_r
from pymlm.errors import ArgumentError, RWarning

#: Of so few draws R says this.
pytestmark = pytest.mark.filterwarnings("ignore:extreme order statistics")

START = (
    "import pymlm as mlm\n"
    "from pymlm import progress\n"
    "progress.AFTER = 0.01\n"
    "m = mlm.lmer('Reaction ~ Days + (Days | Subject)', mlm.load_dataset('sleepstudy'))\n"
)


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def terminal(monkeypatch):
    """Makes standard error a terminal, and bars that do not wait for two seconds."""

    def make():  # when it is called: pytest sets standard error after fixtures are made
        shown = Terminal()
        monkeypatch.setattr(sys, "stderr", shown)
        monkeypatch.setattr(progress, "AFTER", 0.001)
        monkeypatch.setattr(progress, "LOOK", 0.005)
        monkeypatch.delenv("CI", raising=False)
        return shown

    return make


@pytest.fixture(scope="module")
def m(sleepstudy):
    return mlm.lmer("Reaction ~ Days + (Days | Subject)", sleepstudy)


@pytest.fixture(scope="module")
def draws(m):
    return m.bootstrap(nsim=20, seed=1).draws


def is_gone(text):
    """The last thing that was written to the line is nothing."""
    return text.endswith("\r") and text.split("\r")[-2].strip() == ""


#: What can take long, what its bar says, and whether it counts.
LONG = {
    "bootstrap": (lambda m: m.bootstrap(nsim=20, seed=1), "bootstrap", True),
    "statistic": (lambda m: m.bootstrap(lambda x: x.sigma, nsim=20, seed=1), "bootstrap", True),
    "boot intervals": (
        lambda m: m.confint(method="boot", nsim=20, seed=1), "bootstrap", True,
    ),
    "profile": (lambda m: m.update(reml=False).profile(), "profile", False),
    "all_fit": (lambda m: m.update(reml=False).all_fit(["bobyqa", "Nelder_Mead"]), "all_fit", True),
    "influence": (lambda m: m.update(reml=False).influence("Subject"), "influence", False),
    "step": (lambda m: m.update(reml=True).step(), "step", False),
    "fit": (lambda m: mlm.lmer(m.formula, m._source.data), "fit", False),
    "pb_modcomp": (
        lambda m: mlm.pb_modcomp(m, m.update(". ~ . - Days"), nsim=20, seed=1), "bootstrap", True,
    ),
    "power": (
        lambda m: mlm.power("~ Days + (1 | Subject)", m._source.data, beta=[250, 10], theta=[1],
                            sigma=30, nsim=20, seed=1), "fits", True,
    ),
    "fit_many": (
        lambda m: mlm.fit_many("Reaction ~ 1 + (1 | Days)", m._source.data, by="Subject"),
        "fits", True,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LONG)
@pytest.mark.filterwarnings("ignore::pymlm.errors.PymlmWarning")
def test_long_work_shows_a_bar_in_a_terminal_and_takes_it_away(name, m, terminal, monkeypatch):
    do, says, counts = LONG[name]
    if name in ("power", "fit_many", "statistic"):  # tqdm's own delay, bound as a default
        monkeypatch.setattr(progress.bar.__wrapped__, "__kwdefaults__", {"after": 0})
    m._answers.clear()
    screen = terminal()
    do(m)
    shown = screen.getvalue()
    assert f"{says}: " in shown
    assert ("%" in shown) == counts, shown
    assert is_gone(shown), shown[-200:]


def test_the_numbers_do_not_know_of_the_bar(m, draws, terminal):
    screen = terminal()
    np.testing.assert_array_equal(m.bootstrap(nsim=20, seed=1).draws, draws)
    counted = [int(n) for n in re.findall(r"(\d+)/20 ", screen.getvalue())]
    assert counted == sorted(counted)
    with mlm.options(progress=False):
        np.testing.assert_array_equal(m.bootstrap(nsim=20, seed=1, type="parametric").draws, draws)


def test_steps_are_counted_while_r_works_and_forgotten_after(m):
    seen = []
    simulations = call("boot_simulations", m._handle, 60, 1)

    def look(done, timeout, what):
        while not done.wait(0.005):
            seen.append(steps_of_r())
        return True

    before, R.waits = R.waits, look
    try:
        call("boot_default", m._handle, simulations)
    finally:
        R.waits = before
    found = [s for s in seen if s is not None]
    assert {total for _, total in found} == {60}
    assert len({done for done, _ in found}) > 3
    assert steps_of_r() is None


def test_it_is_silent_where_nobody_looks(m, monkeypatch, terminal):
    screen = terminal()
    monkeypatch.setenv("CI", "true")
    m.bootstrap(nsim=3, seed=1)
    monkeypatch.delenv("CI")
    with mlm.options(progress=False):
        m.bootstrap(nsim=3, seed=2)
    plain = io.StringIO()
    assert screen.getvalue() == ""
    monkeypatch.setattr(sys, "stderr", plain)
    m.bootstrap(nsim=3, seed=3)
    assert plain.getvalue() == ""
    with mlm.options(progress=True):
        m.bootstrap(nsim=20, seed=4)
    assert "bootstrap: " in plain.getvalue()


def test_without_tqdm_it_is_silent(m, terminal, monkeypatch):
    monkeypatch.setattr(progress.importlib.util, "find_spec", lambda name: None)
    screen = terminal()
    m.bootstrap(nsim=3, seed=5)
    assert screen.getvalue() == ""


def test_one_bar_at_a_time(terminal):
    screen = terminal()
    with progress.bar(3, "outer", after=0) as advance:
        assert not progress.is_wanted()
        with progress.bar(2, "inner", after=0) as step:
            step(1)
        advance(1)
    assert "outer" in screen.getvalue()
    assert "inner" not in screen.getvalue()


def test_the_option_takes_true_false_and_none():
    assert mlm.options.progress is None
    with mlm.options(progress=True), mlm.options(progress="auto"):
        assert mlm.options.progress is None
    for wrong in ("yes", 1):
        with pytest.raises(ArgumentError, match="progress must be True or False"):
            mlm.options.progress = wrong
    assert mlm.options.progress is None


def in_a_terminal(code, stop_when=None):
    """Run Python on a terminal of its own; Ctrl-C when `stop_when` is shown."""
    ours, theirs = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "CI"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=theirs, stdout=theirs, stderr=theirs, env=environment,
        start_new_session=True,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown, stopped, end = b"", False, time.monotonic() + 240
        while time.monotonic() < end:
            try:
                part = os.read(ours, 65536)
            except OSError:  # Linux's end of a terminal
                break
            if not part:
                break
            shown += part
            if stop_when is not None and not stopped and stop_when in shown:
                process.send_signal(signal.SIGINT)
                stopped = True
        process.kill()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def test_ctrl_c_takes_the_bar_away_and_leaves_r_usable():
    shown = in_a_terminal(
        START + "try:\n    m.bootstrap(nsim=100_000, seed=1)\n"
        "except KeyboardInterrupt:\n    print('stopped', m.update(reml=False).nobs)\n",
        stop_when=b"bootstrap: ",
    )
    before, _, after = shown.partition("stopped")
    assert before.split("\r")[-1].strip() == ""
    assert after.strip() == "180"
    assert "Traceback" not in shown


def test_workers_show_nothing_and_their_warnings_point_at_the_user_s_line(sleepstudy, terminal):
    m = mlm.lmer("Reaction ~ 1 + (1 | Subject)", sleepstudy)
    terminal()
    with pytest.warns(RWarning, match="from afar") as told:
        m.bootstrap(_warning_statistic, nsim=4, seed=1, n_jobs=2)
    assert {w.filename for w in told} == {__file__}
    # Once for the fit itself, which is asked here, and once for the draws of all workers.
    assert [str(w.message) for w in told].count("from afar") == 2


def _warning_statistic(model):
    mlm.errors.warn("from afar", RWarning)
    return model.sigma
