"""Work in several processes, through joblib; nothing of it is imported before it is needed."""

from __future__ import annotations

import contextlib
import itertools
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

from pymlm.arguments import seed_at_least_0
from pymlm.engine.left_behind import ForWorkers

T = TypeVar("T")


def check_seed(seed: object) -> int:
    """Return a seed that R takes; a fresh one for None."""
    if seed is None:
        return secrets.randbelow(2**31 - 1)
    return seed_at_least_0(seed)


def chunks(n: int, n_jobs: int) -> list[tuple[int, int]]:
    """Split 1 … n into (first, last) pieces, a few per process."""
    if n_jobs == 1:
        return [(1, n)]
    import joblib

    pieces = min(n, 2 * joblib.effective_n_jobs(n_jobs))
    ends = [round(n * i / pieces) for i in range(pieces + 1)]
    return [(a + 1, b) for a, b in itertools.pairwise(ends) if b > a]


def run(
    function: Callable[..., T],
    tasks: Sequence[tuple[Any, ...]],
    n_jobs: int,
    progress: bool = False,
) -> list[T]:
    """Call `function` with each task's arguments, here or in worker processes; order is kept."""
    if n_jobs == 1:
        return list(_shown((function(*task) for task in tasks), len(tasks), progress))
    import joblib

    jobs = joblib.Parallel(n_jobs=n_jobs, return_as="generator")
    results = jobs(joblib.delayed(ForWorkers(function))(*task) for task in tasks)
    return list(_shown(results, len(tasks), progress))


@contextlib.contextmanager
def bar(total: int, progress: bool, unit: str) -> Iterator[Callable[[int], object]]:
    """A progress bar where somebody looks and tqdm is installed; gives what moves it on."""
    shown: Any = None
    if progress and sys.stderr is not None and sys.stderr.isatty():
        try:
            import tqdm  # type: ignore[import-untyped, unused-ignore]  # an optional extra

            shown = tqdm.tqdm(total=total, unit=unit, leave=False)
        except ImportError:
            pass
    try:
        yield shown.update if shown is not None else (lambda n: None)
    finally:
        if shown is not None:
            shown.close()


def _shown(results: Iterable[T], total: int, progress: bool) -> Iterator[T]:
    """The results as they come, the bar with them."""
    with bar(total, progress, "it") as advance:
        for result in results:
            yield result
            advance(1)
