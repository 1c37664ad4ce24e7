"""pymlm: R's lme4, lmerTest, pbkrtest and emmeans from Python, exact and typed.

Importing it starts no R and imports no rpy2; the first call that needs R does both.
"""

from __future__ import annotations

from pymlm import errors
from pymlm._version import __version__
from pymlm.datasets import datasets, load_dataset
from pymlm.models.control import ConvergenceCheck, GlmerControl, LmerControl, NlmerControl
from pymlm.models.glmer import GeneralizedLinearMixedModel, glmer, glmer_nb
from pymlm.models.lm import GeneralizedLinearModel, LinearModel, glm, lm
from pymlm.models.lm_list import LmList, lm_list
from pymlm.models.lmer import LinearMixedModel, lmer
from pymlm.models.nlmer import NonlinearMixedModel, nlmer
from pymlm.models.persist import load_model
from pymlm.parity import ParityReport, check_parity

__all__ = [
    "ConvergenceCheck",
    "GeneralizedLinearMixedModel",
    "GeneralizedLinearModel",
    "GlmerControl",
    "LinearMixedModel",
    "LinearModel",
    "LmList",
    "LmerControl",
    "NlmerControl",
    "NonlinearMixedModel",
    "ParityReport",
    "__version__",
    "check_parity",
    "datasets",
    "errors",
    "glm",
    "glmer",
    "glmer_nb",
    "lm",
    "lm_list",
    "lmer",
    "load_dataset",
    "load_model",
    "nlmer",
]
