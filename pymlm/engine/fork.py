"""What becomes of R when the process forks: it forks at rest, or the child does without R.

A fork copies one thread only. R in the child is whole if nobody worked in it at that moment, in the
parent: the R thread, or a program that uses rpy2 beside us. A fork therefore waits for R to be at
rest, but not for a long fit: many children (``subprocess`` with ``preexec_fn``) never ask for R.
"""

from __future__ import annotations

import contextlib
import ctypes
import signal
import sys
import threading
import time
from typing import Any

from pymlm.engine import rpy2_private

#: Seconds that a fork waits for R.
PATIENCE = 2.0
#: Why a child may not use R, and what to do.
REFUSAL = (
    "this process was forked while R was at work for another thread, and "
    f"{PATIENCE:g} s later still was: R cannot be used here. Fork when no model is being fitted, "
    "or start processes by multiprocessing's 'spawn' or 'forkserver'."
)


class Rest:
    """R's rest: `working` is held by who works in R, and by a fork."""

    def __init__(self) -> None:
        self._reset()

    def _reset(self) -> None:
        # Its owner is known, so that releasing it twice does no harm (see `after_fork_parent`).
        self.working = threading.RLock()
        self._forks: dict[int, list[Any]] = {}  # thread that forks -> locks that it took
        self._raised: dict[int, BaseException] = {}

    def let_forks_through(self) -> None:
        """Wait for forks that wait for R: between two jobs they would hardly ever get the lock."""
        end = time.monotonic() + PATIENCE
        while self._forks and time.monotonic() < end:
            time.sleep(0.0005)

    def before_fork(self) -> None:
        """Take R, if it comes to rest in time.

        A signal's handler that raises ends the waiting; `after_fork_parent` passes that on.
        """
        me = threading.get_ident()
        taken = self._forks[me] = []
        try:
            end = time.monotonic() + PATIENCE
            for lock in self._locks():
                if not lock._is_owned():  # else this thread is in R, and stays so
                    taken.append(lock)
                    if not lock.acquire(timeout=max(0.0, end - time.monotonic())):
                        return
        except BaseException as error:
            self._raised[me] = error

    def after_fork_parent(self) -> None:
        """Give R back.

        Called twice for each fork: Python drops what a signal's handler raises in here, and with it
        what comes after; a lock that stayed taken would block R for ever.
        """
        me = threading.get_ident()
        _release(self._forks.get(me, ()))
        self._forks.pop(me, None)
        error = self._raised.pop(me, None)
        if error is not None:
            threading.Thread(target=_raise_again, args=(error, me), daemon=True).start()

    def after_fork_child(self) -> bool:
        """Say whether R was at rest."""
        taken = list(self._forks.pop(threading.get_ident(), ()))
        at_rest = True
        for lock in self._locks():
            if not lock._is_owned():
                if lock.acquire(blocking=False):
                    taken.append(lock)
                else:
                    at_rest = False
        _release(taken)
        self._reset()
        return at_rest

    def _locks(self) -> list[Any]:
        return [lock for lock in (self.working, rpy2_private.lock()) if lock is not None]


def _release(locks: Any) -> None:
    for lock in locks:
        with contextlib.suppress(RuntimeError):  # it did not come to rest in time, or is free again
            lock.release()


def _raise_again(error: BaseException, thread: int) -> None:
    """Raise in a thread what a signal's handler raised in the hook of a fork, once it is out of it.

    Python prints and drops whatever a hook raises: Ctrl-C would be lost.
    """
    hook = Rest.after_fork_parent.__code__
    while _is_in(sys._current_frames().get(thread), hook):
        time.sleep(0.001)
    if isinstance(error, KeyboardInterrupt):
        signal.pthread_kill(thread, signal.SIGINT)  # which also ends a system call
    else:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread), ctypes.py_object(type(error))
        )


def _is_in(frame: Any, code: Any) -> bool:
    while frame is not None:
        if frame.f_code is code:
            return True
        frame = frame.f_back
    return False
