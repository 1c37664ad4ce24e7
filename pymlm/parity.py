"""The same model in native R, compared number by number.

The data leave as raw bytes written by numpy, the call as text; a plain Rscript process of its own
reads them, fits, and writes every number with 17 digits. Nothing of that goes through the bridge,
which would agree with itself.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pymlm.argument_types import Ddf
from pymlm.arguments import strict
from pymlm.engine.left_behind import temporary_folder
from pymlm.errors import NotSupportedError, RWarning
from pymlm.parity_answers import RUNS, SAME_LOGLIK, TOLERANCE, Answers
from pymlm.parity_export import ask_native, ask_native_at, export
from pymlm.results.base import Floats, Result

if TYPE_CHECKING:
    from pymlm.models.mixed import MixedModel

#: What the report suggests where an optimizer stops at neighbouring points.
TIGHTER = 'm.update(control={"optimizer": "bobyqa", "opt_ctrl": {"rhoend": 1e-10}})'


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ParityReport(Result):
    """Every number of a model, ours and native R's.

    Attributes
    ----------
    what : tuple of str, length k
        Which number, e.g. "summary[Satterthwaite] Days df".
    ours, native : ndarray, shape (k,)
    difference : ndarray, shape (k,)
        ``|ours − native| / max(|native|, scale of its table × 1e-8)``; 0 where both are NaN.
    allowed : ndarray, shape (k,)
        Largest difference that counts as agreement: the tolerance, 1,000 times it for degrees of
        freedom and p-values.
    varies : ndarray, shape (k,)
        By how much native R's answers to one question differ, in the same measure; 0 where it was
        asked once.
    agreed : ndarray of bool, shape (k,)
        The difference is allowed; or ours lies among native R's own answers; or native R has this
        number at pymlm's estimates, whose log-likelihood it finds as good as its own.
    runs : int
        How many native processes fitted the model: 1, or up to 5 where a number differed.
    neighbour : bool
        Native R was evaluated at pymlm's estimates, and both are optima of one likelihood: their
        log-likelihoods are the same to a relative difference of 1e-7.
    tolerance : float
    r_version : str
        Version of the native R.
    data_route : str
        "numpy": the user's frame was written by numpy; "rds": the data came with the model.
    notes : tuple of str
        Empty: numbers are compared, not messages.

    Notes
    -----
    The same Rscript on the same data stops at neighbouring points of a flat optimum, by where in
    memory its vectors lie. So a difference is held against native R's own, and a neighbouring
    optimum is told from a wrong number: native R evaluates its likelihood, and everything else, at
    pymlm's estimates.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "ours", "native", "difference", "allowed", "varies", "agreed",
    )  # fmt: skip
    _index: ClassVar[str | None] = "what"

    what: tuple[str, ...]
    ours: Floats
    native: Floats
    difference: Floats
    allowed: Floats
    varies: Floats
    agreed: NDArray[np.bool_]
    runs: int
    neighbour: bool
    tolerance: float
    r_version: str
    data_route: str

    @property
    def ok(self) -> bool:
        """True when every number agrees."""
        return bool(len(self.what)) and bool(self.agreed.all())

    @property
    def max_difference(self) -> float:
        """The largest relative difference from native R's first answer."""
        return float(self.difference.max(initial=0.0))

    @property
    def failures(self) -> pd.DataFrame:
        """The numbers that do not agree."""
        frame = self.to_frame()
        return frame[~frame["agreed"]]

    @property
    def text(self) -> str:
        """What was found, in words, and the numbers that differ."""
        verdict = "agree" if self.ok else "DO NOT all agree"
        lines = [
            f"{len(self.what)} numbers, pymlm and native R {self.r_version}: they {verdict} "
            f"(largest relative difference {self.max_difference:.2g}, allowed {self.tolerance:g})"
        ]
        if self.runs > 1:
            lines += self._noise()
        if not self.ok:
            lines.append(self.failures.head(20).to_string())
        return "\n".join(lines)

    def _noise(self) -> list[str]:
        many = int((~(self.difference <= self.allowed)).sum())
        lines = [
            f"{many} differ from native R's first answer. {self.runs} native fits of the same call "
            f"to the same data differ from each other by up to {self.varies.max(initial=0.0):.2g}."
        ]
        if self.neighbour:
            lines.append(
                "pymlm stopped at a neighbouring optimum: the log-likelihood is the same (to "
                f"{SAME_LOGLIK:g}), also where native R is evaluated at pymlm's estimates."
            )
        if self.ok:
            lines.append(f"A tighter optimizer brings such fits closer: {TIGHTER}")
        return lines

    def __str__(self) -> str:
        return self.text


@strict
def check_parity(model: MixedModel, tolerance: float = TOLERANCE) -> ParityReport:
    """Fit the same call to the same data in native R, and compare every number.

    Parameters
    ----------
    model : LinearMixedModel or GeneralizedLinearMixedModel
    tolerance : float
        Largest relative difference that counts as agreement; see `ParityReport.allowed`.

    Returns
    -------
    ParityReport
        Coefficients of the summary for each method of degrees of freedom, variance components,
        conditional modes and their SDs, fitted values, log-likelihood, criteria, theta and sigma.

    Raises
    ------
    NotSupportedError
        For a model that lme4 did not fit, or one whose data are gone.
    RError
        When native R fails.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> mlm.check_parity(m).ok
    True
    """
    if not hasattr(model, "varcorr"):
        raise NotSupportedError("check_parity compares mixed models that lme4 fitted")
    ddfs = _ddfs(model)
    ours = _own_numbers(model, ddfs)
    with temporary_folder("parity") as folder:
        route = export(model, folder, [d for d in ddfs if d])
        first = ask_native(folder)
        found = Answers(ours, first, tolerance)
        while not found.agreed.all() and found.runs < RUNS:
            found.add(ask_native(folder))
        neighbour = False
        if not found.agreed.all():
            neighbour = found.add_at_estimates(ask_native_at(model, folder))
    return ParityReport(
        what=found.what,
        ours=found.ours,
        native=found.native[0],
        difference=found.difference,
        allowed=found.allowed,
        varies=found.varies,
        agreed=found.agreed,
        runs=found.runs,
        neighbour=neighbour,
        tolerance=float(tolerance),
        r_version=str(first["r_version"]),
        data_route=route,
    )


#: Above this, native Kenward-Roger takes minutes (dense n x n matrices) and is left out.
MAX_KR_ROWS = 1_500


def _ddfs(model: MixedModel) -> list[Ddf | None]:
    """Methods of degrees of freedom that are compared; None is lme4's table, without."""
    if not model._described.linear:
        return [None]
    # pbkrtest would take structures for unstructured covariances, and is refused for them.
    structured = any(x.structure != "us" for x in model.varcorr().matrices)
    kenward_roger = model.reml and model.nobs <= MAX_KR_ROWS and not structured
    return [None, "Satterthwaite", "Kenward-Roger"] if kenward_roger else [None, "Satterthwaite"]


def _own_numbers(model: MixedModel, ddfs: list[Ddf | None]) -> dict[str, dict[str, Any]]:
    """Tables of named numbers, as the native script writes them."""
    out: dict[str, dict[str, Any]] = {}
    for ddf in ddfs:
        # The bridge is checked here; the tests compare the exact engine with lmerTest. What R says
        # of its own numbers (pbkrtest and prior weights) is no matter of parity.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RWarning)
            fixed = model.summary(ddf=ddf, engine=None if ddf is None else "lmerTest").fixed
        table: dict[str, Any] = {}
        for column in ("estimate", "std_error", "df", "statistic", "p_value"):
            values = getattr(fixed, column)
            if values is not None:
                table |= {f"{t} {column}": v for t, v in zip(fixed.term, values, strict=True)}
        out[f"summary[{ddf or 'lme4'}]"] = table
    vc = model.varcorr()
    out["VarCorr"] = {
        " ".join(str(x) for x in (g, a, b) if x is not None) + f" {name}": value
        for g, a, b, v, s in zip(vc.grp, vc.var1, vc.var2, vc.vcov, vc.sdcor, strict=True)
        for name, value in (("vcov", v), ("sdcor", s))
    }
    for g in model.ranef().groups:
        sd = g.condsd if g.condsd is not None else np.full(g.condval.shape, np.nan)
        out[f"ranef {g.grpvar}"] = {
            f"{level} {term} {name}": table[i, j]
            for name, table in (("condval", g.condval), ("condsd", sd))
            for j, term in enumerate(g.term)
            for i, level in enumerate(g.level)
        }
    fitted = model.fitted().dropna().to_numpy()
    out["fitted"] = {str(i + 1): v for i, v in enumerate(fitted)}
    out["criteria"] = {
        "logLik": model.loglik, "AIC": model.aic, "BIC": model.bic, "sigma": model.sigma,
        "df.residual": model.df_residual, "nobs": model.nobs, "npar": model.npar,
    }  # fmt: skip
    out["theta"] = {str(i + 1): v for i, v in enumerate(model.theta)}
    return out
