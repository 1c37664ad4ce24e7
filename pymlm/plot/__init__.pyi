# The figures and where they live; see __init__.py.

from .arrows import shrinkage
from .clustering import design_effect
from .densities import ranef_density
from .forest import coefs
from .ghosts import residuals_by_group
from .grids import predictions
from .lines import group_lines
from .marginal import means
from .modes import caterpillar
from .panel import check
from .pools import pooling
from .profiles import profile
from .quantiles import qq
from .ridges import bootstrap
from .shares import variance_shares
from .slopes import (
    johnson_neyman,
    within_between,
)
from .structure import levels
from .variances import variance

__all__ = [
    "bootstrap",
    "caterpillar",
    "check",
    "coefs",
    "design_effect",
    "group_lines",
    "johnson_neyman",
    "levels",
    "means",
    "pooling",
    "predictions",
    "profile",
    "qq",
    "ranef_density",
    "residuals_by_group",
    "shrinkage",
    "variance",
    "variance_shares",
    "within_between",
]
