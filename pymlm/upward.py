"""What a lower layer offers of a higher one: looked up by name when it is used, never imported.

A result's `.plot()` and `refit` to a frame of responses are conveniences; what they call knows
results and models, which therefore cannot import it.
"""

from __future__ import annotations

import importlib
from typing import Any


def from_above(module: str, name: str) -> Any:
    """Return what `pymlm.<module>` calls `name`."""
    return getattr(importlib.import_module(f"pymlm.{module}"), name)
