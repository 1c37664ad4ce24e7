"""Which engine makes degrees of freedom, and the work of the exact one.

lmerTest and pbkrtest stay the reference. The exact engine takes the model's matrices from R without
copying them, computes lmerTest's and pbkrtest's own intermediate results by the closed forms of
`pymlm.inference` on the thread that asked, and hands them back to R, where lmerTest, pbkrtest and
emmeans go on from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeVar

from pymlm.argument_types import Engine
from pymlm.engine import Callback, call
from pymlm.errors import NotSupportedError
from pymlm.models.base import Fitted
from pymlm.options import options

T = TypeVar("T")

#: What is asked of R: its own packages, or the objects that the exact engine filled.
Used = Literal["lmerTest", "exact"]

SATTERTHWAITE, KENWARD_ROGER = "Satterthwaite", "Kenward-Roger"

#: The rule of "auto". lmerTest is kept below this many estimated seconds.
CHEAP_SECONDS = 0.5
#: pbkrtest is kept up to this many rows.
CHEAP_ROWS = 500

# Measured with lmerTest 3.1 and lme4 1.1 on one core of a 2020s server: seconds per evaluation of
# the deviance, per stored entry of X and Z, and per multiplication in the sparse Cholesky factor
# (by R's own slow BLAS). And what the exact engine does in a second on dense blocks.
_EVALUATION, _PER_ENTRY, _PER_FACTOR_STEP = 1.5e-4, 2e-8, 4e-10
_EXACT_STEPS_PER_SECOND = 1.5e10


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the choice of an engine depends on; see `engine_facts` in R.

    Attributes
    ----------
    linear, structured, reml : bool
        Whether a random term has a covariance structure, diag(), cs() or ar1().
    ready : bool
        lmerTest fitted the model, so its part is there.
    nobs, p, n_theta : int
        Rows, fixed effects, covariance parameters.
    z_entries : int
        Stored entries of Z.
    factor_work : float
        Sum of squares of the column counts of the sparse Cholesky factor.
    """

    linear: bool
    structured: bool = False
    reml: bool = False
    ready: bool = False
    nobs: int = 0
    p: int = 0
    n_theta: int = 0
    z_entries: int = 0
    factor_work: float = 0.0

    @property
    def satterthwaite_seconds(self) -> float:
        """Estimated time of lmerTest: its evaluations of the deviance, times the work of each."""
        k = self.n_theta + 1
        evaluations = (2 + 4 * k * (k + 1)) + (1 + 8 * k)  # numDeriv's Hessian and Jacobian
        one = (
            _EVALUATION
            + _PER_ENTRY * (self.z_entries + self.nobs * self.p)
            + _PER_FACTOR_STEP * self.factor_work
        )
        return evaluations * one


def preferred(ddf: str, facts: Facts) -> Used:
    """Return the engine that "auto" tries first: the reference where it is cheap."""
    if facts.structured:
        return "lmerTest"
    if ddf == KENWARD_ROGER:
        return "exact" if facts.nobs > CHEAP_ROWS else "lmerTest"
    if facts.ready:
        return "lmerTest"
    return "exact" if facts.satterthwaite_seconds > CHEAP_SECONDS else "lmerTest"


def made_by(ddf: str | None, used: str | None) -> str | None:
    """Name what computed degrees of freedom, for a result's `ddf_engine`."""
    if ddf is None:
        return None
    if ddf not in (SATTERTHWAITE, KENWARD_ROGER):
        return "rule"
    if used == "exact":
        return "exact"
    return "lmerTest" if ddf == SATTERTHWAITE else "pbkrtest"


def need_asymptotic(ddf: str | None) -> None:
    """Raise NotSupportedError for a method of degrees of freedom."""
    if ddf not in (None, "asymptotic", "default"):
        raise NotSupportedError(
            f"{ddf} degrees of freedom are defined for linear mixed models; the tests "
            "of a generalized or nonlinear one are asymptotic (ddf=None or 'asymptotic')"
        )


class EngineMethods(Fitted):
    """Questions about degrees of freedom, answered by the engine of the caller's choice."""

    def _ask_ddf(self, what: str, into: type[T], engine: Engine | None, /, **args: Any) -> T:
        """Ask for a result whose degrees of freedom are by ``args["ddf"]``, as `Fitted._ask`."""
        used = self._engine(args["ddf"], engine)
        fields = {"ddf_engine": made_by(args["ddf"], used)}
        return self._ask(what, into, engine=used, fields=fields, **args)

    def _call_ddf(
        self,
        function: str,
        into: Any,
        ddf: str | None,
        engine: Engine | None = None,
        /,
        **args: Any,
    ) -> Any:
        """Call a bridge function that asks lmerTest or pbkrtest; `ddf` says what for."""
        used = self._engine(ddf, engine)
        return call("call_by_engine", self._handle, used, function, args, into=into)

    def _engine(self, ddf: str | None, engine: Engine | None) -> Used | None:
        """Choose the engine and have the exact one ready in R; None where there is no choice."""
        wanted = options.engine if engine is None else engine
        if ddf not in (SATTERTHWAITE, KENWARD_ROGER):
            return None
        facts = self._engine_facts
        # What no engine can do is refused by R, with its reason.
        if not facts.linear or (ddf == KENWARD_ROGER and not facts.reml):
            return "lmerTest"
        if wanted == "auto":
            return self._automatic(ddf, facts)
        if wanted == "exact":
            self._prepare_exact(None)
        return wanted

    def _automatic(self, ddf: str, facts: Facts) -> Used:
        if preferred(ddf, facts) == "lmerTest":
            return "lmerTest"
        # No more work than lmerTest would have; pbkrtest has no chance at such sizes.
        most = facts.satterthwaite_seconds * _EXACT_STEPS_PER_SECOND
        try:
            self._prepare_exact(most if ddf == SATTERTHWAITE else None)
        except NotSupportedError:
            return "lmerTest"
        return "exact"

    @cached_property
    def _engine_facts(self) -> Facts:
        found: Facts = self._call("engine_facts", Facts)
        return found

    def _prepare_exact(self, most_work: float | None) -> None:
        """Let R have the exact engine's results, computed once."""
        if "_exact" in self.__dict__:
            return
        views: Mapping[str, Any] = call("exact_parts_of", self._handle, views=True)
        found = exact_answers(views, most_work)
        call("store_exact", self._handle, found, Callback(answers_for_r))
        self.__dict__["_exact"] = True


def exact_answers(views: Mapping[str, Any], most_work: float | None = None) -> dict[str, Any]:
    """Compute Satterthwaite's parts and, for a REML fit, Kenward-Roger's, in the form that R takes.

    Raises
    ------
    NotSupportedError
        When the closed forms do not reach, or would take more than `most_work` steps.
    """
    # scipy is imported when it is needed: it would double the time of a first small fit.
    from pymlm.inference import ModelParts, kenward_roger, moments, satterthwaite

    parts = ModelParts.from_mapping(views)
    shared = moments(parts, most_work=most_work)
    s = satterthwaite(parts, shared)
    out: dict[str, Any] = {
        "satterthwaite": {
            "vcov_varpar": s.vcov_varpar, "jac_list": s.jac_list, "messages": list(s.messages),
        },
    }  # fmt: skip
    if parts.reml:
        k = kenward_roger(parts, shared)
        out["kenward_roger"] = {
            "phi_adj": k.phi_adj, "P": k.P, "W": k.W, "condition": k.condition,
        }  # fmt: skip
    return out


def answers_for_r(views: Mapping[str, Any]) -> dict[str, Any]:
    """`exact_answers` for a model that R has refitted, inside ``step``."""
    return exact_answers(views)
