"""The multilevel workflow, from the structure of the data to the comparison of models."""

from __future__ import annotations

from pymlm.models.membership import multiple_membership
from pymlm.models.membership_weights import membership_weights, neighbour_weights
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
from pymlm.multilevel.meta import meta_analysis
from pymlm.multilevel.panel import aggregate, gee, hausman, one_per_group, panel
from pymlm.multilevel.partition import icc, icc_of, variance_partition
from pymlm.multilevel.pooling import pooling, residuals_by_group, shrinkage
from pymlm.multilevel.robust import cluster_robust
from pymlm.multilevel.rules import compare_rules, information_criteria
from pymlm.multilevel.testing import ddf_table, joint_wald, wald_variance_test
from pymlm.multilevel.within_between import within_between

__all__ = [
    "aggregate",
    "center",
    "check_assumptions",
    "cluster_robust",
    "compare_alternatives",
    "compare_rules",
    "ddf_table",
    "describe_levels",
    "design_effect",
    "effect_sizes",
    "effect_types",
    "equations",
    "gee",
    "gls",
    "group_lines",
    "hausman",
    "icc",
    "icc_of",
    "implied_covariance",
    "information_criteria",
    "johnson_neyman",
    "joint_wald",
    "latent_centering",
    "lme",
    "membership_weights",
    "meta_analysis",
    "moulton",
    "multiple_membership",
    "neighbour_weights",
    "one_per_group",
    "panel",
    "pooling",
    "pseudo_r2",
    "r2",
    "r2_decomposition",
    "residuals_by_group",
    "shrinkage",
    "simple_slopes",
    "total_r2",
    "true_variance",
    "variance_function",
    "variance_partition",
    "wald_variance_test",
    "within_between",
    "within_between_lines",
]
