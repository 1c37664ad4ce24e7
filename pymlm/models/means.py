"""Marginal means and their contrasts."""

from __future__ import annotations

from pymlm.models.described import Described


class MeansMethods(Described):
    """What emmeans answers for a fitted model."""
