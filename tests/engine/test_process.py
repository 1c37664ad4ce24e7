"""The process around R: forks, signals, memory that is not there, the end of Python."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap

import pytest

#: For a child process; a fit of seconds on a slow machine must have time.
PATIENCE = 180
#: Since 3.12 Python warns of any fork beside a thread.
FORK_IS_MEANT = "ignore:This process:DeprecationWarning"


def python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh Python. It is unbuffered: children end by os._exit()."""
    return subprocess.run(
        [sys.executable, "-u", "-W", FORK_IS_MEANT, "-c", textwrap.dedent(program)],
        capture_output=True, text=True, timeout=PATIENCE, check=False,
        env=os.environ | environment,
    )  # fmt: skip


#: R is busy, without a fit whose time depends on the machine. (Not in Sys.sleep, which takes over
#: SIGINT for the whole process.)
BUSY = """
import os, signal, subprocess, sys, threading, time
import pymlm as mlm
from pymlm.engine import call, fork
from pymlm.engine.r_thread import R

signal.signal(signal.SIGINT, signal.default_int_handler)
d = mlm.load_dataset("Dyestuff")
entered = threading.Event()

def sleep(seconds):
    import rpy2.rinterface as ri
    entered.set()
    text = f"local({{end <- proc.time()[[3L]] + {seconds}; while (proc.time()[[3L]] < end) NULL}})"
    ri.baseenv["eval"](ri.parse(text))

def busy(seconds, beside_us=False):
    work = (lambda: sleep(seconds)) if beside_us else (lambda: R.run(lambda: sleep(seconds)))
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    entered.wait()
    time.sleep(0.1)

def fit():
    return mlm.lmer("Yield ~ 1 + (1 | Batch)", d).nobs

def child(work):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            said = str(work())
        except BaseException as error:
            said = f"{type(error).__name__}: {error}"
        os.write(write, said.encode())
        os._exit(0)
    os.close(write)
    os.waitpid(pid, 0)
    with os.fdopen(read) as pipe:
        return pipe.read()
"""

#: How R is asked while a fork waits: by the R thread, or by a program that uses rpy2 itself.
BY_WHOM = pytest.mark.parametrize("beside_us", [False, True], ids=["R thread", "rpy2"])


@BY_WHOM
def test_a_fork_waits_for_r_to_be_at_rest(beside_us):
    done = python(BUSY + f"fit(); busy(1.0, {beside_us}); print(child(fit)); print(fit())")
    assert (done.stdout.split(), done.stderr) == (["30", "30"], "")


@BY_WHOM
def test_a_fork_does_not_wait_for_long_work_and_its_child_is_refused(beside_us):
    done = python(
        BUSY
        + textwrap.dedent(f"""
        fit(); busy(fork.PATIENCE + 6, {beside_us}); start = time.monotonic()
        print(child(fit))
        print(time.monotonic() - start < fork.PATIENCE + 3)
        print(child(lambda: child(fit)))  # a grandchild
        os._exit(0)
        """)
    )
    first, in_time, grandchild = done.stdout.splitlines()
    assert first.startswith("RError: this process was forked while R was at work")
    assert "'spawn'" in first
    assert in_time == "True"
    assert grandchild == first
    assert done.stderr == ""


def test_a_fork_gets_its_turn_between_many_small_jobs():
    done = python(
        BUSY
        + textwrap.dedent("""
        def loop():
            while True:
                R.run(lambda: sleep(0.05))
        threading.Thread(target=loop, daemon=True).start()
        entered.wait()
        print(*(child(fit) for _ in range(3)))
        os._exit(0)
        """)
    )
    assert (done.stdout.split(), done.stderr) == (["30"] * 3, "")


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "ZeroDivisionError"])
def test_a_signal_that_raises_while_a_fork_waits_is_raised_and_r_lives(error):
    """Python drops what a hook of fork raises; the R thread died of a lock that was not its own."""
    done = python(
        BUSY
        + textwrap.dedent(f"""
        fit(); busy(fork.PATIENCE + 2)
        number = signal.SIGINT if {error} is KeyboardInterrupt else signal.SIGALRM
        signal.signal(signal.SIGALRM, lambda *_: 1 / 0)
        threading.Timer(0.3, lambda: os.kill(os.getpid(), number)).start()
        try:
            pid = os.fork()
            if pid == 0:
                os._exit(0)
            time.sleep(5)
            print("nothing was raised")
        except {error}:
            print("raised")
        print(fit())
        print(child(fit))
        """)
    )
    assert (done.stdout.split(), done.stderr) == (["raised", "30", "30"], "")


@pytest.mark.parametrize(
    "holder",
    [
        "class Holder:\n    def __del__(self): ask()\nkept = Holder()",
        "def generate():\n    try: yield\n    finally: ask()\nkept = generate(); next(kept)",
    ],
    ids=["__del__", "generator"],
)
def test_a_model_used_while_python_shuts_down_raises(holder):
    program = """
import pymlm as mlm
m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
def ask(m=m, Error=mlm.errors.RError, print=print):
    try:
        m.update(". ~ .")
    except Error as error:
        print(str(error)[:23])
"""
    done = python(program + holder)
    assert done.returncode == 0
    assert done.stdout.strip() == "Python is shutting down"


#: Name -> (what is made before, megabytes that are left, what is asked, the error).
NO_MEMORY = {
    "column": ("x = np.zeros(30_000_000)", 100, "call('length', x)", "RError"),
    "integers": ("x = np.zeros(60_000_000, dtype='int32')", 100, "call('length', x)", "RError"),
    "bytes": ("x = b'x' * 200_000_000", 100, "call('length', x)", "RError"),
    "texts": ("x = ['a' * 9] * 12_000_000", 300, "call('length', x)", "RError"),
    "frame": (
        "n = 20_000_000; x = pd.DataFrame({'y': np.zeros(n), 'g': np.zeros(n, dtype='int32')})",
        300, "mlm.lmer('y ~ 1 + (1 | g)', x)", "MemoryError",  # the model's own copy of it
    ),
    "within R": ("", 100, "call('numeric', 50_000_000)", "RError"),
    "within a fit": (
        "n = 100_000; x = pd.DataFrame({'y': np.arange(n) % 7.0, 'g': np.arange(n) % 50_000})",
        40, "mlm.lmer('y ~ poly(y, 6) + (y | g)', x)", "FitError",
    ),
    "back": ("", 500, "call('numeric', 50_000_000)", "MemoryError"),
}  # fmt: skip


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs a limit of address space")
@pytest.mark.parametrize("case", NO_MEMORY)
def test_memory_that_is_not_there_is_an_error_and_r_lives(case):
    """R left by a jump to a top level that an embedded R has not: the process ended."""
    make, megabytes, ask, error = NO_MEMORY[case]
    program = f"""
import resource, numpy as np, pandas as pd, pymlm as mlm
from pymlm.engine import call
d = mlm.load_dataset("Dyestuff")
mlm.lmer("Yield ~ 1 + (1 | Batch)", d)
{make}
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + {megabytes} * 2**20,) * 2)
try:
    {ask}
except (mlm.errors.RError, MemoryError) as e:
    print(type(e).__name__)
print(mlm.lmer("Yield ~ 1 + (1 | Batch)", d).nobs)
"""
    done = python(program)
    assert done.stdout.split() == [error, "30"], done.stderr
    assert done.stderr == ""
