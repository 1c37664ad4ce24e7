"""Chunks of work in several processes, done again where a worker dies.

joblib starts the workers: processes of this machine, or whatever ``joblib.parallel_config`` says
(Dask, Ray, Spark).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from pymlm.engine.left_behind import ForWorkers
from pymlm.errors import RNotFoundError, WorkersLost
from pymlm.many.tables import Tables
from pymlm.progress import bar

#: Seconds that a chunk takes: long beside the cost of a task, short enough for a progress bar and
#: for a worker that is lost.
CHUNK_SECONDS = 1.0
#: How often a chunk is done again after its worker died: it may be what kills it.
TRIES = 3

Chunk = tuple[int, int]
Work = Callable[[int, int], tuple[Callable[..., Tables], tuple[Any, ...]]]


def run_all(
    numbers: Sequence[int], work: Work, n_jobs: int, progress: bool | None,
    done: Callable[[Tables], None],
) -> None:  # fmt: skip
    """Do the fits `numbers`, chunk by chunk, and hand over the tables of each chunk as they come.

    Parameters
    ----------
    numbers : sequence of int
        Which fits; consecutive ones make a chunk.
    work : function
        Makes the task (a function and its arguments) of the fits ``first … last - 1`` of `numbers`.
    n_jobs : int
    progress : bool, optional
    done : function
        Takes the tables of a chunk, numbered as in `numbers`.

    Raises
    ------
    WorkersLost
        When the same chunk loses its worker `TRIES` times.
    """
    total = len(numbers)
    if not total:
        return
    with bar(total, "fits", progress) as advance:

        def finish(chunk: Chunk, tables: Tables) -> None:
            done(tables.renumbered(numbers[chunk[0] : chunk[1]]))
            advance(chunk[1] - chunk[0])

        first = min(total, 8)
        started = time.perf_counter()
        function, arguments = work(0, first)
        finish((0, first), function(*arguments))
        each = (time.perf_counter() - started) / first
        chunks = list(_chunks(first, total, each, n_jobs))
        if n_jobs == 1:
            for chunk in chunks:
                function, arguments = work(*chunk)
                finish(chunk, function(*arguments))
        else:
            _elsewhere(chunks, work, n_jobs, finish)


def _chunks(first: int, total: int, each: float, n_jobs: int) -> Iterator[Chunk]:
    if first >= total:
        return
    size = max(1, int(CHUNK_SECONDS / max(each, 1e-6)))
    if n_jobs != 1:
        import joblib

        # At least two chunks a worker, so that none waits for a slow one.
        size = min(size, max(1, math.ceil((total - first) / (2 * joblib.effective_n_jobs(n_jobs)))))
    for start in range(first, total, size):
        yield start, min(start + size, total)


def _elsewhere(
    chunks: list[Chunk], work: Work, n_jobs: int, finish: Callable[[Chunk, Tables], None]
) -> None:
    import joblib

    left, tries = list(chunks), 0
    while left:
        jobs = joblib.Parallel(n_jobs=n_jobs, return_as="generator", pre_dispatch="2*n_jobs")
        # joblib reads on while `left` gets shorter.
        tasks = (work(*c) for c in tuple(left))
        results = jobs(joblib.delayed(ForWorkers(f))(*a) for f, a in tasks)
        before = len(left)
        try:
            for tables in results:
                finish(left.pop(0), tables)
        except RNotFoundError as error:
            raise RNotFoundError(
                f"a worker process cannot start R: {error} What was done is ManyFits.partial"
            ) from None
        except Exception as error:
            if not _worker_died(error):
                raise
            tries = tries + 1 if len(left) == before else 1
            if tries >= TRIES:
                raise WorkersLost(
                    f"worker processes died {TRIES} times on the fits {left[0][0] + 1} to "
                    f"{left[0][1]} ({type(error).__name__}): too little memory? What was done is "
                    "ManyFits.partial; try n_jobs=1"
                ) from None


def _worker_died(error: Exception) -> bool:
    return any(
        c.__name__ in ("BrokenProcessPool", "TerminatedWorkerError", "KilledWorker")
        for c in type(error).__mro__
    )
