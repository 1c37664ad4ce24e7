"""fit_many: what is fitted, in which order, and where the results go."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from inspect import signature
from typing import Any, Literal, overload

import pandas as pd

from pymlm.argument_types import Data, Ddf, Jobs, ManyAdjust
from pymlm.arguments import flag, refuse_unknown, seconds, strict, text_list
from pymlm.errors import ArgumentError, DataError, NotSupportedError
from pymlm.frames import as_pandas, used_columns
from pymlm.many.degrees import KENWARD_ROGER
from pymlm.many.fits import ManyFits
from pymlm.many.jobs import run_all
from pymlm.many.plan import Plan, parts_of
from pymlm.many.store import Store, folder_of
from pymlm.many.tables import Tables
from pymlm.many.work import Job
from pymlm.models.derivatives import stops_unconverged
from pymlm.models.families import Family, check_no_weights
from pymlm.models.fitting import ROW_STARTS
from pymlm.models.glmer import glmer
from pymlm.models.glmm import GeneralizedLinearMixedModel
from pymlm.models.lmer import LinearMixedModel, lmer
from pymlm.options import options as settings

#: Above so many fits models are not kept once they were made, unless asked for.
MANY = 1_000

Keep = Literal["auto", "tables", "models"]


@overload
def fit_many(
    formula: str, data: Data, by: str | Sequence[str] | None = None,
    responses: Sequence[str] | None = None, n_jobs: Jobs = 1, progress: bool | None = None,
    ddf: Ddf | None = "Satterthwaite", family: None = None, keep: Keep = "auto",
    to: str | os.PathLike[str] | None = None, resume: str | os.PathLike[str] | None = None,
    adjust: ManyAdjust | None = None, ranef: bool = False, **options: Any,
) -> ManyFits[LinearMixedModel]: ...  # fmt: skip


@overload
def fit_many(
    formula: str, data: Data, by: str | Sequence[str] | None = None,
    responses: Sequence[str] | None = None, n_jobs: Jobs = 1, progress: bool | None = None,
    ddf: Ddf | None = "Satterthwaite", *, family: str | Family, keep: Keep = "auto",
    to: str | os.PathLike[str] | None = None, resume: str | os.PathLike[str] | None = None,
    adjust: ManyAdjust | None = None, ranef: bool = False, **options: Any,
) -> ManyFits[GeneralizedLinearMixedModel]: ...  # fmt: skip


@strict
def fit_many(
    formula: str,
    data: Data,
    by: str | Sequence[str] | None = None,
    responses: Sequence[str] | None = None,
    n_jobs: Jobs = 1,
    progress: bool | None = None,
    ddf: Ddf | None = "Satterthwaite",
    family: Any = None,
    keep: Keep = "auto",
    to: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    adjust: ManyAdjust | None = None,
    ranef: bool = False,
    **options: Any,
) -> ManyFits[Any]:
    """Fit one formula to every group of the data, or to many responses.

    With `responses` the model frame, the matrices and lme4's deviance function are made once; every
    fit is lme4's own optimizer on them, and its numbers are those of `pymlm.lmer` on that
    response. Rows that one response misses are that response's own affair.

    Parameters
    ----------
    formula : str
        As in `pymlm.lmer`; with `responses` the left-hand side may be left out.
    data : DataFrame
    by : str or list of str, optional
        Columns whose values make the groups; each group is fitted to its own rows.
    responses : list of str, optional
        Columns that stand for the response, one fit each (for each group, with `by`).
    n_jobs : int
        Processes; −1 for one per core. Each starts an R of its own. The numbers do not depend on
        it. ``joblib.parallel_config(backend="dask")`` sends the work to a cluster.
    progress : bool, optional
        Show a progress bar; by default as `pymlm.options` says. It needs ``pip install
        'pymlm[progress]'``.
    ddf : str or None
        Degrees of freedom of the coefficient tables, by the closed forms of the exact engine; not
        used for a generalized model.
    family
        Fit ``pymlm.glmer`` of this family instead of ``pymlm.lmer``.
    keep : {"auto", "tables", "models"}
        "tables" keeps tables, and fits a model again when it is asked for; "models" keeps every
        model; "auto" keeps tables, and up to 1,000 models once they were asked for.
    to : path, optional
        A folder for the tables, Parquet files written as the fits come (``pip install
        'pymlm[parquet]'``): ``pandas.read_parquet(folder / "tidy")``.
    resume : path, optional
        The `to` of a run that was stopped: what is done there is not fitted again, the rest is
        written there, too.
    adjust : str, optional
        Adjust p-values over the fits, term by term: "fdr", "holm" ...; see `ManyFits.to_frame`.
    ranef : bool
        Keep the conditional modes, for ``to_frame("ranef")``.
    **options
        Any other argument of `pymlm.lmer` or `pymlm.glmer`; weights and offset as column names.

    Returns
    -------
    ManyFits
        Tables and models by key; fits that fail are data (``.failures``), not errors.

    Raises
    ------
    ArgumentError
        For unknown arguments; neither `by` nor `responses`; weights that are not a column.
    DataError
        For columns that the data have not, or a folder that cannot be written to.
    FormulaError
        For a formula that no fit could have.

    Notes
    -----
    Ctrl-C stops all processes; what was done until then is ``ManyFits.partial``.

    Examples
    --------
    >>> import pymlm as mlm
    >>> d = mlm.load_dataset("sleepstudy")
    >>> d["half"] = (d.Subject.cat.codes % 2).map({0: "even", 1: "odd"})
    >>> fits = mlm.fit_many("Reaction ~ Days + (1 | Subject)", d, by="half")
    >>> fits
    <ManyFits by half: 2 fitted, 0 failed, 0 with warnings>
    """
    function = lmer if family is None else glmer
    refuse_unknown("fit_many", options, [*signature(function).parameters])
    for name in ("weights", "offset"):
        if options.get(name) is not None and not isinstance(options[name], str):
            raise ArgumentError(f"{name} must be a column's name here, so that it follows the rows")
    for name in ROW_STARTS:
        if options.get(name) is not None:
            raise ArgumentError(
                f"{name} has one value a row of one fit; many fits start where R does"
            )
    if family is not None:
        options["family"] = family
    frame = as_pandas(data).copy(deep=False)
    for name in ("weights", "offset"):
        used_columns(frame, [options[name]] if options.get(name) else [], f"argument {name}")
    if isinstance(options.get("contrasts"), Mapping):
        used_columns(frame, options["contrasts"], "argument contrasts")
    columns = _columns(by, "by", frame)
    answers = _columns(responses, "responses", frame)
    if not columns and not answers:
        raise ArgumentError("give by= (one fit per group) or responses= (one per column), or both")
    method = None if family is not None else ddf
    job = Job(
        options=options, generalized=family is not None, ddf=method, ranef=ranef,
        keep_models=keep == "models",
        one_by_one=keep == "models" or settings.engine == "lmerTest"
        or seconds(options.get("timeout")) is not None
        or stops_unconverged(options.get("control"))
        or (method == KENWARD_ROGER and not flag(options.get("reml", True), "reml")),
    )  # fmt: skip
    if job.generalized:
        check_no_weights(job.family, options.get("weights"))
    else:
        flag(options.get("reml", True), "reml")
    plan = Plan.of(formula, frame, columns, answers, job)
    return _run(
        plan, n_jobs, progress, to, resume,
        keep=keep == "models" or (keep == "auto" and len(plan.keys) <= MANY), adjust=adjust,
    )  # fmt: skip


def _run(
    plan: Plan, n_jobs: int, progress: bool | None, to: Any, resume: Any, *, keep: bool,
    adjust: ManyAdjust | None,
) -> ManyFits[Any]:  # fmt: skip
    store = None
    if resume is not None:
        folder = folder_of(resume)
        if to is not None and str(folder) != str(to):
            raise ArgumentError("resume= goes on in the folder that it names; leave to= out")
        store = Store(folder, plan.names, plan.keys)
    elif to is not None:
        store = Store(to, plan.names, plan.keys)
        if store.path.exists() and any(store.path.iterdir()):
            raise DataError(
                f"to={str(store.path)!r} has files in it already: resume={str(store.path)!r} goes "
                "on with them, or give another folder"
            )
    tables = store.read() if store is not None and resume is not None else Tables()

    def result() -> ManyFits[Any]:
        return ManyFits(
            names=plan.names, keys=plan.keys, tables=tables, ddf=plan.job.ddf,
            statistic_name="z" if plan.job.generalized else "t", refit=plan.refit, keep=keep,
            adjust=adjust, n_without_group=plan.n_without_group,
        )  # fmt: skip

    def done(new: Tables) -> None:
        if store is not None:
            store.write(new)
        tables.take(new)

    finished = tables.done
    together, apart = parts_of(plan, [i for i in range(len(plan.keys)) if i not in finished])
    ManyFits.partial = None
    try:
        try:
            run_all(*together, n_jobs, progress, done)
        except NotSupportedError:  # the closed forms do not reach a design of them
            apart[0].extend(i for i in together[0] if i not in tables.done)
        run_all(*apart, n_jobs, progress, done)
    except BaseException:
        ManyFits.partial = result()
        raise
    return result()


def _columns(names: str | Sequence[str] | None, argument: str, frame: pd.DataFrame) -> list[str]:
    wanted = text_list(names, argument) or []
    used_columns(frame, wanted, f"argument {argument}")
    if len(set(wanted)) != len(wanted):
        raise ArgumentError(f"{argument} must name different columns, not {names!r}")
    return wanted
