"""pymlm: R's lme4, lmerTest, pbkrtest and emmeans from Python, exact and typed.

Importing it starts no R and imports no rpy2; the first call that needs R does both.
"""

from __future__ import annotations

from pymlm import errors
from pymlm._version import __version__
from pymlm.datasets import datasets, load_dataset
from pymlm.many import ManyFits, fit_many
from pymlm.models.compare import anova, exact_rlrt, kr_modcomp, lrt, pb_modcomp, sat_modcomp
from pymlm.models.control import ConvergenceCheck, GlmerControl, LmerControl, NlmerControl
from pymlm.models.glmer import GeneralizedLinearMixedModel, glmer, glmer_nb
from pymlm.models.lm import GeneralizedLinearModel, LinearModel, glm, lm
from pymlm.models.lm_list import LmList, lm_list
from pymlm.models.lmer import LinearMixedModel, lmer
from pymlm.models.nlme import NlmeModel
from pymlm.models.nlmer import NonlinearMixedModel, nlmer
from pymlm.models.persist import load_model
from pymlm.multilevel.alternatives import compare_alternatives
from pymlm.multilevel.centering import center
from pymlm.multilevel.checks import check_assumptions
from pymlm.multilevel.correlated import gls, lme
from pymlm.multilevel.design import design_effect, moulton, true_variance
from pymlm.multilevel.effects import effect_types
from pymlm.multilevel.equations import equations
from pymlm.multilevel.explained import effect_sizes, pseudo_r2, r2, r2_decomposition, total_r2
from pymlm.multilevel.implied import implied_covariance, variance_function
from pymlm.multilevel.interactions import johnson_neyman, simple_slopes
from pymlm.multilevel.latent import latent_centering
from pymlm.multilevel.levels import describe_levels
from pymlm.multilevel.lines import group_lines, within_between_lines
from pymlm.multilevel.membership import MultipleMembershipModel, multiple_membership
from pymlm.multilevel.meta import meta_analysis
from pymlm.multilevel.panel import aggregate, gee, hausman, one_per_group, panel
from pymlm.multilevel.partition import icc, icc_of, variance_partition
from pymlm.multilevel.pooling import pooling, residuals_by_group, shrinkage
from pymlm.multilevel.robust import cluster_robust
from pymlm.multilevel.rules import compare_rules, information_criteria
from pymlm.multilevel.testing import ddf_table, joint_wald, wald_variance_test
from pymlm.multilevel.weights import membership_weights, neighbour_weights
from pymlm.multilevel.within_between import within_between
from pymlm.options import options
from pymlm.parity import ParityReport, check_parity
from pymlm.render.regression_table import regression_table
from pymlm.render.systems import system_defaults
from pymlm.render.voices import render

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
    "compare_rules",
    "datasets",
    "ddf_table",
    "describe_levels",
    "design_effect",
    "effect_sizes",
    "effect_types",
    "equations",
    "errors",
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
    "moulton",
    "multiple_membership",
    "neighbour_weights",
    "nlmer",
    "one_per_group",
    "options",
    "panel",
    "pb_modcomp",
    "pooling",
    "pseudo_r2",
    "r2",
    "r2_decomposition",
    "regression_table",
    "render",
    "residuals_by_group",
    "sat_modcomp",
    "shrinkage",
    "simple_slopes",
    "system_defaults",
    "total_r2",
    "true_variance",
    "variance_function",
    "variance_partition",
    "wald_variance_test",
    "within_between",
    "within_between_lines",
]
