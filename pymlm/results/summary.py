"""What summary(model) says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from pymlm.display import readable
from pymlm.escape import html_block, html_frame, html_paragraph
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import FixedEffects
from pymlm.results.varcorr import VarCorr
from pymlm.tables import Cells, cells_of


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Summary(Result):
    """Summary of a fitted mixed model; ``print(summary)`` is what R prints.

    Attributes
    ----------
    title : str
        R's first line, e.g. "Linear mixed model fit by REML".
    fixed : FixedEffects
        The coefficient table.
    varcorr : VarCorr
        Variance components.
    ngroups : dict of str to int
        Number of levels of each grouping factor.
    nobs : int
        Rows used.
    n_dropped : int
        Rows left out because a used column was missing in them.
    scaled_residuals : ndarray, shape (5,)
        Minimum, quartiles and maximum of the Pearson residuals divided by sigma.
    correlation : ndarray, shape (p, p), or None
        Correlation of the fixed effects' estimates, in the order of `fixed.term`.
    criteria : dict of str to float
        What stands in R's header: REML criterion, or AIC, BIC, logLik, deviance, df.resid.
    ddf : str or None
        Method of the degrees of freedom; None is lme4's summary, which has none.
    ddf_engine : str or None
        What computed them: "lmerTest", "pbkrtest", "exact" or "rule".
    printed : Printed or None
        R's own print.

    Notes
    -----
    Mirrors ``summary(model)`` of lme4 and ``summary(model, ddf = ddf)`` of lmerTest; Bates et al.
    2015, doi:10.18637/jss.v067.i01; Kuznetsova et al. 2017, doi:10.18637/jss.v082.i13.
    """

    title: str
    fixed: FixedEffects
    varcorr: VarCorr
    ngroups: Mapping[str, int]
    nobs: int
    n_dropped: int
    scaled_residuals: Floats
    correlation: Floats | None
    criteria: Mapping[str, float]
    ddf: str | None = None
    ddf_engine: str | None = None
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table as a fresh DataFrame."""
        return self.fixed.to_frame()

    def _cells(self, digits: int | None, stars: Any) -> list[Cells]:
        groups = ", ".join(f"{k}: {v}" for k, v in self.ngroups.items())
        counts = f"{self.nobs} observations; groups: {groups}"
        return [
            cells_of(self.fixed.to_frame(), digits, stars, "Fixed effects"),
            cells_of(self.varcorr.to_frame(), digits, False, "Random effects",
                     [self.title, counts, *self.notes]),
        ]  # fmt: skip

    def _heading(self) -> str:
        """Title and formula, as R prints them."""
        found = re.search(r"^Formula: .*(?:\n {4,}\S.*)*", str(self.printed or ""), re.MULTILINE)
        return self.title if found is None else f"{self.title}\n{found[0]}"

    def _repr_html_(self) -> str:
        groups = ", ".join(f"{k}: {v}" for k, v in self.ngroups.items())
        dropped = f"; {self.n_dropped} dropped for missing values" if self.n_dropped else ""
        return (
            f"{html_block(self._heading())}{html_frame(readable(self.fixed.to_frame()))}"
            f"{html_frame(readable(self.varcorr.to_frame()), index=False)}"
            + html_paragraph(f"{self.nobs} observations{dropped}; groups: {groups}")
        )


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Convergence(Result):
    """What lme4's optimizer and convergence checks said, as data.

    Attributes
    ----------
    singular : bool
        Some variance is zero or some correlation ±1 (lme4's isSingular, tolerance 1e-4).
    optimizer : str
    optimizer_code : int
        0 where the optimizer reports success.
    codes : tuple of int
        lme4's codes of failed checks.
    messages : tuple of str
        lme4's own words, the note on a singular fit included.
    failures : tuple of str
        The messages that speak of failed convergence.
    optimizer_warnings : tuple of str
    max_gradient : float
        Largest absolute gradient of the deviance in theta (and the fixed effects, for a GLMM); NaN
        where it was not computed.
    max_scaled_gradient : float
        What lme4's check compares with its tolerance: the gradient scaled by the Cholesky factor of
        the Hessian, or unscaled where that is smaller.
    evaluations : int
        Deviance evaluations.
    singular_terms : tuple of str
        "group: coefficient" of every dimension without variance of its own.
    derivatives : {"lme4", "exact"} or None
        Whose gradient and Hessian were checked: lme4's, by differences, or closed forms
        (``LmerControl(calc_derivs="exact")``); None where there are none.

    Notes
    -----
    Mirrors ``model@optinfo``, ``isSingular(model)``, and lme4's ``help("convergence")``.
    """

    singular: bool
    optimizer: tuple[str, ...]
    optimizer_code: int
    codes: tuple[int, ...]
    messages: tuple[str, ...]
    failures: tuple[str, ...]
    optimizer_warnings: tuple[str, ...]
    max_gradient: float
    max_scaled_gradient: float
    evaluations: int | None
    singular_terms: tuple[str, ...]
    derivatives: Literal["lme4", "exact"] | None

    @property
    def ok(self) -> bool:
        """True when the optimizer reports success and no check failed; singular fits may be ok."""
        return self.optimizer_code == 0 and not self.failures

    def to_frame(self) -> pd.DataFrame:
        """Return one row a fact."""
        facts = {"ok": self.ok} | {
            k: ", ".join(map(str, v)) if isinstance(v, list) else v
            for k, v in self.to_dict().items()
        }
        return pd.DataFrame({"value": list(facts.values())}, index=list(facts))

    def _shown_rows(self) -> pd.DataFrame:
        frame = self.to_frame()
        return frame[[v is not None and v != "" for v in frame["value"]]]
