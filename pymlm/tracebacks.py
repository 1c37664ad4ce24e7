"""Tracebacks of a user's mistake: the user's line and the message, without frames of ours.

A public function takes our frames out of a PymlmError on its way to the user (`strict`), all but
its own, which cannot leave itself: pytest skips that one by its `__tracebackhide__`, IPython and
notebooks ask the error how it looks (`_render_traceback_`), scripts and the REPL ask the hook here.
Other errors are bugs, ours or a callback's: they keep every frame.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any

#: Modules that stand between two functions of ours: cached properties, contexts, lazy names.
_BETWEEN = ("functools", "contextlib", "dataclasses", "joblib", "lazy_loader", "importlib")

#: Whether to show every frame; `pymlm.options` says.
shows_all: Callable[[], bool] = bool


def is_ours(module: object) -> bool:
    """Return whether a frame of this module is no line of the user's."""
    return str(module).partition(".")[0] in ("pymlm", *_BETWEEN)


def shortened(error: BaseException) -> BaseException:
    """Take the frames of ours out of an error that is on its way to the user."""
    _show_without_ours()
    return error if shows_all() else error.with_traceback(users(error.__traceback__))


def users(trace: TracebackType | None) -> TracebackType | None:
    """Return a traceback without frames of ours; as it is where no other would be left."""
    kept = []
    while trace is not None:
        if not is_ours(trace.tb_frame.f_globals.get("__name__", "")):
            kept.append(trace)
        trace = trace.tb_next
    out = None
    for part in reversed(kept):
        out = TracebackType(out, part.tb_frame, part.tb_lasti, part.tb_lineno)
    return out


def in_ipython(error: BaseException) -> list[str]:
    """Return the lines that IPython and notebooks show for an error of ours."""
    shell: Any = getattr(builtins, "get_ipython", lambda: None)()
    trace = error.__traceback__ if shows_all() else users(error.__traceback__)
    if shell is None:
        import traceback

        return traceback.format_exception(type(error), error, trace)
    # One frame of IPython's own stands first.
    lines: list[str] = shell.InteractiveTB.structured_traceback(
        type(error), error, trace, tb_offset=shell.InteractiveTB.tb_offset
    )
    return lines


def _show_without_ours() -> None:
    """From the first mistake on, let scripts and the REPL show none of our frames.

    A hook that somebody else has set is left alone.
    """
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _hook


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if kind.__module__ == "pymlm.errors" and not shows_all():
        error.__traceback__ = trace = users(trace)
    sys.__excepthook__(kind, error, trace)
