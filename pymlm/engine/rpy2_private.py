"""Every name of rpy2 that its documentation does not promise: here, and nowhere else in pymlm.

`NAMES` is the list. A release of rpy2 that drops one of them is found by `gone` (R does not start,
and the error says which name), and by the test of this file, on each rpy2 that the tests run on.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from typing import Any

#: Module of rpy2 -> names in it that pymlm uses.
NAMES: dict[str, tuple[str, ...]] = {
    "rpy2.rinterface": ("_post_initr_setup",),
    "rpy2.rinterface_lib.embedded": ("_initr", "isinitialized", "set_initoptions"),
    "rpy2.rinterface_lib._rinterface_capi": ("_TYPEOF", "_register_external_symbols"),
    "rpy2.rinterface_lib.conversion": ("_cdata_to_rinterface",),
    "rpy2.rinterface_lib.openrlib": (
        "rlib", "ffi", "rlock", "rlock._is_owned", "RAW", "REAL", "INTEGER", "LOGICAL",
        "rlib.Rf_install", "rlib.Rf_getAttrib", "rlib.Rf_xlength", "rlib.Rf_getCharCE",
        "rlib.VECTOR_ELT", "rlib.STRING_ELT", "rlib.SET_VECTOR_ELT", "rlib.R_CHAR",
        "rlib.R_NaString", "rlib.R_BaseEnv", "rlib.R_tryEval", "rlib.CAR", "rlib.CDR",
        "rlib.R_interrupts_pending", "rlib.ptr_R_ProcessEvents",
    ),
}  # fmt: skip


def gone() -> tuple[str, ...]:
    """Return the names that the installed rpy2 has no longer, e.g. "rpy2.rinterface._initr"."""
    return tuple(
        f"{module}.{name}"
        for module, names in NAMES.items()
        for name in names
        if not _has(importlib.import_module(module), name)
    )


def _has(where: Any, name: str) -> bool:
    for part in name.split("."):
        if not hasattr(where, part):
            return False
        where = getattr(where, part)
    return True


def imported(library_path: Callable[[str], str]) -> Any:
    """Import rpy2's interface to R, with `library_path` in the place of an Rscript that rpy2 runs.

    Returns
    -------
    module
        ``rpy2.rinterface``.
    """
    import rpy2.situation

    # Where it is gone, rpy2 asks in its own way, or not at all.
    name = "r_ld_library_path_from_subprocess"
    before = getattr(rpy2.situation, name, None)
    if before is not None:
        setattr(rpy2.situation, name, library_path)
    try:
        import rpy2.rinterface as rinterface
    finally:
        if before is not None:
            setattr(rpy2.situation, name, before)
    return rinterface


def is_started() -> bool:
    """Say whether an R runs in this process, be it a program's beside us."""
    from rpy2.rinterface_lib import embedded

    return bool(embedded.isinitialized())


def start(options: tuple[str, ...]) -> None:
    """Do what rpy2's ``initr`` does, and not what it does besides.

    It runs an Rscript for environment variables (they are set already), and at exit cleans up on
    the main thread, where it would wait for a busy R for ever.
    """
    import rpy2.rinterface as rinterface
    from rpy2.rinterface_lib import _rinterface_capi, embedded

    embedded.set_initoptions(options)
    with warnings.catch_warnings():
        # rpy2 warns that R does not run on the main thread, which is what we want.
        warnings.simplefilter("ignore")
        embedded._initr()
        _rinterface_capi._register_external_symbols()
        rinterface._post_initr_setup()


@functools.cache
def c_interface() -> Any:
    """R's C interface, a level below rpy2's vectors.

    Making an rpy2 vector for every element of every answer cost more than most answers.
    """
    from rpy2.rinterface_lib import _rinterface_capi, conversion, openrlib

    return types.SimpleNamespace(
        lib=openrlib.rlib,
        ffi=openrlib.ffi,
        type_of=_rinterface_capi._TYPEOF,
        wrap=conversion._cdata_to_rinterface,
        names=openrlib.rlib.Rf_install(b"names"),
        dim=openrlib.rlib.Rf_install(b"dim"),
        raw=openrlib.RAW,
        double=openrlib.REAL,
        integer=openrlib.INTEGER,
        logical=openrlib.LOGICAL,
    )


def c_object(value: Any) -> Any:
    """Return the C object behind an object of rpy2's."""
    return value.__sexp__._cdata


def lock() -> Any:
    """rpy2's lock, which whoever is in R holds; None while nobody has imported rpy2."""
    return getattr(sys.modules.get("rpy2.rinterface_lib.openrlib"), "rlock", None)


def holds_r() -> bool:
    """Say whether this thread is in R already: in a function of Python that R called through rpy2.

    The R thread would wait for it, and it for the R thread.
    """
    rlock = lock()
    return rlock is not None and rlock._is_owned()


def set_interrupt_flag(value: int) -> None:
    """Ask R to stop at its next check (1), or take that back (0)."""
    from rpy2.rinterface_lib import openrlib

    openrlib.rlib.R_interrupts_pending = value


@contextlib.contextmanager
def without_events() -> Iterator[None]:
    """Let R work without asking Python for events at every check for an interrupt.

    rpy2 gives R a callback that does nothing and needs Python's lock for it, some 400 times in a
    small fit. Beside a Python thread that computes, each of them waits 5 ms: a fit of 9 ms took
    2 s. Whoever else uses this R gets the callback back.
    """
    from rpy2.rinterface_lib import openrlib

    before = openrlib.rlib.ptr_R_ProcessEvents
    openrlib.rlib.ptr_R_ProcessEvents = openrlib.ffi.NULL
    try:
        yield
    finally:
        openrlib.rlib.ptr_R_ProcessEvents = before
