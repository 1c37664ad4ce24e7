"""Work in several processes, through joblib; nothing of it is imported before it is needed."""

from __future__ import annotations

import itertools
import secrets
import warnings
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from pymlm.arguments import seed_at_least_0
from pymlm.engine.left_behind import ForWorkers
from pymlm.errors import PymlmWarning, warn
from pymlm.progress import bar

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
    what: str,
    steps: Sequence[int],
) -> list[T]:
    """Call `function` with each task's arguments in worker processes; order is kept.

    The bar of `what` goes on by the task's `steps` when it is done.
    """
    import joblib

    jobs = joblib.Parallel(n_jobs=n_jobs, return_as="generator")
    results = jobs(joblib.delayed(ForWorkers(_Heard(function)))(*task) for task in tasks)
    found, said = [], []
    with bar(sum(steps), what) as advance:
        for (result, told), n in zip(results, steps, strict=True):
            found.append(result)
            said.extend(told)
            advance(n)
    for text, category in dict.fromkeys(said):
        warn(text, category)
    return found


class _Heard:
    """A function that gives its warnings back with its answer, to be given where the user is."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __call__(self, *args: Any) -> tuple[Any, list[tuple[str, type[PymlmWarning]]]]:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always", PymlmWarning)
            answer = self._function(*args)
        return answer, [
            (str(w.message), w.category) for w in told if issubclass(w.category, PymlmWarning)
        ]
