"""Control of the optimizer and of lme4's checks: typed, refused with near names when unknown."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from pymlm.arguments import choice, refuse_unknown
from pymlm.engine import call
from pymlm.errors import ArgumentError, near_names
from pymlm.models.optimizers import check_options, chosen_optimizers

#: What a check may do when it finds something.
Action = Literal["ignore", "warning", "message", "stop"]
_ACTIONS = ("ignore", "warning", "message", "stop")
_SIZE_ACTIONS = (*_ACTIONS, "ignoreSmall", "warningSmall", "messageSmall", "stopSmall")
_RANK_ACTIONS = (
    "message+drop.cols", "silent.drop.cols", "warn+drop.cols", "stop.deficient", "ignore",
)  # fmt: skip
_SCALE_ACTIONS = (
    "warning", "stop", "silent.rescale", "message+rescale", "warn+rescale", "ignore",
)  # fmt: skip

C = TypeVar("C")
#: The value of calc_derivs that is pymlm's own.
EXACT = "exact"


def _strict_init(cls: type[C]) -> type[C]:
    """Refuse unknown options with an ArgumentError that lists near names, and missing ones."""
    original = cls.__init__
    fields = {f.name: f for f in dataclasses.fields(cls)}  # type: ignore[arg-type]  # it is one
    needed = [n for n, f in fields.items() if f.default is dataclasses.MISSING]

    @functools.wraps(original)
    def init(self: C, *args: Any, **options: Any) -> None:
        refuse_unknown(cls.__name__, options, list(fields))
        if args or not set(needed) <= set(options):
            example = ", ".join(f"{n}=..." for n in needed or ["optimizer"])
            raise ArgumentError(f"{cls.__name__}() takes options by name: {example}")
        original(self, **options)

    cls.__init__ = init  # type: ignore[method-assign, assignment]  # same options, other refusal
    return cls


@_strict_init
@dataclass(frozen=True, slots=True, kw_only=True)
class ConvergenceCheck:
    """What a check of convergence does, and its tolerance: lme4's ``.makeCC(action, tol, relTol)``.

    Attributes
    ----------
    action : {"ignore", "warning", "message", "stop"}
    tol : float
        Of the scaled gradient (``check_conv_grad``), of the smallest standard deviation
        (``check_conv_singular``) or of the Hessian's eigenvalues (``check_conv_hess``).
    rel_tol : float or None
        Tolerance of the relative gradient; ``check_conv_grad`` only.
    """

    action: Action
    tol: float
    rel_tol: float | None = None

    def __post_init__(self) -> None:
        choice(self.action, _ACTIONS, "action")
        for name in ("tol", "rel_tol"):
            value = getattr(self, name)
            if value is not None and not _is_number(value, 0):
                raise ArgumentError(f"{name} must be a number, 0 or more, not {value!r}")

    def _r_value(self) -> dict[str, Any]:
        out: dict[str, Any] = {"action": self.action, "tol": float(self.tol)}
        if self.rel_tol is not None:
            out["relTol"] = float(self.rel_tol)
        return out


#: pymlm's name of an option -> R's.
_R_NAMES = {
    "optimizer": "optimizer", "opt_ctrl": "optCtrl", "restart_edge": "restart_edge",
    "boundary_tol": "boundary.tol", "calc_derivs": "calc.derivs",
    "use_last_params": "use.last.params", "sparse_x": "sparseX", "standardize_x": "standardize.X",
    "check_nobs_vs_rank_z": "check.nobs.vs.rankZ", "check_nobs_vs_nlev": "check.nobs.vs.nlev",
    "check_nlev_gtreq_5": "check.nlev.gtreq.5", "check_nlev_gtr_1": "check.nlev.gtr.1",
    "check_nobs_vs_n_re": "check.nobs.vs.nRE", "check_rank_x": "check.rankX",
    "check_scale_x": "check.scaleX", "check_formula_lhs": "check.formula.LHS",
    "autoscale": "autoscale", "check_conv_nobsmax": "check.conv.nobsmax",
    "check_conv_nparmax": "check.conv.nparmax", "disp_method": "disp_method",
    "max_phi_iter": "maxPhiIter", "disp_dof_correction": "disp_dof_correction",
    "check_conv_grad": "check.conv.grad", "check_conv_singular": "check.conv.singular",
    "check_conv_hess": "check.conv.hess", "tol_pwrss": "tolPwrss", "comp_dev": "compDev",
    "n_agq0_init_step": "nAGQ0initStep", "check_response_not_const": "check.response.not.const",
}  # fmt: skip
#: Options whose values are words -> the words.
_WORDS: dict[str, tuple[str, ...]] = {
    name: _ACTIONS for name in _R_NAMES if name.startswith("check_")
} | {
    "check_nobs_vs_rank_z": _SIZE_ACTIONS,
    "check_rank_x": _RANK_ACTIONS,
    "check_scale_x": _SCALE_ACTIONS,
    "disp_method": ("moment", "old/buggy"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Control:
    """What every control has in common."""

    _function: ClassVar[str] = ""
    _stages: ClassVar[int] = 1
    _default: ClassVar[tuple[str, ...]] = ()
    #: Whether R takes NULL for the optimizer.
    _without: ClassVar[bool] = False

    optimizer: str | tuple[str, str] | None = "default"
    opt_ctrl: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if value is not None:
                object.__setattr__(self, f.name, _checked(f, value))
        chosen_optimizers(self.optimizer, self._stages)
        if self.optimizer is None and not self._without:
            raise ArgumentError(
                f"optimizer=None, to fit at the starting values, is lmer's alone; {self._function} "
                "has none. m.deviance_at(theta, beta=) evaluates a generalized model"
            )

    def r_arguments(self) -> dict[str, Any]:
        """Return the options that are set, under R's names and in R's order."""
        names, method = chosen_optimizers(self.optimizer, self._stages)
        out: dict[str, Any] = {}
        for f in dataclasses.fields(self):
            value = getattr(self, f.name)
            if f.name == "optimizer":
                if names:
                    out["optimizer"] = names[0] if len(names) == 1 else list(names)
                elif value is None:
                    out["optimizer"] = None  # R's NULL
            elif f.name == "opt_ctrl":
                if value or method:
                    out["optCtrl"] = method | dict(value or {})
            elif value is not None:
                is_check = isinstance(value, ConvergenceCheck)
                # R takes none then: the exact ones come after the fit.
                out[_R_NAMES[f.name]] = value._r_value() if is_check else value != EXACT and value
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class _MixedControl(_Control):
    """What LmerControl and GlmerControl have in common."""

    restart_edge: bool | None = None
    boundary_tol: float | None = None
    calc_derivs: bool | Literal["exact"] | None = None
    use_last_params: bool | None = None
    sparse_x: bool | None = None
    standardize_x: bool | None = None
    autoscale: bool | None = None
    check_nobs_vs_rank_z: str | None = None
    check_nobs_vs_nlev: Action | None = None
    check_nlev_gtreq_5: Action | None = None
    check_nlev_gtr_1: Action | None = None
    check_nobs_vs_n_re: Action | None = None
    check_rank_x: str | None = None
    check_scale_x: str | None = None
    check_formula_lhs: Action | None = None
    check_conv_nobsmax: float | None = None
    check_conv_nparmax: float | None = None
    check_conv_grad: Action | ConvergenceCheck | None = None
    check_conv_singular: Action | ConvergenceCheck | None = None
    check_conv_hess: Action | ConvergenceCheck | None = None


@_strict_init
@dataclass(frozen=True, slots=True, kw_only=True)
class LmerControl(_MixedControl):
    """Control of `pymlm.lmer`; an option left at None keeps R's own default.

    Attributes
    ----------
    optimizer : str
        "nloptwrap" (R's default), "bobyqa", "Nelder_Mead", "nlminbwrap", "nmkbw" (R package
        dfoptim), "optimx:L-BFGS-B" (R package optimx) or "nloptwrap:NLOPT_LN_NELDERMEAD". None is
        R's NULL: nothing is optimized, and the model is that of the values `start`.
    opt_ctrl : mapping
        Options of the optimizer itself, under its own names: ``{"maxfun": 20000}``.
    restart_edge : bool
        Start again when the estimate is at a boundary that the gradient leads away from.
    boundary_tol : float
        Within this distance a parameter is tried at the boundary.
    calc_derivs : bool or "exact"
        Compute gradient and Hessian at the estimate, which the checks of convergence need. "exact"
        has them from closed forms instead of lme4's differences, a sixth to a quarter of a large
        fit's time: same estimates, same checks; ``m.convergence.derivatives`` says which.
    use_last_params : bool
        Take the last parameters evaluated, not the best.
    sparse_x, standardize_x : bool
        Not used by the current lme4; kept because R has them.
    autoscale : bool
        Fit with centred and scaled predictors, and give the estimates back on the data's scale
        (lme4 2.0 and later).
    check_nobs_vs_rank_z, check_nobs_vs_nlev, check_nlev_gtreq_5, check_nlev_gtr_1, \
check_nobs_vs_n_re, check_formula_lhs : {"ignore", "warning", "message", "stop"}
        What lme4 does when data are too few for the model, or the formula's left side is odd.
    check_rank_x : {"message+drop.cols", "silent.drop.cols", "warn+drop.cols", \
"stop.deficient", "ignore"}
        What it does when columns of the model matrix depend on each other.
    check_scale_x : {"warning", "stop", "silent.rescale", "message+rescale", "warn+rescale", \
"ignore"}
        What it does when predictors are on very different scales.
    check_conv_nobsmax, check_conv_nparmax : float
        Above so many rows or parameters lme4 does not check convergence (lme4 2.0 and later).
    check_conv_grad, check_conv_singular, check_conv_hess : action or ConvergenceCheck
        Checks of the fit; an action alone keeps lme4's tolerance.

    Raises
    ------
    ArgumentError
        For an unknown option or value; near names are listed.

    Notes
    -----
    Mirrors ``lme4::lmerControl``; Bates et al. 2015, doi:10.18637/jss.v067.i01. R's own
    ``options(lmerControl = )`` is honoured by R.

    Examples
    --------
    >>> import pymlm as mlm
    >>> mlm.LmerControl(optimizer="bobyqa", opt_ctrl={"maxfun": 20000}).r_arguments()
    {'optimizer': 'bobyqa', 'optCtrl': {'maxfun': 20000}}
    """

    _function: ClassVar[str] = "lmerControl"
    _default: ClassVar[tuple[str, ...]] = ("nloptwrap",)
    _without: ClassVar[bool] = True


@_strict_init
@dataclass(frozen=True, slots=True, kw_only=True)
class GlmerControl(_MixedControl):
    """Control of `pymlm.glmer` and `pymlm.glmer_nb`; options as in `LmerControl`, and these.

    Attributes
    ----------
    optimizer : str or pair of str
        The optimizers of the first stage (``n_agq=0``) and of the second; R's default is
        ("bobyqa", "Nelder_Mead"). One name stands for both.
    opt_ctrl, restart_edge, boundary_tol, calc_derivs, use_last_params, sparse_x, standardize_x, \
autoscale, check_nobs_vs_rank_z, check_nobs_vs_nlev, check_nlev_gtreq_5, check_nlev_gtr_1, \
check_nobs_vs_n_re, check_rank_x, check_scale_x, check_formula_lhs, \
check_conv_nobsmax, check_conv_nparmax, check_conv_grad, check_conv_singular, check_conv_hess
        As in `LmerControl`.
    tol_pwrss : float
        Tolerance of the penalized iteratively reweighted least squares.
    comp_dev : bool
        Use the compiled deviance function.
    n_agq0_init_step : bool
        Start with a stage at ``n_agq=0``.
    check_response_not_const : {"ignore", "warning", "message", "stop"}
    disp_method : {"moment", "old/buggy"}
        How the scale of a family that has one is estimated (lme4 2.1 and later).
    max_phi_iter : float
        Most iterations of that estimate.
    disp_dof_correction : bool
        Divide by rows less fixed effects there, not by rows.

    Notes
    -----
    Mirrors ``lme4::glmerControl``.
    """

    _function: ClassVar[str] = "glmerControl"
    _stages: ClassVar[int] = 2
    _default: ClassVar[tuple[str, ...]] = ("bobyqa", "Nelder_Mead")

    calc_derivs: bool | None = None  # closed forms are of linear models
    tol_pwrss: float | None = None
    comp_dev: bool | None = None
    n_agq0_init_step: bool | None = None
    check_response_not_const: Action | None = None
    disp_method: str | None = None
    max_phi_iter: float | None = None
    disp_dof_correction: bool | None = None


@_strict_init
@dataclass(frozen=True, slots=True, kw_only=True)
class NlmerControl(_Control):
    """Control of `pymlm.nlmer`.

    Attributes
    ----------
    optimizer : str or pair of str
        R's default is "Nelder_Mead" for both stages.
    opt_ctrl : mapping
        Options of the optimizer itself; "lower" and "upper" bound the parameters.
    tol_pwrss : float
        Tolerance of the penalized iteratively reweighted least squares.

    Notes
    -----
    Mirrors ``lme4::nlmerControl``.
    """

    _function: ClassVar[str] = "nlmerControl"
    _stages: ClassVar[int] = 2
    _default: ClassVar[tuple[str, ...]] = ("Nelder_Mead",)

    tol_pwrss: float | None = None


def as_control(control: Any, kind: type[_Control]) -> dict[str, Any] | None:
    """Return the arguments of ``lmerControl`` (or its like) under R's names.

    Parameters
    ----------
    control : None, dict or an instance of `kind`
        A dict may use R's names or pymlm's; its order is kept in R's call.

    Raises
    ------
    ArgumentError
        For an option that there is not, or that the installed lme4 does not know.
    """
    if control is None:
        return None
    if isinstance(control, kind):
        out = control.r_arguments()
    elif isinstance(control, Mapping):
        out = _from_mapping(control, kind)
    else:
        raise ArgumentError(
            f"control is a pymlm.{kind.__name__} or a dict of its options, not {control!r}"
        )
    optimizers = out.get("optimizer", kind._default) or ()
    optimizers = (optimizers,) if isinstance(optimizers, str) else tuple(optimizers)
    check_options(optimizers, out.get("optCtrl", {}))
    known = call("control_names", kind._function, into=tuple[str, ...])
    for name in out:
        if name not in known:
            raise ArgumentError(f"the installed lme4's {kind._function}() has no option {name!r}")
    return out or None


def _from_mapping(given: Mapping[str, Any], kind: type[_Control]) -> dict[str, Any]:
    fields = {_R_NAMES[f.name]: f.name for f in dataclasses.fields(kind)}
    options: dict[str, Any] = {}
    for name, value in given.items():
        own = fields.get(name, str(name).replace(".", "_"))
        if own not in fields.values():
            known = [*fields.values(), *fields]
            raise ArgumentError(
                f"{kind._function}() has no option {name!r}."
                + (near_names(str(name), known) or f" It takes: {', '.join(fields.values())}.")
            )
        options[own] = value
    written = kind(**options).r_arguments()
    order = [_R_NAMES[name] for name in options]
    return {r: written[r] for r in dict.fromkeys([*order, *written]) if r in written}


def _checked(f: dataclasses.Field[Any], value: Any) -> Any:
    name, annotation = f.name, str(f.type)
    if isinstance(value, Mapping) and name.startswith("check_conv_"):
        value = ConvergenceCheck(**{k.replace("relTol", "rel_tol"): v for k, v in value.items()})
    if isinstance(value, ConvergenceCheck) and "ConvergenceCheck" in annotation:
        return value
    if name in _WORDS:
        return choice(value, _WORDS[name], name)
    if annotation.startswith("bool"):
        if isinstance(value, str) and "exact" in annotation and value == EXACT:
            return value
        if not isinstance(value, bool):
            exact = " or 'exact'" if "exact" in annotation else ""
            raise ArgumentError(f"{name} must be True or False{exact}, not {value!r}")
    elif annotation.startswith("float"):
        if not _is_number(value, 0):
            raise ArgumentError(f"{name} must be a number, 0 or more, not {value!r}")
        return float(value)
    elif name == "opt_ctrl":
        if not isinstance(value, Mapping):
            raise ArgumentError(f"opt_ctrl is a dict of the optimizer's options, not {value!r}")
        return dict(value)
    return value


def _is_number(value: Any, low: float) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and value >= low
