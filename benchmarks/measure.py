"""Rows of the table, and how they are measured: side by side, in turns, medians."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table.

    `ours` and `theirs` are medians in seconds (or MB, by `unit`). `ratio` is theirs / ours where
    `sense` is ">=" (times faster), else ours / theirs (times as long); or `value`, where a row
    is about neither. `target` is what the ratio or value must reach.
    """

    case: str
    what: str
    against: str = ""
    ours: float | None = None
    theirs: float | None = None
    value: float | None = None
    unit: str = "s"
    sense: str = ""
    target: float | None = None
    memory: float | None = None
    note: str = ""

    @property
    def ratio(self) -> float | None:
        if self.value is not None:
            return self.value
        if not self.ours or not self.theirs:
            return None
        return self.theirs / self.ours if self.sense == ">=" else self.ours / self.theirs

    @property
    def met(self) -> bool | None:
        if self.target is None or self.ratio is None:
            return None
        return self.ratio >= self.target if self.sense == ">=" else self.ratio <= self.target


def seconds(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def in_turns(
    *work: Callable[[], float], repeats: int, warm_up: int = 1
) -> tuple[float, ...]:  # fmt: skip
    """Medians of several measurements that take turns, so that a busy machine slows all alike."""
    for _ in range(warm_up):
        for w in work:
            w()
    found: list[list[float]] = [[] for _ in work]
    for _ in range(repeats):
        for times, w in zip(found, work, strict=True):
            times.append(w())
    return tuple(statistics.median(times) for times in found)


class Turns(NamedTuple):
    """Medians of two sides in seconds, and the memory that ours took, in MB."""

    ours: float
    theirs: float
    memory: float


def side_by_side(
    ours: Callable[[], float], theirs: Callable[[], float], *, repeats: int, warm_up: int = 1
) -> Turns:
    """Measure our memory the first time, then both sides in turns."""
    with peak_memory() as memory:
        ours()
    return Turns(*in_turns(ours, theirs, repeats=repeats, warm_up=warm_up), memory.extra)


class Memory:
    """Memory of this process beyond what it had before, at its highest, in MB."""

    extra: float = float("nan")


@contextlib.contextmanager
def peak_memory() -> Iterator[Memory]:
    """Measure the highest resident memory inside the block; NaN where the system does not say."""
    found = Memory()
    try:
        with open("/proc/self/clear_refs", "w") as f:
            f.write("5")
    except OSError:
        yield found
        return
    before = _status("VmRSS")
    yield found
    found.extra = _status("VmHWM") - before


def _status(name: str) -> float:
    with open("/proc/self/status") as f:
        for line in f:
            if line.startswith(name):
                return int(line.split()[1]) / 1024
    return float("nan")


def process(command: Sequence[str]) -> tuple[float, float]:
    """Run a command; return wall seconds and peak memory in MB."""
    env = {k: v for k, v in os.environ.items() if k not in ("R_HOME", "LD_LIBRARY_PATH")}
    start = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=env)
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"{command[0]} failed: {said.decode()[-500:]}")
    return time.perf_counter() - start, usage.ru_maxrss / 1024
