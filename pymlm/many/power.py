"""Power by simulation: designs × sizes, simulated at chosen parameters, fitted, tested."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import Count, Ddf, Jobs, Level, Seed, TestDdf
from pymlm.arguments import choice, strict
from pymlm.engine import call
from pymlm.errors import ArgumentError
from pymlm.formula import right_side
from pymlm.frames import as_pandas
from pymlm.many.fitting import fit_many
from pymlm.models.parallel import check_seed
from pymlm.models.planned import Parameters, Planned
from pymlm.results.base import Floats, Result

Designs = Any


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Power(Result):
    """How often a test rejects, by design and term; the Monte Carlo error stands beside it.

    Attributes
    ----------
    design : tuple of str, length k
        Name or size of the design.
    term : tuple of str, length k
        The coefficient tested.
    power : ndarray, shape (k,)
        Share of the simulations with a p-value below `alpha`.
    conf_low, conf_high : ndarray, shape (k,)
        Exact binomial interval of that share, for so many simulations.
    mean_estimate : ndarray, shape (k,)
        Mean of the estimates, beside the true value; in units of the coefficient.
    true_value : ndarray, shape (k,)
    n_rows : ndarray, shape (k,)
        Rows of the design that miss nothing, and are simulated and fitted.
    n_failed, n_singular : ndarray, shape (k,)
        Fits that failed (they count as no rejection), and singular ones.
    nsim, seed : int
    alpha, level : float
    ddf : str or None
        Method of the degrees of freedom; None for z tests of a generalized model.

    Notes
    -----
    Clopper & Pearson 1934, doi:10.2307/2331986, for the intervals (R's ``binom.test``).
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "design", "term", "power", "conf_low", "conf_high", "true_value", "mean_estimate",
        "n_rows", "n_failed", "n_singular",
    )  # fmt: skip

    design: tuple[str, ...]
    term: tuple[str, ...]
    power: Floats
    conf_low: Floats
    conf_high: Floats
    true_value: Floats
    mean_estimate: Floats
    n_rows: Floats
    n_failed: Floats
    n_singular: Floats
    nsim: int
    seed: int
    alpha: float
    level: float
    ddf: str | None


@strict
def power(
    formula: str,
    data: Designs,
    beta: Parameters,
    theta: Parameters,
    sigma: float | None = None,
    family: Any = None,
    test: str | Sequence[str] | None = None,
    sizes: Iterable[Any] | None = None,
    nsim: Count = 500,
    alpha: Level = 0.05,
    level: Level = 0.95,
    ddf: TestDdf = "Satterthwaite",
    reml: bool = True,
    weights: str | None = None,
    offset: str | None = None,
    seed: Seed | None = None,
    n_jobs: Jobs = 1,
    progress: bool | None = None,
) -> Power:
    """Find the power of tests of fixed effects, by simulating from chosen parameters and refitting.

    Parameters
    ----------
    formula : str
        ``"~ x + (x | g)"``: what is simulated, and what is fitted to it.
    data : DataFrame, dict of str to DataFrame, or function
        One design; several by name; or a function of a size that makes the design of that size,
        with `sizes`.
    beta, theta, sigma, family, weights, offset
        The truth, as in `pymlm.simulate`.
    test : str or list of str, optional
        Coefficients to test; default all but the intercept.
    sizes : iterable, optional
        What a function in `data` is called with, e.g. numbers of groups.
    nsim : int
        Simulations a design.
    alpha : float
        Level of the test.
    level : float
        Of the Monte Carlo intervals.
    ddf : {"Satterthwaite", "Kenward-Roger", "between-within", "asymptotic"}
        Not used with a family, whose tests are z tests.
    reml : bool
    seed : int, optional
        The same seed gives the same numbers, for any `n_jobs`.
    n_jobs : int
        Processes, as in `pymlm.fit_many`.
    progress : bool, optional
        As in `pymlm.fit_many`.

    Returns
    -------
    Power

    Raises
    ------
    ArgumentError
        For unknown coefficients, or `sizes` without a function.
    FormulaError, DataError
        As in `pymlm.simulate`.

    Notes
    -----
    Each design's responses are lme4's ``simulate``; fits and degrees of freedom are `fit_many`'s.

    Examples
    --------
    >>> import numpy as np, pandas as pd, pymlm as mlm
    >>> def classes(n):
    ...     return pd.DataFrame({"x": np.tile([0, 1], 5 * n), "g": np.repeat(np.arange(n), 10)})
    >>> found = mlm.power("~ x + (1 | g)", classes, beta=[0, 0.5], theta=[0.5], sigma=1,
    ...                   sizes=[4, 16], nsim=50, seed=1)
    >>> found.term, bool(found.power[1] > found.power[0])
    (('x', 'x'), True)
    """
    chosen = check_seed(seed)
    rows: list[dict[str, Any]] = []
    for number, (name, frame) in enumerate(_designs(data, sizes)):
        planned = Planned.of(formula, frame, beta, theta, sigma, family, weights, offset)
        tested = _tested(test, planned.names.beta)
        options: dict[str, Any] = {"weights": weights, "offset": offset}
        if family is None:
            options |= {"reml": reml}
        # A stream of its own for each design, so that none depends on those before it.
        drawn = planned.draw(nsim, (chosen + number) % (2**31 - 1))
        table, singular, failed = _fitted(
            formula, frame, drawn, family, ddf, options, n_jobs, progress
        )
        for term in tested:
            of_term = table[table["term"] == term]
            rows.append({
                "design": name, "term": term, "hits": int((of_term["p_value"] < alpha).sum()),
                "true_value": float(planned.parameters["beta"][planned.names.beta.index(term)]),
                "mean_estimate": float(of_term["estimate"].mean()),
                "n_rows": int(np.isfinite(drawn[:, 0]).sum()),
                "n_failed": failed, "n_singular": singular,
            })  # fmt: skip
    found = pd.DataFrame(rows)
    limits = call(
        "share_of", found["hits"].to_numpy(float), np.full(len(found), float(nsim)),
        level,
    )  # fmt: skip
    columns: dict[str, Any] = {
        c: found[c].to_numpy(float)
        for c in ("true_value", "mean_estimate", "n_rows", "n_failed", "n_singular")
    }
    return Power(
        design=tuple(found["design"]), term=tuple(found["term"]),
        power=found["hits"].to_numpy(float) / nsim, conf_low=np.asarray(limits["conf_low"]),
        conf_high=np.asarray(limits["conf_high"]),
        **columns,
        nsim=nsim, seed=chosen, alpha=alpha, level=level, ddf=None if family is not None else ddf,
    )  # fmt: skip


def _designs(data: Designs, sizes: Iterable[Any] | None) -> list[tuple[str, pd.DataFrame]]:
    if callable(data):
        if sizes is None:
            raise ArgumentError("give sizes=: what the function of the design is called with")
        return [(str(s), as_pandas(data(s))) for s in sizes]
    if sizes is not None:
        raise ArgumentError("sizes= is for a function that makes the design of each size")
    if isinstance(data, Mapping):
        if not data:
            raise ArgumentError("data is an empty dict; give designs by name")
        return [(str(k), as_pandas(v)) for k, v in data.items()]
    return [("data", as_pandas(data))]


def _tested(test: str | Sequence[str] | None, names: tuple[str, ...]) -> list[str]:
    if test is None:
        return [n for n in names if n != "(Intercept)"] or list(names)
    wanted = [test] if isinstance(test, str) else list(test)
    return [choice(t, names, "test") for t in wanted]


def _fitted(
    formula: str, frame: pd.DataFrame, drawn: Floats, family: Any, ddf: Ddf,
    options: dict[str, Any], n_jobs: int, progress: bool | None,
) -> tuple[pd.DataFrame, int, int]:  # fmt: skip
    taken = {str(c) for c in frame.columns}
    stem = "sim_"
    while any(c.startswith(stem) for c in taken):
        stem = "_" + stem
    names = [f"{stem}{i}" for i in range(drawn.shape[1])]
    responses = pd.DataFrame(drawn, index=frame.index, columns=names)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # each fit's are data
        fits = fit_many(
            right_side(formula), pd.concat([frame, responses], axis=1), responses=names,
            family=family, ddf=ddf, n_jobs=n_jobs, progress=progress, keep="tables", **options,
        )  # fmt: skip
    glance = fits.to_frame("glance")
    return fits.to_frame(), int(glance["singular"].eq(True).sum()), len(fits.failures)
