"""Estimates of linear combinations of fixed effects: contests and least-squares means."""

from __future__ import annotations

from dataclasses import dataclass

from pymlm.results.base import Floats, Printed
from pymlm.results.estimates import Estimates


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Contest(Estimates):
    """Tests of single linear hypotheses about the fixed effects, one row each.

    Attributes
    ----------
    term : tuple of str, length k
        The hypothesis as it was written, or a number where L was an array.
    estimate, std_error : ndarray, shape (k,)
        Of Lβ, in units of the response (link scale for a GLMM); the right-hand side is not taken
        off.
    df : ndarray, shape (k,)
        Infinite for asymptotic (z) tests.
    statistic, p_value : ndarray, shape (k,)
        (estimate − rhs) / std_error, two-sided.
    conf_low, conf_high : ndarray, shape (k,)
        Interval of Lβ at `level`, by the same degrees of freedom.
    statistic_name : str
        "t" or "z".
    level : float
    ddf : str
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    hypotheses : ndarray, shape (k, p)
        The rows of L.
    rhs : ndarray, shape (k,)
    coefficients : tuple of str, length p
        What the columns of `hypotheses` belong to.
    response : str or None
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``contest(model, L, joint = FALSE, rhs, ddf, level)`` of lmerTest; Kuznetsova et al.
    2017, doi:10.18637/jss.v082.i13.
    """

    statistic_name: str
    level: float
    ddf: str
    ddf_engine: str | None = None
    hypotheses: Floats
    rhs: Floats
    coefficients: tuple[str, ...] = ()
    response: str | None = None
    printed: Printed | None = None
