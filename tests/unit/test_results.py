"""What results answer when asked for a part that they have not."""

from __future__ import annotations

import numpy as np
import pytest

from pymlm.errors import ArgumentError
from pymlm.multilevel.alternatives import Alternatives
from pymlm.results.ranef import GroupModes, RandomEffects
from pymlm.results.varcorr import CovarianceMatrix, VarCorr

ONE = np.ones(1)
EFFECTS = Alternatives(
    term=("ses",), model=("ols",), estimate=ONE, std_error=ONE, df=ONE, statistic=ONE, p_value=ONE,
    conf_low=ONE, conf_high=ONE,
)  # fmt: skip
VARIANCES = VarCorr(
    grp=("school",), var1=("(Intercept)",), var2=(None,), vcov=ONE, sdcor=ONE,
    matrices=(CovarianceMatrix(grp="school", terms=("(Intercept)",), covariance=np.eye(1)),),
    sigma=1.0, use_sigma=True,
)  # fmt: skip
MODES = RandomEffects(
    groups=(GroupModes(grpvar="school", level=("a",), term=("(Intercept)",), condval=np.eye(1)),)
)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        (lambda: EFFECTS.row("sess"), "no row 'sess' here. Did you mean 'ses'.* There are: ses"),
        (lambda: EFFECTS.wide("se"), "no column 'se' here.* There are: model, estimate"),
        (lambda: VARIANCES.matrix("shool"), "no grouping factor 'shool'.*Did you mean 'school'"),
        (lambda: VARIANCES.matrix(3), "no grouping factor 3 here"),
        (lambda: VARIANCES.variance("school", "x"), r"no random effect 'x'.*: \(Intercept\)"),
        (lambda: MODES["x"], "no grouping factor 'x' here. There are: school"),
    ],
)
def test_a_part_that_is_not_there_is_an_error_that_lists_what_is(ask, says):
    with pytest.raises(ArgumentError, match=says):
        ask()
