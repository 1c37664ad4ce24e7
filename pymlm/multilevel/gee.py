"""Generalized estimating equations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, GeeCorrelation, GeeErrors, GeeFamily, Level
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError
from pymlm.frames import as_pandas, prepare
from pymlm.models.base import Source
from pymlm.models.inside import ask
from pymlm.multilevel.groups import Groups
from pymlm.multilevel.panel import PanelFit, panel_task, with_groups
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import FixedEffects


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class GeeEstimates(Result):
    """Population-average coefficients by generalized estimating equations.

    Attributes
    ----------
    fixed : FixedEffects
        z tests with robust standard errors; the link's scale. R prints Wald = z².
    corstr : str
        Working correlation.
    alpha, alpha_std_error : ndarray, shape (k,)
        Its parameters: one for "exchangeable" and "ar1", one a pair of rows for "unstructured",
        none for "independence".
    scale : float
        Estimated scale parameter.
    family : str
    nobs, n_clusters, max_cluster : int
    printed : Printed or None

    Notes
    -----
    Mirrors ``summary(geepack::geeglm(...))``; Højsgaard, Halekoh & Yan 2006,
    doi:10.18637/jss.v015.i02; Liang & Zeger 1986, doi:10.1093/biomet/73.1.13.
    """

    fixed: FixedEffects
    corstr: str
    alpha: Floats
    alpha_std_error: Floats
    scale: float
    family: str
    nobs: int
    n_clusters: int
    max_cluster: int
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table."""
        return self.fixed.to_frame()


#: GEE's families and the R names of their variance functions.
FAMILIES = {
    "gaussian": "gaussian",
    "binomial": "binomial",
    "poisson": "poisson",
    "gamma": "Gamma",
}


@strict
def gee(
    formula: str,
    data: Data,
    by: str,
    family: GeeFamily = "gaussian",
    link: str | None = None,
    corstr: GeeCorrelation = "exchangeable",
    std_err: GeeErrors = "san.se",
    level: Level = 0.95,
) -> GeeEstimates:
    """Fit a population-average model by generalized estimating equations, with geepack.

    Parameters
    ----------
    formula : str
        Without random effects.
    data : DataFrame
        Rows may come in any order: they are sorted by group (keeping their order within), because
        geepack takes every change of the identifier as a new cluster. Clusters of one row come
        first: behind another cluster geepack counts that one's pairs again for them, so that the
        standard error of alpha hangs on the order of the clusters.
    by : str
        The grouping factor.
    family : {"gaussian", "binomial", "poisson", "gamma"}
    link : str, optional
        Another link than the family's own.
    corstr : {"exchangeable", "independence", "ar1", "unstructured"}
        Working correlation; "ar1" takes rows in the data's order as equally spaced.
    std_err : {"san.se", "jack", "j1s", "fij"}
        Sandwich or jackknife standard errors.
    level : float
        Of the confidence intervals.

    Returns
    -------
    GeeEstimates

    Notes
    -----
    Mirrors ``geepack::geeglm(formula, family, data, id, corstr, std.err)``; Højsgaard, Halekoh &
    Yan 2006, doi:10.18637/jss.v015.i02. Lecture S3: estimates marginal effects only.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> mlm.gee("langPOST ~ ses", d, by="schoolNR").n_clusters
    131
    """
    which = FAMILIES[family]
    if link is not None and not isinstance(link, str):
        raise ArgumentError(f"link is a name such as 'log', not {link!r}")
    text, used, groups = panel_task(formula, data, by)
    if groups.n < 2:
        raise DataError(
            f"all rows are in one {by!r}: the sandwich needs independent groups, and with one its "
            "standard errors are rounding"
        )
    frame = with_groups(used, groups, by)
    frame = frame.iloc[_by_cluster(groups)]
    name = str(as_pandas(data).attrs.get("name", "data"))
    handle = call(
        "ml_fit_gee", text, prepare(frame), name, by, which, link, corstr, std_err, fitting=True
    )
    model = PanelFit(
        handle, Source(index=frame.index, data=None, sent=tuple(map(str, frame.columns)),
                       arguments={})
    )  # fmt: skip
    return ask(model, "ml_gee", GeeEstimates, level=level)


def _by_cluster(groups: Groups) -> np.ndarray[Any, Any]:
    """Places of the rows, cluster by cluster, those of one row first.

    A row alone has no pair, and geepack (1.3) leaves what it computed for the cluster before it in
    the sum that the standard error of alpha is made of; at the head that is nothing.
    """
    codes = np.asarray(groups.codes)
    alone = np.bincount(codes, minlength=groups.n)[codes] == 1
    return np.lexsort((codes, ~alone))
