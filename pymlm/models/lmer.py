"""Linear mixed models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from pymlm.arguments import flag, refuse_unknown, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, FormulaError
from pymlm.formula import vet
from pymlm.models.control import as_control
from pymlm.models.fitting import check_response, fit, make_task, warn_about
from pymlm.models.mixed import MixedModel


class LinearMixedModel(MixedModel):
    """A linear mixed model that ``lme4::lmer`` fitted; see `pymlm.lmer`."""

    def update(self, formula: str | None = None, **changes: Any) -> Self:
        """Fit a changed model; the data are sent again only where the change needs new columns.

        Parameters
        ----------
        formula : str, optional
            The new formula; dots stand for the parts of the old one: ``". ~ . - Days"``.
        **changes
            Any other argument of `pymlm.lmer`, e.g. ``reml=False``.

        Raises
        ------
        ArgumentError
            For an argument that `pymlm.lmer` does not know.

        Notes
        -----
        Mirrors ``update(model, formula., ...)``.
        """
        arguments = dict(self._source.arguments)
        refuse_unknown("update", changes, UPDATABLE)
        text = self.formula
        if formula is not None:
            new = vet(formula, trusted=bool(changes.get("trusted", False)))
            text = call("updated_formula", self._handle, new.text, into=str)
        names = set(vet(text, trusted=True).names)
        in_place = set(changes) <= {"reml", "timeout"} and names <= set(self._source.sent)
        if in_place and (self._source.sent or self._source.data is None):
            handle = call(
                "update_model",
                self._handle,
                text if formula is not None else None,
                flag(changes.get("reml", self.reml), "reml"),
                fitting=True,
                timeout=changes.get("timeout"),
            )
            source = self._source
            model = type(self)(handle, source)
            warn_about(model.convergence)
            return model
        if self._source.data is None:
            raise ArgumentError(
                "this model came from a file without its data frame: update() can change only "
                "formula (with columns that the model has) and reml. Fit it anew with pymlm.lmer"
            )
        arguments |= {"reml": self.reml} | changes
        data = arguments.pop("data", self._source.data)
        return lmer(text, data, **arguments)  # type: ignore[return-value]  # same class here


@strict
def lmer(
    formula: str,
    data: Any,
    reml: bool = True,
    weights: Any = None,
    offset: Any = None,
    contrasts: Mapping[str, Any] | None = None,
    control: Any = None,
    start: Sequence[float] | None = None,
    data_name: str | None = None,
    trusted: bool = False,
    timeout: float | None = None,
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
        Column -> R's name of its contrasts ("contr.sum"), or a matrix with one row per level.
    control : LmerControl or dict, optional
        Arguments of ``lme4::lmerControl``, e.g. ``{"optimizer": "bobyqa"}``.
    start : sequence of float, optional
        Starting values of theta.
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
    wants_reml = flag(reml, "reml")
    task = make_task(
        formula,
        data,
        weights=weights,
        offset=offset,
        contrasts=contrasts,
        data_name=data_name,
        trusted=flag(trusted, "trusted"),
        timeout=timeout,
        arguments={
            "weights": weights, "offset": offset, "contrasts": contrasts, "control": control,
            "data_name": data_name, "trusted": trusted,
        },
    )  # fmt: skip
    if not task.formula.two_sided:
        raise FormulaError("the formula has no response; write e.g. 'y ~ x + (1 | g)'")
    if not task.formula.n_bars:
        raise FormulaError(
            "the formula has no random effects; write e.g. '(1 | g)', or use pymlm.lm"
        )
    assert task.source.data is not None
    check_response(task.formula, task.source.data)
    handle = fit(
        "fit_lmer",
        task,
        reml=wants_reml,
        control=as_control(control, "lmerControl"),
        start=None if start is None else [float(x) for x in start],
    )
    model = LinearMixedModel(handle, task.source)
    warn_about(model.convergence)
    return model


#: Arguments that `update` may change.
UPDATABLE = (
    "data", "reml", "weights", "offset", "contrasts", "control", "start", "data_name", "trusted",
    "timeout",
)  # fmt: skip
