"""How far long work is: one bar for all of pymlm, where somebody looks, gone when it is done.

Whoever waits for R looks up now and then (`R.waits`): after two seconds a bar appears. Loops in R
count their steps in a file, which costs them microseconds; of the rest the bar says how long it has
taken. Nothing that is computed knows of it.
"""

from __future__ import annotations

import builtins
import contextlib
import functools
import importlib.util
import os
import shutil
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from typing import Any, TypeVar

from pymlm.engine.left_behind import is_worker
from pymlm.engine.r_thread import R
from pymlm.engine.steps import steps_of_r
from pymlm.options import options

T = TypeVar("T")

#: Seconds before a bar appears, and between two looks at R.
AFTER, LOOK = 2.0, 0.1
#: What the bridge's functions do, where their names do not say it.
_WORDS = {
    "fit_checked": "fit", "update_in_place": "fit", "boot_default": "bootstrap",
    "boot_lrt": "bootstrap",
    "boot_simulations": "simulation", "all_fit": "all_fit", "start": "starting R",
}  # fmt: skip
_WIDTH = 80
_NO_TOTAL = "{desc}: {elapsed}"

_one_is_shown: ContextVar[bool] = ContextVar("pymlm_bar", default=False)


def is_wanted(progress: bool | None = None) -> bool:
    """Return whether to show a bar: as the call says, else the option, else where somebody looks.

    A worker process shows none: its owner does.
    """
    if is_worker() or _one_is_shown.get() or sys.stderr is None:
        return False
    chosen = options.progress if progress is None else progress
    if chosen is not None:
        return chosen
    if os.environ.get("CI"):
        return False
    return _in_kernel() or sys.stderr.isatty()


@contextlib.contextmanager
def bar(
    total: int | None, what: str, progress: bool | None = None, *, after: float = AFTER
) -> Iterator[Callable[[int], object]]:
    """A bar of `total` steps where one is wanted; gives the function that moves it on."""
    if not is_wanted(progress) or (made := _bar_class()) is None:
        yield lambda n: None
        return
    width, height = shutil.get_terminal_size()  # of a terminal that does not say so: 80 × 24
    shown = made(
        # A moment at least, so that nothing is shown before `try` takes care of it.
        total=total, desc=what, leave=False, delay=after or 1e-9, miniters=0,
        ncols=min(_WIDTH, width), nrows=height, bar_format=None if total else _NO_TOTAL,
    )  # fmt: skip
    token = _one_is_shown.set(True)
    try:
        if not after:
            shown.refresh()
            shown.last_print_t = time.time()  # by which close() knows that it was shown
        yield shown.update
    finally:
        _one_is_shown.reset(token)
        shown.close()


def stepwise(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The items, a bar with them."""
    with bar(total, what) as advance:
        for item in items:
            yield item
            advance(1)


def _wait(done: threading.Event, timeout: float | None, what: str) -> bool:
    """Wait for R, with a bar after a while; True when it is done."""
    end = None if timeout is None else time.monotonic() + timeout
    if done.wait(AFTER if timeout is None else min(AFTER, timeout)):
        return True
    if not what or not is_wanted():
        return done.wait(None if end is None else max(0.0, end - time.monotonic()))
    words = _WORDS.get(what, what.replace("_", " "))
    found = steps_of_r()
    while True:  # a bar for each loop in R that counts its steps, and for what comes between
        total = None if found is None else found[1]
        with bar(total, words, after=0) as advance:
            shown = 0
            while (None if found is None else found[1]) == total:
                if total is None:
                    advance(1)
                elif found is not None:
                    advance(found[0] - shown)
                    shown = found[0]
                left = LOOK if end is None else min(LOOK, end - time.monotonic())
                if done.wait(max(0.0, left)):
                    return True
                if left <= 0:
                    return False
                found = steps_of_r()


R.waits = _wait


# --- tqdm ---------------------------------------------------------------------------------------


def _in_kernel() -> bool:
    shell = getattr(builtins, "get_ipython", lambda: None)()
    return "IPKernelApp" in getattr(shell, "config", {})


def _bar_class() -> Any:
    """The class of tqdm for the place where we are; None where it is not installed."""
    if importlib.util.find_spec("tqdm") is None:
        return None
    return _class_for(_in_kernel())


@functools.cache
def _class_for(kernel: bool) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that ipywidgets is not installed
        from tqdm.auto import tqdm  # type: ignore[import-untyped, unused-ignore]  # an extra
        from tqdm.std import tqdm as plain  # type: ignore[import-untyped, unused-ignore]  # too
    in_output = kernel and not any("notebook" in c.__module__ for c in tqdm.__mro__)

    class Bar(tqdm):  # type: ignore[misc, unused-ignore]  # of an untyped library
        monitor_interval = 0  # no thread of its own

    class InOutput(plain):  # type: ignore[misc, unused-ignore]
        """Without ipywidgets: one line in the cell's output that leaves nothing behind."""

        monitor_interval = 0
        _place: Any = None

        def display(self, msg: str | None = None, pos: int | None = None) -> bool:
            from pymlm.escape import html_block

            self._say(html_block(str(self) if msg is None else msg))
            return True

        def close(self) -> None:
            self.disable = True
            if self._place is not None:
                self._say("")

        def _say(self, html: str) -> None:
            from IPython.display import display

            content = {"text/html": html, "text/plain": ""}
            if self._place is None:
                self._place = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call, unused-ignore]
            else:
                self._place.update(content, raw=True)

    return InOutput if in_output else Bar
