"""Simulate from a model that nobody has fitted yet, for planning a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import Count, Data, Seed
from pymlm.arguments import strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, FormulaError, near_names
from pymlm.formula import right_side
from pymlm.models.families import Family, glmer_family
from pymlm.models.fitting import make_task
from pymlm.results.base import Floats

Parameters = Sequence[float] | Mapping[str, float] | pd.Series


@dataclass(frozen=True, slots=True, kw_only=True)
class ParameterNames:
    """The parameters that a formula has on some data, in lme4's order.

    Attributes
    ----------
    beta : tuple of str
        Fixed effects.
    theta : tuple of str
        Relative covariance parameters, as ``getME(model, "theta")`` names them.
    lower : ndarray
        Lower bounds of `theta`: 0 for relative standard deviations, else −∞.
    dropped : ndarray
        Rows that miss a predictor, from 1.
    """

    beta: tuple[str, ...]
    theta: tuple[str, ...]
    lower: Floats
    dropped: Floats


@strict
def simulate(
    formula: str,
    data: Data,
    beta: Parameters,
    theta: Parameters,
    sigma: float | None = None,
    family: str | Family | None = None,
    nsim: Count = 1,
    seed: Seed | None = None,
    weights: str | None = None,
    offset: str | None = None,
) -> pd.DataFrame:
    """Simulate responses of a mixed model at parameters of your choice, without a fit.

    Parameters
    ----------
    formula : str
        The right-hand side, e.g. ``"~ x + (x | g)"``; a response is not used.
    data : DataFrame
        The design: predictors and grouping factors, one row an observation.
    beta : sequence, dict or Series
        Fixed effects, in R's order or by name: ``{"(Intercept)": 250, "Days": 10}``; on the link
        scale with a `family`.
    theta : sequence, dict or Series
        Relative covariance parameters, in the order of ``m.theta`` or by its names: the Cholesky
        factor of each term's covariance matrix divided by sigma². For ``(1 | g)`` it is the
        standard deviation of the intercepts divided by sigma.
    sigma : float, optional
        Residual standard deviation; needed without a family, or for one that has a scale.
    family : str or Family, optional
        As in `pymlm.glmer`.
    nsim : int
    seed : int, optional
        For the same seed the numbers are R's.
    weights, offset : str, optional
        Columns; for a binomial family `weights` are the numbers of trials, and the simulated
        responses proportions.

    Returns
    -------
    DataFrame
        Columns sim_1, sim_2 ... on the data's index; NaN where a predictor is missing.

    Raises
    ------
    ArgumentError
        For a parameter too many, too few or unknown (the names are listed), or out of bounds.
    FormulaError, DataError
        As in `pymlm.lmer`.

    Notes
    -----
    Mirrors ``simulate(~ x + (x | g), newdata =, newparams = list(beta, theta, sigma), family =,
    seed =)`` of lme4; Bates et al. 2015, doi:10.18637/jss.v067.i01.

    Examples
    --------
    >>> import pandas as pd, pymlm as mlm
    >>> design = pd.DataFrame({"x": [0.0, 1.0] * 4, "g": list("aabbccdd")})
    >>> y = mlm.simulate("~ x + (1 | g)", design, beta=[10, 2], theta=[1], sigma=3, seed=1)
    >>> y["sim_1"].round(2).tolist()[:2]
    [9.11, 7.66]
    """
    values = Planned.of(formula, data, beta, theta, sigma, family, weights, offset)
    drawn = values.draw(nsim, seed)
    return pd.DataFrame(drawn, index=values.index, columns=[f"sim_{i + 1}" for i in range(nsim)])


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """A formula, its design and checked parameters."""

    arguments: Mapping[str, Any]
    parameters: Mapping[str, Any]
    names: ParameterNames
    index: pd.Index

    @classmethod
    def of(
        cls, formula: str, data: Any, beta: Any, theta: Any, sigma: Any, family: Any,
        weights: Any, offset: Any,
    ) -> Planned:  # fmt: skip
        """Check everything against the design; arguments and errors of `simulate`."""
        for name, value in (("weights", weights), ("offset", offset)):
            if value is not None and not isinstance(value, str):
                raise ArgumentError(f"{name} must be a column's name here, not {value!r}")
        task = make_task(_one_sided(formula), data, {"weights": weights, "offset": offset}, None)
        if not task.formula.n_bars:
            raise FormulaError("the formula has no random effects; write e.g. '~ x + (1 | g)'")
        chosen = None if family is None else glmer_family(family)
        if weights is not None and (chosen is None or chosen.name != "binomial"):
            raise ArgumentError(
                "weights are numbers of trials here, for a binomial family; lme4 simulates without "
                "any others"
            )
        about = {
            "family": chosen.name if chosen else None, "link": chosen.link if chosen else None,
        }  # fmt: skip
        shared: dict[str, Any] = {
            "formula": task.formula.text, "data": task.frame, "weights": task.weights,
            "offset": task.offset, **about,
        }  # fmt: skip
        nb = chosen.theta if chosen else None
        names: ParameterNames = call(
            "planned_parameters", into=ParameterNames, fitting=True, **shared, theta=nb
        )
        relative = _by_name(theta, names.theta, "theta")
        low = relative < names.lower
        if low.any():
            raise ArgumentError(
                f"theta of {names.theta[int(np.argmax(low))]!r} is a relative standard deviation "
                "and cannot be negative"
            )
        parameters = {
            "beta": _by_name(beta, names.beta, "beta"), "theta": relative,
            "sigma": _checked_sigma(sigma, chosen), "nb_theta": nb,
        }  # fmt: skip
        return cls(arguments=shared, parameters=parameters, names=names, index=task.source.index)

    def draw(self, nsim: int, seed: int | None) -> Floats:
        """Responses, shape (rows, nsim)."""
        found: Floats = call(
            "simulate_planned", **self.arguments, **self.parameters, beta_names=self.names.beta,
            theta_names=self.names.theta, nsim=nsim, seed=seed, fitting=True,
        )  # fmt: skip
        return found


def _one_sided(formula: Any) -> Any:
    """The right-hand side of a formula; what is no text is refused by the vetting."""
    if not isinstance(formula, str) or "~" not in formula:
        return formula
    return right_side(formula)


def _by_name(given: Any, names: tuple[str, ...], what: str) -> Floats:
    """Parameters in the order of `names`."""
    there = f"They are: {', '.join(names)}."
    if isinstance(given, (Mapping, pd.Series)):
        values = dict(given.items())
        for name in values:
            if name not in names:
                near = near_names(str(name), names)
                raise ArgumentError(f"{what}: no parameter {name!r}.{near} {there}")
        lost = [n for n in names if n not in values]
        if lost:
            raise ArgumentError(f"{what}: {lost[0]!r} is missing. {there}")
        given = [values[n] for n in names]
    try:
        numbers = np.atleast_1d(np.asarray(given, dtype=np.float64))
    except (TypeError, ValueError):
        raise ArgumentError(f"{what} must be numbers, not {given!r}. {there}") from None
    if numbers.ndim != 1 or len(numbers) != len(names):
        raise ArgumentError(f"{what} has {numbers.size} values for {len(names)}. {there}")
    if not np.isfinite(numbers).all():
        raise ArgumentError(f"{what} holds missing or infinite numbers")
    return numbers


def _checked_sigma(sigma: Any, family: Family | None) -> float | None:
    scaled = family is None or family.name in ("gaussian", "Gamma", "inverse.gaussian")
    if sigma is None:
        if scaled:
            raise ArgumentError("sigma, the residual standard deviation, is needed here")
        return None
    if not scaled and family is not None:
        raise ArgumentError(f"the family {family.name} has no sigma; leave it out")
    number = float(sigma) if isinstance(sigma, (int, float, np.number)) else float("nan")
    if not number > 0 or not np.isfinite(number):
        raise ArgumentError(f"sigma must be a number above 0, not {sigma!r}")
    return number
