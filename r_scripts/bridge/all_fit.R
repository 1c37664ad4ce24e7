# allFit(): the same model by every optimizer that is there.

# The optimizers whose packages are there.
.optimizer_table <- function() {
  table <- get("meth.tab.0", envir = asNamespace("lme4"))
  if (!requireNamespace("dfoptim", quietly = TRUE)) table <- table[table[, 1L] != "nmkbw", ]
  if (!requireNamespace("optimx", quietly = TRUE)) table <- table[table[, 1L] != "optimx", ]
  table
}

# allFit() of lme4 1.1-31 leaves out the missing packages' optimizers by subscripts that are wrong
# unless the table is whole, and stops when both packages are missing. Ours is already right. That
# of lme4 2 keeps control and start where update() finds them or the data, but not both.
.all_fit_function <- function(step) {
  f <- lme4::allFit
  refit <- function(...) {
    on.exit(step())
    .refit_by(...)
  }
  environment(f) <- list2env(list(requireNamespace = function(...) TRUE, update = refit),
                             parent = asNamespace("lme4"))
  f
}

# The model's call again, beside its data, by another optimizer; lme4 2 starts at the estimates. It
# takes them from theta, which has another length than what it optimizes over where a structure
# (cs, ar1) has fewer parameters.
.refit_by <- function(object, control, start) {
  call <- getCall(object)
  call$control <- quote(ctrl)
  home <- new.env(parent = environment(formula(object)))
  home$ctrl <- control
  if (!missing(start)) {
    call$start <- quote(pars)
    if (is_structured(object)) {
      par <- optimized_parameters(object)$values
      start <- if (is.list(start)) c(list(par = par), start["fixef"]) else par
    }
    home$pars <- start
  }
  eval(call, home)
}

#' The fit by every optimizer: lme4's allFit().
all_fit_native <- function(fit, optimizers = NULL, max_evaluations = 100000L) {
  model <- apart(fit$model)
  if (lme4::isNLMM(model))
    refuse("NotSupportedError", "lme4's allFit() refits linear and generalized linear mixed ",
           "models; refit a nonlinear one with control={'optimizer': ...}")
  table <- .optimizer_table()
  names <- sub("\\.$", "", paste(table[, 1L], table[, 2L], sep = "."))
  if (!is.null(optimizers)) {
    wrong <- setdiff(optimizers, names)
    if (length(wrong))
      refuse("ArgumentError", "no optimizer '", wrong[1L], "'; there are: ",
             paste(names, collapse = ", "))
    table <- table[match(optimizers, names), , drop = FALSE]
  }
  # allFit of lme4 1.1 assigns `ctrl` beside the model's data; a copy of that environment takes it.
  model <- .with_own_environment(model)
  with_steps(nrow(table), function(step) suppressWarnings(suppressMessages(
    .all_fit_function(step)(model, meth.tab = table, verbose = FALSE, maxfun = max_evaluations))))
}

.with_own_environment <- function(model) {
  f <- attr(model@frame, "formula")
  environment(f) <- copy_of_home(environment(f))
  attr(model@frame, "formula") <- f
  model
}

all_fit_result <- function(native, fit, optimizers = NULL, max_evaluations = 100000L) {
  ok <- !vapply(native, inherits, NA, "error")
  rows <- function(fun, names) {
    width <- length(names)
    out <- vapply(seq_along(native), function(i)
      if (ok[i]) as.numeric(fun(native[[i]])) else rep(NA_real_, width), numeric(width))
    matrix(out, length(native), width, byrow = TRUE)
  }
  number <- function(fun) vapply(seq_along(native), function(i)
    if (ok[i]) as.numeric(fun(native[[i]]))[1L] else NA_real_, 0)
  components <- as.data.frame(VarCorr(fit$model))
  model <- fit$model
  list(
    optimizer = names(native), ok = unname(ok),
    loglik = number(logLik), evaluations = number(function(m) m@optinfo$feval %||% NA_real_),
    singular = vapply(seq_along(native), function(i)
      if (ok[i]) as.numeric(lme4::isSingular(native[[i]])) else NA_real_, 0),
    code = number(function(m) m@optinfo$conv$opt %||% 0),
    message = vapply(native, .what_it_said, ""),
    term = names(fixef(model)), fixef = rows(fixef, names(fixef(model))),
    theta_names = names(getME(model, "theta")),
    theta = rows(function(m) m@theta, names(getME(model, "theta"))),
    component = .component_names(components),
    sdcor = rows(function(m) as.data.frame(VarCorr(m))$sdcor, components$grp)
  )
}

#' The value, or another where it is NULL; base R has it since 4.4.
`%||%` <- function(a, b) if (is.null(a)) b else a

# "Subject: (Intercept)", "Subject: (Intercept), Days" for a correlation, "Residual".
.component_names <- function(rows) {
  terms <- ifelse(is.na(rows$var2), rows$var1, paste(rows$var1, rows$var2, sep = ", "))
  ifelse(is.na(rows$var1), rows$grp, paste(rows$grp, terms, sep = ": "))
}

# The error of a fit that failed; else lme4's and the optimizer's messages.
.what_it_said <- function(model) {
  if (inherits(model, "error")) return(conditionMessage(model))
  paste(unique(c(unlist(model@optinfo$conv$lme4$messages), unlist(model@optinfo$warnings))),
        collapse = "; ")
}
