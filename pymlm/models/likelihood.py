"""What a fit minimizes, at parameters of one's own; the contrasts behind a table of tests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.argument_types import TestType
from pymlm.arguments import strict
from pymlm.errors import ArgumentError, near_names
from pymlm.models.common_attributes import CommonAttributes
from pymlm.results.base import Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class _Matrix:
    values: Floats
    columns: tuple[str, ...]
    rows: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Contrasts:
    term: tuple[str, ...]
    matrix: tuple[_Matrix, ...]


class LikelihoodMethods(CommonAttributes):
    """The likelihood of a mixed model as a function of its parameters."""

    @strict
    def deviance_at(self, theta: Any, beta: Any = None, reml: bool | None = None) -> float | Floats:
        """Return what the fit minimizes, at given parameters.

        Parameters
        ----------
        theta : array-like, shape (k,) or (m, k); Series or dict
            Relative covariance parameters in the order of `theta`, or by their names; several rows
            give several answers.
        beta : array-like, shape (p,); Series or dict, optional
            Fixed effects of a generalized model, by default those of the fit. A linear model takes
            none: it has the best ones for every theta.
        reml : bool, optional
            The REML criterion, or −2 log-likelihood; by default what the model was fitted by.

        Returns
        -------
        float, or ndarray of shape (m,)
            −2 log-likelihood, or the REML criterion; of a generalized model by Laplace's
            approximation, or the quadrature of the fit (`n_agq`), which leaves a constant out.

        Raises
        ------
        ArgumentError
            For the wrong number of parameters, an unknown name, a negative standard deviation.
        NotSupportedError
            REML of a generalized model; a nonlinear model.

        Notes
        -----
        Mirrors ``as.function(model)(theta)`` of lme4 and ``glmer(..., devFunOnly = TRUE)``; Bates
        et al. 2015, doi:10.18637/jss.v067.i01, equations 34 and 41. The model stays as it is.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (1 | Subject)", mlm.load_dataset("sleepstudy"))
        >>> m.deviance_at([[0], [1], m.theta]).round(1).tolist()
        [1893.7, 1787.4, 1786.5]
        """
        names = tuple(map(str, self.theta.index))  # type: ignore[attr-defined]  # MixedModel has it
        rows = _rows(theta, names, "theta")
        values: Floats = self._call(
            "deviance_at",
            theta=np.atleast_2d(rows),
            reml=reml,
            beta=None if beta is None else _rows(beta, self._fixed_names(), "beta"),
        )
        return float(values[0]) if rows.ndim == 1 else np.asarray(values)

    def _fixed_names(self) -> tuple[str, ...]:
        return tuple(self._call("fixed_terms", tuple[str, ...]))

    @strict
    def show_tests(self, type: TestType = "III") -> dict[str, pd.DataFrame]:
        """Return the contrasts of the fixed effects that `anova` tests, term by term.

        Parameters
        ----------
        type : {1, 2, 3}
            Of the table of tests.

        Returns
        -------
        dict of DataFrame
            Term -> one row a numerator degree of freedom, one column a fixed effect: `contest` with
            ``joint=True`` repeats the row of the table.

        Raises
        ------
        NotSupportedError
            For a model that is not a linear mixed model.

        Notes
        -----
        Mirrors ``show_tests(anova(model, type))`` of lmerTest.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("angle ~ recipe + temp + (1 | replicate)", mlm.load_dataset("cake"))
        >>> m.show_tests()["recipe"].abs().to_numpy().tolist()
        [[0.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0]]
        """
        found: _Contrasts = self._call("anova_contrasts", _Contrasts, type=type)
        return {
            term: pd.DataFrame(
                np.atleast_2d(m.values), columns=list(m.columns), index=m.rows or None
            )
            for term, m in zip(found.term, found.matrix, strict=True)
        }


def _rows(given: Any, names: tuple[str, ...], what: str) -> Floats:
    """Numbers in the order of `names`: one row, or several."""
    if isinstance(given, pd.Series) and all(isinstance(k, str) for k in given.index):
        given = given.to_dict()
    if isinstance(given, Mapping):
        unknown = [str(k) for k in given if str(k) not in names]
        if unknown or len(given) != len(names):
            wrong = f"{unknown[0]!r} is none" if unknown else "some miss"
            near = near_names(unknown[0], names) if unknown else ""
            raise ArgumentError(f"{what}: {wrong}.{near} There are: {', '.join(names)}")
        given = [given[n] for n in names]
    try:
        rows = np.asarray(given, dtype=np.float64)
        if rows.ndim == 0:
            rows = rows[None]
    except (TypeError, ValueError):
        raise ArgumentError(
            f"{what} holds numbers, one for each of {', '.join(names)}, not {given!r}"
        ) from None
    if rows.ndim > 2 or rows.shape[-1] != len(names) or not rows.size:
        raise ArgumentError(
            f"{what} has shape {rows.shape}; it takes {len(names)} numbers: {', '.join(names)}"
        )
    if what == "beta" and rows.ndim != 1:
        raise ArgumentError("beta is one set of fixed effects")
    if not np.isfinite(rows).all():
        raise ArgumentError(f"{what} holds missing or infinite numbers")
    return rows
