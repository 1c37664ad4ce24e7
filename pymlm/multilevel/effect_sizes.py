"""Effect sizes d and r from t tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from pymlm.argument_types import Ddf
from pymlm.arguments import finite_numbers, strict
from pymlm.errors import ArgumentError, NotSupportedError
from pymlm.models.model import Model
from pymlm.multilevel.asked_model import fitted_model
from pymlm.results.base import Floats, Result, readonly


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EffectSizes(Result):
    """Effect sizes of fixed effects from their t statistics.

    Attributes
    ----------
    term : tuple of str, length k
    statistic, df : ndarray, shape (k,)
    d : ndarray, shape (k,)
        2t / sqrt(df).
    r : ndarray, shape (k,)
        Partial correlation t / sqrt(t² + df).

    Notes
    -----
    Lecture S4; Rosenthal 1994. The same as ``effectsize::t_to_d`` and ``t_to_r``.
    """

    _columns: ClassVar[tuple[str, ...]] = ("statistic", "df", "d", "r")
    _index: ClassVar[str | None] = "term"

    term: tuple[str, ...]
    statistic: Floats
    df: Floats
    d: Floats
    r: Floats


@strict
def effect_sizes(
    m: Model | None = None,
    ddf: Ddf = "default",
    t: float | Sequence[float] | None = None,
    df: float | Sequence[float] | None = None,
) -> EffectSizes:
    """Return d = 2t/√df and r = t/√(t² + df) for every fixed effect, or for any t.

    Parameters
    ----------
    m : Model, optional
        Of any class whose tests are t tests: lmer, lm, lme, gls.
    ddf : str
        Degrees of freedom of the model's t tests; by default those of its class.
    t, df : float or sequence of float, optional
        Without a model: the numbers; one df may stand for every t.

    Returns
    -------
    EffectSizes

    Raises
    ------
    ArgumentError
        For a df that is not above 0, and others than one df or as many as there are t; for
        ddf="asymptotic": both sizes are 0 at infinite degrees of freedom.

    Notes
    -----
    Lecture S4; the formulas of ``effectsize::t_to_d(t, df)`` and ``t_to_r``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.effect_sizes(t=1.7, df=120).to_frame().round(2).to_dict("list")
    {'statistic': [1.7], 'df': [120.0], 'd': [0.31], 'r': [0.15]}
    """
    if m is None:
        if t is None or df is None:
            raise ArgumentError("effect_sizes needs a model, or t and a finite df above 0")
        values, dfs = finite_numbers(t, "t"), finite_numbers(df, "df")
        if len(dfs) not in (1, len(values)) or not (dfs > 0).all():
            raise ArgumentError(
                "df is above 0, one for every t or as many as these: effect_sizes got "
                f"{len(values)} t and df = {dfs.tolist()}"
            )
        terms = tuple(f"t{k + 1}" for k in range(len(values))) if len(values) > 1 else ("t",)
        return _sizes(terms, values, np.broadcast_to(dfs, values.shape))
    if t is not None or df is not None:
        raise ArgumentError("give a model, or t and df, not both")
    if ddf == "asymptotic":
        raise ArgumentError(
            "effect sizes from t need finite degrees of freedom; ask for ddf='Satterthwaite', "
            "'Kenward-Roger' or 'between-within'"
        )
    fixed = fitted_model(m, "effect_sizes").tidy("fixed", ddf=ddf)
    if not np.isfinite(fixed.df).any():
        raise NotSupportedError(
            "effect sizes from t need degrees of freedom, and the tests of this model are "
            "asymptotic; odds and rate ratios are m.tidy(exponentiate=True)"
        )
    return _sizes(fixed.term, np.array(fixed.statistic), np.array(fixed.df))


def _sizes(term: tuple[str, ...], t: Floats, df: Floats) -> EffectSizes:
    return EffectSizes(
        term=term,
        statistic=readonly(t),
        df=readonly(df),
        d=readonly(2 * t / np.sqrt(df)),
        r=readonly(t / np.sqrt(t**2 + df)),
    )
