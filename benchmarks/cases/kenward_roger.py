"""Kenward-Roger's method: the exact engine against pbkrtest's n x n matrices."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.cases.satterthwaite import exponent
from benchmarks.context import Context, twin
from benchmarks.data import CROSSED, NESTED, NESTED_START, crossed, nested
from benchmarks.measure import Row, peak_memory, seconds, side_by_side

REFERENCE = "pbkrtest: vcovAdj"
COVARIANCE = "V <- vcovAdj(m)"
DF = "vapply(seq_along(fixef(m)), function(i) Lb_ddf(diag(length(fixef(m)))[i, ], vcov(m), V), 0)"


def _exact(model: Any) -> float:
    """The adjusted covariance, as pbkrtest's own object, of a model that nothing was asked of."""
    fresh = twin(model)
    return seconds(lambda: fresh.vcov(ddf="Kenward-Roger", engine="exact"))


def _apart(context: Context, model: Any) -> str:
    """Largest differences from pbkrtest, of the covariance matrix and of the df."""
    theirs = context.r.numbers("as.matrix(V)").reshape(-1, len(model.fixef()))
    ours = model.vcov(ddf="Kenward-Roger", engine="exact").to_numpy()
    scale = np.sqrt(np.outer(np.diag(theirs), np.diag(theirs)))
    df = model.summary(ddf="Kenward-Roger", engine="exact").fixed.df
    native = context.r.numbers(DF)
    covariance = np.max(np.abs(ours - theirs) / scale)
    return f"covariance within {covariance:.0e}, df within {np.max(np.abs(df / native - 1)):.0e}"


def _row(
    context: Context,
    what: str,
    model: Any,
    repeats: int,
    target: float | None = None,
    case: str = "kenward-roger",
) -> Row:
    r = context.r
    if repeats:
        ours, theirs, memory = side_by_side(
            lambda: _exact(model), lambda: r.time(COVARIANCE), repeats=repeats
        )
    else:  # a minute or more: once
        theirs = r.time(COVARIANCE)
        ours, _, memory = side_by_side(lambda: _exact(model), lambda: theirs, repeats=7)
    return Row(
        case=case, what=what, ours=ours, theirs=theirs, against=REFERENCE, sense=">=",
        target=target, memory=memory, note=_apart(context, model),
    )  # fmt: skip


def targets(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    r = context.r
    m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    r.run("m <- lmer(Reaction ~ Days + (Days | Subject), sleepstudy)")
    yield _row(context, "sleepstudy, 180 rows", m, context.repeats(15))

    formula = "mAch ~ meanses * cses + sector * cses + (cses | school)"
    m = mlm.lmer(formula, mlm.load_dataset("mlmRev::Hsb82"))
    r.run(f'data(Hsb82, package = "mlmRev"); m <- lmer({formula}, Hsb82)')
    yield _row(context, "Hsb82, cross-level, 7,185 rows", m, context.repeats(5), target=50)

    if context.quick:
        return
    formula = "attain ~ verbal * sex + (1 | primary) + (1 | second)"
    m = mlm.lmer(formula, mlm.load_dataset("mlmRev::ScotsSec"))
    r.run(f'data(ScotsSec, package = "mlmRev"); m <- lmer({formula}, ScotsSec)')
    yield _row(context, "ScotsSec, crossed, 3,435 rows", m, 0, target=200)


#: pbkrtest keeps blocks of rows; above this it takes too long to wait for.
MOST_ROWS = 10_000


def nested_rows(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    sizes = (1_000, 10_000, 100_000) if context.quick else (1_000, 10_000, 100_000, 1_000_000)
    times = {}
    for n in sizes:
        data = nested(n, n // 50)
        m = mlm.lmer(NESTED, data, start=NESTED_START, control={"calc_derivs": False})
        with peak_memory() as memory:
            _exact(m)
        times[n] = min(_exact(m) for _ in range(7))
        what = f"{n:,} rows in groups of 50, slope"
        if n <= MOST_ROWS:
            context.r.give("nested", data)
            context.r.run(f"m <- lmer({NESTED}, nested)")
            theirs = context.r.time(COVARIANCE)
            yield Row(
                case="kenward-roger-nested", what=what, ours=times[n], theirs=theirs,
                against=REFERENCE, sense=">=", memory=memory.extra,
            )  # fmt: skip
        else:
            yield Row(
                case="kenward-roger-nested", what=what, ours=times[n], memory=memory.extra,
                against="pbkrtest: not possible",
                **({"value": times[n], "sense": "<=", "target": 3.0} if n == 1_000_000 else {}),
                note="seconds" if n == 1_000_000 else "",
            )  # fmt: skip
        if n == sizes[-1]:
            # X, and Z with its row numbers.
            design = (n * 3 * 8 + n * 2 * (8 + 4)) / 2**20
            yield Row(
                case="kenward-roger-nested", what=f"{n:,} rows: peak memory", unit="MB",
                ours=memory.extra, theirs=design, against="design matrices X and Z", sense="<=",
                target=4.0,
            )  # fmt: skip
    yield exponent("kenward-roger-nested", times)


def crossed_rows(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    for n in (500, 1_000) if context.quick else (500, 1_000, 1_500):
        data = crossed(n, 30, 20)
        m = mlm.lmer(CROSSED, data)
        context.r.give("crossed", data)
        context.r.run(f"m <- lmer({CROSSED}, crossed)")
        what = f"{n:,} rows, crossed 30 x 20"
        yield _row(context, what, m, 3, case="kenward-roger-crossed")
    if context.quick:
        return
    m = mlm.lmer("y ~ service + (1 | s) + (1 | d)", mlm.load_dataset("lme4::InstEval"))
    with peak_memory() as memory:
        ours = _exact(m)
    yield Row(
        case="kenward-roger-crossed", what="InstEval, 73,421 rows, q = 4,100", ours=ours,
        against="pbkrtest: not possible", memory=memory.extra,
    )  # fmt: skip
