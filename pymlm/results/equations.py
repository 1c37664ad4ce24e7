"""The parts of a mixed model's equations."""

from __future__ import annotations

from dataclasses import dataclass

from pymlm.results.base import Floats, Result


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EquationParts(Result):
    """What the equations of a fitted mixed model are written from.

    Attributes
    ----------
    response : str
    term : tuple of str, length p
        Fixed effects.
    level : ndarray of int, shape (p,)
        1 for a column that varies within the lowest grouping factor, 2 for one that is constant
        within it, and so on.
    estimate : ndarray, shape (p,)
    group : tuple of str, length g
        Grouping factors, most levels first; level k + 1 is group[k − 1 + 1] of a nested design.
    n_levels : ndarray, shape (g,)
    nested : bool
    random_group : tuple of str, length r
        Factor of every random-effects term.
    random_term : tuple of tuples of str, length r
        Its coefficients.
    random_structure : tuple of str, length r
        Structure of its covariance matrix, as lme4 2 names them: "us", "diag", "cs", "ar1".
    family, link : str
    membership : tuple of str
        Factors of which a row has several units.
    has_offset : bool
    within : tuple of str, length p
        Of factors that are not nested: the one within which the column is constant, or "".
    sigma2 : float
        Residual variance; NaN of a family without a scale.
    covariance : tuple of ndarray
        Covariance matrix of every random-effects term.
    kind : str
        "linear" (also of generalized models), "nonlinear", or "separate" models of every group.
    function : str or None
        The function of a nonlinear model, as R writes it.
    residual : tuple of str
        nlme's structures of the residuals, as R writes them with their parameters ...
    residual_part : tuple of str
        ... each a correlation "C" or ratios of standard deviations "V".
    weighted : bool
        Whether a row's residual variance is sigma² over its weight.
    """

    response: str
    term: tuple[str, ...]
    level: Floats
    estimate: Floats
    group: tuple[str, ...]
    n_levels: Floats
    nested: bool
    random_group: tuple[str, ...]
    random_term: tuple[tuple[str, ...], ...]
    random_structure: tuple[str, ...]
    family: str
    link: str
    membership: tuple[str, ...]
    has_offset: bool
    within: tuple[str, ...]
    sigma2: float
    covariance: tuple[Floats, ...]
    kind: str
    function: str | None
    residual: tuple[str, ...]
    residual_part: tuple[str, ...]
    weighted: bool
