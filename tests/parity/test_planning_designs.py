"""Power of other designs: crossed, nested, unbalanced, between and within, counts and shares.

The reference simulates the same responses in a native R, refits them one by one with lmerTest or
lme4, and counts.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.native import assert_fits_close, native
from tests.tolerances import REOPTIMIZED

NSIM, SEED = 12, 42

DESIGNS = """
suppressMessages({library(lme4); library(lmerTest)})
crossed <- expand.grid(item = sprintf("i%d", 1:6), subj = sprintf("s%02d", 1:10))
crossed$cond <- factor(ifelse(as.integer(crossed$item) %% 2 == 0, "b", "a"))
crossed$x <- (seq_len(nrow(crossed)) * 7) %% 5
crossed <- crossed[-c(3, 8, 21:24, 50), ]
crossed$n <- 4 + seq_len(nrow(crossed)) %% 3
crossed$between <- ave(crossed$x, crossed$subj)
crossed$within <- crossed$x - crossed$between
nested <- crossed
nested$class <- factor((as.integer(nested$subj) - 1) %/% 3)
"""

#: By name: the frame, the formula, its parameters, and what pymlm is asked beyond.
CASES: dict[str, dict[str, Any]] = {
    "crossed": {
        "data": "crossed", "formula": "~ cond + (1 | subj) + (1 | item)", "beta": [1, 0.8],
        "theta": [0.6, 0.4], "sigma": 1, "method": "Satterthwaite"},
    "crossed slopes": {
        "data": "crossed", "formula": "~ x + (x | subj) + (1 | item)", "beta": [1, 0.3],
        "theta": [0.6, 0.1, 0.2, 0.4], "sigma": 1, "method": "Kenward-Roger"},
    "between and within": {
        "data": "crossed", "formula": "~ within + between + (1 | subj)", "beta": [1, 0.3, 0.5],
        "theta": [0.7], "sigma": 1, "method": "Satterthwaite"},
    "nested": {
        "data": "nested", "formula": "~ x * cond + (1 | class/subj)", "beta": [1, 0.3, 0.5, 0.2],
        "theta": [0.5, 0.7], "sigma": 2, "method": "Satterthwaite"},
    "by maximum likelihood": {
        "data": "crossed", "formula": "~ x + (1 | subj)", "beta": [1, 0.3], "theta": [0.7],
        "sigma": 1, "method": "Satterthwaite", "reml": False},
    "shares": {
        "data": "crossed", "formula": "~ cond + (1 | subj)", "beta": [-0.5, 0.6], "theta": [0.7],
        "family": "binomial", "weights": "n"},
    "yes and no": {
        "data": "crossed", "formula": "~ x + (1 | subj)", "beta": [-0.5, 0.4], "theta": [0.7],
        "family": "binomial"},
    "counts": {
        "data": "crossed", "formula": "~ cond + (1 | subj) + (1 | item)", "beta": [0.5, 0.5],
        "theta": [0.5, 0.3], "family": "poisson"},
}  # fmt: skip


def numbers(values: list[float]) -> str:
    return f"c({', '.join(map(str, values))})"


def by_hand(case: dict[str, Any]) -> str:
    """R's loop: simulate, refit, count."""
    family = case.get("family")
    parts = [f"beta = {numbers(case['beta'])}", f"theta = {numbers(case['theta'])}"]
    more = f", family = {family}" if family else ""
    if family is None:
        parts.append(f"sigma = {case['sigma']}")
    weights = f", weights = d${case['weights']}" if "weights" in case else ""
    fit = (
        f"glmer(update({case['formula']}, y ~ .), d, family = {family}{weights})"
        if family
        else f"lmerTest::lmer(update({case['formula']}, y ~ .), d, REML = "
        f"{'FALSE' if case.get('reml') is False else 'TRUE'})"
    )
    ddf = "" if family else f", ddf = '{case['method']}'"
    return f"""{{
      d <- {case["data"]}
      drawn <- simulate({case["formula"]}, newdata = d, newparams = list({", ".join(parts)}),
                        nsim = {NSIM}, seed = {SEED}{more}{weights})
      tables <- lapply(drawn, function(y) {{ d$y <- y; coef(summary({fit}{ddf})) }})
      p <- sapply(tables, function(t) t[-1, grep("^Pr", colnames(t))])
      b <- sapply(tables, function(t) t[-1, "Estimate"])
      p <- rbind(p); b <- rbind(b)
      list(terms = rownames(tables[[1]])[-1], hits = unname(rowSums(p < 0.1)),
           estimate = unname(rowMeans(b)))
    }}"""


@pytest.fixture(scope="module")
def reference() -> Any:
    cases = ", ".join(f"`{name}` = {by_hand(case)}" for name, case in CASES.items())
    frames = "lapply(list(crossed = crossed, nested = nested), function(d) lapply(d, as.vector))"
    return native(
        f"{DESIGNS}\nout <- suppressMessages(suppressWarnings(list({cases})))\n"
        f"out$frames <- {frames}\nemit(out)"
    )


@pytest.mark.parametrize("name", CASES)
def test_as_a_loop_in_r(name: str, reference: Any) -> None:
    case = CASES[name] | {"data": pd.DataFrame(reference["frames"][CASES[name]["data"]])}
    method = case.pop("method", None)
    if method is not None:
        case["ddf"] = method
    found = mlm.power(**case, nsim=NSIM, seed=SEED, alpha=0.1)
    theirs = reference[name]
    assert list(found.term) == np.ravel(theirs["terms"]).tolist()
    assert (found.power * NSIM).round().tolist() == np.ravel(theirs["hits"]).tolist()
    assert_fits_close(found.mean_estimate, theirs["estimate"], REOPTIMIZED)
    assert found.n_failed.tolist() == [0] * len(found.term)


def test_rows_that_miss_a_value_are_not_counted(reference: Any) -> None:
    design = pd.DataFrame(reference["frames"]["crossed"])
    holes = design.assign(x=design["x"].where(design["x"] != 2))
    args: dict[str, Any] = {"beta": [1, 0.3], "theta": [0.7], "sigma": 1, "nsim": 3, "seed": 1}
    found = mlm.power("~ x + (1 | subj)", {"all": design, "holes": holes}, **args)
    assert found.n_rows.tolist() == [len(design), int(holes["x"].notna().sum())]
