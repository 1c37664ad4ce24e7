"""Control of the optimizer and of lme4's checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pymlm.engine import call
from pymlm.errors import ArgumentError, near_names


def as_control(control: Any, function: str) -> dict[str, Any] | None:
    """Return the arguments of ``lmerControl`` (or its like) as a plain dict.

    Raises
    ------
    ArgumentError
        For an option that the installed lme4 does not know; near names are listed.
    """
    if control is None:
        return None
    if not isinstance(control, Mapping):
        raise ArgumentError(f"control is a dict of {function}()'s arguments, not {control!r}")
    known = call("control_names", function, into=tuple[str, ...])
    out: dict[str, Any] = {}
    for name, value in control.items():
        r_name = name if name in known else name.replace("_", ".")
        if r_name not in known:
            raise ArgumentError(
                f"{function}() has no option {name!r}."
                + (near_names(name, known) or f" It takes: {', '.join(known)}.")
            )
        out[r_name] = value
    return out
