"""For tests and doctests alike: figures are drawn without a screen, and closed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest

from pymlm.errors import RPackageError

os.environ.setdefault("MPLBACKEND", "Agg")


@pytest.fixture(autouse=True)
def no_figure_stays_open() -> Iterator[None]:
    """Close what a test drew: matplotlib warns of more than 20 figures."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Skip an example whose R package this system has not, saying so; a test names its own."""
    try:
        yield
    except Exception as error:
        if not isinstance(item, pytest.DoctestItem):
            raise
        for failure in getattr(error, "failures", [error]):
            cause = getattr(failure, "exc_info", (None, None))[1]
            if isinstance(cause, RPackageError):
                pytest.skip(str(cause).partition(". Run")[0])
        raise
