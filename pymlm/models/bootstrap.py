"""The bootstrap: simulate in R's own order, refit anywhere, count what failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from pymlm.argument_types import BootType, Count, Jobs, Level, Seed
from pymlm.arguments import check_jobs, choice, flag, fraction, strict, whole_number
from pymlm.engine import call
from pymlm.errors import ArgumentError, PymlmError, RError, near_names
from pymlm.figures import figure_of
from pymlm.models.common_attributes import CommonAttributes
from pymlm.models.parallel import check_seed, chunks, run
from pymlm.progress import stepwise
from pymlm.results.base import Floats, Result, readonly
from pymlm.results.printed import shown

Statistic = Callable[[Any], Any]
#: So many messages of failed refits are kept on the result; all are counted.
SHOWN_FAILURES = 50


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Interval(Result):
    """Limits of every statistic, in the order of `Bootstrap.term`.

    Attributes
    ----------
    conf_low, conf_high : ndarray, shape (k,)
        On the scale of the statistic.
    """

    _columns: ClassVar[tuple[str, ...]] = ("conf_low", "conf_high")

    conf_low: Floats
    conf_high: Floats


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Bootstrap(Result):
    """Bootstrap of a fitted model.

    Attributes
    ----------
    term : tuple of str, length k
        Names of the statistics.
    estimate : ndarray, shape (k,)
        Of the model itself.
    bias, std_error : ndarray, shape (k,)
        Mean of the draws less the estimate, and their standard deviation, over successful refits.
    draws : ndarray, shape (nsim, k)
        One row a simulation, NaN where its refit failed. For one seed they equal R's
        ``bootMer(model, FUN, nsim, seed)$t``, however many processes made them.
    intervals : dict
        "perc", "basic", "norm" -> limits at `level`.
    n_failed : int
        Refits that failed; `failures` has "draw: message", draws numbered from 1.
    failures : tuple of str
    messages : dict of str to int
        What lme4 said in successful refits (singular, not converged), and how often.
    nsim, seed : int
    level : float
    type : str
        "parametric" or "semiparametric".
    use_u : bool
        Random effects held at their conditional modes instead of drawn anew.

    Notes
    -----
    Mirrors ``bootMer`` of lme4 and ``confint`` of its result (boot::boot.ci); Davison & Hinkley
    1997, doi:10.1017/CBO9780511802843.
    """

    _columns: ClassVar[tuple[str, ...]] = (
        "estimate", "bias", "std_error", "conf_low", "conf_high",
    )  # fmt: skip
    _index: ClassVar[str | None] = "term"

    plot = figure_of("bootstrap")

    term: tuple[str, ...]
    estimate: Floats
    bias: Floats
    std_error: Floats
    draws: Floats
    intervals: Mapping[str, Interval]
    n_failed: int
    failures: tuple[str, ...]
    messages: Mapping[str, int]
    nsim: int
    seed: int
    level: float
    type: str
    use_u: bool

    @property
    def conf_low(self) -> Floats:
        """Lower percentile limits."""
        return self.intervals["perc"].conf_low

    @property
    def conf_high(self) -> Floats:
        """Upper percentile limits."""
        return self.intervals["perc"].conf_high

    def draws_frame(self) -> pd.DataFrame:
        """Return the draws, one column a statistic, index `draw` from 1."""
        index = pd.RangeIndex(1, len(self.draws) + 1, name="draw")
        return pd.DataFrame(np.array(self.draws), columns=list(self.term), index=index)

    def confint(self, type: str = "perc") -> pd.DataFrame:
        """Return the limits by "perc", "basic" or "norm", columns conf_low and conf_high.

        Raises
        ------
        ArgumentError
            For another type.
        """
        if type not in self.intervals:
            raise ArgumentError(
                f"type={type!r} is not one of {', '.join(self.intervals)}."
                + near_names(str(type), self.intervals)
            )
        limits = self.intervals[type]
        return pd.DataFrame(
            {"conf_low": np.array(limits.conf_low), "conf_high": np.array(limits.conf_high)},
            index=list(self.term),
        )

    def _body(self) -> str:
        """The table, and how many refits failed or spoke."""
        kind = f"{self.type} bootstrap, {self.nsim} draws, seed {self.seed}"
        lines = [kind + (", random effects as estimated" if self.use_u else "")]
        lines.append(f"{self.level:.0%} percentile intervals")
        lines += [shown(self.to_frame()), f"failed refits: {self.n_failed} of {self.nsim}"]
        lines += [f"  {text}" for text in self.failures[:5]]
        lines += [f"{count} x {text}" for text, count in self.messages.items()]
        return "\n".join(lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draws:
    """Values of some simulations, and what went wrong."""

    values: Floats
    failed: Floats
    errors: tuple[str, ...]
    said: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parameters:
    term: tuple[str, ...]
    estimate: Floats


def bootstrap_model(
    model: Any,
    statistic: Statistic | None,
    nsim: int,
    seed: int | None,
    n_jobs: int,
    *,
    type: str = "parametric",
    use_u: bool = False,
    level: float = 0.95,
    scale: str = "sd",
) -> Bootstrap:
    """Do the work of `pymlm.LinearMixedModel.bootstrap`; `scale` is of the default statistic."""
    n, jobs, chosen = whole_number(nsim, "nsim", 1), check_jobs(n_jobs), check_seed(seed)
    kind = choice(type, ("parametric", "semiparametric"), "type")
    held, share = flag(use_u, "use_u"), fraction(level, "level")
    if kind == "semiparametric" and not held:
        raise ArgumentError("the semiparametric bootstrap resamples residuals only: use_u=True")
    if statistic is not None and not callable(statistic):
        raise ArgumentError(f"statistic must be a function of the model, not {statistic!r}")
    term, estimate = _original(model, statistic, scale)
    draws = simulate_and(
        _Refit(statistic, scale, len(term)), (model,), model, n, chosen, jobs, kind, held
    )
    values = draws.values.reshape(n, len(term))
    if len(draws.errors) == n:
        raise RError(f"every refit of the bootstrap failed; the first said: {draws.errors[0]}")
    good = ~np.isnan(values).all(axis=1)
    intervals = call("boot_intervals", estimate, values, share, into=dict[str, Interval])
    failures = [f"{int(i)}: {e}" for i, e in zip(draws.failed, draws.errors, strict=True)]
    return Bootstrap(
        term=term,
        estimate=readonly(estimate),
        bias=readonly(values[good].mean(axis=0) - estimate),
        std_error=readonly(_spread(values[good])),
        draws=readonly(values),
        intervals=intervals,
        n_failed=len(failures),
        failures=tuple(failures[:SHOWN_FAILURES]),
        messages=dict(Counter(draws.said)),
        nsim=n,
        seed=chosen,
        level=share,
        type=kind,
        use_u=held,
    )


def _spread(values: Floats) -> Floats:
    if len(values) < 2:
        return np.full(values.shape[1], np.nan)
    spread: Floats = values.std(axis=0, ddof=1)
    return spread


def _original(
    model: Any, statistic: Statistic | None, scale: str
) -> tuple[tuple[str, ...], Floats]:
    if statistic is None:
        own: _Parameters = call("boot_parameters", model._handle, scale, into=_Parameters)
        return own.term, own.estimate
    return _numbers(statistic(model))


def _numbers(value: Any) -> tuple[tuple[str, ...], Floats]:
    """Names and values of whatever a statistic returned."""
    names: tuple[str, ...] | None = None
    if isinstance(value, pd.Series):
        names = tuple(map(str, value.index))
    elif isinstance(value, Mapping):
        names, value = tuple(map(str, value)), list(value.values())
    try:
        array = np.atleast_1d(np.asarray(value, dtype=np.float64)).ravel()
    except (TypeError, ValueError):
        raise ArgumentError(
            f"the statistic must return numbers (one, a dict, a Series or an array), not {value!r}"
        ) from None
    if not len(array):
        raise ArgumentError("the statistic returned no number")
    return names or tuple(f"t{i}" for i in range(1, len(array) + 1)), array


# --- simulate first, refit after ------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Refit:
    """Refit one model to some simulations and take the statistic; travels to the workers."""

    statistic: Statistic | None
    scale: str
    k: int

    def __call__(self, simulations: Any, n: int, model: Any) -> Draws:
        if self.statistic is None:
            draws: Draws = call("boot_default", model._handle, simulations, self.scale, into=Draws)
            return draws
        values = np.full((n, self.k), np.nan)
        failed: list[int] = []
        errors: list[str] = []
        said: list[str] = []
        for i in stepwise(range(1, n + 1), n, "bootstrap"):
            one = call("boot_model", model._handle, simulations, i)
            try:
                if one["model"] is None:
                    raise RError(one["error"][0])
                found = _numbers(self.statistic(model._of_response(one["model"], one["columns"])))[
                    1
                ]
                if len(found) != self.k:
                    raise ArgumentError(
                        f"the statistic returned {len(found)} numbers, not {self.k}"
                    )
                values[i - 1] = found
                said.extend(one["said"] or ())
            except (PymlmError, ArithmeticError, ValueError, LookupError) as error:
                failed.append(i)
                errors.append(str(error))
        return Draws(
            values=values, failed=np.array(failed, dtype=float), errors=tuple(errors),
            said=tuple(said),
        )  # fmt: skip


def simulate_and(
    refit: Callable[..., Draws],
    models: tuple[Any, ...],
    simulated: Any,
    nsim: int,
    seed: int,
    n_jobs: int,
    type: str = "parametric",
    use_u: bool = False,
) -> Draws:
    """Simulate `nsim` responses from `simulated`, then call ``refit(simulations, n, *models)``.

    All responses come from one stream of random numbers before any refit, so the draws do not
    depend on the number of processes.
    """
    simulations = call("boot_simulations", simulated._handle, nsim, seed, type, use_u)
    pieces = chunks(nsim, n_jobs)
    if len(pieces) == 1:
        return refit(simulations, nsim, *models)
    tasks = [
        (refit, call("simulations_bytes", simulations, a, b, into=bytes), b - a + 1, models)
        for a, b in pieces
    ]
    parts = run(_elsewhere, tasks, n_jobs, "bootstrap", [b - a + 1 for a, b in pieces])
    return Draws(
        values=np.concatenate([p.values.reshape(b - a + 1, -1) for p, (a, b) in
                               zip(parts, pieces, strict=True)]),
        failed=np.concatenate(
            [np.asarray(p.failed) + a - 1 for p, (a, _) in zip(parts, pieces, strict=True)]
        ),
        errors=tuple(e for p in parts for e in p.errors),
        said=tuple(s for p in parts for s in p.said),
    )  # fmt: skip


def _elsewhere(refit: Callable[..., Draws], data: bytes, n: int, models: tuple[Any, ...]) -> Draws:
    return refit(call("simulations_from_bytes", data), n, *models)


class BootstrapMethods(CommonAttributes):
    """The bootstrap as a question of a model."""

    @strict
    def bootstrap(
        self,
        statistic: Callable[[Any], Any] | None = None,
        nsim: Count = 500,
        seed: Seed | None = None,
        n_jobs: Jobs = 1,
        type: BootType = "parametric",
        use_u: bool = False,
        level: Level = 0.95,
    ) -> Bootstrap:
        """Simulate responses from the model, refit it to each, and summarise a statistic.

        Parameters
        ----------
        statistic : callable, optional
            Takes the refitted model, returns a number, a dict, a Series or an array. Default: all
            standard deviations, correlations, sigma and fixed effects. With n_jobs > 1 it
            travels to the worker processes.
        nsim : int
        seed : int, optional
            For one seed the draws equal R's ``bootMer(model, FUN, nsim, seed = seed)``, whatever
            `n_jobs`. Without it one is drawn, and stands on the result.
        n_jobs : int
            Processes; −1 for one per core.
        type : {"parametric", "semiparametric"}
            Semiparametric resamples the residuals; it needs ``use_u=True``.
        use_u : bool
            Hold the random effects at their conditional modes.
        level : float
            Of the intervals.

        Returns
        -------
        Bootstrap
            Failed refits are NaN rows of the draws, counted and shown.

        Raises
        ------
        ArgumentError
            For a statistic that is not numbers, or semiparametric without ``use_u=True``.
        RError
            When every refit failed.

        Notes
        -----
        Mirrors ``bootMer(x, FUN, nsim, seed, use.u, type)`` of lme4; an lm or glm is fitted anew to
        what ``simulate(model, nsim, seed)`` draws. The R session's own random numbers are left as
        they were.

        Examples
        --------
        >>> import pymlm as mlm
        >>> m = mlm.lmer("Reaction ~ Days + (Days | Subject)", mlm.load_dataset("sleepstudy"))
        >>> found = m.bootstrap(lambda fit: {"sigma": fit.sigma}, nsim=50, seed=1)
        >>> found.to_frame().loc["sigma", ["estimate", "std_error"]].round(1).to_list()
        [25.6, 1.8]
        """
        return bootstrap_model(
            self, statistic, nsim, seed, n_jobs, type=type, use_u=use_u, level=level
        )
