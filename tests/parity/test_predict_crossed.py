"""Standard errors of predictions on crossed data: three ways to the same numbers.

Many rows are answered from the pairs of coefficients that occur together, few rows by solving with
the fit's factor, and native R inverts Henderson's equations as one dense matrix.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.native import assert_close, assert_fits_close, native
from tests.tolerances import ARITHMETIC

#: With crossed factors native R does not repeat itself: sums inside the sparse Cholesky depend on
#: where in memory they stand, and the optimum moves by 1e-6 from one process to the next.
FLAT = 1e-5

BRIDGE = Path(__file__).resolve().parents[2] / "r_scripts" / "bridge"

LINEAR: dict[str, dict[str, Any]] = {
    "two crossed": {"formula": "y ~ x + (1 | a) + (1 | b)"},
    "three crossed": {"formula": "y ~ x + (1 | a) + (1 | b) + (1 | c)"},
    "nested in crossed": {"formula": "y ~ x + (1 | a/s) + (1 | b)"},
    "slopes of both": {"formula": "y ~ x + (x | a) + (x | b)"},
    "two terms of one factor": {"formula": "y ~ x + (1 | a) + (0 + x | a) + (x | b) + (1 | c)"},
    "a slope alone": {"formula": "y ~ 1 + (0 + x | a) + (1 | b)"},
    "weights, offset": {"formula": "y ~ x + offset(o) + (x | a) + (1 | b)", "weights": "w"},
    "no fixed effects": {"formula": "y ~ 0 + (1 | a) + (1 | b)"},
    "singular": {"formula": "y ~ x + (1 | a) + (1 | b) + (1 | noise)"},
    "nested": {"formula": "y ~ x + (1 | a/s)"},
    "rows without response": {"formula": "holes ~ x + (1 | a) + (1 | b)"},
}
GENERALIZED = {"binomial": {"formula": "cbind(k, size - k) ~ x + (1 | a) + (1 | b)"}}
ALL = LINEAR | GENERALIZED

DENSE = r"""
library(lme4, warn.conflicts = FALSE)
data <- read.csv("FOLDER/data.csv", stringsAsFactors = TRUE)
new <- read.csv("FOLDER/new.csv", stringsAsFactors = TRUE)
bridge <- new.env()
for (file in c("prediction.R", "prediction_pairs.R"))
  sys.source(file.path("BRIDGE", file), bridge)
answers <- function(formula, weights) suppressWarnings(suppressMessages({
  counts <- grepl("cbind", formula)
  formula <- as.formula(formula)
  m <- if (counts) glmer(formula, data, binomial) else
    if (is.null(weights)) lmer(formula, data) else lmer(formula, data, weights = data[[weights]])
  both <- rbind(data[names(new)], new) # all levels, in the fit's order
  both$holes <- both$y <- 0
  made <- lFormula(if (counts) update(formula, y ~ .) else formula, both,
                   control = lmerControl(check.nobs.vs.nRE = "ignore"))
  at <- nrow(data) + seq_len(nrow(new))
  X <- made$X[at, , drop = FALSE]
  Zt <- made$reTrms$Zt[, at]
  # Henderson's equations in u, b = Lambda u: of singular Lambda, too
  lambda <- as.matrix(getME(m, "Lambda"))
  W <- m@pp$Xwts^2
  design <- cbind(as.matrix(getME(m, "Z")) %*% lambda, getME(m, "X"))
  q <- nrow(lambda)
  joint <- solve(crossprod(design, W * design) +
                 diag(rep(1:0, c(q, ncol(design) - q)), ncol(design)))
  dense <- function(X, Zt) {
    t <- cbind(as.matrix(Matrix::crossprod(Zt, lambda)), X)
    sigma(m) * sqrt(rowSums((t %*% joint) * t))
  }
  part <- getME(m, c("L", "Lambdat", "RX", "RZX"))
  pairs <- bridge$squares_by_pairs(m, part, Zt)
  bridge$.pair_block <- 40
  blocks <- bridge$squares_by_pairs(m, part, Zt)
  bridge$.pair_block <- 1e7
  solved <- bridge$.squares_by_solving(part, Zt)
  few <- vapply(1:5, function(i) bridge$.squares_by_solving(part, Zt[, i, drop = FALSE]), 0)
  list(own = unname(dense(getME(m, "X"), getME(m, "Zt"))), new = unname(dense(X, Zt)),
       pairs = unname(pairs), blocks = unname(blocks), solved = unname(solved), few = few)
}))
# where there is nothing to gain: the fit's factor is sparse, or a dense matrix would be too large
left <- function(formula, data, limit = bridge$.outer_limit) {
  bridge$.outer_limit <- limit
  m <- suppressMessages(lmer(formula, data, control = lmerControl(calc.derivs = FALSE)))
  is.null(bridge$squares_by_pairs(m, getME(m, c("L", "Lambdat")), getME(m, "Zt")))
}
deep <- data.frame(a = gl(500, 4), s = gl(2, 2, 2000), y = sin(seq_len(2000)^2))
emit(list(CALLS, sparse = left(y ~ (1 | a / s), deep),
          large = left(y ~ x + (1 | a) + (1 | b), data, limit = 11L)))
"""


@pytest.fixture(scope="module")
def frames() -> dict[str, pd.DataFrame]:
    rng = np.random.default_rng(14)
    levels = {"a": 30, "b": 12, "c": 8, "noise": 6}

    def rows(n: int) -> pd.DataFrame:
        frame = pd.DataFrame(
            {g: [f"{g}{i:02d}" for i in rng.integers(k, size=n)] for g, k in levels.items()}
        )
        return frame.assign(
            s=[f"s{i}" for i in rng.integers(3, size=n)], x=rng.normal(size=n),
            o=rng.normal(size=n), w=rng.uniform(0.5, 2.0, size=n),
        )  # fmt: skip

    # every level stands in the data; which of them meet differs in the new rows
    data, new = rows(500), rows(300)
    data["nest"] = data["a"] + data["s"]

    def effects(group: str) -> Any:
        names = sorted(set(data[group]))
        return data[group].map(dict(zip(names, rng.normal(size=len(names)), strict=True)))

    signal = effects("a") + effects("b") + effects("c") + effects("nest")
    signal += (1.0 + effects("a") + effects("b")) * data["x"]
    data["y"] = signal + rng.normal(size=500)
    data["holes"] = data["y"].where(rng.uniform(size=500) > 0.1)
    data["size"] = 10
    data["k"] = rng.binomial(10, 1 / (1 + np.exp(-signal / 3)))
    new = new[(new["a"] + new["s"]).isin(data.pop("nest"))]
    return {"data": data, "new": new.reset_index(drop=True)}


@pytest.fixture(scope="module")
def dense(frames: dict[str, pd.DataFrame], tmp_path_factory: Any) -> Any:
    folder = tmp_path_factory.mktemp("crossed")
    for name, frame in frames.items():
        frame.to_csv(folder / f"{name}.csv", index=False)
    weights = {name: f'"{s["weights"]}"' if "weights" in s else "NULL" for name, s in ALL.items()}
    calls = ", ".join(
        f'"{name}" = answers("{s["formula"]}", {weights[name]})' for name, s in ALL.items()
    )
    code = DENSE.replace("FOLDER", folder.as_posix()).replace("BRIDGE", BRIDGE.as_posix())
    return native(code.replace("CALLS", calls))


@pytest.mark.parametrize("name", ALL)
def test_pairs_are_as_solving(name: str, dense: Any) -> None:
    answer = dense[name]
    for way in ("pairs", "blocks"):
        assert_close(answer[way], answer["solved"], ARITHMETIC)
        assert_close(answer[way][:5], answer["few"], ARITHMETIC)


def test_what_is_left_to_solving(dense: Any) -> None:
    assert dense["sparse"] is True
    assert dense["large"] is True


@pytest.fixture(scope="module")
def fits(frames: dict[str, pd.DataFrame]) -> Any:
    made: dict[str, Any] = {}

    def fit(name: str) -> Any:
        if name not in made:
            fitter = mlm.glmer if name in GENERALIZED else mlm.lmer
            options = {"family": "binomial"} if name in GENERALIZED else {}
            weights = {k: v for k, v in ALL[name].items() if k == "weights"}
            made[name] = fitter(ALL[name]["formula"], frames["data"], **options, **weights)
        return made[name]

    return fit


@pytest.mark.filterwarnings("ignore::pymlm.errors.SingularFitWarning")
@pytest.mark.parametrize("name", ALL)
def test_henderson_s_equations(
    name: str, fits: Any, dense: Any, frames: dict[str, pd.DataFrame]
) -> None:
    m, new = fits(name), frames["new"]
    own = m.predict(type="link", interval="confidence").std_error
    if name == "rows without response":
        fitted = frames["data"]["holes"].notna()
        assert (np.isfinite(own) == fitted).all()
        own = own[fitted]
    assert_fits_close(own, dense[name]["own"], FLAT)
    ours = m.predict(new, type="link", interval="confidence").std_error
    assert_fits_close(ours, dense[name]["new"], FLAT)


def test_new_levels_and_missing_rows(fits: Any, frames: dict[str, pd.DataFrame]) -> None:
    """They neither move their neighbours nor are moved: each row as it is alone."""
    m, new = fits("slopes of both"), frames["new"].copy()
    new.loc[3, "a"] = "nobody"
    new.loc[5, ["a", "b"]] = "nobody"
    new.loc[7, "x"] = np.nan
    new.loc[8, "x"] = 0.0
    options = {"allow_new_levels": True, "interval": "confidence"}
    whole = m.predict(new, **options).to_frame()
    alone = pd.concat([m.predict(new.iloc[[i]], **options).to_frame() for i in range(10)])
    assert alone["std_error"].isna().tolist() == [i == 7 for i in range(10)]
    assert_close(whole.iloc[:10], alone, ARITHMETIC)
    part = m.predict(new, re_form="~ (1 | b)", **options).to_frame()
    alone = pd.concat(
        [m.predict(new.iloc[[i]], re_form="~ (1 | b)", **options).to_frame() for i in range(10)]
    )
    assert_close(part.iloc[:10], alone, ARITHMETIC)
