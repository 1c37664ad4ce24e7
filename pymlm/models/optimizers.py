"""lme4's optimizers: their names, the methods within them, the options that they know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymlm.engine import call
from pymlm.errors import ArgumentError, near_names

#: lme4's optimizers. "optimx:<method>" and "nloptwrap:<algorithm>" choose within two of them.
OPTIMIZERS = ("bobyqa", "Nelder_Mead", "nloptwrap", "nlminbwrap", "nmkbw", "optimx")
_METHOD_OPTION = {"optimx": "method", "nloptwrap": "algorithm"}


def chosen_optimizers(given: Any, stages: int) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the optimizers' names, and the method that the part after a colon chooses."""
    if given is None or given == "default":  # none; R's own
        return (), {}
    parts = tuple(given) if isinstance(given, (list, tuple)) else (given,)
    if not 1 <= len(parts) <= stages or not all(isinstance(p, str) for p in parts):
        many = " or a pair of names, one a stage," if stages > 1 else ""
        raise ArgumentError(f"optimizer is a name{many} such as 'bobyqa', not {given!r}")
    names: list[str] = []
    method: dict[str, str] = {}
    for part in parts:
        name, colon, chosen = part.partition(":")
        known = next((o for o in OPTIMIZERS if o.casefold() == name.strip().casefold()), None)
        if known is None:
            raise ArgumentError(
                f"no optimizer {name!r}.{near_names(name, OPTIMIZERS)} There are: "
                f"{', '.join(OPTIMIZERS)}."
            )
        if colon and known not in _METHOD_OPTION:
            raise ArgumentError(f"the optimizer {known!r} has no methods to choose from: {part!r}")
        if colon:
            method[_METHOD_OPTION[known]] = chosen.strip()
        names.append(known)
    return tuple(names), method


def check_options(optimizers: tuple[str, ...], options: Mapping[str, Any]) -> None:
    """Refuse what none of the optimizers knows: R ignores it, nloptwrap without any word."""
    if "optimx" in optimizers and "method" not in options:
        raise ArgumentError("optimx needs a method, e.g. optimizer='optimx:L-BFGS-B'")
    if not options:
        return
    known = {"lower", "upper"}
    for name in optimizers:
        known |= set(call("optimizer_options", name, into=tuple[str, ...]))
    for option in options:
        if option not in known:
            raise ArgumentError(
                f"opt_ctrl: {' and '.join(dict.fromkeys(optimizers))} has no option {option!r}."
                + (near_names(str(option), known) or f" It takes: {', '.join(sorted(known))}.")
            )
