"""The check of convergence by exact derivatives: ``LmerControl(calc_derivs="exact")``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymlm.engine import RObject, call
from pymlm.errors import AdviceWarning, NotSupportedError, warn
from pymlm.models.control import EXACT, LmerControl, as_control
from pymlm.results.summary import Convergence


def asks_exact(control: Any) -> bool:
    """Whether a control that `as_control` took asks for exact derivatives."""
    if isinstance(control, Mapping):
        return EXACT in (control.get("calc_derivs"), control.get("calc.derivs"))
    return getattr(control, "calc_derivs", None) == EXACT


def stops_unconverged(control: Any) -> bool:
    """Whether such derivatives may stop a fit: one of lme4's checks has the action "stop"."""
    if not asks_exact(control):
        return False
    checks = as_control(control, LmerControl) or {}
    return any(
        "stop" in (value, value.get("action") if isinstance(value, Mapping) else None)
        for name, value in checks.items() if name.startswith("check.conv.")
    )  # fmt: skip


def check_exactly(handle: RObject) -> Convergence:
    """Run lme4's checks on a model that was fitted without derivatives; the model keeps the answer.

    Raises
    ------
    FitError
        Where a check is to stop the fit (``check_conv_grad="stop"``).

    Warns
    -----
    AdviceWarning
        Where the closed forms do not reach, and lme4's own derivatives are taken.
    """
    # scipy is imported when it is needed: it would double the time of a first small fit.
    from pymlm.inference import ModelParts, moments, profiled_derivatives

    gradient = hessian = None
    try:
        if call("engine_facts", handle)["structured"][0]:
            raise NotSupportedError("a random term has a covariance structure")
        views: Mapping[str, Any] = call("exact_parts_of", handle, views=True)
        gradient, hessian = profiled_derivatives(moments(ModelParts.from_mapping(views)))
    except NotSupportedError as error:
        warn(f"convergence was checked by lme4's own derivatives, not exact ones: {error}",
             AdviceWarning)  # fmt: skip
    found: Convergence = call(
        "check_by_derivatives", handle, gradient, hessian, into=Convergence, fitting=True
    )
    return found
