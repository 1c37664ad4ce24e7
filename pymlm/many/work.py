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
from pymlm.errors import (
    FormulaError,
    NotSupportedError,
    PymlmError,
    RNotFoundError,
    RPackageError,
)
from pymlm.formula import Formula
from pymlm.frames import any_complete
from pymlm.many.checks import add_said_by_r, checked_exactly, whole
from pymlm.many.degrees import Degrees, degrees_of_freedom, is_exact
from pymlm.many.tables import Failure, Tables
from pymlm.models.control import GlmerControl, LmerControl, as_control
from pymlm.models.derivatives import asks_exact
from pymlm.models.families import Family, check_family_response, glmer_family
from pymlm.models.fitting import (
    Task,
    as_start,
    check_mixed,
    check_response,
)
from pymlm.models.glmer import glmer, start_of_glmm
from pymlm.models.glmm import points_of_quadrature
from pymlm.models.lmer import lmer
from pymlm.results.base import Floats


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
        """Whether the closed forms are asked for degrees of freedom or derivatives."""
        return not self.generalized and (is_exact(self.ddf) or self.exact_derivatives)

    @property
    def exact_derivatives(self) -> bool:
        """Whether convergence is checked by the closed forms' derivatives."""
        return not self.generalized and asks_exact(self.options.get("control"))

    def arguments(self) -> dict[str, Any]:
        """Arguments of the bridge's `many_design`, beside formula, data, weights and offset."""
        kind = GlmerControl if self.generalized else LmerControl
        given = self.options
        out: dict[str, Any] = {
            "reml": bool(given.get("reml", True)) and not self.generalized,
            "control": as_control(given.get("control"), kind),
            "start": start_of_glmm(given.get("start"), given.get("n_agq", 1))
            if self.generalized
            else as_start(given.get("start")),
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
    said: tuple[str, ...] = ()

    @classmethod
    def of(cls, task: Task, said: tuple[str, ...]) -> Design:
        """Take from a task what a worker needs, not the user's data; `said` is of every fit."""
        return cls(
            formula=task.formula, text=task.formula.text, frame=task.frame, weights=task.weights,
            offset=task.offset, contrasts=task.contrasts, said=said,
        )  # fmt: skip

    def cut(self, rows: Any) -> Design:
        """The design of some rows."""
        return dataclasses.replace(self, frame=self.frame.cut(rows))

    def in_r(self, job: Job) -> Any:
        """Make the design in R; a handle."""
        return call(
            "many_design", self.text, self.frame, weights=self.weights, offset=self.offset,
            contrasts=self.contrasts, fitting=True, **job.arguments(),
        )  # fmt: skip


# --- responses ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Responses of one group, a column of `values` each (NaN where it misses), or refused."""

    group: int
    rows: Any
    values: Floats
    refused: Mapping[int, Failure]


#: What is wrong with the process, not with a fit: all stop, and a later run may do them.
NO_FITS_AFFAIR = (RNotFoundError, RPackageError)
#: The design that this process made last: it serves the chunks of one call.
_made: dict[tuple[str, int], Any] = {}


def fit_pieces(token: str, job: Job, design: Design, pieces: list[Piece]) -> Tables:
    """Fit the design, cut to the rows of each piece, to all its responses."""
    out, first = Tables(), 0
    for piece in pieces:
        k = piece.values.shape[1]
        found = _fit_piece(token, job, design, piece)
        out.take(found.renumbered(range(first, first + k)))
        first += k
    return out


def _fit_piece(token: str, job: Job, design: Design, piece: Piece) -> Tables:
    good = [j for j in range(piece.values.shape[1]) if j not in piece.refused]
    out = Tables(failures=dict(piece.refused))
    if not good:
        return out
    key = (token, piece.group)
    try:
        if key not in _made:
            _made.clear()
            own = design if piece.rows is None else design.cut(piece.rows)
            _made[key] = own.in_r(job)
        found = _fitted(job, "many_fit", _made[key], piece.values[:, good], design.said)
    except (NotSupportedError, *NO_FITS_AFFAIR):  # the first: one by one, with lmerTest
        raise
    except PymlmError as error:
        found = _all_failed(len(good), error)
    out.take(found.renumbered(good))
    return out


def _all_failed(n: int, error: PymlmError) -> Tables:
    """What an error of the whole design leaves behind."""
    failure = Failure(error=type(error).__name__, message=str(error))
    return Tables(failures=dict.fromkeys(range(n), failure))


def _fitted(job: Job, function: str, handle: Any, given: Any, said: tuple[str, ...]) -> Tables:
    """Let R fit, and make tables of what it answers; `said` was said of the design."""
    rule = "between-within" if job.ddf == "between-within" and not job.generalized else None
    blocks = call(function, handle, given, ddf=rule, modes=job.ranef, exact=job.exact, fitting=True)
    out = Tables()
    for block in blocks:
        for at, text, kind in zip(
            whole(block["failed"]), block["errors"], block["classes"], strict=True
        ):
            ours = kind.removeprefix("pymlm_") if kind.startswith("pymlm_") else None
            out.failures[at] = Failure(
                error=ours or "FitError", message=text if ours else f"R: {text}"
            )
    _add_blocks(out, job, handle, [b for b in blocks if len(b["column"])])
    for fit in (out.done - set(out.failures)) if said else ():
        out.said[fit] = (*said, *out.said.get(fit, ()))
    return out


def _add_blocks(out: Tables, job: Job, handle: Any, blocks: list[Mapping[str, Any]]) -> None:
    if not blocks:
        return
    ddf = None if job.generalized else job.ddf
    found = [degrees_of_freedom(ddf, b, job.exact_derivatives) for b in blocks]
    df = [_flat(f.df) for f in found]
    tests = call(
        "many_tests", np.concatenate([_flat(b["estimate"]) for b in blocks]),
        np.concatenate([_flat(f.std_error) for f in found]),
        None if df[0] is None else np.concatenate(df), job.generalized or ddf is not None,
    )  # fmt: skip
    at = 0
    for block, degrees in zip(blocks, found, strict=True):
        size = block["estimate"].size
        own = {n: None if v is None else v[at : at + size] for n, v in tests.items()}
        _add_block(out, job, handle, block, degrees, own)
        at += size


def _add_block(
    out: Tables, job: Job, handle: Any, block: Mapping[str, Any], degrees: Degrees,
    tests: Mapping[str, Any],
) -> None:  # fmt: skip
    fits = np.array(whole(block["column"]))
    p, k = block["estimate"].shape
    out.add(
        "tidy", np.repeat(fits, p), term=_tiled(block["term"], k),
        estimate=_flat(block["estimate"]), std_error=_flat(degrees.std_error),
        df=_flat(degrees.df), **tests,
    )  # fmt: skip
    checked, gradient = checked_exactly(handle, block, degrees)
    converged = add_said_by_r(out, fits, block, degrees.said, checked)
    out.add(
        "glance", fits, nobs=block["nobs"], singular=block["singular"],
        converged=converged, max_gradient=gradient, ddf_engine=degrees.engine,
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
        modes = block["mode_names"]
        out.add(
            "ranef", np.repeat(fits, len(modes["grp"])), condval=_flat(block["modes"]),
            **{name: _tiled(modes[name], k) for name in ("grpvar", "term", "grp")},
        )  # fmt: skip


def _flat(matrix: Any) -> Any:
    """A matrix with a column a fit, as one column: fit after fit."""
    return None if matrix is None else np.asarray(matrix, dtype=np.float64).ravel(order="F")


def _tiled(names: Any, k: int) -> Any:
    return np.tile(np.asarray(list(names), dtype=object), k)


# --- groups, and one by one -----------------------------------------------------------------------


def fit_groups(job: Job, design: Design, rows: list[Any]) -> Tables:
    """Fit the design's own response to the rows (positions) of each group."""
    good = [i for i, r in enumerate(rows) if any_complete(design.frame.cut(r))]
    out = Tables()
    if good:
        given = [np.asarray(rows[i], dtype=np.int32) + 1 for i in good]
        try:
            found = _fitted(job, "many_groups", design.in_r(job), given, design.said)
        except (NotSupportedError, *NO_FITS_AFFAIR):  # as of responses
            raise
        except PymlmError as error:
            found = _all_failed(len(good), error)
        out = found.renumbered(good)
    for i in set(range(len(rows))) - set(good):
        out.failures[i] = Failure(
            error="DataError",
            message=f"every one of the {len(rows[i])} rows has a missing value in the columns used",
        )
    return out


def fit_each(job: Job, work: list[tuple[str, pd.DataFrame]]) -> Tables:
    """Fit each formula to its rows by `lmer` or `glmer`."""
    out = Tables()
    for number, (formula, data) in enumerate(work):
        out.take(fit_one(job, formula, data).renumbered([number]))
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
        except NO_FITS_AFFAIR:
            raise
        except PymlmError as error:
            failure = Failure(error=type(error).__name__, message=str(error))
            return Tables(failures={0: failure})
    if job.keep_models:
        out.models[0] = model
    _add_said(out, 0, heard)
    return out


def in_words(heard: list[warnings.WarningMessage]) -> tuple[str, ...]:
    """Warnings as a fit keeps them, each once."""
    return tuple(dict.fromkeys(f"{w.category.__name__}: {w.message}" for w in heard))


def _add_said(out: Tables, fit: int, heard: list[warnings.WarningMessage]) -> None:
    said = in_words(heard)
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
