# Generalized linear and nonlinear mixed models.

#' A family as a person would write it: binomial, Gamma(link = "log").
family_call <- function(name, link, theta = NULL) {
  fun <- if (name == "negative.binomial") quote(MASS::negative.binomial) else as.name(name)
  args <- list()
  args$theta <- theta
  if (!is.null(link))
    args$link <- if (startsWith(link, "power(")) str2lang(link) else link
  if (length(args)) as.call(c(fun, args)) else fun
}

#' lme4's glmer(), as a fit.
fit_glmer <- function(formula, data, data_name, family, link, theta, n_agq, control, start,
                      weights, offset, contrasts, row_starts = NULL) {
  args <- list(family = family_call(family, link, theta))
  args <- c(args, lapply(row_starts, as.name),
            .common_arguments("glmerControl", control, start, weights, offset))
  if (n_agq != 1L) args$nAGQ <- as.numeric(n_agq)
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  fit_model("glmer", formula, data, data_name, args, given$bindings)
}

# glmer.nb writes its control into the call as a value when it is none of its own names, so the
# call's arguments stand as they were given.
fit_glmer_nb <- function(formula, data, data_name, n_agq, control, start, weights, offset,
                         contrasts) {
  args <- .common_arguments("glmerControl", control, start, weights, offset)
  if (n_agq != 1L) args$nAGQ <- as.numeric(n_agq)
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  fit_model("glmer.nb", formula, data, data_name, args, given$bindings)
}

#' Fit a nonlinear mixed model. The middle part of the formula is a self-starting function
#' (SSlogis ...), or an expression: R's deriv() then makes the function with its gradient, bound
#' beside the data as `nonlinear`, as lme4's help shows.
fit_nlmer <- function(formula, data, data_name, n_agq, control, start, weights, offset) {
  parsed <- parse_formula(formula)
  odd <- Filter(function(n) needs_backticks(as.name(n)), all.vars(parsed))
  if (length(odd))
    refuse("FormulaError",
           "lme4's nlmer takes names that R can write without backticks; rename the ",
           "column '", odd[1L], "', e.g. to '", make.names(odd[1L]), "'")
  start <- unlist(start)
  bindings <- list()
  middle <- parsed[[2L]][[3L]]
  if (!.has_gradient(middle)) {
    names <- all.vars(middle)
    function_args <- c(setdiff(names, names(start)), names(start))
    bindings$nonlinear <- tryCatch(
      stats::deriv(middle, namevec = names(start), function.arg = function_args),
      error = function(e) refuse("FormulaError", "R cannot differentiate the middle part of the ",
                                 "formula: ", conditionMessage(e)))
    environment(bindings$nonlinear) <- .formula_home
    parsed[[2L]][[3L]] <- .written_call("nonlinear", lapply(function_args, as.name))
  }
  start <- .in_gradient_order(start, parsed[[2L]][[3L]], data, bindings)
  args <- .common_arguments("nlmerControl", control, start, weights, offset)
  if (n_agq != 1L) args$nAGQ <- as.numeric(n_agq)
  fit_model("nlmer", parsed, data, data_name, args, bindings)
}

# lme4 pairs the gradient's columns with the starting values by position, whatever their names say:
# in another order it fits another model, under wrong names.
.in_gradient_order <- function(start, middle, data, bindings) {
  known <- c(as.list(data), lapply(start, rep, nrow(data)), bindings)
  value <- tryCatch(suppressWarnings(eval(middle, known, .formula_home)), error = function(e) NULL)
  columns <- colnames(attr(value, "gradient"))
  if (setequal(columns, names(start))) start[columns] else start
}

# A self-starting function answers with the gradient; so does a function from a trusted formula.
.has_gradient <- function(middle) {
  is.call(middle) && is.name(middle[[1L]]) && {
    name <- as.character(middle[[1L]])
    startsWith(name, "SS") || !name %in% c(.formula_operators, .formula_functions)
  }
}

#' What a GLMM is beside what every mixed model is.
describe_glmm <- function(fit) {
  model <- fit$model
  family <- family(model)
  dims <- model@devcomp$dims
  list(
    family = family$family, link = family$link,
    n_agq = as.integer(dims[["nAGQ"]]), has_scale = as.logical(dims[["useSc"]]),
    theta = if (startsWith(family$family, "Negative Binomial")) getME(model, "glmer.nb.theta"),
    conditional_deviance = deviance(model),
    two_columns = is.matrix(model@frame[[1L]]),
    hessian = .has_hessian(model)
  )
}

.has_hessian <- function(model) {
  h <- model@optinfo$derivs$Hessian
  !is.null(h) && nrow(h) > length(model@theta)
}

.need_hessian <- function(fit, use_hessian) {
  if (isTRUE(use_hessian) && !.has_hessian(fit$model))
    refuse("NotSupportedError", "this fit has no Hessian of the fixed effects (n_agq=0, or ",
           "calc_derivs=False). Fit it with n_agq of 1 or more, or ask with use_hessian=False")
}

vcov_native.glmerMod <- function(fit, use_hessian = NULL) {
  .need_hessian(fit, use_hessian)
  vcov(fit$model, use.hessian = use_hessian)
}

summary_native.glmerMod <- function(fit, use_hessian = NULL) {
  .need_hessian(fit, use_hessian)
  summary(fit$model, use.hessian = use_hessian)
}
summary_result.glmerMod <- function(native, fit, use_hessian = NULL) {
  c(summary_result.merMod(native, fit),
    list(family = native$family, link = native$link, use_hessian = use_hessian))
}

#' Refuse what lme4 does with a linear predictor, and what of a nonlinear model stops in its depths,
#' gives nonsense, or (profile) leaves the model changed.
need_linear_predictor <- function(fit, what, instead) {
  if (is_nlmm(fit$model))
    refuse("NotSupportedError", what, " is there for linear predictors; this is a nonlinear mixed ",
           "model. ", instead)
}

#' Refuse what is a statement about fixed effects where a mixed model has none.
need_fixed_effects <- function(fit, what) {
  if (length(coefs(fit$model))) return(invisible())
  refuse("NotSupportedError", what, " is about the fixed effects, and this model has none: ",
         deparse1(formula(fit$model)),
         if (isS4(fit$model)) ". m.ranef() and m.varcorr() have what it estimates")
}

#' The function of a nonlinear model: its call, and what it does where it was made from an
#' expression.
nonlinear_text <- function(model) {
  made <- get0("nonlinear", envir = model_home(model), inherits = FALSE)
  paste(c(deparse(model@resp$nlmod), if (!is.null(made)) deparse(body(made))), collapse = " ")
}

#' The parameters in the order of their blocks of rows in X and Z.
nonlinear_parameters <- function(fit) fit$model@resp$pnames

#' Predictions of a nonlinear model: the function at each row's own parameters. lme4's predict()
#' fails with new data, and without random effects it answers with the parameters' sum.
nlmm_predicted <- function(fit, newdata = NULL, random = TRUE, allow_new_levels = FALSE) {
  model <- fit$model
  if (is.null(newdata) && random) return(unname(fitted(model)))
  data <- if (is.null(newdata)) model@frame else newdata
  beta <- fixef(model)
  function_call <- formula(model)[[2L]][[3L]]
  if (!all(names(beta) %in% all.vars(function_call)))
    refuse("NotSupportedError", "prediction is available where the fixed effects are the ",
           "parameters of the function themselves; here they are: ",
           paste(names(beta), collapse = ", "))
  parameters <- lapply(beta, rep, nrow(data))
  if (random) {
    modes <- ranef(model, condVar = FALSE)
    for (grp in names(modes)) for (term in names(modes[[grp]])) {
      own <- .mode_of_row(modes[[grp]], grp, term, data, allow_new_levels)
      for (p in .parameters_moved(term, names(beta))) parameters[[p]] <- parameters[[p]] + own
    }
  }
  home <- list2env(parameters, parent = model_home(model))
  # as.numeric drops the gradient.
  as.numeric(eval(function_call, as.list(data)[setdiff(names(data), names(beta))], home))
}

# The parameters that a random effect is added to: its own; an intercept, which '1' and '||' bring,
# stands in the block of rows of every parameter.
.parameters_moved <- function(term, parameters) {
  if (term == "(Intercept)") return(parameters)
  if (!term %in% parameters)
    refuse("NotSupportedError", "prediction with random effects is available where they are ",
           "deviations of the function's parameters; here is ", sQuote(term, FALSE),
           ". re_form='NA' predicts without them, m.fitted() is there for the rows of the fit")
  term
}

.mode_of_row <- function(modes, grp, term, data, allow_new_levels) {
  columns <- if (grp %in% names(data)) grp else column_names_in(grp)[[1L]]
  parts <- lapply(columns, function(g) as.character(data[[g]]))
  level <- do.call(paste, c(parts, sep = ":"))
  unknown <- !level %in% rownames(modes)
  if (any(unknown) && !allow_new_levels)
    refuse("DataError", "newdata has levels of ", grp, " that the model has not seen: ",
           paste(unique(level[unknown]), collapse = ", "),
           ". Pass allow_new_levels=True to take them at the population mean")
  ifelse(unknown, 0, modes[[term]][match(level, rownames(modes))])
}
