# The parts of a fitted model's equations: which coefficient stands at which level.

#' What a model's equations are written from: the model.
equation_native <- function(fit) fit$model

equation_result <- function(native, fit) UseMethod("equation_result", fit$model)

equation_result.default <- function(native, fit) {
  model <- native
  random <- .random_by_factor(fit)
  X <- model_matrix_native(fit)[, names(coefs(model)), drop = FALSE]
  factors <- random$factors
  members <- if (is_membership(model)) names(membership_weights(fit)) else character()
  plain <- factors[setdiff(names(factors), members)]
  # Level 2 is the factor with most levels; a column that is constant within it but varies within
  # the next factor belongs to level 2, and so on up.
  level_of <- function(x) {
    level <- 1L
    for (g in factors) if (all(.constant_within(x, g))) level <- level + 1L else break
    level
  }
  within <- function(x) {
    if (diff(range(x)) == 0) return("")
    at <- which(vapply(plain, function(g) all(.constant_within(x, g)), NA))
    if (length(at)) names(plain)[at[1L]] else ""
  }
  family <- if (inherits(model, "glm") || isS4(model) && lme4::isGLMM(model)) stats::family(model)
  .equation_fields(
    model, term = colnames(X), estimate = unname(coefs(model)), factors = factors, random = random,
    level = as.integer(apply(X, 2L, level_of)), within = unname(apply(X, 2L, within)),
    family = family, membership = members,
    has_offset = if (isS4(model)) any(getME(model, "offset") != 0) else !is.null(model$offset),
    structure = .equation_structures(model), weighted = .equation_weighted(model)
  )
}

equation_result.nlmerMod <- function(native, fit) {
  random <- .random_by_factor(fit)
  b <- fixef(native)
  call <- formula(native)[[2L]][[3L]]
  .equation_fields(native, term = names(b), estimate = unname(b), factors = random$factors,
                   random = random, kind = "nonlinear",
                   nonlinear = paste(deparse(call, width.cutoff = 500L), collapse = " "))
}

equation_result.lmList4 <- function(native, fit) {
  fits <- native[!vapply(native, is.null, NA)]
  b <- colnames(coef(native))
  first <- fits[[1L]]
  group <- stats::setNames(list(factor(names(native))), .group_name(native))
  fields <- .equation_fields(
    first, term = b, estimate = rep(NA_real_, length(b)), factors = group,
    random = list(terms = list(), nested = TRUE), kind = "separate",
    weighted = .equation_weighted(first), family = if (inherits(first, "glm")) stats::family(first))
  fields$sigma2 <- NA_real_
  fields
}

.equation_fields <- function(model, term, estimate, factors, random, level = rep(1L, length(term)),
                             within = rep("", length(term)), family = NULL,
                             membership = character(), has_offset = FALSE,
                             structure = list(text = character(), part = character()),
                             kind = "linear", nonlinear = NULL, weighted = FALSE) {
  list(
    response = response_text(model), term = term, level = level, estimate = estimate,
    group = as.character(names(factors)), n_levels = vapply(factors, nlevels, 0L),
    nested = random$nested, random_group = as.character(names(random$terms)),
    random_term = lapply(unname(random$terms), as_in_fixed, term),
    random_structure = random$structure %||% rep("us", length(random$terms)),
    family = if (is.null(family)) "gaussian" else family$family,
    link = if (is.null(family)) "identity" else family$link,
    membership = membership, has_offset = has_offset, within = within,
    sigma2 = .equation_sigma2(model), covariance = random$covariance %||% list(),
    kind = kind, "function" = nonlinear, residual = structure$text,
    residual_part = structure$part, weighted = weighted
  )
}

.equation_sigma2 <- function(model) {
  if (isS4(model) && !isTRUE(attr(VarCorr(model), "useSc"))) return(NA_real_)
  if (inherits(model, "glm")) return(summary(model)$dispersion) # Pearson's, as R prints it
  sigma(model)^2
}

# Whether the variance of a row is sigma^2 over its weight.
.equation_weighted <- function(model) {
  if (inherits(model, c("glm", "lme", "gls")) || isS4(model) && lme4::isGLMM(model)) return(FALSE)
  w <- stats::weights(model)
  !is.null(w) && any(w != 1)
}

# nlme's correlation and variance structures with their parameters: the covariance of the residuals
# is sigma^2 Lambda. A variance structure is of standard deviations: Lambda = V C V, its ratios on
# V's diagonal.
.equation_structures <- function(model) {
  if (!inherits(model, c("lme", "gls"))) return(list(text = character(), part = character()))
  parts <- model$modelStruct[intersect(c("corStruct", "varStruct"), names(model$modelStruct))]
  said <- vapply(parts, function(s) {
    values <- coef(s, unconstrained = FALSE)
    form <- tryCatch(paste(deparse(formula(s)), collapse = " "), error = function(e) "")
    said <- paste(c(if (length(values) <= 4L) # others are m.correlation()'s
      sprintf("%s = %s", if (is.null(names(values))) "parameter" else names(values),
              vapply(values, function(v) format(v, digits = 3L), ""))), collapse = ", ")
    paste0(class(s)[1L], "(", form, ")", if (nzchar(said)) paste0(": ", said))
  }, "")
  list(text = unname(said), part = unname(c(corStruct = "C", varStruct = "V")[names(parts)]))
}

# Grouping factors, most levels first, and the coefficients of every random term.
.random_by_factor <- function(fit) UseMethod(".random_by_factor", fit$model)
.random_by_factor.default <- function(fit)
  list(factors = stats::setNames(list(), character()), terms = stats::setNames(list(), character()),
       covariance = list(), nested = TRUE)
.random_by_factor.merMod <- function(fit) {
  model <- fit$model
  list(factors = model@flist[unique(names(model@cnms))], terms = model@cnms,
       covariance = lapply(unname(VarCorr(model)), function(V) unname(matrix(V, nrow(V)))),
       nested = .is_nested(model),
       structure = vapply(term_structures(model), `[[`, "", "class", USE.NAMES = FALSE))
}
.random_by_factor.lme <- function(fit) {
  parts <- fit$model$modelStruct$reStruct # the innermost first
  list(factors = lapply(fit$model$groups[names(parts)], factor), nested = TRUE,
       terms = lapply(parts, function(p) colnames(as.matrix(p))),
       covariance = lapply(unname(parts), function(p) unname(as.matrix(p)) * fit$model$sigma^2))
}
