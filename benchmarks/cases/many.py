"""Thousands of models: one design and many responses, many groups, processes."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.context import Context
from benchmarks.measure import Row, in_turns, peak_memory, seconds, side_by_side

GROUPS, ROWS = 100, 2_000


def responses(k: int, rows: int = ROWS) -> pd.DataFrame:
    """Rows in 100 groups, a predictor, and k responses that depend on it."""
    rng = np.random.default_rng(20261125)
    g = np.repeat(np.arange(GROUPS), rows // GROUPS)
    x = rng.normal(size=rows)
    slopes = 0.5 + 0.3 * rng.normal(size=(k, GROUPS))
    columns = {
        f"y{i}": slopes[i][g] * x + rng.normal(size=GROUPS)[g] + rng.normal(size=rows)
        for i in range(k)
    }
    factor = pd.Categorical.from_codes(g, [f"L{i:03d}" for i in range(GROUPS)])
    return pd.DataFrame({"x": x, "g": factor} | columns)


def groups(k: int) -> pd.DataFrame:
    """K groups of 120 rows, each with 12 levels of its own factor."""
    rng = np.random.default_rng(20261126)
    unit = np.repeat(np.arange(k), 120)
    g = np.tile(np.repeat(np.arange(12), 10), k)
    x = rng.normal(size=120 * k)
    y = x + rng.normal(size=12 * k)[unit * 12 + g] + rng.normal(size=120 * k)
    return pd.DataFrame(
        {"k": pd.Categorical.from_codes(unit, [f"k{i:04d}" for i in range(k)]),
         "g": pd.Categorical.from_codes(g, list("abcdefghijkl")), "x": x, "y": y}
    )  # fmt: skip


def run(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    k = 60 if context.quick else 200
    data = responses(k)
    names = [f"y{i}" for i in range(k)]
    context.r.give("d", data)
    for right, target in (("x + (1 | g)", 10.0), ("x + (x | g)", 6.0)):
        yield _against_loop(
            context, f"{k} responses x 2,000 rows, {right}, with df",
            lambda right=right: mlm.fit_many(
                f"~ {right}", data, responses=names, progress=False
            ),
            f"for (y in names(d)[-(1:2)]) summary(lmerTest::lmer(reformulate('{right}', y), d))",
            "R's loop of lmerTest", target,
        )  # fmt: skip
    several = groups(k)
    context.r.give("several", several)
    yield _against_loop(
        context, f"{k} groups of 120 rows, by=",
        lambda: mlm.fit_many("y ~ x + (1 | g)", several, by="k", progress=False),
        "for (s in split(several, several$k)) summary(lmerTest::lmer(y ~ x + (1 | g), s))",
        "R's loop of lmerTest", 3.0,
    )  # fmt: skip
    yield _in_rows(context)
    yield from _generalized(context)
    yield from _processes(context)


def _against_loop(context, what, ours, native, against, target):  # type: ignore[no-untyped-def]
    ours()  # scipy is there
    a, b, memory = side_by_side(
        lambda: seconds(ours), lambda: context.r.time(native), repeats=3, warm_up=0
    )
    return Row(
        case="many", what=what, ours=a, theirs=b, against=against, sense=">=", target=target,
        memory=memory,
    )  # fmt: skip


def _generalized(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    k = 20 if context.quick else 100
    data = mlm.load_dataset("cbpp")[["herd", "period", "size"]]
    rng = np.random.default_rng(20261127)
    names = [f"p{i}" for i in range(k)]
    shares = {n: rng.binomial(data["size"], 0.2) / data["size"] for n in names}
    data = pd.concat([data.astype({"size": float}), pd.DataFrame(shares)], axis=1)
    context.r.give("shares", data)
    yield _against_loop(
        context, f"binomial glmer, {k} responses of cbpp's size",
        lambda: mlm.fit_many(
            "~ period + (1 | herd)", data, responses=names, family="binomial", weights="size",
            progress=False,
        ),
        "for (y in names(shares)[-(1:3)]) summary(glmer(reformulate('period + (1 | herd)', y), "
        "shares, binomial, weights = size))", "R's loop of glmer", 2.0,
    )  # fmt: skip


def _in_rows(context: Context) -> Row:
    import pymlm as mlm

    k, sizes = 20, (4_000, 32_000)
    names = [f"y{i}" for i in range(k)]
    frames = [responses(k, n) for n in sizes]

    def fit(data: pd.DataFrame) -> float:
        return seconds(lambda: mlm.fit_many("~ x + (1 | g)", data, responses=names, progress=False))

    short, long = in_turns(
        lambda: fit(frames[0]), lambda: fit(frames[1]), repeats=context.repeats(5)
    )
    return Row(
        case="many", what="exponent of the time in rows, 4,000 to 32,000", unit="",
        value=float(np.log(long / short) / np.log(sizes[1] / sizes[0])), sense="<=", target=1.1,
    )  # fmt: skip


def _peaks_of_workers() -> dict[int, float]:
    """Highest memory of each worker process so far, in MB."""
    found = {}
    # Asking loky for its executor may make another one. Its processes are children of this one.
    for task in Path("/proc/self/task").iterdir():
        for pid in map(int, (task / "children").read_text().split()):
            if "loky" not in Path(f"/proc/{pid}/cmdline").read_text():
                continue
            status = Path(f"/proc/{pid}/status").read_text().splitlines()
            peak = next((line for line in status if line.startswith("VmHWM")), None)
            if peak and "tracker" not in Path(f"/proc/{pid}/cmdline").read_text():
                found[pid] = int(peak.split()[1]) / 1024
    return found


def _processes(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    k = 200 if context.quick else 1_000
    data = responses(k)
    names = [f"y{i}" for i in range(k)]
    cores = min(os.cpu_count() or 1, 2)

    def fit(n_jobs: int) -> float:
        return seconds(lambda: mlm.fit_many(
            "~ x + (1 | g)", data, responses=names, n_jobs=n_jobs, progress=False
        ))  # fmt: skip

    fit(cores)  # the workers are up
    many, one = in_turns(lambda: fit(cores), lambda: fit(1), repeats=3, warm_up=0)
    yield Row(
        case="many", what=f"{k} responses, {cores} processes", ours=many, theirs=one,
        against="one process", sense=">=", target=1.6,
    )  # fmt: skip
    if context.quick:
        return
    before = _peaks_of_workers()
    sizes, times = (2_500, 10_000), []
    for n in sizes:
        data = responses(n)
        names = [f"y{i}" for i in range(n)]
        with peak_memory() as extra:
            times.append(fit(cores))
    yield Row(
        case="many", what="10,000 responses, memory above the data (MB)", value=extra.extra,
        unit="MB", sense="<=", target=300.0, ours=times[-1],
    )  # fmt: skip
    peaks = _peaks_of_workers()
    yield Row(
        case="many", what="the same, memory that a worker gained (MB)", unit="MB", sense="<=",
        value=max(peak - before.get(pid, 0.0) for pid, peak in peaks.items()), target=300.0,
        note=f"highest in all {max(peaks.values()):.0f} MB, R and pandas included",
    )  # fmt: skip
    exponent = float(np.log(times[1] / times[0]) / np.log(sizes[1] / sizes[0]))
    yield Row(
        case="many", what="exponent of the time in the number of fits", value=exponent, unit="",
        sense="<=", target=1.1,
    )  # fmt: skip
