"""What a fresh process costs: import, the first fit, a whole script."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from benchmarks.context import Context
from benchmarks.measure import Row, in_turns, process

DATA = (
    "import pandas as pd, numpy as np; rng = np.random.default_rng(1);"
    "d = pd.DataFrame({'Days': np.tile(np.arange(10.0), 18),"
    "'Subject': pd.Categorical(np.repeat(np.arange(18), 10))});"
    "d['Reaction'] = 250 + 10 * d['Days'] + np.repeat(rng.normal(size=18), 10) * 25"
    " + np.repeat(rng.normal(size=18), 10) * 6 * d['Days'] + rng.normal(size=180) * 25;"
)
FORMULA = "Reaction ~ Days + (Days | Subject)"
FIRST = DATA + (
    "import time, sys, pymlm as mlm; mlm.lmer; start = time.perf_counter();"
    f"mlm.lmer('{FORMULA}', d);"
    "print(time.perf_counter() - start)"
)
R_FIT = f"suppressMessages(library(lme4)); m <- lmer({FORMULA}, sleepstudy)"


def run(context: Context) -> Iterator[Row]:
    repeats = context.repeats(7)
    python = [sys.executable, "-c"]

    pandas, both = in_turns(
        lambda: process([*python, "import pandas"])[0],
        lambda: process([*python, "import pandas, pymlm"])[0],
        repeats=repeats,
    )
    yield Row(
        case="process", what="import pymlm, beyond import pandas", ours=both, theirs=pandas,
        against="import pandas", value=both - pandas, sense="<=", target=0.15, note="seconds more",
    )  # fmt: skip

    def first() -> float:
        done = subprocess.run([*python, FIRST], capture_output=True, text=True, check=True)
        return float(done.stdout)

    ours, theirs = in_turns(
        first, lambda: process(["Rscript", "--vanilla", "-e", R_FIT])[0], repeats=repeats
    )
    yield Row(
        case="process", what="first lmer in a process, R's start included", ours=ours,
        theirs=theirs, against="Rscript: library(lme4), lmer", sense="<=", target=1.1,
    )  # fmt: skip

    script = DATA + f"import pymlm as mlm; print(mlm.lmer('{FORMULA}', d).summary(ddf=None))"
    memory: dict[str, float] = {}

    def whole(name: str, command: list[str]) -> float:
        took, memory[name] = process(command)
        return took

    ours, theirs, _ = in_turns(
        lambda: whole("ours", [*python, script]),
        lambda: whole("R", ["Rscript", "--vanilla", "-e", f"{R_FIT}; print(summary(m))"]),
        lambda: whole("pandas", [*python, "import pandas"]),
        repeats=repeats,
    )
    yield Row(
        case="process", what="whole process: import, fit, print summary", ours=ours, theirs=theirs,
        against="Rscript", sense="<=", target=1.5, memory=memory["ours"],
    )  # fmt: skip
    yield Row(
        case="process", what="whole process: peak memory", ours=memory["ours"],
        theirs=memory["R"], unit="MB", against="Rscript", sense="<=", target=1.25,
        note=f"import pandas alone: {memory['pandas']:.0f} MB",
    )  # fmt: skip
