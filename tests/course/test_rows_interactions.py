"""Checklist row 18, continued: simple slopes and regions of significance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import pymlm as mlm
from pymlm.errors import ArgumentError
from tests.native import assert_fits_close as assert_close
from tests.tolerances import BY_HAND, REOPTIMIZED, SAME_PATH


@pytest.fixture(scope="module")
def moderated(d: pd.DataFrame) -> mlm.LinearMixedModel:
    return mlm.lmer("gpa ~ ses * clubs + (1 + ses | schoolnr)", d)


def test_simple_slopes_are_contrasts(moderated: mlm.LinearMixedModel) -> None:
    found = mlm.simple_slopes(moderated, "ses", "clubs")
    assert_close(found.value, [-1, 0, 1], BY_HAND)  # clubs is standardised
    b, v = moderated.fixef(), moderated.vcov()
    for i, z in enumerate(found.value):
        variance = (v.loc["ses", "ses"] + 2 * z * v.loc["ses", "ses:clubs"]
                    + z**2 * v.loc["ses:clubs", "ses:clubs"])  # fmt: skip
        assert_close(found.estimate[i], b["ses"] + z * b["ses:clubs"], BY_HAND)
        assert_close(found.std_error[i], variance**0.5, BY_HAND)
    at_zero = mlm.simple_slopes(moderated, "ses", "clubs", at=[0])
    table = moderated.summary().fixed
    at = table.term.index("ses")
    assert table.df is not None
    assert_close(
        [at_zero.df[0], at_zero.conf_low[0]], [table.df[at], table.conf_low[at]], REOPTIMIZED
    )


def test_simple_slopes_at_both_values_of_a_binary_moderator(d: pd.DataFrame) -> None:
    m = mlm.lmer("gpa ~ ses * high + (1 | schoolnr)", d.assign(high=(d["clubs"] > 0) * 1.0))
    assert mlm.simple_slopes(m, "ses", "high").value.tolist() == [0.0, 1.0]
    with pytest.raises(ArgumentError, match="no product"):
        mlm.simple_slopes(mlm.lmer("gpa ~ ses + clubs + (1 | schoolnr)", d), "ses", "clubs")
    with pytest.raises(ArgumentError, match="Did you mean 'ses'"):
        mlm.simple_slopes(m, "sess", "high")


@pytest.mark.parametrize("ddf", ["Satterthwaite", "asymptotic"])
def test_johnson_neyman_bounds_are_where_p_is_alpha(
    moderated: mlm.LinearMixedModel, ddf: str
) -> None:
    found = mlm.johnson_neyman(moderated, "ses", "clubs", ddf=ddf)
    assert len(found.bounds) == 2
    assert found.region == "outside"
    for bound in found.bounds:
        slope = mlm.simple_slopes(moderated, "ses", "clubs", at=[bound], ddf="asymptotic")
        assert_close(abs(slope.statistic[0]), found.critical, SAME_PATH)
    assert found.share == 1.0  # both bounds lie above every school
    assert bool(found.significant.all())
    assert "outside 3." in str(found)


def test_johnson_neyman_inside_the_data(d: pd.DataFrame) -> None:
    m = mlm.lmer("gpa ~ ses * clubs + (1 | schoolnr)", d.assign(gpa=d["gpa"] - 0.35 * d["ses"]))
    found = mlm.johnson_neyman(m, "ses", "clubs", ddf="asymptotic", level=0.8)
    by_rows = np.abs(found.slope / found.std_error) > found.critical
    assert found.significant.tolist() == by_rows.tolist()
    z = m.model_matrix()["clubs"].to_numpy()
    inside = (z > found.bounds.min()) & (z < found.bounds.max())
    assert_close(found.share, np.mean(inside if found.region == "inside" else ~inside))
    assert 0 < found.share < 1
