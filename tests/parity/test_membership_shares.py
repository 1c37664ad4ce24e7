"""icc and variance_partition of a multiple membership are two numbers, by hand and by name."""

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from tests.native import assert_close


@pytest.fixture(scope="module")
def model():
    rng = np.random.default_rng(3)
    n = 300
    d = pd.DataFrame({"a": rng.integers(0, 25, n), "b": rng.integers(0, 25, n)})
    d["wa"] = rng.uniform(0.3, 0.9, n)
    d["wb"] = 1 - d.wa
    u = 2 * rng.normal(size=25)
    d["y"] = d.wa * u[d.a] + d.wb * u[d.b] + rng.normal(size=n)
    units = {"school": (["a", "b"], ["wa", "wb"])}
    return mlm.multiple_membership("y ~ 1 + (1 | school)", d, units), d


def test_icc_is_that_of_whole_members_and_the_partition_that_of_the_rows(model):
    m, d = model
    parts = m.varcorr().to_frame().set_index("grp")["vcov"]
    tau2, sigma2 = parts["school"], parts["Residual"]
    icc = mlm.icc(m, ci=None)
    assert_close(icc.icc, [tau2 / (tau2 + sigma2)])
    same = d.a == d.b
    weights = np.where(same, 1.0, d.wa**2 + d.wb**2)
    shared = tau2 * weights.mean()
    partition = mlm.variance_partition(m)
    assert_close(partition.variance, [shared, sigma2])
    assert_close(partition.proportion[0], shared / (shared + sigma2))
    for result in (icc, partition):
        assert "multiple membership" in result.notes[0]
        assert result.notes[0] in str(result)
