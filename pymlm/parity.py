"""The same model in native R, compared number by number.

The data leave as raw bytes written by numpy, the call as text; a plain Rscript process of its own
reads them, fits, and writes every number with 17 digits. Nothing of that goes through the bridge,
which would agree with itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.arguments import strict
from pymlm.engine.startup import bridge_folder, find_r_home
from pymlm.errors import NotSupportedError, RError, RWarning
from pymlm.parity_export import export
from pymlm.results.base import Floats, Result

if TYPE_CHECKING:
    from pymlm.models.mixed import MixedModel

#: Same R, same data, same arithmetic: mostly every digit is the same. But sums in lme4 depend, in
#: the last bit, on where in memory the vectors lie, which two processes need not share, and the
#: optimizer turns that into 1e-10 of theta on some models (lme4's Penicillin is one).
TOLERANCE = 1e-8
#: Degrees of freedom come from numerical second derivatives, and a small p-value moves by t² times
#: what t moves: so much more may these differ.
AMPLIFIED = 1e3


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
    tolerance : float
    r_version : str
        Version of the native R.
    data_route : str
        "numpy": the user's frame was written by numpy; "rds": the data came with the model.
    notes : tuple of str
        Empty: numbers are compared, not messages.
    """

    _columns: ClassVar[tuple[str, ...]] = ("ours", "native", "difference", "allowed")
    _index: ClassVar[str | None] = "what"

    what: tuple[str, ...]
    ours: Floats
    native: Floats
    difference: Floats
    allowed: Floats
    tolerance: float
    r_version: str
    data_route: str

    @property
    def ok(self) -> bool:
        """True when every number agrees within the tolerance."""
        return bool(len(self.what)) and bool((self.difference <= self.allowed).all())

    @property
    def max_difference(self) -> float:
        """The largest relative difference."""
        return float(self.difference.max(initial=0.0))

    @property
    def failures(self) -> pd.DataFrame:
        """The numbers that do not agree."""
        frame = self.to_frame()
        return frame[~(frame["difference"] <= frame["allowed"])]

    @property
    def text(self) -> str:
        """One line, and the numbers that differ."""
        verdict = "agree" if self.ok else "DO NOT all agree"
        lines = [
            f"{len(self.what)} numbers, pymlm and native R {self.r_version}: they {verdict} "
            f"(largest relative difference {self.max_difference:.2g}, allowed {self.tolerance:g})"
        ]
        if not self.ok:
            lines.append(self.failures.head(20).to_string())
        return "\n".join(lines)

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
    linear = model._described.linear
    ddfs: list[str | None] = [None]
    if linear:
        ddfs += ["Satterthwaite"]
        if model.reml and model.nobs <= MAX_KR_ROWS:
            ddfs += ["Kenward-Roger"]
    with tempfile.TemporaryDirectory(prefix="pymlm-parity-") as name:
        folder = Path(name)
        route = export(model, folder, [d for d in ddfs if d])
        theirs = _native(folder)
    version = str(theirs.pop("r_version"))
    rows = list(_paired(_own_numbers(model, ddfs), theirs))
    what, ours, native = (
        [r[0] for r in rows],
        np.array([r[1] for r in rows]),
        np.array([r[2] for r in rows]),
    )
    return ParityReport(
        what=tuple(what),
        ours=ours,
        native=native,
        difference=np.array([r[3] for r in rows]),
        allowed=np.array([_allowed(name, tolerance) for name in what]),
        tolerance=float(tolerance),
        r_version=version,
        data_route=route,
    )


#: Above this, native Kenward-Roger takes minutes (dense n x n matrices) and is left out.
MAX_KR_ROWS = 1_500


def _native(folder: Path) -> dict[str, Any]:
    home = find_r_home()
    script = bridge_folder() / "reference" / "parity.R"
    environment = {k: v for k, v in os.environ.items() if k not in ("R_HOME", "LD_LIBRARY_PATH")}
    if "UTF-8" not in environment.get("LC_ALL", environment.get("LANG", "")).upper():
        environment["LC_CTYPE"] = "C.UTF-8"
        if environment.get("LC_ALL"):
            environment["LC_ALL"] = "C.UTF-8"
    done = subprocess.run(
        [str(Path(home, "bin", "Rscript")), "--vanilla", str(script), str(folder)],
        capture_output=True, text=True, encoding="utf-8", env=environment, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RError(f"native R failed: {done.stderr.strip()[-1500:]}", done.stderr)
    answer: dict[str, Any] = json.loads((folder / "answer.json").read_text(encoding="utf-8"))
    return answer


def _own_numbers(model: MixedModel, ddfs: list[str | None]) -> dict[str, dict[str, Any]]:
    """Tables of named numbers, as the native script writes them."""
    out: dict[str, dict[str, Any]] = {}
    for ddf in ddfs:
        # The bridge is checked here; the tests compare the exact engine with lmerTest. What R says
        # of its own numbers (pbkrtest and prior weights) is no matter of parity.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RWarning)
            asked = {} if ddf is None else {"engine": "lmerTest"}
            fixed = model.summary(ddf=ddf, **asked).fixed
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


def _paired(
    ours: dict[str, dict[str, Any]], theirs: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, float, float, float]]:
    """Match by name; a number that only one side has is an infinite difference."""
    for table in {**ours, **theirs}:
        a, b = ours.get(table, {}), theirs.get(table) or {}  # R's empty list
        values = np.array([v for v in b.values() if v is not None], dtype=float)
        scale = float(np.nanmax(np.abs(values), initial=0.0)) if values.size else 0.0
        for name in {**a, **b}:
            x = float("nan") if a.get(name) is None else float(a[name])
            y = float("nan") if b.get(name) is None else float(b[name])
            yield f"{table} {name}", x, y, _difference(x, y, scale)


def _allowed(name: str, tolerance: float) -> float:
    return tolerance * (AMPLIFIED if name.endswith((" df", " p_value")) else 1.0)


def _difference(x: float, y: float, scale: float) -> float:
    if np.isnan(x) and np.isnan(y):
        return 0.0
    if np.isnan(x) or np.isnan(y):
        return float("inf")
    if x == y:
        return 0.0
    return abs(x - y) / max(abs(y), scale * 1e-8, 1e-300)
