"""The work of one process: fit a design to some responses, or to the rows of some groups.

A design's model frame, matrices and deviance function are made once, in R (many.R); the degrees of
freedom come from the closed forms of `pymlm.inference`, for which the matrices cross once a design.
What this way cannot do, or a model that is to be kept, is fitted one by one.
"""

from __future__ import annotations

import dataclasses
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pymlm.engine import Frame, call
from pymlm.engine.from_r import build
from pymlm.errors import FormulaError, NotSupportedError, PymlmError
from pymlm.formula import Formula
from pymlm.many.tables import Failure, Tables
from pymlm.models.control import GlmerControl, LmerControl, as_control
from pymlm.models.families import Family, check_family_response, glmer_family
from pymlm.models.fitting import (
    Task,
    as_start,
    check_mixed,
    check_response,
    convergence_words,
    make_task,
)
from pymlm.models.glmer import START_PARTS, glmer
from pymlm.models.glmm import points_of_quadrature
from pymlm.models.lmer import lmer
from pymlm.results.base import Floats
from pymlm.results.summary import Convergence

SATTERTHWAITE, KENWARD_ROGER = "Satterthwaite", "Kenward-Roger"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What all fits of one call have in common.

    Attributes
    ----------
    options : dict
        Arguments of `pymlm.lmer` or `pymlm.glmer`, as the user gave them.
    generalized : bool
    ddf : str or None
    ranef : bool
        Keep the conditional modes, too.
    one_by_one : bool
        Fit by `pymlm.lmer` or `pymlm.glmer`, for what a kept design does not do.
    keep_models : bool
    """

    options: Mapping[str, Any]
    generalized: bool
    ddf: str | None
    ranef: bool = False
    one_by_one: bool = False
    keep_models: bool = False

    def model(self, formula: str, data: pd.DataFrame) -> Any:
        """One model, by the function that fits one."""
        return (glmer if self.generalized else lmer)(formula, data, **self.options)

    @property
    def exact(self) -> bool:
        """Whether the degrees of freedom are the closed forms' affair."""
        return not self.generalized and self.ddf in (SATTERTHWAITE, KENWARD_ROGER)

    def arguments(self) -> dict[str, Any]:
        """Arguments of the bridge's `many_design`, beside formula, data, weights and offset."""
        kind = GlmerControl if self.generalized else LmerControl
        given = self.options
        out: dict[str, Any] = {
            "reml": bool(given.get("reml", True)) and not self.generalized,
            "control": as_control(given.get("control"), kind),
            "start": as_start(given.get("start"), START_PARTS if self.generalized else ("theta",)),
        }
        if self.generalized:
            family = self.family
            out |= {
                "family": family.name, "link": family.link, "theta": family.theta,
                "n_agq": points_of_quadrature(given.get("n_agq", 1)),
            }  # fmt: skip
        return out

    @property
    def family(self) -> Family:
        """The family of a generalized model."""
        return glmer_family(self.options["family"], self.options.get("link"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """A formula without its response, its columns, and what goes to R with them."""

    formula: Formula
    text: str
    frame: Frame
    weights: str | None
    offset: str | None
    contrasts: dict[str, Any] | None

    @classmethod
    def of(cls, task: Task) -> Design:
        """Take from a task what a worker needs; not the data that the user gave."""
        return cls(
            formula=task.formula, text=task.formula.text, frame=task.frame, weights=task.weights,
            offset=task.offset, contrasts=task.contrasts,
        )  # fmt: skip

    def in_r(self, job: Job) -> Any:
        """Make the design in R; a handle."""
        return call(
            "many_design", self.text, self.frame, weights=self.weights, offset=self.offset,
            contrasts=self.contrasts, fitting=True, **job.arguments(),
        )  # fmt: skip


# --- responses ------------------------------------------------------------------------------------

#: The design that this process made last: it serves the chunks of one call.
_made: dict[str, Any] = {}


def fit_responses(token: str, job: Job, design: Design, values: Floats) -> Tables:
    """Fit the design to every column of `values` (NaN where a response is missing)."""
    if token not in _made:
        _made.clear()
        _made[token] = design.in_r(job)
    return _fitted(job, _made[token], values)


def _fitted(job: Job, handle: Any, values: Floats | None) -> Tables:
    rule = "between-within" if job.ddf == "between-within" and not job.generalized else None
    blocks = call(
        "many_fit", handle, values, ddf=rule, modes=job.ranef, exact=job.exact, fitting=True
    )
    out = Tables()
    for block in blocks:
        for at, text, kind in zip(
            _whole(block["failed"]), block["errors"], block["classes"], strict=True
        ):
            ours = kind.removeprefix("pymlm_") if kind.startswith("pymlm_") else None
            out.failures[at] = Failure(
                error=ours or "FitError", message=text if ours else f"R: {text}"
            )
        if len(block["column"]):
            _add_block(out, job, block)
    return out


def _whole(numbers: Any) -> list[int]:
    """R's numbers of columns, counted from 0; an empty vector of R may be of any type."""
    return [int(x) - 1 for x in np.ravel(numbers)] if numbers is not None else []


def _add_block(out: Tables, job: Job, block: Mapping[str, Any]) -> None:
    fits = np.array(_whole(block["column"]))
    estimate, std_error = block["estimate"], block["std_error"]
    df, se_adjusted, engine = _degrees_of_freedom(job, block)
    if se_adjusted is not None:
        std_error = se_adjusted
    tests = job.generalized or job.ddf is not None
    t = call("many_tests", estimate, std_error, df, tests)
    p, k = estimate.shape
    out.add(
        "tidy", np.repeat(fits, p), term=_tiled(block["term"], k), estimate=_flat(estimate),
        std_error=_flat(std_error), df=_flat(df),
        **{name: _flat(t[name]) for name in ("statistic", "p_value", "conf_low", "conf_high")},
    )  # fmt: skip
    converged = np.ones(k, dtype=bool)
    for at, found in zip(_whole(block["flagged"]), block["convergence"], strict=True):
        about: Convergence = build(Convergence, found)
        converged[at] = about.ok
        words = tuple(f"{c.__name__}: {text}" for text, c in convergence_words(about))
        if words:
            out.said[int(fits[at])] = words
    for at, said in enumerate(block["said"]):
        if said:
            own = out.said.get(int(fits[at]), ())
            out.said[int(fits[at])] = (*(f"RWarning: {text}" for text in said), *own)
    out.add(
        "glance", fits, nobs=float(block["nobs"][0]), singular=block["singular"],
        converged=converged, max_gradient=block["max_gradient"], ddf_engine=engine,
        **{name: block[name] for name in
           ("sigma", "loglik", "aic", "bic", "reml_criterion", "deviance", "df_residual", "npar")},
    )  # fmt: skip
    c = len(block["grp"])
    out.add(
        "varcorr", np.repeat(fits, c), vcov=_flat(block["vcov"]), sdcor=_flat(block["sdcor"]),
        **{name: _tiled(block[name], k) for name in ("grp", "var1", "var2")},
    )  # fmt: skip
    names = block["theta_name"]
    out.add(
        "theta", np.repeat(fits, len(names)), name=_tiled(names, k), theta=_flat(block["theta"])
    )
    if job.ranef:
        about_modes = block["mode_names"]
        q = len(about_modes["grp"])
        out.add(
            "ranef", np.repeat(fits, q), condval=_flat(block["modes"]),
            **{name: _tiled(about_modes[name], k) for name in ("grpvar", "term", "grp")},
        )  # fmt: skip


def _flat(matrix: Any) -> Any:
    """A matrix with a column a fit, as one column: fit after fit."""
    return None if matrix is None else np.asarray(matrix, dtype=np.float64).ravel(order="F")


def _tiled(names: Any, k: int) -> Any:
    return np.tile(np.asarray(list(names), dtype=object), k)


def _degrees_of_freedom(
    job: Job, block: Mapping[str, Any]
) -> tuple[Floats | None, Floats | None, str | None]:
    """Degrees of freedom, Kenward-Roger's standard errors, and what made them."""
    if job.generalized or job.ddf is None:
        return None, None, None
    estimate: Floats = block["estimate"]
    if job.ddf == "asymptotic":
        return np.full(estimate.shape, np.inf), None, "rule"
    if job.ddf == "between-within":
        return block["df"], None, "rule"
    return (*_closed_forms(job, block), "exact")


def _closed_forms(job: Job, block: Mapping[str, Any]) -> tuple[Floats, Floats | None]:
    # scipy is imported when it is needed: it would double the time of a first small fit.
    from pymlm.inference import (
        ModelParts,
        kenward_roger,
        kenward_roger_df,
        moments,
        satterthwaite,
        satterthwaite_df,
    )
    from pymlm.inference.moments import Design as Shared

    estimate, theta, sigma = block["estimate"], block["theta"], block["sigma"]
    p, k = estimate.shape
    facts = block["exact"]
    y = np.asarray(facts["y"]).reshape((-1, k), order="F")
    first = ModelParts.from_mapping(
        {**facts, "y": y[:, 0], "beta": estimate[:, 0], "sigma": sigma[:1]}
    )
    shared = Shared.of(first)
    unit, df = np.eye(p), np.empty((p, k))
    adjusted = np.empty((p, k)) if job.ddf == KENWARD_ROGER else None
    for j in range(k):
        lambdat = first.lambdat.copy()
        lambdat.data = theta[first.lind - 1, j]
        parts = dataclasses.replace(
            first, lambdat=lambdat, theta=theta[:, j], y=y[:, j], beta=estimate[:, j],
            sigma=float(sigma[j]),
        )  # fmt: skip
        one = moments(parts, design=shared)
        if adjusted is None:
            df[:, j] = satterthwaite_df(satterthwaite(parts, one), unit)
        else:
            kr = kenward_roger(parts, one)
            df[:, j], adjusted[:, j] = kenward_roger_df(kr, unit), np.sqrt(np.diag(kr.phi_adj))
    return df, adjusted


# --- groups, and one by one -----------------------------------------------------------------------


def fit_groups(job: Job, work: list[tuple[str, pd.DataFrame]]) -> Tables:
    """Fit each formula to its rows."""
    out = Tables()
    for number, (formula, data) in enumerate(work):
        out.take(fit_group(job, formula, data).renumbered([number]))
    return out


def fit_group(job: Job, formula: str, data: pd.DataFrame) -> Tables:
    """Fit one formula to its data; what is refused comes back as data."""
    if job.one_by_one:
        return fit_one(job, formula, data)
    out, heard = Tables(), []
    try:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            task = make_task(formula, data, dict(job.options), None)
            check_task(job, task.formula, data)
            if task.formula.dot:
                return fit_one(job, formula, data)
            out = _fitted(job, Design.of(task).in_r(job), None)
    except NotSupportedError:
        return fit_one(job, formula, data)
    except PymlmError as error:
        out.failures[0] = Failure(error=type(error).__name__, message=str(error))
    _add_said(out, 0, heard)
    return out


def check_task(job: Job, formula: Formula, data: pd.DataFrame) -> None:
    """Refuse what `lmer` or `glmer` would refuse before R has fitted anything."""
    check_mixed(formula, "pymlm.glm" if job.generalized else "pymlm.lm")
    if job.generalized:
        check_family_response(job.family, formula, data)
    else:
        check_response(formula, data)
    if formula.nonlinear:
        raise FormulaError("many fits are of lmer and glmer; a nonlinear model has three parts")


def fit_one(job: Job, formula: str, data: pd.DataFrame) -> Tables:
    """One fit by `lmer` or `glmer`, and its tables."""
    out = Tables()
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        try:
            model = job.model(formula, data)
            _add_model(out, job, model)
        except PymlmError as error:
            failure = Failure(error=type(error).__name__, message=str(error))
            return Tables(failures={0: failure})
    if job.keep_models:
        out.models[0] = model
    _add_said(out, 0, heard)
    return out


def _add_said(out: Tables, fit: int, heard: list[warnings.WarningMessage]) -> None:
    said = tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in heard))
    if said and fit not in out.failures:
        out.said[fit] = (*said, *out.said.get(fit, ()))


def _add_model(out: Tables, job: Job, model: Any) -> None:
    summary = model.summary(ddf=job.ddf) if not job.generalized else model.summary()
    fixed = summary.fixed.to_frame()
    zero = np.zeros(len(fixed), dtype=np.int64)
    out.add("tidy", zero, term=list(fixed.index), **{c: fixed[c].to_numpy(float) for c in fixed})
    glance = model.glance().to_frame().iloc[0]
    about = model.convergence
    out.add(
        "glance", [0], npar=float(model.npar), singular=[about.singular], converged=[about.ok],
        max_gradient=[about.max_gradient], ddf_engine=getattr(summary, "ddf_engine", None),
        **{name: [float(glance[name])] for name in glance.index},
    )  # fmt: skip
    v = model.varcorr()
    out.add(
        "varcorr", [0] * len(v.grp), grp=v.grp, var1=v.var1, var2=v.var2, vcov=v.vcov,
        sdcor=v.sdcor,
    )  # fmt: skip
    theta = model.theta
    out.add("theta", [0] * len(theta), name=list(theta.index), theta=theta.to_numpy())
    if job.ranef:
        modes = model.ranef(cond_var=False).to_frame()
        out.add(
            "ranef", [0] * len(modes),
            **{c: list(modes[c]) for c in ("grpvar", "term", "grp", "condval")},
        )  # fmt: skip
