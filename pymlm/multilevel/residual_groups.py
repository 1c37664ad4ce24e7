"""Residuals labelled by group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Data
from pymlm.arguments import flag, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError, DataError, FormulaError
from pymlm.figures import figure_of
from pymlm.formula import vet
from pymlm.frames import as_pandas, check_some_complete, prepare, used_columns
from pymlm.models.advice import about_formula, advise
from pymlm.models.inside import rows_of
from pymlm.multilevel.groups import groups_of
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ResidualGroups(Result):
    """Residuals of the pooled regression, labelled by group.

    Attributes
    ----------
    grp : tuple of str, length g
    n : ndarray, shape (g,)
    mean, sd, var : ndarray, shape (g,)
        Of the group's residuals; sd and var (divisor n − 1) are NaN for a group of one.
    residual : ndarray, shape (n,)
        Every residual used, in the order of the data.
    label : tuple of str, length n
        The group of each.

    Notes
    -----
    Hermansen's table of labelled residuals: mean is her ``y_bar_j``, sd her ``sigma2_alpha`` (the
    column holds the standard deviation).
    """

    _columns: ClassVar[tuple[str, ...]] = ("n", "mean", "sd", "var")
    _index: ClassVar[str | None] = "grp"

    plot = figure_of("residuals_by_group")

    grp: tuple[str, ...]
    n: Floats
    mean: Floats
    sd: Floats
    var: Floats
    residual: Floats
    label: tuple[str, ...]

    def points(self) -> pd.DataFrame:
        """Return every residual with its group, for a plot of residuals by group."""
        return pd.DataFrame({"grp": list(self.label), "residual": np.array(self.residual)})


@strict
def residuals_by_group(formula: str, data: Data, by: str) -> ResidualGroups:
    """Label the residuals of the pooled regression by group: their means and spreads.

    Parameters
    ----------
    formula : str
        Of the regression that ignores the groups, e.g. ``"y ~ x"``.
    data : DataFrame
    by : str
        The grouping column; rows that miss it, or a column of the formula, are left out.

    Returns
    -------
    ResidualGroups
        Groups in sorted order (a category's own order).

    Raises
    ------
    FormulaError
        For a formula with random effects.
    DataError
        When no row has both a residual and a group.

    Notes
    -----
    ``residuals(lm(formula, data))`` with mean and sd by group: Hermansen's labelled residuals.

    Examples
    --------
    >>> import pymlm as mlm
    >>> data = mlm.load_dataset("sleepstudy")
    >>> mlm.residuals_by_group("Reaction ~ Days", data, "Subject").to_frame().head(2).round(1)
            n  mean    sd     var
    308  10.0  43.6  56.6  3199.2
    309  10.0 -83.3  26.2   687.2
    """
    frame = as_pandas(data)
    vetted = vet(formula, columns=frame.columns, rows=len(frame))
    if vetted.n_bars or not vetted.two_sided:
        raise FormulaError("residuals_by_group() takes the pooled regression, e.g. 'y ~ x'")
    used = used_columns(frame, list(dict.fromkeys(vetted.names)))
    check_some_complete(used)
    advise(*about_formula(vetted, mixed=False))
    residual = np.asarray(call("pooled_residuals", formula, prepare(used))["residual"])
    group = used_columns(frame, [by], "argument by").iloc[:, 0]
    both = ~np.isnan(residual) & group.notna().to_numpy()
    if not both.any():
        raise DataError(f"no row has both a residual and a group in {by!r}")
    return _labelled(residual[both], group[both])


def residuals_of_model(m: Any, by: str | None = None, random: bool = False) -> ResidualGroups:
    """Label the residuals of a fitted model by group, for `pymlm.plot.residuals_by_group`.

    Parameters
    ----------
    m : mixed or linear model
    by : str, optional
        The grouping column; default the first factor of a mixed model.
    random : bool
        Of a mixed model: the residuals themselves, instead of those of the fixed part alone (the
        response less ``predict(re_form="NA")``).
    """
    factors = list(m.ngroups)
    if by is None and not factors:
        raise ArgumentError("the model has no grouping factor: by= names the grouping column")
    name = factors[0] if by is None else by
    residual = m.residuals("response")
    if factors and not flag(random, "random"):
        residual = residual + m.fitted() - m.predict(re_form="NA")
    data = rows_of(m, "residuals_by_group")
    groups = groups_of(data, name)
    known = residual.notna().to_numpy() & (groups.codes >= 0)
    labels = pd.Series([str(g) for g in groups.labels], dtype=object)
    return _labelled(
        residual.to_numpy()[known], labels.iloc[groups.codes[known]].reset_index(drop=True)
    )


def _labelled(residual: Floats, group: pd.Series) -> ResidualGroups:
    values = pd.Series(residual)
    label = group.reset_index(drop=True)
    parts = values.groupby(label, observed=True)
    table = parts.agg(["size", "mean", "std", "var"])
    return ResidualGroups(
        grp=tuple(str(x) for x in table.index),
        n=readonly(table["size"].to_numpy(dtype=float)),
        mean=readonly(table["mean"].to_numpy()),
        sd=readonly(table["std"].to_numpy()),
        var=readonly(table["var"].to_numpy()),
        residual=readonly(values.to_numpy()),
        label=tuple(str(x) for x in label),
    )
