"""pymlm: R's lme4, lmerTest, pbkrtest and emmeans from Python, exact and typed.

Importing it starts no R and imports no rpy2; the first call that needs R does both.
"""

from __future__ import annotations

from pymlm import errors
from pymlm._version import __version__
from pymlm.datasets import datasets, load_dataset
from pymlm.models.lmer import LinearMixedModel, lmer

__all__ = ["LinearMixedModel", "__version__", "datasets", "errors", "lmer", "load_dataset"]
