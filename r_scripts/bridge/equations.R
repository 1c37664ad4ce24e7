# The parts of a fitted mixed model's equations: which coefficient stands at which level.

equation_native <- function(fit) {
  need_linear_predictor(fit, "Equations by level", "m.formula has the function")
  fit$model
}

equation_result <- function(native, fit) {
  model <- native
  X <- getME(model, "X")
  factors <- model@flist[unique(names(model@cnms))]
  # Level 2 is the factor with most levels; a column that is constant within it but varies within
  # the next factor belongs to level 2, and so on up.
  level_of <- function(x) {
    level <- 1L
    for (g in factors) if (all(.constant_within(x, g))) level <- level + 1L else break
    level
  }
  level <- apply(X, 2L, level_of)
  family <- if (lme4::isGLMM(model)) stats::family(model)
  list(
    response = paste(deparse(formula(model)[[2L]], width.cutoff = 500L), collapse = " "),
    term = colnames(X), level = as.integer(level), estimate = unname(fixef(model)),
    group = names(factors), n_levels = vapply(factors, nlevels, 0L),
    nested = .is_nested(model),
    random_group = names(model@cnms), random_term = lapply(unname(model@cnms), as_in_fixed, names(fixef(model))),
    family = if (is.null(family)) "gaussian" else family$family,
    link = if (is.null(family)) "identity" else family$link,
    membership = if (is_membership(model)) names(membership_weights(fit)) else character(),
    has_offset = any(getME(model, "offset") != 0)
  )
}
