"""Residuals, influence and other checks."""

from __future__ import annotations

from pymlm.models.described import Described


class DiagnosticMethods(Described):
    """Diagnostics of a fitted mixed model."""
