# The public names and where they live: the one list, for type checkers and for __init__.py,
# which imports each when it is first used.

from . import errors, plot, sklearn
from ._version import __version__
from .datasets import (
    datasets,
    load_dataset,
)
from .many import (
    ManyFits,
    fit_many,
    power,
)
from .models.compare import (
    anova,
    lrt,
)
from .models.control import (
    ConvergenceCheck,
    GlmerControl,
    LmerControl,
    NlmerControl,
)
from .models.exact_tests import (
    exact_lrt,
    exact_rlrt,
)
from .models.glm import (
    GeneralizedLinearModel,
    glm,
)
from .models.glmer import (
    GeneralizedLinearMixedModel,
    glmer,
    glmer_nb,
)
from .models.lm import (
    LinearModel,
    lm,
)
from .models.lm_list import (
    LmList,
    lm_list,
)
from .models.lmer import (
    LinearMixedModel,
    lmer,
)
from .models.membership import (
    MultipleMembershipModel,
    multiple_membership,
)
from .models.membership_weights import (
    membership_weights,
    neighbour_weights,
)
from .models.mixture import (
    mixture_critical_value,
    mixture_p_value,
)
from .models.modcomp import (
    kr_modcomp,
    pb_modcomp,
    sat_modcomp,
)
from .models.nlme import NlmeModel
from .models.nlmer import (
    NonlinearMixedModel,
    nlmer,
)
from .models.persist import load_model
from .models.planned import simulate
from .multilevel.aggregation import (
    aggregate,
    one_per_group,
)
from .multilevel.alternatives import compare_alternatives
from .multilevel.centering import center
from .multilevel.checks import check_assumptions
from .multilevel.correlated import (
    gls,
    lme,
)
from .multilevel.design_effect import (
    design_effect,
    true_variance,
)
from .multilevel.effect_sizes import effect_sizes
from .multilevel.effect_types import effect_types
from .multilevel.equations import equations
from .multilevel.gee import gee
from .multilevel.icc import (
    icc,
    icc_of,
)
from .multilevel.implied import (
    implied_covariance,
    variance_function,
)
from .multilevel.interactions import (
    johnson_neyman,
    simple_slopes,
)
from .multilevel.latent import latent_centering
from .multilevel.levels import describe_levels
from .multilevel.lines import (
    group_lines,
    within_between_lines,
)
from .multilevel.meta import meta_analysis
from .multilevel.moulton import moulton
from .multilevel.panel import (
    hausman,
    panel,
)
from .multilevel.performance import compare_performance
from .multilevel.pooling import pooling
from .multilevel.prediction_lines import prediction_lines
from .multilevel.pseudo_r2 import pseudo_r2
from .multilevel.r2 import (
    r2,
    total_r2,
)
from .multilevel.r2_decomposition import r2_decomposition
from .multilevel.residual_groups import residuals_by_group
from .multilevel.robust import (
    cluster_robust,
    robust_errors,
)
from .multilevel.rules import (
    compare_rules,
    information_criteria,
)
from .multilevel.shrinkage import shrinkage
from .multilevel.stacked import stack_outcomes
from .multilevel.testing import (
    ddf_table,
    joint_wald,
    wald_variance_test,
)
from .multilevel.variance_partition import variance_partition
from .multilevel.within_between import within_between
from .options import options
from .parity import (
    ParityReport,
    check_parity,
)
from .render.regression_table import regression_table
from .render.styles import render
from .render.systems import system_defaults

__all__ = [
    "ConvergenceCheck",
    "GeneralizedLinearMixedModel",
    "GeneralizedLinearModel",
    "GlmerControl",
    "LinearMixedModel",
    "LinearModel",
    "LmList",
    "LmerControl",
    "ManyFits",
    "MultipleMembershipModel",
    "NlmeModel",
    "NlmerControl",
    "NonlinearMixedModel",
    "ParityReport",
    "__version__",
    "aggregate",
    "anova",
    "center",
    "check_assumptions",
    "check_parity",
    "cluster_robust",
    "compare_alternatives",
    "compare_performance",
    "compare_rules",
    "datasets",
    "ddf_table",
    "describe_levels",
    "design_effect",
    "effect_sizes",
    "effect_types",
    "equations",
    "errors",
    "exact_lrt",
    "exact_rlrt",
    "fit_many",
    "gee",
    "glm",
    "glmer",
    "glmer_nb",
    "gls",
    "group_lines",
    "hausman",
    "icc",
    "icc_of",
    "implied_covariance",
    "information_criteria",
    "johnson_neyman",
    "joint_wald",
    "kr_modcomp",
    "latent_centering",
    "lm",
    "lm_list",
    "lme",
    "lmer",
    "load_dataset",
    "load_model",
    "lrt",
    "membership_weights",
    "meta_analysis",
    "mixture_critical_value",
    "mixture_p_value",
    "moulton",
    "multiple_membership",
    "neighbour_weights",
    "nlmer",
    "one_per_group",
    "options",
    "panel",
    "pb_modcomp",
    "plot",
    "pooling",
    "power",
    "prediction_lines",
    "pseudo_r2",
    "r2",
    "r2_decomposition",
    "regression_table",
    "render",
    "residuals_by_group",
    "robust_errors",
    "sat_modcomp",
    "shrinkage",
    "simple_slopes",
    "simulate",
    "sklearn",
    "stack_outcomes",
    "system_defaults",
    "total_r2",
    "true_variance",
    "variance_function",
    "variance_partition",
    "wald_variance_test",
    "within_between",
    "within_between_lines",
]
