"""R lives on one thread of its own: start, call, interrupt, time limit, fork.

Why a thread: on Python's main thread (8 MB stack) deeply nested R code overruns the stack and kills
the process, and Ctrl-C during a long fit is swallowed. Here R has a 512 MB stack, so R's own limit
(``expressions``) comes first and is an ordinary error; and whoever waits for R waits interruptibly,
sets R's interrupt flag, and R stops at its next check.

One thread also serialises whole jobs, where rpy2's lock covers single calls only.
"""

from __future__ import annotations

import contextlib
import os
import queue
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, ClassVar, Generic, TypeVar

from pymlm.engine import rpy2_private
from pymlm.engine.fork import REFUSAL, Rest
from pymlm.errors import FitTimeout, RError

T = TypeVar("T")

STACK_BYTES = 512 * 1024 * 1024
#: Seconds to wait for R to notice an interrupt before the caller is let go. R code checks within
#: 0.2 s; compiled code may not check at all, and then R stays busy until it returns.
INTERRUPT_GRACE = 5.0


class Job(Generic[T]):
    """One unit of work for the R thread, and its outcome."""

    __slots__ = ("abandoned", "cancelled", "done", "error", "interrupted", "value", "work")

    def __init__(self, work: Callable[[], T]) -> None:
        self.work: Callable[[], T] | None = work
        self.done = threading.Event()
        self.value: T | None = None
        self.error: BaseException | None = None
        self.abandoned = False
        self.cancelled = False
        self.interrupted = False

    def execute(self) -> None:
        assert self.work is not None
        try:
            self.value = self.work()
        except BaseException as error:  # the R thread must survive whatever a job does
            # Frames of the traceback hold R objects, which only the R thread may release.
            self.error = error.with_traceback(None)
            self.error.__context__ = None
        finally:
            self.work = None


class RThread:
    """The thread that R runs on; made when first used, and anew in a forked child."""

    # Bound here: while Python shuts down, modules lose their names.
    _ending = staticmethod(sys.is_finalizing)

    def __init__(self) -> None:
        self._released: deque[int] = deque()
        self._objects: dict[int, Any] = {}
        self._next_key = 0
        self._refused = ""  # why R cannot be used in this process
        self._rest = Rest()
        #: What every new R thread does first; set when R has started.
        self.prepare: Callable[[], None] = lambda: None
        #: How a caller waits: for the event, at most so many seconds, for what; True when it came.
        self.waits: Callable[[threading.Event, float | None, str], bool] = _wait
        self._reset()

    def _reset(self) -> None:
        self._queue: queue.SimpleQueue[Job[Any]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._state = threading.Lock()  # guards _current and the interrupt flag
        self._current: Job[Any] | None = None
        self._undisturbed = False

    # --- running jobs ---------------------------------------------------------------------------

    def run(self, work: Callable[[], T], timeout: float | None = None, what: str = "") -> T:
        """Run `work` on the R thread and wait for it; `what` it is, in a word, for who waits.

        Raises
        ------
        FitTimeout
            After `timeout` seconds, waiting for other jobs included; R is stopped.
        KeyboardInterrupt
            On Ctrl-C; R is stopped first.
        RError
            When R cannot be used: Python is shutting down, or the process was forked while R was
            at work.
        """
        # Threads other than the main one do not run any more then: R would never answer.
        if self._ending():
            raise RError("Python is shutting down, and R with it: nothing can be asked of R now")
        if self._refused:
            raise RError(self._refused)
        if threading.current_thread() is self._thread or rpy2_private.holds_r():
            return work()
        self._ensure_thread()
        job = Job(work)
        self._queue.put(job)
        try:
            finished = self.waits(job.done, timeout, what)
        except BaseException:
            self._interrupt(job)
            if not job.cancelled:
                job.done.wait(INTERRUPT_GRACE)
            raise
        if not finished:
            self._interrupt(job)
            # A job that never started, because R is busy with another's, is not waited for.
            stopped = job.cancelled or job.done.wait(INTERRUPT_GRACE)
            if not stopped or job.cancelled or job.error is not None:
                now = (
                    "was stopped; R can be used again" if stopped
                    else "cannot be stopped where it is; what is asked of it next waits for it"
                )  # fmt: skip
                raise FitTimeout(
                    f"R did not finish within {timeout:g} s and {now}. "
                    "Raise timeout= or simplify the model."
                )
        if job.error is not None:
            raise job.error
        return job.value  # type: ignore[return-value]  # set whenever error is None

    def _interrupt(self, job: Job[Any]) -> None:
        with self._state:
            if job.done.is_set():
                return
            job.interrupted = True
            if self._current is job:
                self._stop_r()
            else:
                job.cancelled = True

    def _stop_r(self) -> None:
        """Let R stop at its next check (call with `_state` held)."""
        if not self._undisturbed:
            rpy2_private.set_interrupt_flag(1)

    @contextlib.contextmanager
    def undisturbed(self) -> Iterator[None]:
        """What runs inside on the R thread comes to its end; an interrupt stops what follows.

        R that is interrupted while it starts is broken for good, or ends the process.
        """
        with self._state:
            self._undisturbed = True
        try:
            yield
        finally:
            with self._state:
                self._undisturbed = False
                if self._current is not None and self._current.interrupted:
                    self._stop_r()

    def abandon(self) -> None:
        """Stop the job that runs now, and tell nobody: the process is about to end."""
        with self._state:
            if self._current is not None:
                self._current.interrupted = self._current.abandoned = True
                self._stop_r()

    def _ensure_thread(self) -> None:
        if self._thread is not None:
            return
        with self._starting:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._serve, name="pymlm-R", daemon=True)
            with _stack_size(STACK_BYTES):
                try:
                    thread.start()
                except (RuntimeError, MemoryError) as error:
                    raise RError(f"the thread that R runs on cannot be started: {error}") from None
            self._thread = thread

    def _serve(self) -> None:
        jobs = self._queue
        self.prepare()
        while True:
            job = jobs.get()
            self._rest.let_forks_through()
            # A program that uses rpy2 beside us may be in R at this moment. Until it is out, the
            # job is not current: an interrupt would stop the program's work instead.
            with self._rest.working, rpy2_private.lock() or contextlib.nullcontext():
                self._drain()
                with self._state:
                    if not job.cancelled:
                        self._current = job
                if not job.cancelled:
                    job.execute()
                    with self._state:
                        self._current = None
                        if job.interrupted:
                            rpy2_private.set_interrupt_flag(0)
                if not job.abandoned:
                    job.done.set()
            del job

    # --- R objects ------------------------------------------------------------------------------

    def keep(self, value: Any) -> RObject:
        """Keep an R object alive (call on the R thread) and return the handle for other threads."""
        self._next_key += 1
        self._objects[self._next_key] = value
        return RObject(self, self._next_key)

    def object(self, key: int) -> Any:
        """Return the R object behind a handle's key (call on the R thread)."""
        return self._objects[key]

    def release(self, key: int) -> None:
        """Let an R object go, on any thread; the R thread does it before its next job."""
        self._released.append(key)

    def _drain(self) -> None:
        while self._released:
            self._objects.pop(self._released.popleft(), None)

    # --- fork -----------------------------------------------------------------------------------

    def before_fork(self) -> None:
        self._rest.before_fork()

    def after_fork_parent(self) -> None:
        self._rest.after_fork_parent()

    def after_fork_child(self) -> None:
        # R's memory came along, its thread did not: the next call makes a new one.
        if not self._rest.after_fork_child():
            self._refused = REFUSAL
        self._reset()


class RObject:
    """A handle to an R object that may be held, copied and dropped on any thread."""

    __slots__ = ("__weakref__", "_key", "_thread")

    #: Asks R for the text; `calls`, which imports this module, sets it.
    shown: ClassVar[Callable[[RObject, int | None], str]]

    def __init__(self, thread: RThread, key: int) -> None:
        self._thread = thread
        self._key = key

    @property
    def value(self) -> Any:
        """The rpy2 object; only code on the R thread may ask."""
        return self._thread.object(self._key)

    def show(self, digits: int | None = None) -> str:
        """Text that R prints for an object that waits to be printed, under ``options(digits)``."""
        return RObject.shown(self, digits)

    def __del__(self) -> None:
        self._thread.release(self._key)

    def __reduce__(self) -> Any:
        raise TypeError("an R object cannot be pickled by itself; pickle the model")


def _wait(done: threading.Event, timeout: float | None, what: str) -> bool:
    return done.wait(timeout)


@contextlib.contextmanager
def _stack_size(size: int) -> Iterator[None]:
    """Threads started inside get `size` bytes of stack, where the system allows it."""
    try:
        before = threading.stack_size(size)
    except (ValueError, RuntimeError):
        yield
        return
    try:
        yield
    finally:
        threading.stack_size(before)


R = RThread()

os.register_at_fork(
    before=R.before_fork,
    after_in_parent=R.after_fork_parent,
    after_in_child=R.after_fork_child,
)
os.register_at_fork(after_in_parent=R.after_fork_parent)  # once more: see Rest.after_fork_parent
