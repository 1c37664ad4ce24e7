"""Fits in a process that runs already, against native lme4."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.data import NESTED, nested
from benchmarks.measure import Row, seconds, side_by_side


def run(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    r = context.r

    sleepstudy = mlm.load_dataset("sleepstudy")
    formula = "Reaction ~ Days + (Days | Subject)"
    ours, theirs, memory = side_by_side(
        lambda: seconds(lambda: mlm.lmer(formula, sleepstudy)),
        lambda: r.time(f"lmer({formula}, sleepstudy)"),
        repeats=context.repeats(60),
        warm_up=10,
    )
    yield Row(
        case="fits", what="lmer, sleepstudy", ours=ours, theirs=theirs, against="lme4::lmer",
        sense="<=", target=1.25, memory=memory,
    )  # fmt: skip

    data = nested(100_000, 1_000)
    r.give("nested", data)
    ours, theirs, memory = side_by_side(
        lambda: seconds(lambda: mlm.lmer(NESTED, data)),
        lambda: r.time(f"lmer({NESTED}, nested)"),
        repeats=context.repeats(9),
        warm_up=1,
    )
    yield Row(
        case="fits", what="lmer, 100,000 rows x 1,000 groups, slope", ours=ours, theirs=theirs,
        against="lme4::lmer", sense="<=", target=1.05, memory=memory,
    )  # fmt: skip

    ours, theirs, memory = side_by_side(
        lambda: seconds(lambda: mlm.lmer(NESTED, data).summary()),
        lambda: r.time(f"summary(lmerTest::lmer({NESTED}, nested))"),
        repeats=context.repeats(7),
        warm_up=1,
    )
    yield Row(
        case="fits", what="the same with summary() and df", ours=ours, theirs=theirs,
        against="summary(lmerTest::lmer())", sense="<=", target=0.5, memory=memory,
    )  # fmt: skip

    if context.quick:
        return
    insteval = mlm.load_dataset("lme4::InstEval")
    formula = "y ~ service + (1 | s) + (1 | d)"
    ours, theirs, memory = side_by_side(
        lambda: seconds(lambda: mlm.lmer(formula, insteval)),
        lambda: r.time(f"lmer({formula}, InstEval)"),
        repeats=3,
        warm_up=0,
    )
    yield Row(
        case="fits", what="lmer, InstEval, crossed", ours=ours, theirs=theirs,
        against="lme4::lmer", memory=memory,
    )  # fmt: skip
