"""Arguments of marginal means: checked here, and named as the bridge expects them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from pymlm.argument_types import Contrast, ContrastName, MeansWeights
from pymlm.arguments import Check, choice, finite, text_list, whole_number
from pymlm.errors import ArgumentError
from pymlm.formula import vet
from pymlm.names import sides
from pymlm.plain_types import shown

CONTRASTS = get_args(ContrastName)
WEIGHTS = get_args(MeansWeights)
TRANSFORMATIONS = (
    "identity", "log", "log2", "log10", "log1p", "sqrt", "inverse", "1/mu^2", "logit", "probit",
    "cauchit", "cloglog", "genlog", "power", "boxcox", "sympower", "asin.sqrt", "atanh", "bcnPower",
    "scale",
)  # fmt: skip
#: Those that are made with numbers: emmeans' make.tran().
_WITH_PARAMETERS = TRANSFORMATIONS[12:]
REDUCTIONS = ("mean", "median", "range", "min", "max", "meanint", "values")
#: Hypotheses that have a threshold.
_WITH_DELTA = ("equivalence", "noninferiority", "nonsuperiority")

Specs = str | Sequence[str]
At = Mapping[str, Any]
Ref = int | str | Sequence[int] | Sequence[str]
Tran = str | tuple[Any, ...]
Sigma = float | Literal["residual", "total"]
CovReduce = str | Mapping[str, str] | Literal[False]
Nesting = Mapping[str, str | Sequence[str]] | Literal[False]


def means_specs(specs: Specs, columns: Collection[str]) -> list[str]:
    """Return names of factors, or a one-sided formula alone in a list; a column is no formula."""
    if isinstance(specs, str) and "~" in specs and specs not in columns:
        formula = vet(specs)
        if formula.two_sided:
            left = sides(specs)[0]
            raise ArgumentError(
                f"specs={specs!r}: write the contrast as an argument, contrast={left!r}, and specs "
                "as a one-sided formula or names"
            )
        return [specs]
    names = text_list(specs, "specs")
    if names is None:
        raise ArgumentError("specs names no factor; write e.g. emmeans('treatment')")
    for name in names:
        if name.lstrip().startswith("~") and name not in columns:
            raise ArgumentError(f"specs: give the formula {name!r} alone, not in a list")
    return names


def several_specs(specs: Any, columns: Collection[str]) -> dict[str, Specs] | None:
    """Return the specs of each answer, where a dict or a list of formulas asks for several."""
    if isinstance(specs, Mapping):
        if not specs:
            raise ArgumentError("specs is empty: name factors, e.g. {'a': '~ a', 'b': '~ b | a'}")
        return {str(k): v for k, v in specs.items()}
    formulas = (
        isinstance(specs, (list, tuple))
        and bool(specs)
        and all(
            isinstance(s, str) and s.lstrip().startswith("~") and s not in columns for s in specs
        )
    )
    return {s: s for s in specs} if formulas else None


def means_factors(specs: Any, by: Any, columns: Collection[str]) -> list[str]:
    """Return the factors of means, those of the list `by` last."""
    names = means_specs(specs, columns)
    if names[0].lstrip().startswith("~") and names[0] not in columns:
        names = list(vet(names[0]).names)
    return list(dict.fromkeys([*names, *(by or [])]))


def means_at(at: At | None) -> dict[str, Any] | None:
    """Return numbers of covariates and levels of factors, each a list."""
    if at is None:
        return None
    if not isinstance(at, Mapping):
        raise ArgumentError(f"at maps a predictor to its values, e.g. {{'x': [0, 1]}}, not {at!r}")
    out: dict[str, Any] = {}
    for name, values in at.items():
        array = np.atleast_1d(np.asarray(values))
        if array.ndim != 1 or array.size == 0 or array.dtype.kind not in "biufUO":
            raise ArgumentError(f"at: {name!r} must have one or more numbers or levels")
        if array.dtype.kind in "iuf" and not np.isfinite(array).all():
            raise ArgumentError(f"at: {name!r} has a missing or infinite value")
        if array.dtype.kind in "bUO":
            out[str(name)] = [_level(v) for v in array.tolist()]
        else:
            out[str(name)] = array.astype(float)
    return out


def _level(value: Any) -> str:
    return str(value).upper() if isinstance(value, bool) else str(value)


def means_contrast(
    contrast: Contrast | None, ref: Ref | None = None, interaction: bool = False
) -> Any:
    """Return R's name of a contrast family (several for an interaction), or named weights."""
    controlled = isinstance(contrast, str) and contrast.casefold() in ("trt.vs.ctrl", "dunnett")
    if ref is not None and not controlled:
        raise ArgumentError(f"ref names the control of contrast='trt.vs.ctrl', not of {contrast!r}")
    if contrast is None:
        if interaction:
            raise ArgumentError("interaction=True needs contrast=, e.g. 'pairwise'")
        return None
    if isinstance(contrast, str):
        return contrast
    if _is_list_of_names(contrast):
        if not interaction:
            raise ArgumentError(
                f"contrast is a name such as 'pairwise' or holds numbers, not {contrast!r}; "
                "several names, a family for each factor, are for interaction=True"
            )
        return [choice(c, CONTRASTS, "contrast") for c in contrast]
    rows = _weights(contrast)
    for name, row in rows.items():
        values = np.asarray(list(row.values()) if isinstance(row, dict) else row, dtype=float)
        if values.ndim != 1 or not values.size or not np.isfinite(values).all():
            raise ArgumentError(f"contrast {name!r} must be a list of finite numbers")
    if not rows:
        raise ArgumentError("contrast has no coefficients")
    return rows


def _is_list_of_names(contrast: Any) -> bool:
    return (
        isinstance(contrast, (list, tuple))
        and bool(contrast)
        and all(isinstance(c, str) for c in contrast)
    )


def _weights(contrast: Any) -> dict[str, Any]:
    """Weights in the means' order, or, where they are a dict or a Series, by the means' names."""
    try:
        if isinstance(contrast, pd.DataFrame):
            contrast = {str(k): contrast.loc[k] for k in contrast.index}
        if isinstance(contrast, Mapping):
            return {str(k): _one_contrast(v) for k, v in contrast.items()}
        matrix = np.atleast_2d(np.asarray(contrast, dtype=float))
        return {f"c{i + 1}": row for i, row in enumerate(matrix)}
    except (TypeError, ValueError):
        raise ArgumentError(
            f"contrast is a name such as 'pairwise' or holds numbers, not {contrast!r}"
        ) from None


def _one_contrast(weights: Any) -> Any:
    if isinstance(weights, pd.Series) and all(isinstance(k, str) for k in weights.index):
        weights = weights.to_dict()
    if isinstance(weights, Mapping):
        return {_level(k): float(v) for k, v in weights.items()}
    return np.asarray(weights, dtype=float)


def means_question(
    given: Mapping[str, Any], columns: Collection[str], own: dict[str, Any]
) -> dict[str, Any]:
    """Return what the bridge is asked, from the arguments that a method was given, by name.

    `own` are arguments of this question alone, checked by its method; the others are means', or
    options of them.
    """
    asked: dict[str, Any] = {
        "specs": means_specs(given["specs"], columns),
        "by": given["by"],
        "at": means_at(given["at"]),
    }
    if "contrast" in given:
        asked["contrast"] = _contrast(given)
    options = means_options({k: v for k, v in given.items() if k not in own})
    return asked | {"options": options} | own


def _contrast(given: Mapping[str, Any]) -> Any:
    """The contrast; what only a contrast uses is refused without one."""
    contrast = given["contrast"]
    for name in ("simple", "contrast_options"):
        if contrast is None and given.get(name) is not None:
            raise ArgumentError("simple= and contrast_options= need contrast=, e.g. 'pairwise'")
    return means_contrast(contrast, given["ref"], given.get("interaction", False))


def means_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what was asked for beyond emmeans' defaults, checked as `_OPTIONS` says."""
    options: dict[str, Any] = {}
    for name, check in _OPTIONS.items():
        value = given.get(name)
        at_default = isinstance(value, (bool, str)) and value == _DEFAULTS.get(name)
        if value is not None and not at_default:
            options[name] = check(value, name)
    _add_marginal(options)
    if "bias_adjust" not in options and "sigma" in options:
        raise ArgumentError("sigma= is for bias_adjust=True")
    if "bias_adjust" in options and "response" not in (options.get("type"), options.get("regrid")):
        raise ArgumentError("bias_adjust is of means on the response's scale: type='response'")
    if options.get("side") in _WITH_DELTA and "delta" not in options:
        raise ArgumentError(f"side={options['side']!r} needs its threshold: delta=")
    if options.keys() & {"null", "delta"}:
        options.setdefault("infer", [False, True])  # as R's test()
    return options


def _add_marginal(options: dict[str, Any]) -> None:
    if options.get("type") == "marginal":
        if options.keys() & {"bias_adjust", "sigma", "regrid"}:
            raise ArgumentError(
                "type='marginal' is type='response' with bias_adjust=True and sigma='total'; give "
                "these yourself to change one"
            )
        options |= {"type": "response", "bias_adjust": True, "sigma": "own"}


def a_sigma(sigma: Any, name: str = "sigma") -> float | str:
    """Return "residual", "total" or a positive number."""
    if isinstance(sigma, str):
        return choice(sigma, ("residual", "total"), name)
    number = finite(sigma, name)
    if number <= 0:
        raise ArgumentError(f"sigma is a standard deviation, above 0, not {sigma!r}")
    return number


def _transformation(tran: Tran, name: str) -> dict[str, Any]:
    if not isinstance(tran, (str, tuple, list)):
        raise ArgumentError(f"{name} takes a word, or a word and its numbers, not {shown(tran)}")
    word, *parameters = (tran,) if isinstance(tran, str) else tuple(tran) or (None,)
    known = choice(word, TRANSFORMATIONS, name)
    if parameters and known not in _WITH_PARAMETERS:
        raise ArgumentError(f"tran: {known!r} takes no numbers")
    if known in ("boxcox", "power", "sympower", "bcnPower", "genlog", "scale") and not parameters:
        raise ArgumentError(f"tran: {known!r} needs its numbers, e.g. ({known!r}, 0.5)")
    return {
        "name": known,
        "parameters": [finite(p, "tran") for p in parameters] or _alone(known),
    }


def _alone(name: str) -> list[float]:
    """What makes R's make.tran() of a transformation without numbers."""
    return [1.0] if name in _WITH_PARAMETERS else []


def _threshold(delta: Any, name: str) -> float:
    number = finite(delta, name)
    if number <= 0:
        raise ArgumentError(f"delta is a threshold, above 0, not {delta!r}")
    return number


def _contrast_options(given: Mapping[str, Any], argument: str) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ArgumentError(f"contrast_options is a dict, e.g. {{'reverse': True}}, not {given!r}")
    out: dict[str, Any] = {}
    for name, value in given.items():
        texts = isinstance(value, (list, tuple)) and all(isinstance(v, str) for v in value)
        if isinstance(value, (bool, str)) or texts:
            out[str(name)] = value
            continue
        try:
            array = np.atleast_1d(np.asarray(value, dtype=float))
        except (TypeError, ValueError):
            array = np.array([])
        if array.ndim != 1 or not array.size or not np.isfinite(array).all():
            raise ArgumentError(f"contrast_options: {name!r} cannot be {value!r}")
        out[str(name)] = array
    return out


def _average_weights(weights: Any, name: str) -> Any:
    if isinstance(weights, str):
        return weights
    try:
        numbers = np.atleast_1d(np.asarray(weights, dtype=float))
    except (TypeError, ValueError):
        numbers = np.array([])
    if numbers.ndim != 1 or not numbers.size or not np.isfinite(numbers).all() or not numbers.any():
        raise ArgumentError(
            f"weights is one of {', '.join(map(repr, WEIGHTS))}, or numbers, one for each "
            f"combination that is averaged over, not {weights!r}"
        )
    return numbers


def _references(ref: Ref, name: str) -> Any:
    if isinstance(ref, (list, tuple)) and ref:
        if all(isinstance(r, str) for r in ref):
            return list(ref)
        return [whole_number(r, name, 1) for r in ref]
    return ref if isinstance(ref, str) else whole_number(ref, name, 1)


def _cov_reduce(how: CovReduce, name: str) -> Any:
    def one(value: Any) -> str:
        if isinstance(value, str) and "~" in value:
            if not vet(value).two_sided:
                raise ArgumentError(f"cov_reduce={value!r}: a formula says covariate ~ predictors")
            return value
        return choice(value, REDUCTIONS, name)

    if isinstance(how, Mapping):
        if not how:
            raise ArgumentError("cov_reduce is empty: map covariates to words, or leave it out")
        return {str(k): one(v) for k, v in how.items()}
    if how is False:  # R's word for all values
        return "values"
    return one(how)


def _nesting(nesting: Any, name: str) -> Any:
    if nesting is False:
        return False
    if not isinstance(nesting, Mapping) or not nesting:
        raise ArgumentError(
            "nesting maps a factor to those it is nested in, e.g. {'batch': ['plant']}, or is "
            f"False for none, not {nesting!r}"
        )
    return {str(k): text_list(v, name) for k, v in nesting.items()}


def _submodel(value: Any, name: str) -> str:
    if isinstance(value, str) and "~" in value:
        if vet(value).two_sided:
            raise ArgumentError(f"{name}={value!r}: the formula has predictors alone: '~ a + b'")
        return value
    return choice(value, ("minimal", "type2"), name)


def _as_given(value: Any, name: str) -> Any:
    return value


#: Options of means, by argument, and what checks and forms each for the bridge.
_OPTIONS: dict[str, Check] = {
    "adjust": _as_given,
    "type": _as_given,
    "level": _as_given,
    "infer": lambda value, name: [value in ("ci", "both"), value in ("test", "both")],
    "weights": _average_weights,
    "ref": _references,
    "interaction": _as_given,
    "offset": _as_given,
    "comparisons": _as_given,
    "bias_adjust": _as_given,
    "sigma": a_sigma,
    "tran": _transformation,
    "null": finite,
    "delta": _threshold,
    "side": _as_given,
    "simple": text_list,
    "cov_keep": text_list,
    "counterfactuals": text_list,
    "nuisance": text_list,
    "contrast_options": _contrast_options,
    "cov_reduce": _cov_reduce,
    "nesting": _nesting,
    "regrid": _as_given,
    "cross_adjust": _as_given,
    "submodel": _submodel,
    "max_degree": lambda value, name: whole_number(value, name, 1),
}
#: What an option is where it is not asked for, other than None.
_DEFAULTS = {
    "type": "link",
    "interaction": False,
    "comparisons": False,
    "bias_adjust": False,
    "cross_adjust": "none",
}
