"""The same fits by other ways from Python: rpy2 by itself, and statsmodels."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pandas as pd

from benchmarks.context import Context
from benchmarks.data import NESTED, nested
from benchmarks.measure import Row, in_turns, seconds


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

    ours, theirs = in_turns(
        lambda: seconds(lambda: mlm.lmer(formula, data).summary()),
        lambda: seconds(lambda: R.run(plain)),
        repeats=context.repeats(repeats),
    )
    yield Row(
        case="others", what=f"lmer and summary with df, {name}", ours=ours, theirs=theirs,
        against="rpy2, pandas2ri, lmerTest", sense=">=",
    )  # fmt: skip


def _statsmodels(context: Context, cases: dict[str, Any]) -> Iterator[Row]:
    import pymlm as mlm

    try:
        import statsmodels.formula.api as smf
    except ImportError:
        yield Row(
            case="others", what="statsmodels MixedLM", note="skipped: statsmodels is not installed"
        )
        return
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

        mine, other = in_turns(
            lambda work=ours: seconds(work), lambda work=theirs: seconds(work),
            repeats=min(repeats, 5), warm_up=1,
        )  # fmt: skip
        apart = abs(logliks["ours"] - logliks["theirs"])
        yield Row(
            case="others", what=f"lmer, {name}", ours=mine, theirs=other,
            against="statsmodels MixedLM", sense=">=",
            note=f"log-likelihoods {apart:.0e} apart",
        )  # fmt: skip
