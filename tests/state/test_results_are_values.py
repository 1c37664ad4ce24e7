"""A result holds no model: it prints when that is gone, prints without R, and costs little."""

from __future__ import annotations

import gc
import json
import os
import pickle
import subprocess
import sys
import warnings

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import NotSupportedError, RPackageError, RWarning
from tests.native import assert_close
from tests.state.kinds import KINDS, grouped
from tests.state.questions import questions
from tests.tolerances import ARITHMETIC, REOPTIMIZED

#: One unprinted anova table that held its model of 50,000 rows took 11 MB; numbers take none.
MEGABYTES_A_TABLE = 1.0
#: What step() ends with is a model, which needs R.
HOLDS_A_MODEL = {"step"}


def printing(model):
    """Results of every question that print what R prints."""
    found = {}
    for name, question in questions(model).items():
        if name in HOLDS_A_MODEL:
            continue
        try:
            value = question(model)
        except (NotSupportedError, RPackageError):  # the package is missing on some releases
            continue
        if getattr(value, "printed", None) is not None:
            found[name] = value
    return found


@pytest.fixture(params=["lmer", "poisson with offset", "lm", "lme"])
def pair(request):
    """Results of a model that is gone, not printed yet, and what those of its twin print."""
    kind = KINDS[request.param]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said of these fits has tests of its own
        prints = {n: str(v) for n, v in printing(kind.fit(kind.data(), kind.response)).items()}
        results = printing(kind.fit(kind.data(), kind.response))
    gc.collect()
    return results, prints


def test_a_result_prints_when_its_model_is_gone(pair):
    results, prints = pair
    assert len(prints) >= 3
    assert {n: str(v) for n, v in results.items()} == prints


def test_a_result_prints_where_there_is_no_r(pair, tmp_path):
    results, prints = pair
    file = tmp_path / "results.pkl"
    file.write_bytes(pickle.dumps(results))
    code = (
        "import json, pickle, sys\n"
        f"results = pickle.load(open({str(file)!r}, 'rb'))\n"
        "print(json.dumps({n: str(v) for n, v in results.items()}))\n"
        "assert 'rpy2' not in sys.modules"
    )
    env = {**os.environ, "R_HOME": str(tmp_path / "none"), "PATH": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=env, check=False
    )
    assert done.returncode == 0, done.stderr[-1000:]
    assert json.loads(done.stdout) == prints


def resident() -> float:
    """Memory of this process now, in megabytes."""
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is read from /proc")
def test_unprinted_tables_of_a_large_model_hold_no_model():
    rng = np.random.default_rng(1)
    n = 50_000
    d = pd.DataFrame({"g": rng.integers(0, 500, n).astype(str), "x": rng.normal(size=n)})
    d["y"] = d.x + rng.normal(size=500)[d.g.astype(int)] + rng.normal(size=n)
    held = []

    def tables(times: int) -> None:
        held.extend(mlm.lmer("y ~ x + (1 | g)", d).anova() for _ in range(times))

    tables(5)  # R's and Python's heaps have grown to what one fit takes
    grown = []
    for _ in range(2):  # the heaps may take another step in one of the two
        before = resident()
        tables(25)
        grown.append((resident() - before) / 25)
    assert min(grown) < MEGABYTES_A_TABLE
    assert len({str(t) for t in held}) == 1


def test_a_refit_says_of_rows_that_had_no_response_that_they_stay_out():
    d = grouped().assign(y=lambda d: d.normal)
    d.loc[5, "y"] = np.nan
    m = mlm.lmer("y ~ f + x + (1 | g)", d)
    with pytest.warns(RWarning, match=r"1 row\(s\) that have a value now had no response"):
        refit = m.refit(d.normal2)
    fresh = mlm.lmer("y ~ f + x + (1 | g)", d.assign(y=d.normal2.where(d.y.notna())))
    assert refit.nobs == m.nobs == len(d) - 1
    assert np.isnan(refit.fitted()[5])
    assert_close(refit.fixef(), fresh.fixef(), REOPTIMIZED)
    assert_close(refit.summary().fixed.df, fresh.summary().fixed.df, REOPTIMIZED)


def test_averages_of_multiple_membership_are_of_its_fixed_part():
    kind = KINDS["membership"]
    d = kind.data()
    m = kind.fit(d, kind.response)
    with pytest.raises(NotSupportedError, match="re_form='NA'"):
        m.avg_predictions()
    by_hand = m.predict(d, re_form="NA").mean()
    for rows in (None, d):
        found = m.avg_predictions(re_form="NA", newdata=rows)
        assert_close(found.estimate[0], by_hand, ARITHMETIC)
        slope = m.avg_slopes("x", re_form="NA", newdata=rows)
        assert_close(slope.estimate[0], m.fixef()["x"], ARITHMETIC)
        assert_close(slope.std_error[0], np.sqrt(m.vcov().loc["x", "x"]), ARITHMETIC)


def test_lme_without_intervals_says_what_to_do():
    m = mlm.lme("normal ~ f + x", grouped(), random="~ x | g")
    with pytest.raises(NotSupportedError, match="boundary"):
        m.confint()
    fixed = m.tidy(effects="fixed", conf_int=True).to_frame()
    assert fixed["conf_low"].notna().all()
