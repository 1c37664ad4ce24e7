"""Native R in its own process: the reference that the bridge is compared with."""

from __future__ import annotations

import functools
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

REFERENCE = Path(__file__).resolve().parent.parent / "r_scripts" / "reference"

#: Same R, same data: what is left is the round trip of numbers through 17 digits.
ROUND_TRIP = 1e-12


def rscript(code: str, *, timeout: float = 600) -> str:
    """Run R code in a plain Rscript process and return what it printed."""
    env = {k: v for k, v in os.environ.items() if k not in ("R_HOME", "LD_LIBRARY_PATH")}
    env["LC_ALL"] = "C.UTF-8" if "UTF-8" not in env.get("LC_ALL", "") else env["LC_ALL"]
    done = subprocess.run(
        ["Rscript", "--vanilla", "-"],
        input=code,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=timeout,
        env=env,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"native R failed:\n{done.stderr[-2000:]}")
    return done.stdout


def native(code: str, **options: Any) -> Any:
    """Run R code whose last line is `emit(<list>)`, and return that list.

    Named lists become dicts, vectors lists (scalars when of length 1), matrices
    {"rows", "cols", "values"}, data frames dicts of columns with their row names in ".rows".
    """
    out = rscript(
        f'source("{REFERENCE / "emit.R"}")\n'
        + MINUS_TWO_LOGLIK
        + "suppressMessages({library(lme4); library(lmerTest)})\n"
        + code,
        **options,
    )
    return json.loads(out.strip().splitlines()[-1])


#: A summary's -2 log L, whatever this lme4 calls it.
MINUS_TWO_LOGLIK = """
minus_two_loglik <- function(s) s$AICtab[[intersect(c("deviance", "-2*log(L)"), names(s$AICtab))]]
"""


@functools.cache
def r_version(package: str) -> tuple[int, ...]:
    """Version of an R package on this system, () where it is not installed."""
    text = rscript(
        f'cat(if (requireNamespace("{package}", quietly = TRUE)) '
        f'format(packageVersion("{package}")))'
    )
    return tuple(int(part) for part in text.strip().replace("-", ".").split(".") if part)


def needs_r(*packages: str) -> None:
    """Skip the calling test or module where one of R's packages is not installed."""
    for package in packages:
        if not r_version(package):
            pytest.skip(f"R's {package} is not installed", allow_module_level=True)


def has_structures() -> bool:
    """Whether lme4 has the covariance structures us(), diag(), cs(), ar1()."""
    return r_version("lme4") >= (2, 0)


def assert_close(ours: Any, theirs: Any, rtol: float = ROUND_TRIP, what: str = "") -> None:
    """Compare numbers one by one; the scale of the array guards against noise around zero."""
    a = np.atleast_1d(np.asarray(ours, dtype=float))
    b = np.atleast_1d(np.asarray(theirs, dtype=float))
    assert a.shape == b.shape, f"{what}: shapes {a.shape} and {b.shape}"
    scale = np.nanmax(np.abs(b[np.isfinite(b)]), initial=0.0)
    np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * scale * 1e-2, err_msg=what)


#: The same optimizer in two processes: sums over memory that is aligned differently leave the
#: optimum within about 1e-11 (crossed factors show it), and what hangs on it a little more.
OPTIMUM = 1e-9


def assert_fits_close(ours: Any, theirs: Any, rtol: float = OPTIMUM, what: str = "") -> None:
    """Compare numbers of a model that was fitted anew in the other process."""
    assert_close(ours, theirs, max(rtol, OPTIMUM), what)
