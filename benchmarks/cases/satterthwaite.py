"""Satterthwaite's method: the exact engine against lmerTest's numerical derivatives."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.context import Context, twin
from benchmarks.data import CROSSED, NESTED, NESTED_START, crossed, nested
from benchmarks.measure import Row, in_turns, peak_memory, seconds

REFERENCE = "lmerTest: as_lmerModLmerTest"


def _exact(model: Any) -> float:
    """All that the exact engine does for a model that nothing was asked of."""
    fresh = twin(model)
    return seconds(lambda: fresh._engine("Satterthwaite", "exact"))


def _both(
    context: Context, model: Any, native: str, repeats: int, warm_up: int = 1
) -> tuple[float, float, float]:
    """Medians of both, and the largest relative difference of the degrees of freedom."""
    r = context.r
    r.run(f"m <- {native}")
    ours, theirs = in_turns(
        lambda: _exact(model), lambda: r.time("t <- as_lmerModLmerTest(m)"), repeats=repeats,
        warm_up=warm_up,
    )  # fmt: skip
    native_df = r.numbers('coef(summary(t))[, "df"]')
    df = twin(model).summary(engine="exact").fixed.df
    return ours, theirs, float(np.max(np.abs(df / native_df - 1)))


def targets(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    m = mlm.lmer("mAch ~ meanses * cses + (cses | school)", mlm.load_dataset("mlmRev::Hsb82"))
    native = (
        'lmer(mAch ~ meanses * cses + (cses | school), {data(Hsb82, package = "mlmRev"); Hsb82})'
    )
    ours, theirs, apart = _both(context, m, native, context.repeats(15))
    yield Row(
        case="satterthwaite", what="Hsb82, 7,185 rows", ours=ours, theirs=theirs,
        against=REFERENCE, sense=">=", note=f"df within {apart:.0e}",
    )  # fmt: skip

    data = nested(100_000, 1_000)
    context.r.give("nested", data)
    m = mlm.lmer(NESTED, data)
    with peak_memory() as memory:
        _exact(m)
    ours, theirs, apart = _both(context, m, f"lmer({NESTED}, nested)", context.repeats(9))
    yield Row(
        case="satterthwaite", what="100,000 rows x 1,000 groups, slope", ours=ours, theirs=theirs,
        against=REFERENCE, sense=">=", target=40, memory=memory.extra,
        note=f"df within {apart:.0e}",
    )  # fmt: skip
    if context.quick:
        return
    m = mlm.lmer("y ~ service + (1 | s) + (1 | d)", mlm.load_dataset("lme4::InstEval"))
    with peak_memory() as memory:
        _exact(m)
    native = "lmer(y ~ service + (1 | s) + (1 | d), InstEval)"
    ours, theirs, apart = _both(context, m, native, 3, warm_up=0)
    yield Row(
        case="satterthwaite", what="InstEval, crossed, q = 4,100", ours=ours, theirs=theirs,
        against=REFERENCE, sense=">=", target=3, memory=memory.extra,
        note=f"df within {apart:.0e}; memory to stay below 1,536 MB",
    )  # fmt: skip


def nested_rows(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    sizes = (1_000, 10_000, 100_000) if context.quick else (1_000, 10_000, 100_000, 1_000_000)
    times = {}
    for n in sizes:
        data = nested(n, n // 50)
        context.r.give("nested", data)
        control = {"calc_derivs": False}
        m = mlm.lmer(NESTED, data, start=NESTED_START, control=control)
        native = (
            f"lmer({NESTED}, nested, start = c(1, 0, 0.4), "
            "control = lmerControl(calc.derivs = FALSE))"
        )
        with peak_memory() as memory:
            _exact(m)
        few = n >= 1_000_000
        ours, theirs, apart = _both(
            context, m, native, 1 if few else context.repeats(9), warm_up=0 if few else 1
        )
        times[n] = min(_exact(m) for _ in range(5))
        yield Row(
            case="satterthwaite-nested", what=f"{n:,} rows in groups of 50, slope", ours=ours,
            theirs=theirs, against=REFERENCE, sense=">=", memory=memory.extra,
            note=f"df within {apart:.0e}",
        )  # fmt: skip
    yield exponent("satterthwaite-nested", times)


def exponent(case: str, times: dict[int, float]) -> Row:
    """Fit seconds ~ rows^b over the larger sizes, where the constant cost has gone."""
    n = [k for k in times if k >= 10_000]
    slope = np.polyfit(np.log([float(k) for k in n]), np.log([times[k] for k in n]), 1)[0]
    return Row(
        case=case, what=f"exponent of cost in rows, {min(n):,} to {max(n):,}", value=float(slope),
        sense="<=", target=1.1, note="1 is linear",
    )  # fmt: skip


def crossed_levels(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    for q in (200, 600) if context.quick else (200, 600, 1_200, 2_000):
        data = crossed(10 * q, q // 2, q // 2)
        context.r.give("crossed", data)
        m = mlm.lmer(CROSSED, data)
        with peak_memory() as memory:
            _exact(m)
        few = q >= 1_200
        ours, theirs, apart = _both(
            context, m, f"lmer({CROSSED}, crossed)", 1 if few else 5, warm_up=0 if few else 1
        )
        yield Row(
            case="satterthwaite-crossed", what=f"{10 * q:,} rows, two crossed factors, q = {q:,}",
            ours=ours, theirs=theirs, against=REFERENCE, sense=">=", memory=memory.extra,
            note=f"df within {apart:.0e}",
        )  # fmt: skip
