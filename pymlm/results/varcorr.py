"""Variance components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from pymlm.results.base import Floats, Printed, Result, check_known


@dataclass(frozen=True, slots=True, kw_only=True)
class CovarianceMatrix:
    """Covariance matrix of the random effects of one term; rows and columns follow `terms`.

    `structure` is lme4's name of it: "us" (any covariance matrix), and with lme4 2.0 and later
    "diag", "cs", "ar1"; "cs(hom=True)" and its like have one standard deviation for all.
    """

    grp: str
    terms: tuple[str, ...]
    covariance: Floats
    structure: str = "us"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class VarCorr(Result):
    """Variances, covariances and correlations of the random effects, and the residual variance.

    Attributes
    ----------
    grp : tuple of str, length k
        Grouping factor; "Residual" for the last row of a model that has a residual variance.
    var1, var2 : tuple of (str or None), length k
        The coefficients: var2 is None in a row that holds a variance.
    vcov : ndarray, shape (k,)
        Variance or covariance, in squared units of the response (of the link, for a GLMM).
    sdcor : ndarray, shape (k,)
        Standard deviation or correlation.
    sigma : float
        Residual standard deviation (1 for families without a scale).
    use_sigma : bool
        False for families without a scale parameter.
    matrices : tuple of CovarianceMatrix
        One a term, in R's order; uncorrelated terms of one factor stand as "g", "g.1" ...
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``as.data.frame(VarCorr(model))`` of lme4; Bates et al. 2015,
    doi:10.18637/jss.v067.i01.
    """

    _columns: ClassVar[tuple[str, ...]] = ("grp", "var1", "var2", "vcov", "sdcor")

    grp: tuple[str, ...]
    var1: tuple[str | None, ...]
    var2: tuple[str | None, ...]
    vcov: Floats
    sdcor: Floats
    sigma: float
    use_sigma: bool
    matrices: tuple[CovarianceMatrix, ...]
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return R's columns grp, var1, var2, vcov, sdcor as a fresh DataFrame."""
        return pd.DataFrame(
            {
                "grp": pd.array(list(self.grp), dtype=object),
                "var1": pd.array(list(self.var1), dtype=object),
                "var2": pd.array(list(self.var2), dtype=object),
                "vcov": np.array(self.vcov),
                "sdcor": np.array(self.sdcor),
            }
        )

    def matrix(self, group: str) -> pd.DataFrame:
        """Return the covariance matrix of one grouping factor's random effects.

        Several uncorrelated terms of the factor are put together, with zeros between them.

        Raises
        ------
        ArgumentError
            When the model has no such grouping factor.
        """
        parts = [m for m in self.matrices if m.grp == group]
        check_known(group, [m.grp for m in self.matrices], "grouping factor")
        names = [t for m in parts for t in m.terms]
        out = np.zeros((len(names), len(names)))
        at = 0
        for m in parts:
            k = len(m.terms)
            out[at : at + k, at : at + k] = m.covariance
            at += k
        return pd.DataFrame(out, index=names, columns=names)

    def variance(self, group: str, term: str = "(Intercept)") -> float:
        """Return one variance: of `term` in `group`, or of "Residual".

        Raises
        ------
        ArgumentError
            When the model has no such grouping factor, or the factor no such term.
        """
        if group == "Residual":
            return self.sigma**2
        frame = self.matrix(group)
        check_known(term, frame.columns, "random effect")
        at = frame.columns.get_loc(term)
        return float(frame.to_numpy()[at, at])
