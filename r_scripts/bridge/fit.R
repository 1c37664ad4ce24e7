# Fitting. The data are bound under a name in a fresh environment, which is also the formula's, so
# the model's call stays as short as a person would write it, and update, drop1, profile, emmeans
# ... find their data again.

#' Wrap a fitted model with what was computed for it and kept.
as_fit <- function(model) {
  fit <- new.env(parent = emptyenv())
  fit$model <- model
  fit$kept <- new.env(parent = emptyenv())
  fit
}

#' A named argument list as the language a person would have typed: list(a = "b") -> f(a = "b").
.written_call <- function(fun, args) as.call(c(as.name(fun), args))

.control_call <- function(fun, control) {
  if (is.null(control)) return(NULL)
  control <- lapply(control, function(x) {
    if (is.list(x)) .written_call("list", lapply(x, .as_literal)) else .as_literal(x)
  })
  .written_call(fun, control)
}

# Python's whole numbers arrive as integers; R people write 20000, not 20000L.
.as_literal <- function(x) {
  if (is.integer(x)) x <- as.numeric(x)
  if (length(x) > 1L) as.call(c(quote(c), as.list(x))) else x
}

#' Fit a model by the function `fun`.
#'
#' @param fun "lmer", "glmer" ...
#' @param formula the formula's text, already vetted
#' @param data,data_name the data frame and the name it gets in the call
#' @param args further arguments: language or values, in the order they stand in the call
#' @param bindings objects that the call names, beside the data
fit_model <- function(fun, formula, data, data_name, args, bindings = list()) {
  env <- new.env(parent = .formula_home)
  for (name in names(bindings)) assign(name, bindings[[name]], envir = env)
  assign(data_name, data, envir = env)
  args <- c(list(formula = parse_formula(formula), data = as.name(data_name)), args)
  as_fit(eval(.written_call(fun, args), env))
}

fit_lmer <- function(formula, data, data_name, reml, weights, offset, contrasts, control, start) {
  args <- list()
  if (!reml) args$REML <- FALSE
  args$control <- .control_call("lmerControl", control)
  if (!is.null(start)) args$start <- .as_literal(start)
  if (!is.null(weights)) args$weights <- as.name(weights)
  if (!is.null(offset)) args$offset <- as.name(offset)
  given <- .contrast_argument(contrasts)
  if (!is.null(given)) args$contrasts <- given$written
  fit_model("lmer", formula, data, data_name, args, given$bindings)
}

# R's names of contrasts stand in the call; a matrix is bound beside the data under a name.
.contrast_argument <- function(contrasts) {
  if (is.null(contrasts)) return(NULL)
  if (all(vapply(contrasts, is.character, NA)))
    return(list(written = .written_call("list", contrasts), bindings = list()))
  list(written = quote(.contrasts), bindings = list(.contrasts = contrasts))
}

#' What lme4's optimizer and checks said, as data.
convergence <- function(fit) {
  model <- fit$model
  info <- model@optinfo
  singular <- lme4::isSingular(model)
  gradient <- info$derivs$gradient
  hessian <- info$derivs$Hessian
  scaled <- if (is.null(gradient) || any(is.na(hessian))) NA_real_ else
    tryCatch(max(abs(solve(chol(hessian), gradient))), error = function(e) NA_real_)
  messages <- unlist(info$conv$lme4$messages)
  # The note on a singular fit is no failure of the optimizer; `singular` says it.
  failures <- messages[!grepl("singular", messages, fixed = TRUE)]
  codes <- as.integer(unlist(info$conv$lme4$code))
  opt <- info$conv$opt
  list(
    singular = singular,
    optimizer = as.character(info$optimizer),
    optimizer_code = if (is.null(opt)) 0L else as.integer(opt)[1L],
    codes = codes,
    messages = as.character(messages),
    failures = as.character(failures),
    optimizer_warnings = as.character(unlist(info$warnings)),
    max_gradient = if (is.null(gradient)) NA_real_ else max(abs(gradient)),
    max_scaled_gradient = scaled,
    evaluations = if (!is.null(info$feval)) as.integer(info$feval)[1L],
    singular_terms = as.character(if (singular) .singular_terms(model))
  )
}

# Group and coefficient of every dimension without variance of its own: "Subject: Days". These are
# the zeros on the diagonal of the relative covariance factor, by isSingular's own tolerance.
.singular_terms <- function(model, tol = 1e-4) {
  factors <- getME(model, "Tlist")
  unlist(lapply(seq_along(factors), function(i) {
    flat <- model@cnms[[i]][diag(as.matrix(factors[[i]])) < tol]
    if (length(flat)) paste0(names(model@cnms)[i], ": ", flat)
  }))
}

#' The plain attributes of a fitted mixed model.
describe <- function(fit) {
  model <- fit$model
  frame <- model@frame
  dropped <- attr(frame, "na.action")
  reml <- lme4::isREML(model)
  flist <- model@flist
  ngroups <- vapply(flist, nlevels, 0L)
  list(
    formula = paste(deparse(formula(model), width.cutoff = 500L), collapse = " "),
    call = paste(deparse(model@call, width.cutoff = 500L), collapse = "\n"),
    nobs = nrow(frame),
    dropped = as.integer(dropped),
    ngroups = as.list(ngroups),
    reml = reml,
    linear = lme4::isLMM(model),
    sigma = sigma(model),
    theta = unname(model@theta),
    theta_names = names(getME(model, "theta")),
    loglik = as.numeric(logLik(model)),
    npar = attr(logLik(model), "df"),
    df_residual = df.residual(model),
    term_labels = attr(terms(model), "term.labels"),
    response = paste(deparse(formula(model)[[2L]], width.cutoff = 500L), collapse = " "),
    frame_names = names(frame)
  )
}

#' AIC, BIC and deviances; -2 log L is what R calls deviance for an ML fit and REMLcrit for REML.
criteria <- function(fit) {
  model <- fit$model
  reml <- lme4::isREML(model)
  list(
    aic = AIC(model), bic = BIC(model),
    deviance = if (reml) deviance(model, REML = FALSE) else deviance(model),
    reml_criterion = if (reml) lme4::REMLcrit(model) else NULL
  )
}

#' Names of the arguments of lmerControl(), glmerControl() ... in the installed lme4.
control_names <- function(fun) names(formals(get(fun, envir = asNamespace("lme4"))))

print_model <- function(fit) enc2utf8(printed(fit$model))

#' Names that the fixed part needs: what a prediction without random effects is made from.
fixed_names <- function(fit) {
  setdiff(.walk(formula(fit$model, fixed.only = TRUE)[[3L]])$names, .formula_constants)
}
