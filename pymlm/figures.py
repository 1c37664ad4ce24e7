"""The `.plot()` of results and models: a line that calls `pymlm.plot`, imported when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any


def figure_of(name: str) -> Callable[..., Any]:
    """Return a method that draws its object with ``pymlm.plot.<name>``."""

    def plot(self: Any, *args: Any, **options: Any) -> Any:
        return getattr(importlib.import_module("pymlm.plot"), name)(self, *args, **options)

    plot.__doc__ = f"Draw it: ``pymlm.plot.{name}(self, ...)``, which says what it takes."
    return plot
