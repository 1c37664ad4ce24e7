"""Bootstrap and prediction."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.data import NESTED, nested
from benchmarks.measure import Row, in_turns, peak_memory, seconds, side_by_side


def run(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    r = context.r
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    r.run("m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)")
    nsim = 300
    native = (
        "bootMer(m, function(f) c(as.data.frame(VarCorr(f))$sdcor, fixef(f)), "
        f"nsim = {nsim}, seed = 1)"
    )
    cores = os.cpu_count() or 1
    m.bootstrap(nsim=4, seed=1, n_jobs=cores)  # the workers are up
    with peak_memory() as extra:
        m.bootstrap(nsim=nsim, seed=1)
    ours, many, theirs = in_turns(
        lambda: seconds(lambda: m.bootstrap(nsim=nsim, seed=1)),
        lambda: seconds(lambda: m.bootstrap(nsim=nsim, seed=1, n_jobs=cores)),
        lambda: r.time(native),
        repeats=3,
        warm_up=0,
    )
    yield Row(
        case="simulation", what=f"bootstrap, {nsim} draws", ours=ours, theirs=theirs,
        against="bootMer", sense=">=", target=3.0, memory=extra.extra,
    )  # fmt: skip
    yield Row(
        case="simulation", what=f"the same, {cores} processes", ours=many, theirs=theirs,
        against="bootMer", sense=">=", note="each process has an R of its own",
    )  # fmt: skip

    data = nested(100_000, 1_000)
    r.give("nested", data)
    m = mlm.lmer(NESTED, data)
    r.run(f"m <- lmer({NESTED}, nested)")
    ours, theirs, memory = side_by_side(
        lambda: seconds(lambda: m.predict(data)),
        lambda: r.time("predict(m, newdata = nested)"),
        repeats=context.repeats(7),
    )
    yield Row(
        case="simulation", what="predict, 100,000 new rows", ours=ours, theirs=theirs,
        against="predict(m, newdata)", sense="<=", memory=memory,
    )  # fmt: skip
    yield from _tests(context)
    yield _crossed_intervals()


def _tests(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    data = mlm.load_dataset("Pastes")
    large = mlm.lmer("strength ~ 1 + (1 | batch/cask)", data)
    small = mlm.lmer("strength ~ 1 + (1 | batch:cask)", data)
    r = context.r
    r.run(
        "l <- lmer(strength ~ 1 + (1 | batch/cask), Pastes); "
        "s <- lmer(strength ~ 1 + (1 | batch:cask), Pastes)"
    )
    ours, theirs = in_turns(
        lambda: seconds(lambda: mlm.pb_modcomp(large, small, nsim=100, seed=1)),
        lambda: r.time("PBmodcomp(l, s, nsim = 100, seed = 1, cl = 1)"),
        repeats=context.repeats(3),
    )
    yield Row(
        case="simulation", what="pb_modcomp, 100 draws", ours=ours, theirs=theirs,
        against="PBmodcomp", sense=">=",
    )  # fmt: skip


def _crossed_intervals() -> Row:
    import pymlm as mlm

    data = mlm.load_dataset("lme4::InstEval")
    m = mlm.lmer("y ~ service + (1 | s) + (1 | d)", data, control={"calc_derivs": False})
    rows = data.sample(20_000, random_state=1)
    with peak_memory() as extra:
        m.predict(rows, interval="confidence")
    (took,) = in_turns(
        lambda: seconds(lambda: m.predict(rows, interval="confidence")), repeats=3, warm_up=0
    )
    return Row(
        case="simulation", what="confidence intervals, 20,000 rows of InstEval", ours=took,
        value=took, unit="s", sense="<=", target=1.0, memory=extra.extra, note="seconds",
    )  # fmt: skip
