"""Shared by all tests."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pandas as pd
import pytest

import pymlm as mlm

mlm.options.tracebacks = "full"  # a test that fails is no user's mistake

# A shell that starts the tests in the background has them ignore Ctrl-C, which some tests send.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

SHARED = Path(os.environ.get("PYMLM_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def sleepstudy() -> pd.DataFrame:
    return mlm.load_dataset("sleepstudy")


@pytest.fixture(scope="session")
def course() -> Path:
    """Folder of the course data; tests that need it skip where it is absent."""
    folder = SHARED / "course"
    if not (folder / "cases.json").is_file():
        pytest.skip("the course data are not here")
    return folder
