"""The same fits by other ways from Python: rpy2 by itself, and statsmodels."""

from __future__ import annotations

import contextlib
import threading
import warnings
from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks.context import Context
from benchmarks.data import NESTED, nested
from benchmarks.measure import Row, seconds, side_by_side


def run(context: Context) -> Iterator[Row]:
    import pymlm as mlm

    warnings.simplefilter("ignore")
    sleepstudy = mlm.load_dataset("sleepstudy")
    cases = {
        "sleepstudy": ("Reaction ~ Days + (Days | Subject)", sleepstudy, 15),
        "20,000 rows x 400 groups, slope": (NESTED, nested(20_000, 400), 3),
    }
    for name, (formula, data, repeats) in cases.items():
        yield from _plain_rpy2(context, name, formula, data, repeats)
    yield from _statsmodels(context, cases)


def _plain_rpy2(
    context: Context, name: str, formula: str, data: pd.DataFrame, repeats: int
) -> Iterator[Row]:
    import rpy2.robjects as ro
    from rpy2.robjects import pandas2ri

    import pymlm as mlm
    from pymlm.engine.r_thread import R

    def plain() -> Any:
        with (ro.default_converter + pandas2ri.converter).context():
            lmer = ro.r("lmerTest::lmer")
            return ro.r("summary")(lmer(ro.Formula(formula), data=data))

    ours, theirs, memory = side_by_side(
        lambda: seconds(lambda: mlm.lmer(formula, data).summary()),
        lambda: seconds(lambda: R.run(plain)),
        repeats=context.repeats(repeats),
    )
    yield Row(
        case="others", what=f"lmer and summary with df, {name}", ours=ours, theirs=theirs,
        against="rpy2, pandas2ri, lmerTest", sense=">=", memory=memory,
    )  # fmt: skip
    if name != "sleepstudy":
        return
    with _busy_thread():
        ours, theirs, _ = side_by_side(
            lambda: seconds(lambda: mlm.lmer(formula, data).summary()),
            lambda: seconds(lambda: R.run(plain)),
            repeats=3,
        )
    yield Row(
        case="others", what="the same beside a Python thread that computes", ours=ours,
        theirs=theirs, against="rpy2, pandas2ri, lmerTest", sense=">=",
    )  # fmt: skip


@contextlib.contextmanager
def _busy_thread() -> Iterator[None]:
    done = threading.Event()

    def work() -> None:
        while not done.is_set():
            sum(range(1_000))

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _statsmodels(context: Context, cases: dict[str, Any]) -> Iterator[Row]:
    import pymlm as mlm

    try:
        import statsmodels.formula.api as smf
    except ImportError:
        yield Row(
            case="others", what="statsmodels MixedLM", note="skipped: statsmodels is not installed"
        )
        return
    warnings.simplefilter("ignore")  # statsmodels switches its own warnings on when it is imported
    models = {
        "sleepstudy": ("Reaction ~ Days", "Subject", "~Days"),
        "20,000 rows x 400 groups, slope": ("y ~ x1 + x2", "g", "~x1"),
    }
    for name, (fixed, group, random) in models.items():
        formula, data, repeats = cases[name]
        logliks: dict[str, float] = {}

        def ours(formula: str = formula, data: Any = data, out: Any = logliks) -> None:
            out["ours"] = mlm.lmer(formula, data).loglik

        def theirs(fixed: str = fixed, group: str = group, random: str = random,
                   data: Any = data, out: Any = logliks) -> None:  # fmt: skip
            fit = smf.mixedlm(fixed, data, groups=data[group], re_formula=random).fit()
            out["theirs"] = fit.llf

        mine, other, memory = side_by_side(
            lambda work=ours: seconds(work), lambda work=theirs: seconds(work),
            repeats=min(repeats, 5), warm_up=1,
        )  # fmt: skip
        yield Row(
            case="others", what=f"lmer, {name}", ours=mine, theirs=other,
            against="statsmodels MixedLM", sense=">=", memory=memory,
            note=f"log-likelihoods: {logliks['ours']:.4f}, {logliks['theirs']:.4f}",
        )  # fmt: skip
