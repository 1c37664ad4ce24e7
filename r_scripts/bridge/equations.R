# The parts of a fitted mixed model's equations: which coefficient stands at which level.

equation_native <- function(fit) {
  if (inherits(fit$model, "gls") && !is.null(fit$model$modelStruct$corStruct) ||
      inherits(fit$model, "lme") && length(fit$model$modelStruct) > 1L)
    refuse("NotSupportedError", "equations are written for independent residuals of one variance; ",
           "m.correlation() and m.sd_ratios() have the structure of this model's")
  need_linear_predictor(fit, "Equations by level", "m.formula has the function")
  fit$model
}

equation_result <- function(native, fit) {
  model <- native
  random <- .random_by_factor(fit)
  X <- model_matrix_native(fit)[, names(coefs(model)), drop = FALSE]
  factors <- random$factors
  # Level 2 is the factor with most levels; a column that is constant within it but varies within
  # the next factor belongs to level 2, and so on up.
  level_of <- function(x) {
    level <- 1L
    for (g in factors) if (all(.constant_within(x, g))) level <- level + 1L else break
    level
  }
  level <- apply(X, 2L, level_of)
  family <- if (inherits(model, "glm") || isS4(model) && lme4::isGLMM(model)) stats::family(model)
  list(
    response = paste(deparse(formula(model)[[2L]], width.cutoff = 500L), collapse = " "),
    term = colnames(X), level = as.integer(level), estimate = unname(coefs(model)),
    group = names(factors), n_levels = vapply(factors, nlevels, 0L),
    nested = random$nested, random_group = names(random$terms),
    random_term = lapply(unname(random$terms), as_in_fixed, names(coefs(model))),
    family = if (is.null(family)) "gaussian" else family$family,
    link = if (is.null(family)) "identity" else family$link,
    membership = if (is_membership(model)) names(membership_weights(fit)) else character(),
    has_offset = if (isS4(model)) any(getME(model, "offset") != 0) else !is.null(model$offset)
  )
}

# Grouping factors, most levels first, and the coefficients of every random term.
.random_by_factor <- function(fit) UseMethod(".random_by_factor", fit$model)
.random_by_factor.default <- function(fit)
  list(factors = stats::setNames(list(), character()), terms = stats::setNames(list(), character()),
       nested = TRUE)
.random_by_factor.merMod <- function(fit) {
  model <- fit$model
  list(factors = model@flist[unique(names(model@cnms))], terms = model@cnms,
       nested = .is_nested(model))
}
.random_by_factor.lme <- function(fit) {
  parts <- fit$model$modelStruct$reStruct # the innermost first
  list(factors = lapply(fit$model$groups[names(parts)], factor), nested = TRUE,
       terms = lapply(parts, function(p) colnames(as.matrix(p))))
}
