"""The `.plot()` of results and models: a line that calls `pymlm.plot`, imported when it is used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pymlm.upward import from_above


def figure_of(name: str) -> Callable[..., Any]:
    """Return a method that draws its object with ``pymlm.plot.<name>``."""

    def plot(self: Any, *args: Any, **options: Any) -> Any:
        return from_above("plot", name)(self, *args, **options)

    plot.__doc__ = f"Draw it: ``pymlm.plot.{name}(self, ...)``, which says what it takes."
    return plot
