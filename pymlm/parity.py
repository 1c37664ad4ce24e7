"""The same model in native R, compared number by number.

The data leave as raw bytes written by numpy, the call as text; a plain Rscript process of its own
reads them, fits, and writes every number with 17 digits. Nothing of that goes through the bridge,
which would agree with itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pymlm.arguments import strict
from pymlm.engine.left_behind import temporary_folder
from pymlm.models.mixed import MixedModel
from pymlm.models.model import Model
from pymlm.parity_answers import RUNS, SAME_LOGLIK, TOLERANCE, Answers
from pymlm.parity_export import ask_native, ask_native_at, export
from pymlm.parity_numbers import compared_ddfs, own_numbers
from pymlm.results.base import Floats, Result

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

    def _body(self) -> str:
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


@strict
def check_parity(model: Model, tolerance: float = TOLERANCE) -> ParityReport:
    """Fit the same call to the same data in native R, and compare every number.

    Parameters
    ----------
    model : fitted model
        Of `lmer`, `glmer`, `lm`, `glm`, `lme` or `gls`.
    tolerance : float
        Largest relative difference that counts as agreement; see `ParityReport.allowed`.

    Returns
    -------
    ParityReport
        Coefficients of the summary (for each method of degrees of freedom, where there are
        several), fitted values, log-likelihood, criteria and sigma; with random effects variance
        components and conditional modes, of lme4 their SDs and theta, too; of nlme the parameters
        of the residuals' structure; without random effects the covariance of the estimates, and
        deviances.

    Raises
    ------
    NotSupportedError
        For a nonlinear or multiple-membership model, or a list of models.
    DataError
        For a model without its data.
    RError
        When native R fails.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Yield ~ 1 + (1 | Batch)", mlm.load_dataset("Dyestuff"))
    >>> mlm.check_parity(m).ok
    True
    """
    ddfs = compared_ddfs(model)
    ours = own_numbers(model, ddfs)
    with temporary_folder("parity") as folder:
        route = export(model, folder, [d for d in ddfs if d])
        first = ask_native(folder)
        found = Answers(ours, first, tolerance)
        while not found.agreed.all() and found.runs < RUNS:
            found.add(ask_native(folder))
        neighbour = False
        if not found.agreed.all() and isinstance(model, MixedModel):
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
