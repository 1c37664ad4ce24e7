"""Nonlinear mixed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

import numpy as np
import pandas as pd

from pymlm.argument_types import Data, Ddf, FixedOrRandom, PerRow, Timeout
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, FormulaError, NotSupportedError, near_names
from pymlm.formula import Formula, vet
from pymlm.frames import as_pandas, prepare
from pymlm.models.advice import advised
from pymlm.models.control import NlmerControl, as_control
from pymlm.models.exact import need_asymptotic
from pymlm.models.fitting import check_response, fit, make_task, warn_about
from pymlm.models.glmm import points_of_quadrature
from pymlm.models.mixed import MixedModel
from pymlm.models.newdata import needed_columns
from pymlm.results.fixed import NamedMatrix
from pymlm.results.printed import in_digits
from pymlm.results.summary import Summary


class NonlinearMixedModel(MixedModel):
    """A nonlinear mixed model that ``lme4::nlmer`` fitted; see `pymlm.nlmer`.

    The fixed effects are the parameters of the function; random effects are deviations of these
    parameters, in their own units. What lme4 does for linear predictors alone raises
    NotSupportedError: tables of terms (anova, drop1; `contest` and `pymlm.lrt` test), simulate,
    bootstrap and profile, leverages and influence.
    """

    _updatable: ClassVar[tuple[str, ...]] = (
        "data", "start", "n_agq", "weights", "offset", "control", "data_name", "trusted", "timeout",
    )  # fmt: skip
    _in_place: ClassVar[dict[str, str]] = {"n_agq": "nAGQ"}

    @strict
    def summary(self, ddf: Ddf | None = None, digits: int | None = None) -> Summary:  # type: ignore[override]  # no engines
        """Summarise the model; ``print(m.summary())`` prints what R prints.

        Parameters
        ----------
        ddf : None or "asymptotic"
            lme4 gives t values without p-values; degrees of freedom are not defined here.
        digits : int, optional
            The summary is printed as R prints it under ``options(digits = digits)``.

        Raises
        ------
        NotSupportedError
            For Satterthwaite and the like.

        Notes
        -----
        Mirrors ``summary(model)`` of lme4.
        """
        need_asymptotic(ddf)
        return in_digits(self._plain_summary(), digits)

    @strict
    def predict(  # type: ignore[override]  # no intervals, and no formula for re_form
        self,
        newdata: Data | None = None,
        re_form: str | None = None,
        type: Literal["response"] = "response",
        allow_new_levels: bool = False,
    ) -> pd.Series:
        """Predict for the data or for new rows.

        Parameters
        ----------
        newdata : DataFrame, optional
            Rows to predict for.
        re_form : None or "NA"
            None: with the random effects of the groups; "NA": with the fixed effects alone.
        type : {"response"}
        allow_new_levels : bool
            Take unknown groups at the fixed effects, instead of refusing.

        Returns
        -------
        Series
            On the index of `newdata`, or of the data.

        Raises
        ------
        DataError
            For a missing column, or a group that the model has not seen.

        Notes
        -----
        Computed here, as f(x, φ) with φ = β + b of the row's group, for R's ``predict`` of an nlmer
        model stops for new data and without random effects answers the sum of the parameters
        (lme4 1.1-31). Without `newdata` it is ``fitted(model)``, which lme4 leaves one iteration
        behind the random effects: about 1e-7 off.
        """
        if re_form not in (None, "NA", "~0", "~ 0"):
            raise NotSupportedError(
                "predict of a nonlinear model takes re_form=None (all random effects) or 'NA'"
            )
        args: dict[str, Any] = {"random": re_form is None}
        if newdata is None:
            return self._by_row(self._call("nlmm_predicted", **args), "predicted")
        frame = as_pandas(newdata)
        formula = vet(self.formula, trusted=True, columns=self._source.sent)
        needed = [n for n in formula.names if n not in (*self.fixef().index, formula.response)]
        if re_form is not None:
            needed = [n for n in needed if n not in formula.groups]
        args["newdata"] = prepare(needed_columns(frame, needed), keys=formula.keys)
        args["allow_new_levels"] = allow_new_levels
        return pd.Series(self._call("nlmm_predicted", **args), index=frame.index, name="predicted")

    @strict
    def model_matrix(self, type: FixedOrRandom = "fixed") -> pd.DataFrame:
        """Return the matrix of the parameters' fixed effects, one row a parameter and row used.

        Parameters
        ----------
        type : {"fixed", "random"}
            X, which has a block of rows for each parameter of the function, or Z, with the same
            rows: ``getME(model, "X")``, ``getME(model, "Z")``.

        Returns
        -------
        DataFrame
            Indexed by parameter and the data's index.
        """
        answer = self._ask("model_matrix", NamedMatrix, keep=False, type=type)
        parameters = self._call("nonlinear_parameters", tuple[str, ...])
        rows = pd.MultiIndex.from_product([parameters, self._used_index])
        return answer.to_frame(rows)

    def update(self, formula: str | None = None, **changes: Any) -> Self:
        """Fit a changed model.

        Parameters
        ----------
        formula : str, optional
            The whole new formula, in three parts; dots are not understood here.
        **changes
            Any other argument of `pymlm.nlmer`.

        Raises
        ------
        ArgumentError
            For an argument that `pymlm.nlmer` does not know.
        """
        if formula is None:
            return super().update(**changes)
        if self._source.data is None:
            raise ArgumentError("this model came from a file without its data frame: fit it anew")
        arguments = dict(self._source.arguments) | changes
        return self._fit_again(formula, arguments.pop("data", self._source.data), arguments)

    def _columns_of(self, formula: str) -> set[str]:
        return set(self._source.sent)  # only arguments change in place, never the formula

    def _fit_again(self, formula: str, data: Data, arguments: dict[str, Any]) -> Self:
        # R's formula names the function made from the middle part; the user's own is kept.
        own = arguments.pop("formula", formula)
        text = own if formula == self.formula else formula
        return super()._fit_again(text, data, arguments)

    def _r_value(self, name: str, value: Any) -> Any:
        points = points_of_quadrature(value)
        return None if points == 1 else points


@strict
def nlmer(
    formula: str,
    data: Data,
    start: Mapping[str, float],
    n_agq: int = 1,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
    control: NlmerControl | Mapping[str, Any] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
) -> NonlinearMixedModel:
    """Fit a nonlinear mixed model by maximum likelihood, with ``lme4::nlmer``.

    Parameters
    ----------
    formula : str
        Three parts: ``response ~ function ~ fixed and random effects``, e.g.
        ``"circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree"``. The function is a
        self-starting one of R (SSlogis, SSasymp, SSmicmen ...), or an expression such as
        ``Asym / (1 + exp((xmid - age) / scal))``, which R's ``deriv()`` differentiates.
    data : DataFrame
    start : dict
        Parameter -> starting value; its names are the parameters of the function, in any order.
    n_agq : int
        1 is the Laplace approximation, 0 is quicker and less exact; lme4 has no more points of
        quadrature for these models.
    weights, offset, control, data_name, trusted, timeout
        As in `pymlm.lmer`; `control` is an `NlmerControl` or a dict.

    Returns
    -------
    NonlinearMixedModel

    Raises
    ------
    FormulaError
        When the formula has not three parts, or does not use a parameter.
    ArgumentError
        For starting values that are no numbers.
    DataError, FitError, FitTimeout
        As in `pymlm.lmer`.

    Notes
    -----
    Mirrors ``lme4::nlmer(formula, data, control, start, nAGQ, weights, offset)``; Bates et al.
    2015, doi:10.18637/jss.v067.i01.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.nlmer("circumference ~ SSlogis(age, Asym, xmid, scal) ~ Asym | Tree",
    ...               mlm.load_dataset("Orange"), start={"Asym": 200, "xmid": 725, "scal": 350})
    >>> m.fixef().round(1).to_dict()
    {'Asym': 192.1, 'xmid': 727.9, 'scal': 348.1}
    """
    values = _start(start)
    points = points_of_quadrature(n_agq)
    arguments = {
        "formula": formula, "start": dict(start), "n_agq": points, "weights": weights,
        "offset": offset, "control": control, "data_name": data_name, "trusted": trusted,
    }  # fmt: skip
    _check_parts(vet(formula, trusted=trusted), list(values))
    task = make_task(formula, data, arguments, timeout, parameters=list(values))
    check_response(task.formula, task.data)
    handle = fit(
        "fit_nlmer",
        task,
        n_agq=points,
        control=as_control(control, NlmerControl),
        start=values,
    )
    model = advised(NonlinearMixedModel(handle, task.fitted_by(nlmer)))
    warn_about(model.convergence)
    return model


def _start(start: Any) -> dict[str, float]:
    if not isinstance(start, Mapping) or not start:
        raise ArgumentError(
            "start maps each parameter to a number, e.g. {'Asym': 200, 'xmid': 725, 'scal': 350}, "
            f"not {start!r}"
        )
    for name, value in start.items():
        number = isinstance(value, (int, float, np.number)) and not isinstance(value, bool)
        if not number or not np.isfinite(value):
            raise ArgumentError(f"start[{name!r}] must be one finite number, not {value!r}")
    return {str(k): float(v) for k, v in start.items()}


def _check_parts(formula: Formula, parameters: Sequence[str]) -> None:
    if not formula.nonlinear:
        raise FormulaError(
            "nlmer takes a formula of three parts, e.g. "
            "'y ~ SSlogis(Time, Asym, xmid, scal) ~ Asym | Tree'"
        )
    if not formula.n_bars:
        raise FormulaError("the formula has no random effects; end it e.g. with '~ Asym | Tree'")
    unused = [p for p in parameters if p not in formula.names]
    if unused:
        raise FormulaError(
            f"start names {unused[0]!r}, which the formula does not use; it names "
            f"{', '.join(formula.names)}.{near_names(unused[0], formula.names)}"
        )
