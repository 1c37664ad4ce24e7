"""Fits in a process that runs already, against native lme4."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks.context import Context
from benchmarks.data import NESTED, nested
from benchmarks.measure import Row, seconds, side_by_side


def _row(
    what: str,
    work: Callable[[], Any],
    native: Callable[[], float],
    repeats: int,
    *,
    target: float | None = None,
    against: str = "lme4::lmer",
    warm_up: int = 1,
) -> Row:
    ours, theirs, memory = side_by_side(
        lambda: seconds(work), native, repeats=repeats, warm_up=warm_up
    )
    return Row(
        case="fits", what=what, ours=ours, theirs=theirs, against=against, sense="<=",
        target=target, memory=memory,
    )  # fmt: skip


def run(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    r = context.r

    sleepstudy = mlm.load_dataset("sleepstudy")
    small = "Reaction ~ Days + (Days | Subject)"
    yield _row(
        "lmer, sleepstudy", lambda: mlm.lmer(small, sleepstudy),
        lambda: r.time(f"lmer({small}, sleepstudy)"), context.repeats(60), target=1.15, warm_up=10,
    )  # fmt: skip

    data = nested(100_000, 1_000)
    r.give("nested", data)
    yield _row(
        "lmer, 100,000 rows x 1,000 groups, slope", lambda: mlm.lmer(NESTED, data),
        lambda: r.time(f"lmer({NESTED}, nested)"), context.repeats(9), target=1.0,
    )  # fmt: skip
    exact = mlm.LmerControl(calc_derivs="exact")
    yield _row(
        "the same, calc_derivs='exact'", lambda: mlm.lmer(NESTED, data, control=exact),
        lambda: r.time(f"lmer({NESTED}, nested)"), context.repeats(9), target=0.75,
    )  # fmt: skip
    yield _row(
        "the same with summary() and df", lambda: mlm.lmer(NESTED, data).summary(),
        lambda: r.time(f"summary(lmerTest::lmer({NESTED}, nested))"), context.repeats(7),
        target=0.5, against="summary(lmerTest::lmer())",
    )  # fmt: skip

    if context.quick:
        return
    insteval = mlm.load_dataset("lme4::InstEval")
    large = "y ~ service + (1 | s) + (1 | d)"
    yield _row(
        "lmer, InstEval, crossed", lambda: mlm.lmer(large, insteval),
        lambda: r.time(f"lmer({large}, InstEval)"), 3, warm_up=0,
    )  # fmt: skip
    yield _row(
        "the same, calc_derivs='exact'", lambda: mlm.lmer(large, insteval, control=exact),
        lambda: r.time(f"lmer({large}, InstEval)"), 3, warm_up=0, target=0.88,
    )  # fmt: skip
