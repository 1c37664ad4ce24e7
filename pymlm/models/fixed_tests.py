"""Tests of fixed effects."""

from __future__ import annotations

from pymlm.models.described import Described


class FixedTestMethods(Described):
    """Inference on the fixed effects."""
