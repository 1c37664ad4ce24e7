"""R starts in the user's locale, and leaves the process in the one that it was in.

R sets the locale of the whole process, with which ``strftime``, ``strxfrm`` or ``locale`` of the
program would answer differently. Here it is R's thread that keeps R's locale.
"""

from __future__ import annotations

import contextlib
import ctypes
import locale
import os
from collections.abc import Callable, Iterator

_GLOBAL = ctypes.c_void_p(-1)  # LC_GLOBAL_LOCALE, on Linux and macOS


@contextlib.contextmanager
def kept_locale(keep: Callable[[Callable[[], None]], None]) -> Iterator[None]:
    """Let R start inside; afterwards this thread alone is in R's locale.

    Parameters
    ----------
    keep : callable
        Given the function that puts another thread into R's locale.
    """
    before = locale.setlocale(locale.LC_ALL)
    locale.setlocale(locale.LC_NUMERIC, "C")  # R reads and writes numbers with a point
    try:
        yield
    finally:
        libc = ctypes.CDLL(None)
        if hasattr(libc, "uselocale"):
            libc.duplocale.restype = libc.uselocale.restype = ctypes.c_void_p
            of_r = ctypes.c_void_p(libc.duplocale(_GLOBAL))

            def adopt() -> None:
                libc.uselocale(of_r)

            adopt()
            keep(adopt)
            locale.setlocale(locale.LC_ALL, before)


@contextlib.contextmanager
def utf8_locale() -> Iterator[None]:
    """Let R start in UTF-8: with LANG=C or a locale that is not installed, it would not."""
    before = locale.setlocale(locale.LC_CTYPE)
    try:
        locale.setlocale(locale.LC_CTYPE, "")
        utf8 = locale.nl_langinfo(locale.CODESET).upper().replace("-", "") == "UTF8"
    except locale.Error:
        utf8 = False
    finally:
        locale.setlocale(locale.LC_CTYPE, before)
    if utf8:
        yield
        return
    with kept_variables("LC_ALL"):
        os.environ["LC_ALL"] = "C.UTF-8"
        yield


@contextlib.contextmanager
def kept_variables(*names: str) -> Iterator[None]:
    """Put environment variables back."""
    before = {name: os.environ.get(name) for name in names}
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
