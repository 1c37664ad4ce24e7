"""Satterthwaite's method: the exact engine against lmerTest's numerical derivatives."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.context import Context, twin
from benchmarks.data import CROSSED, NESTED, NESTED_START, crossed, nested
from benchmarks.measure import Row, seconds, side_by_side

REFERENCE = "lmerTest: as_lmerModLmerTest"


def _exact(model: Any) -> float:
    """All that the exact engine does for a model that nothing was asked of."""
    fresh = twin(model)
    return seconds(lambda: fresh._engine("Satterthwaite", "exact"))


def _row(
    context: Context,
    what: str,
    model: Any,
    native: str,
    repeats: int,
    *,
    case: str = "satterthwaite",
    warm_up: int = 1,
    target: float | None = None,
    note: str = "",
) -> Row:
    """Both sides, our memory, and the largest relative difference of the degrees of freedom."""
    r = context.r
    r.run(f"m <- {native}")
    ours, theirs, memory = side_by_side(
        lambda: _exact(model), lambda: r.time("t <- as_lmerModLmerTest(m)"), repeats=repeats,
        warm_up=warm_up,
    )  # fmt: skip
    native_df = r.numbers('coef(summary(t))[, "df"]')
    df = twin(model).summary(engine="exact").fixed.df
    apart = f"df within {np.max(np.abs(df / native_df - 1)):.0e}"
    return Row(
        case=case, what=what, ours=ours, theirs=theirs, against=REFERENCE, sense=">=",
        target=target, memory=memory, note="; ".join(filter(None, (apart, note))),
    )  # fmt: skip


def targets(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    m = mlm.lmer("mAch ~ meanses * cses + (cses | school)", mlm.load_dataset("mlmRev::Hsb82"))
    native = (
        'lmer(mAch ~ meanses * cses + (cses | school), {data(Hsb82, package = "mlmRev"); Hsb82})'
    )
    yield _row(context, "Hsb82, 7,185 rows", m, native, context.repeats(15))

    data = nested(100_000, 1_000)
    context.r.give("nested", data)
    yield _row(
        context, "100,000 rows x 1,000 groups, slope", mlm.lmer(NESTED, data),
        f"lmer({NESTED}, nested)", context.repeats(9), target=40,
    )  # fmt: skip
    if context.quick:
        return
    formula = "y ~ service + (1 | s) + (1 | d)"
    yield _row(
        context, "InstEval, crossed, q = 4,100",
        mlm.lmer(formula, mlm.load_dataset("lme4::InstEval")), f"lmer({formula}, InstEval)", 3,
        warm_up=0, target=3, note="memory to stay below 1,536 MB",
    )  # fmt: skip


def nested_rows(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    case = "satterthwaite-nested"
    native = (
        f"lmer({NESTED}, nested, start = c(1, 0, 0.4), control = lmerControl(calc.derivs = FALSE))"
    )
    sizes = (1_000, 10_000, 100_000) if context.quick else (1_000, 10_000, 100_000, 1_000_000)
    times = {}
    for n in sizes:
        data = nested(n, n // 50)
        context.r.give("nested", data)
        m = mlm.lmer(NESTED, data, start=NESTED_START, control={"calc_derivs": False})
        few = n >= 1_000_000
        yield _row(
            context, f"{n:,} rows in groups of 50, slope", m, native,
            1 if few else context.repeats(9), case=case, warm_up=0 if few else 1,
        )  # fmt: skip
        times[n] = min(_exact(m) for _ in range(5))
    yield exponent(case, times)


def exponent(
    case: str,
    times: dict[int, float],
    of: str = "rows",
    smallest: int = 10_000,
    target: float | None = 1.1,
) -> Row:
    """Fit seconds ~ size^b from `smallest` on, where the constant cost has gone."""
    n = [k for k in times if k >= smallest]
    slope = np.polyfit(np.log([float(k) for k in n]), np.log([times[k] for k in n]), 1)[0]
    note = "1 is linear" if target else "dense blocks: towards 3"
    return Row(
        case=case, what=f"exponent of cost in {of}, {min(n):,} to {max(n):,}", value=float(slope),
        sense="<=", target=target, note=note,
    )  # fmt: skip


def crossed_levels(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    case = "satterthwaite-crossed"
    times = {}
    for q in (200, 600) if context.quick else (200, 600, 1_200, 2_000):
        data = crossed(10 * q, q // 2, q // 2)
        context.r.give("crossed", data)
        m = mlm.lmer(CROSSED, data)
        few = q >= 1_200
        yield _row(
            context, f"{10 * q:,} rows, two crossed factors, q = {q:,}", m,
            f"lmer({CROSSED}, crossed)", 1 if few else 5, case=case, warm_up=0 if few else 1,
        )  # fmt: skip
        times[q] = min(_exact(m) for _ in range(3))
    if context.quick:
        return
    yield exponent(case, times, of="q", smallest=600, target=None)
