"""Linear mixed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pymlm.argument_types import Data, PerRow, Timeout
from pymlm.arguments import flag, strict
from pymlm.models.advice import advised
from pymlm.models.control import LmerControl, as_control
from pymlm.models.derivatives import asks_exact, check_exactly
from pymlm.models.fitting import (
    as_start,
    check_mixed,
    check_response,
    fit_checked,
    make_task,
    warn_about,
)
from pymlm.models.mixed import MixedModel


class LinearMixedModel(MixedModel):
    """A linear mixed model that ``lme4::lmer`` fitted; see `pymlm.lmer`."""

    _updatable: ClassVar[tuple[str, ...]] = (
        "data", "reml", "weights", "offset", "contrasts", "control", "start", "data_name",
        "trusted", "timeout",
    )  # fmt: skip
    _in_place: ClassVar[dict[str, str]] = {"reml": "REML"}

    def _r_value(self, name: str, value: Any) -> Any:
        # Left out of the call where it is R's default, as lmer() writes it.
        return None if flag(value, name) else False


@strict
def lmer(
    formula: str,
    data: Data,
    reml: bool = True,
    weights: PerRow | None = None,
    offset: PerRow | None = None,
    contrasts: Mapping[str, Any] | None = None,
    control: LmerControl | Mapping[str, Any] | None = None,
    start: Sequence[float] | Mapping[str, Sequence[float]] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: Timeout | None = None,
) -> LinearMixedModel:
    """Fit a linear mixed model by REML or maximum likelihood, with ``lme4::lmer``.

    Parameters
    ----------
    formula : str
        An lme4 formula, e.g. ``"Reaction ~ Days + (Days | Subject)"``.
    data : DataFrame
        pandas, or any frame that narwhals reads. Only the columns that the formula uses go to R.
    reml : bool
        REML (default) or maximum likelihood.
    weights, offset : str or array-like, optional
        A column's name, or one number per row. Weights must be above 0.
    contrasts : dict, optional
        Column -> R's name of its contrasts ("contr.sum", MASS's "contr.sdif"), a matrix with one
        row per level, or hypotheses: ``{"f": {"b - a": [-1, 1, 0]}}``, weights of the levels that
        sum to 0, in R's order of the levels or as a dict by level. They are inverted as hypr and
        ``MASS::ginv`` do, so that the coefficient "fb - a" is that difference; fewer of them than
        the levels less one are filled up (".rest1").
    control : LmerControl or dict, optional
        Arguments of ``lme4::lmerControl``, e.g. ``{"optimizer": "bobyqa"}``.
    start : sequence of float, optional
        Starting values of theta, in the order of ``m.theta``; or ``{"theta": ...}``.
    data_name : str, optional
        The name that the data get in R's call and print; default is the data set's name where
        `pymlm.load_dataset` made the frame, else "data".
    trusted : bool
        Let the formula call any R function: for text that you wrote yourself.
    timeout : float, optional
        Seconds after which R is stopped.

    Returns
    -------
    LinearMixedModel

    Raises
    ------
    FormulaError
        The formula cannot be read, or names an unknown column or a function not allowed.
    DataError
        A column cannot go to R without loss, or there is nothing to fit.
    FitError
        lme4 refuses the model; its message is kept whole.
    FitTimeout
        After `timeout` seconds.

    Warns
    -----
    SingularFitWarning, ConvergenceWarning
        As lme4's checks found; see `LinearMixedModel.convergence`.

    Notes
    -----
    Mirrors ``lme4::lmer(formula, data, REML, control, start, weights, offset, contrasts)``;
    Bates, Mächler, Bolker & Walker 2015, doi:10.18637/jss.v067.i01.

    Examples
    --------
    >>> import pymlm as mlm
    >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
    >>> m.fixef().round(3).to_dict()
    {'(Intercept)': 251.405, 'Days': 10.467}
    """
    arguments = {
        "reml": reml, "weights": weights, "offset": offset, "contrasts": contrasts,
        "control": control, "data_name": data_name, "trusted": trusted,
    }  # fmt: skip
    task = make_task(formula, data, arguments, timeout, mixed=True)
    check_mixed(task.formula, "pymlm.lm")
    check_response(task.formula, task.data)
    handle, found = fit_checked(
        "fit_lmer",
        task,
        reml=reml,
        control=as_control(control, LmerControl),
        start=as_start(start),
    )
    if asks_exact(control):
        found = check_exactly(handle)
    warn_about(found)
    return advised(LinearMixedModel(handle, task.fitted_by(lmer), found))
