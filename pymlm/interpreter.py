"""Which of Python's interpreters this is: R lives once in a process, and NumPy with it."""

from __future__ import annotations

import importlib

from pymlm.errors import RNotFoundError


def refuse_sub_interpreters() -> None:
    """Raise in an interpreter that is not the process's main one.

    Raises
    ------
    RNotFoundError
        R holds one state for the whole process, which two interpreters would change in turns.
    """
    for name in ("_interpreters", "_xxsubinterpreters"):  # of Python 3.13, and before
        try:
            interpreters = importlib.import_module(name)
        except ImportError:
            continue
        if interpreters.get_current() != interpreters.get_main():
            raise RNotFoundError(
                "pymlm cannot be used in a sub-interpreter: R lives once in a process. Use it in "
                "the main interpreter, or start processes (multiprocessing, joblib)."
            )
        return
