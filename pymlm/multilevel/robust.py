"""Cluster-robust standard errors."""

from __future__ import annotations

from pymlm.argument_types import Level, RobustType
from pymlm.arguments import strict
from pymlm.errors import ArgumentError
from pymlm.models.base import Fitted
from pymlm.models.mixed import MixedModel
from pymlm.multilevel._tools import column
from pymlm.results.multilevel_effects import RobustEffects


@strict
def cluster_robust(
    fit: Fitted, by: str | None = None, type: RobustType = "CR2", level: Level = 0.95
) -> RobustEffects:
    """Return coefficients with standard errors that are robust to dependence within clusters.

    Parameters
    ----------
    fit : LinearModel or LinearMixedModel
        From `pymlm.lm` or `pymlm.lmer`.
    by : str, optional
        The column that identifies clusters; for a mixed model default is its outermost grouping
        factor.
    type : str
        "CR0" to "CR3" with Satterthwaite's degrees of freedom (clubSandwich): "CR2" is the bias-
        reduced one for few clusters. "HC0" to "HC3" with clusters − 1 degrees of freedom
        (sandwich): "HC1" is Stata's ``vce(cluster)``. HC types are for `pymlm.lm` only.
    level : float
        Of the confidence intervals.

    Returns
    -------
    RobustEffects

    Raises
    ------
    NotSupportedError
        HC types for a mixed model, for which sandwich has no method; random effects that are not
        nested within the clusters; a model that is not linear.
    DataError
        For a cluster column that is not there, is missing in rows that the model used, or has one
        cluster.

    Notes
    -----
    Mirrors ``clubSandwich::coef_test(model, vcov = type, cluster = by, test = "Satterthwaite")``
    and ``sandwich::vcovCL(model, cluster = by, type = type)``. Pustejovsky & Tipton 2018,
    doi:10.1080/07350015.2016.1247004; Cameron & Miller 2015, doi:10.3368/jhr.50.2.317. Robust
    errors repair the inference on a slope; they do not say whether it is within, between or smushed
    (lecture S4).

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lm("Reaction ~ Days", mlm.load_dataset("sleepstudy"))
    >>> table = mlm.cluster_robust(m, by="Subject").to_frame()
    >>> table[["estimate", "std_error", "df"]].round(3)
                 estimate  std_error    df
    (Intercept)   251.405      6.825  17.0
    Days           10.467      1.546  17.0
    """
    if not isinstance(fit, Fitted):
        raise ArgumentError(f"cluster_robust takes a model of pymlm.lm or pymlm.lmer, not {fit!r}")
    cluster = None
    if by is not None:
        if fit._source.data is not None:
            column(fit._source.data, by, "argument by")
        cluster = fit._clusters(by)
    elif not isinstance(fit, MixedModel):
        raise ArgumentError("say which column identifies the clusters: by='...'")
    found: RobustEffects = fit._call(
        "ml_cluster_robust",
        RobustEffects,
        cluster=cluster,
        type=type,
        level=level,
    )
    return found
