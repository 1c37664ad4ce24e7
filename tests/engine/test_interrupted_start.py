"""A time limit or Ctrl-C while R starts: the call is stopped after the start, and R can be used."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import os, signal, threading
import pandas as pd
import pymlm as mlm
d = pd.DataFrame({"g": [1, 1, 2, 2, 3, 3] * 5, "y": range(30), "x": [1.0, 2, 3] * 10})
fit = lambda **given: mlm.lmer("y ~ x + (1 | g)", d, **given)
if HOW == "timeout":
    try:
        fit(timeout=AFTER)
        print("in time")
    except mlm.errors.FitTimeout:
        print("stopped")
else:
    threading.Timer(AFTER, os.kill, (os.getpid(), signal.SIGINT)).start()
    try:
        for _ in range(1000):
            fit()
    except KeyboardInterrupt:
        print("stopped")
print(fit().nobs, "rows")
"""


@pytest.mark.parametrize("how", ["timeout", "Ctrl-C"])
@pytest.mark.parametrize("after", [1e-6, 0.05, 0.15, 0.4, 0.8])
def test_r_is_usable_after_an_interrupted_start(how, after):
    program = f"import warnings; warnings.simplefilter('ignore')\nHOW, AFTER = {how!r}, {after}"
    done = subprocess.run(
        [sys.executable, "-c", program + PROGRAM], capture_output=True, text=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert done.stdout.split("\n")[-2:] == ["30 rows", ""], done.stdout + done.stderr
    if how == "Ctrl-C" or after < 0.1:
        assert done.stdout.startswith("stopped")
