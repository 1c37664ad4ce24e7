"""A process that is killed takes with it what it started; the rest is cleared by a later one."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pymlm.engine.left_behind import temporary_folder

pytestmark = pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="looks into /proc")

#: Seconds until something has happened, on a machine that is busy with other tests.
PATIENCE = 120.0


def until(condition: Callable[[], object]) -> object:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def commands(session: int) -> dict[int, str]:
    """Processes of a session that run, and their command lines."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state = (folder / "stat").read_text().rpartition(")")[2].split()
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if int(state[3]) == session and state[0] != "Z":
            found[int(folder.name)] = line
    return found


def started(program: str, tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", program], text=True, start_new_session=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"TMPDIR": str(tmp_path)},
    )  # fmt: skip


PARITY = """
import pymlm as mlm
d = mlm.load_dataset("InstEval").head(20_000)  # native R takes some seconds of it
m = mlm.lmer("y ~ service + (1 | s) + (1 | d)", d)
mlm.check_parity(m)
"""

#: The workers say by a file that they are at work, and would be for long.
WORKERS = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from pymlm.models.parallel import run

def work(folder, name):
    import pathlib
    import time
    import pymlm as mlm
    from pymlm.engine.r_thread import R
    mlm.load_dataset("Dyestuff")
    pathlib.Path(folder, name).touch()
    def loop():
        import rpy2.rinterface as ri
        ri.baseenv["eval"](ri.parse("local({end <- proc.time()[[3L]] + 300; "
                                    "while (proc.time()[[3L]] < end) NULL})"))
    R.run(loop)

try:
    run(work, [(sys.argv[1], "one"), (sys.argv[1], "two")], 2, "work", [1, 1])
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_killed_parity_check_leaves_nothing(tmp_path):
    process = started(PARITY, tmp_path)
    until(lambda: any("parity.R" in c and "/exec/R" in c for c in commands(process.pid).values()))
    assert list(tmp_path.glob("pymlm-parity-*"))
    process.kill()
    process.communicate()
    until(lambda: not commands(process.pid))
    assert list(tmp_path.glob("pymlm-*")) == []


@pytest.mark.parametrize("end", ["kill", "interrupt"])
def test_workers_end_with_their_parent_and_say_nothing(tmp_path, end):
    program = WORKERS.replace("sys.argv[1]", repr(str(tmp_path)))
    process = started(program, tmp_path)
    until(lambda: (tmp_path / "one").exists() and (tmp_path / "two").exists())
    if end == "kill":
        process.kill()
    else:  # as a terminal and a notebook do: to all of them
        os.killpg(process.pid, signal.SIGINT)
    said, complaints = process.communicate(timeout=PATIENCE)
    until(lambda: not commands(process.pid))
    assert said == ("" if end == "kill" else "interrupted\n")
    assert "R[write to console]" not in complaints
    if end == "kill":
        assert list(tmp_path.glob("Rtmp*")) == []


def test_a_later_start_clears_what_nobody_holds(tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    long_ago = time.time() - 3600
    left = tmp_path / "pymlm-parity-left"
    left.mkdir()
    (left / "data.bin").write_text("x")
    target = tmp_path / "elsewhere"
    target.mkdir()
    link = tmp_path / "pymlm-parity-link"
    link.symlink_to(target)
    os.utime(left, (long_ago, long_ago))
    os.utime(link, (long_ago, long_ago), follow_symlinks=False)
    with temporary_folder("parity") as held:
        assert not left.exists()
        os.utime(held, (long_ago, long_ago))
        with temporary_folder("parity"):
            assert held.is_dir()  # its process lives
    assert not held.exists()
    assert link.is_symlink()
    assert target.is_dir()
