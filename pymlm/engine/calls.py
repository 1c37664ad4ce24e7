"""call(r_function, ..., into=ResultClass): the one way through the door.

Every R function of the bridge runs inside one R-side handler (`dispatch`) that returns value,
warnings, messages and error as data. This module turns those into Python's.
"""

from __future__ import annotations

import re
from typing import Any

from pymlm import errors
from pymlm.engine.from_r import build, from_r, has_notes, views_of_r
from pymlm.engine.install import install_command
from pymlm.engine.r_thread import R, RObject
from pymlm.engine.rpy2_private import lock, without_events
from pymlm.engine.startup import dispatch_function
from pymlm.engine.to_r import to_r
from pymlm.engine.vectors import texts
from pymlm.errors import (
    AdviceWarning,
    ConvergenceWarning,
    FitError,
    PymlmError,
    RError,
    RPackageError,
    RWarning,
)

#: Classes of conditions that the bridge raises on purpose -> the Python error of the same meaning.
_ERRORS: dict[str, type[PymlmError]] = {
    "pymlm_" + name: getattr(errors, name)
    for name in (
        "ArgumentError",
        "ComparisonError",
        "DataError",
        "FormulaError",
        "NotSupportedError",
        "RPackageError",
    )
}


#: What optimizers say that stopped too early and that the model itself does not keep: glmer's first
#: stage, Nelder_Mead's limit.
_OF_AN_OPTIMIZER = re.compile(
    "maximum number of function evaluations|failure to converge|convergence code [1-9]"
)
#: What lme4 says of a singular fit; the fit's convergence says it.
_ON_THE_MODEL = "boundary (singular) fit"


def call(
    function: str,
    /,
    *args: Any,
    into: Any = Any,
    timeout: float | None = None,
    fitting: bool = False,
    views: bool = False,
    **kwargs: Any,
) -> Any:
    """Call an R function of the bridge and return its answer as `into`.

    Parameters
    ----------
    function : str
        Name of the function in ``r_scripts/bridge``.
    *args, **kwargs
        Its arguments; converted by `to_r`. A handle (`RObject`) stands for the R object behind it.
    into : type
        A dataclass, or an annotation such as ``float`` or ``tuple[str, ...]``.
    timeout : float, optional
        Seconds after which R is stopped and FitTimeout raised.
    fitting : bool
        An R error becomes FitError instead of RError.
    views : bool
        Numbers come back as read-only arrays over R's own memory, without a copy.

    Notes
    -----
    What R says in messages, and what the bridge advises, arrives in the field `notes` of the answer
    where its class has one; of any other answer a message is given as an RWarning. Advice is an
    AdviceWarning, too. Nothing is dropped.

    Raises
    ------
    RError, FitError
        R stopped; the message is R's, whole.
    FitTimeout
        The time limit was reached.
    RNotFoundError, RPackageError
        R or a package of it is missing.
    """
    what = str(args[1]) if function == "ask" else function
    answer = R.run(lambda: _run(function, args, kwargs, views), timeout, what)
    warnings, value = answer["warnings"] or [], answer["value"]
    messages, advice = answer["messages"] or [], answer["advice"] or []
    if answer["error"] is not None:
        messages = []
    elif has_notes(into) and value is not None:
        value["notes"] = list(dict.fromkeys([*(value.get("notes") or ()), *messages]))
        messages = []
    if messages:  # nothing that the message could stand on
        said = [*warnings, *(m for m in messages if _ON_THE_MODEL not in m and m not in advice)]
        warnings = list(dict.fromkeys(said))
    for text in warnings:
        stopped = fitting and _OF_AN_OPTIMIZER.search(text)
        errors.warn(text, ConvergenceWarning if stopped else RWarning)
    for text in advice:
        errors.warn(text, AdviceWarning)
    if answer["error"] is not None:
        raise _error(answer["error"], fitting)
    return build(into, value)


def _shown(waiting: RObject, digits: int | None) -> str:
    return str(call("show_native", waiting, digits, into=str))


RObject.shown = _shown


def _run(
    function: str, args: tuple[Any, ...], kwargs: dict[str, Any], views: bool
) -> dict[str, Any]:
    dispatch = dispatch_function()
    from rpy2.rinterface_lib.embedded import RRuntimeError

    # A program that uses rpy2 beside us waits for whole jobs.
    with lock(), without_events():
        try:
            r_args = to_r({f"..{i}": a for i, a in enumerate(args)} | kwargs)
            if args:
                r_args.do_slot_assign("names", texts([""] * len(args) + list(kwargs)))
            read = views_of_r if views else from_r
            answer: dict[str, Any] = read(dispatch(to_r(function), r_args))
        except RRuntimeError as error:
            # Only what tryCatch in R cannot hold gets here: an interrupt in its last instruction.
            raise RError(str(error).strip() or "R was interrupted") from None
    if answer["error"] is not None and "interrupt" in answer["error"]["class"]:
        raise RError("R was interrupted")  # R.run says by whom
    return answer


def _error(condition: dict[str, Any], fitting: bool) -> PymlmError:
    message = str(condition["message"][0])
    for name in condition["class"]:
        if name == "pymlm_RPackageError":
            return RPackageError(_with_command(message))
        if name in _ERRORS:
            return _ERRORS[name](message)
    call_text = str(condition["call"][0]) if condition["call"] else ""
    kind = FitError if fitting else RError
    return kind(f"R: {message}", message, call_text)


def _with_command(message: str) -> str:
    """Add the command that installs the package which need_package() (packages.R) names."""
    found = re.match(r"R package '([^']+)'", message)
    return f"{message} Run: {install_command([found[1]])}" if found else message
