"""Exact small-sample inference for linear mixed models: Satterthwaite and Kenward-Roger.

Closed forms in quantities no larger than the random effects, on numpy and scipy. Nothing is fitted
here: lme4's fit goes in, and what lmerTest and pbkrtest would compute comes out. This package
imports scipy, so pymlm imports it only when such a result is asked for.
"""

from pymlm.inference.df import (
    FTest,
    kenward_roger_df,
    kenward_roger_f,
    satterthwaite_df,
    satterthwaite_f,
)
from pymlm.inference.kenward_roger import KenwardRogerParts, kenward_roger
from pymlm.inference.moments import Design, Moments, moments
from pymlm.inference.parts import ModelParts
from pymlm.inference.satterthwaite import (
    SatterthwaiteParts,
    profiled_derivatives,
    satterthwaite,
)

__all__ = [
    "Design",
    "FTest",
    "KenwardRogerParts",
    "ModelParts",
    "Moments",
    "SatterthwaiteParts",
    "kenward_roger",
    "kenward_roger_df",
    "kenward_roger_f",
    "moments",
    "profiled_derivatives",
    "satterthwaite",
    "satterthwaite_df",
    "satterthwaite_f",
]
