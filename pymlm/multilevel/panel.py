"""Panel estimators, and Hausman's test between two of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, PanelModel
from pymlm.arguments import own_words, strict
from pymlm.engine import RObject, call
from pymlm.errors import DataError, FormulaError
from pymlm.formula import vet
from pymlm.frames import as_pandas, complete_rows, level_name, prepare, used_columns
from pymlm.models.advice import about_formula, advise
from pymlm.models.base import Fitted, Source
from pymlm.models.fitting import check_response
from pymlm.models.inside import ask, handle_of
from pymlm.multilevel.groups import Groups, groups_of
from pymlm.results.base import Floats, Printed, Result
from pymlm.results.fixed import FixedEffects

MODELS = own_words(PanelModel, "model")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PanelEstimates(Result):
    """Estimates of a panel model: within, between, random-effects GLS or pooled OLS.

    Attributes
    ----------
    fixed : FixedEffects
        Coefficients; z tests for the random-effects model, t tests for the others.
    model : str
        "within", "between", "random" or "pooling".
    r_squared : float
        plm's R², of the transformed data.
    nobs, ngroups : int
    sigma_u, sigma_e : float
        Standard deviations of the group effect (NaN but for "random") and of the residual.
    theta : ndarray, shape (ngroups,), or None
        Share of the group mean that is taken off, of each group ("random" only).
    printed : Printed or None
        R's own print of the summary.

    Notes
    -----
    Mirrors ``summary(plm::plm(formula, data, index, model))``; "random" uses Swamy and Arora's
    variances, as Stata's ``xtreg, re``. Croissant & Millo 2008, doi:10.18637/jss.v027.i02.
    """

    fixed: FixedEffects
    model: str
    r_squared: float
    nobs: int
    ngroups: int
    sigma_u: float
    sigma_e: float
    theta: Floats | None = None
    printed: Printed | None = None

    @property
    def rho(self) -> float:
        """Share of the variance that lies between groups: sigma_u² / (sigma_u² + sigma_e²)."""
        return self.sigma_u**2 / (self.sigma_u**2 + self.sigma_e**2)

    def to_frame(self) -> pd.DataFrame:
        """Return the coefficient table."""
        return self.fixed.to_frame()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Hausman(Result):
    """Hausman's test of the random-effects against the within estimator.

    Attributes
    ----------
    chisq, df, p_value : float
        A small p says that the slopes differ within and between groups.
    within, random : Series-like dict of str to float
        The coefficients compared.
    printed : Printed or None

    Notes
    -----
    Mirrors ``plm::phtest``; Hausman 1978, doi:10.2307/1913827.
    """

    chisq: float
    df: float
    p_value: float
    within: Mapping[str, float]
    random: Mapping[str, float]
    printed: Printed | None = None

    def to_frame(self) -> pd.DataFrame:
        """Return one row: chisq, df, p_value."""
        return pd.DataFrame([{"chisq": self.chisq, "df": self.df, "p_value": self.p_value}])


def panel_task(
    formula: str, data: Data, by: str, say: bool = True
) -> tuple[str, pd.DataFrame, Groups]:
    """Vetted formula, the complete rows of the columns it uses, and the groups."""
    frame = as_pandas(data)
    vetted = vet(formula, columns=frame.columns, rows=len(frame))
    if not vetted.two_sided:
        raise FormulaError("the formula has no response; write e.g. 'y ~ x'")
    if vetted.n_bars:
        raise FormulaError("the formula has random effects; this alternative takes none: 'y ~ x'")
    groups_of(frame, by)
    used = used_columns(frame, list(dict.fromkeys([*vetted.names, by])))
    complete = complete_rows(used)
    if not complete.any():
        raise DataError("every row misses a column that is used")
    used = used.loc[complete]
    check_response(vetted, used)
    if say:
        advise(*about_formula(vetted, mixed=False))
    return vetted.text, used, groups_of(used, by)


def complete_task(formula: str, data: Data, by: str) -> tuple[str, pd.DataFrame]:
    """Return the vetted formula and the complete rows of what it uses; see `panel` for errors."""
    text, used, _ = panel_task(formula, data, by, say=False)  # lm() of it does
    return text, used


def with_groups(used: pd.DataFrame, groups: Groups, by: str) -> pd.DataFrame:
    """The columns with the grouping factor as a category of its used levels."""
    out = used.copy()
    labels = pd.Index([level_name(x) for x in groups.labels], dtype=object)
    out[by] = pd.Categorical.from_codes(groups.codes.tolist(), labels)
    return out


class PanelFit(Fitted):
    """plm's model behind the usual questions."""

    def _dropped_rows(self) -> Any:
        return np.array([], dtype=np.int64)


def _fit_panel(formula: str, data: Data, by: str, model: str, say: bool = True) -> PanelFit:
    text, used, groups = panel_task(formula, data, by, say)
    frame = with_groups(used, groups, by)
    name = str(as_pandas(data).attrs.get("name", "data"))
    handle: RObject = call("ml_fit_panel", text, prepare(frame), name, by, model, fitting=True)
    return PanelFit(
        handle,
        Source(index=used.index, data=None, sent=tuple(map(str, used.columns)), arguments={}),
    )


@strict
def panel(formula: str, data: Data, by: str, model: PanelModel = "within") -> PanelEstimates:
    """Fit a panel model with plm: within (fixed effects), between, random-effects GLS, or pooled.

    Parameters
    ----------
    formula : str
        Without random effects: ``"gpa ~ ses + clubs"``.
    data : DataFrame
    by : str
        The grouping factor (the panel's individuals).
    model : {"within", "between", "random", "pooling"}
        - "within": deviations from group means (``xtreg, fe``); level-2 predictors drop out.
        - "between": regression of group means.
        - "random": feasible GLS, Swamy and Arora's variances (``xtreg, re``).
        - "pooling": ordinary least squares.

    Returns
    -------
    PanelEstimates

    Raises
    ------
    FormulaError, DataError
        For random effects in the formula, or columns that are not there.
    FitError
        When plm cannot fit it: no variation within any group, too few groups.
    RPackageError
        When plm is not installed.

    Notes
    -----
    Mirrors ``plm::plm(formula, data, index = by, model = model)``; Croissant & Millo 2008,
    doi:10.18637/jss.v027.i02. Lectures S0 (within model, xtreg) and S3.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("nlme::bdf")
    >>> mlm.panel("langPOST ~ ses", d, by="schoolNR").fixed.estimate.round(4).tolist()
    [0.297]
    """
    return ask(_fit_panel(formula, data, by, model), "ml_panel", PanelEstimates)


@strict
def hausman(formula: str, data: Data, by: str) -> Hausman:
    """Test by Hausman whether random-effects and within estimates differ.

    Parameters
    ----------
    formula, data, by
        As in `panel`.

    Returns
    -------
    Hausman
        A small p-value says that within and between slopes differ, so that a random-effects model
        with the raw predictors has smushed slopes; `within_between` shows by how much.

    Notes
    -----
    Mirrors ``plm::phtest(within, random)``; Hausman 1978, doi:10.2307/1913827.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("mlmRev::Exam")
    >>> test = mlm.hausman("normexam ~ standLRT", data, by="school")
    >>> round(test.chisq, 1), test.p_value < 0.001
    (15.1, True)
    """
    within = _fit_panel(formula, data, by, "within")
    random = _fit_panel(formula, data, by, "random", say=False)
    found = call("ml_hausman", handle_of(within), handle_of(random))
    a, b = ask(within, "ml_panel", PanelEstimates), ask(random, "ml_panel", PanelEstimates)
    return Hausman(
        chisq=float(found["chisq"][0]),
        df=float(found["df"][0]),
        p_value=float(found["p_value"][0]),
        within=dict(zip(a.fixed.term, map(float, a.fixed.estimate), strict=True)),
        random=dict(zip(b.fixed.term, map(float, b.fixed.estimate), strict=True)),
        printed=Printed.from_r(found["printed"]),
    )
