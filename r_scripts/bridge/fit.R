# Fitting. The data are bound under a name in a fresh environment, which is also the formula's, so
# the model's call stays as short as a person would write it, and update, drop1, profile, emmeans
# ... find their data again.

#' Wrap a fitted model with what was computed for it and kept.
as_fit <- function(model) {
  fit <- new.env(parent = emptyenv())
  fit$model <- .without_padding(model)
  fit$kept <- new.env(parent = emptyenv())
  fit
}

# R pads what it says by row where a model of R was fitted with na.exclude; Python does that here.
.without_padding <- function(model) {
  omitted <- function(dropped) if (inherits(dropped, "exclude")) structure(dropped, class = "omit")
  if (isS4(model)) {
    found <- if (is(model, "merMod")) omitted(attr(model@frame, "na.action"))
    if (!is.null(found)) attr(model@frame, "na.action") <- found
  } else if (is.list(model) && !is.null(found <- omitted(model$na.action))) {
    model$na.action <- found
    attr(model$model, "na.action") <- found
  }
  model
}

#' A named argument list as the language a person would have typed: list(a = "b") -> f(a = "b").
.written_call <- function(fun, args) as.call(c(as.name(fun), args))

# Python's whole numbers arrive as integers; R people write 20000, not 20000L. A named list becomes
# list(...), several numbers c(...).
.as_literal <- function(x) {
  if (is.language(x)) return(x)
  if (is.list(x)) return(.written_call("list", lapply(x, .as_literal)))
  if (is.integer(x)) x <- as.numeric(x)
  if (length(x) > 1L || !is.null(names(x))) as.call(c(quote(c), as.list(x))) else x
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
  if (is.character(formula)) formula <- parse_formula(formula)
  # lm and glm can live with a dot; it must not stand for columns of ours.
  ours <- attr(data, "pymlm_hidden")
  if (!fun %in% c("lm", "glm", "lmList") || length(ours))
    formula <- write_out_dot(formula, setdiff(names(data), ours))
  if (identical(args$family, as.name(data_name))) args$family <- as.call(list(args$family))
  call <- .written_call(fun, c(list(formula = formula, data = as.name(data_name)), args))
  fit <- as_fit(.evaluated(call, env))
  say_unused_codings(fit$model, bindings$.contrasts)
  # The call that glmer.nb leaves in its model has theta rounded to 15 digits: it is another fit.
  if (fun == "glmer.nb") attr(fit$model@frame, "pymlm_call") <- call
  fit
}

#' Fit by the bridge's function `fun` and say what the checks found, in one call.
fit_checked <- function(fun, args) {
  fit <- do.call(get(fun, envir = bridge, mode = "function"), args, quote = TRUE)
  list(fit = fit, convergence = convergence(fit))
}

# What R says where as many coefficients as rows, or very large values, leave no likelihood.
.saturated <- paste("objective in x0 returns NA", "Downdated VtV is not positive",
                    "\"gls\" fit is singular", "computationally singular", "NA/NaN/Inf in foreign",
                    "Singularity in backsolve", sep = "|")
#' What R says where a formula is nested deeper than its stacks.
too_large <- "stack overflow|nested too deeply|stack usage|protection stack"

#' Evaluate the call of a fit where its data are.
.evaluated <- function(call, env) within_r_s_stacks(.guarded(withCallingHandlers(
  eval(call, env), error = function(e)
    explain_column(conditionMessage(e), call$formula, call$data, env))))

#' Evaluate a fit, and refuse a formula that is larger than R's stacks, or than its data.
within_r_s_stacks <- function(expr) {
  tryCatch(
    expr,
    error = function(e) {
      if (startsWith(class(e)[1L], "pymlm_")) stop(e) # said already, with R's words in it
      if (grepl("'degree' must be less than", conditionMessage(e), fixed = TRUE))
        refuse("FormulaError", "poly(): R says: ", conditionMessage(e), ". Ask for a lower degree")
      if (grepl(.saturated, conditionMessage(e)))
        refuse("FitError", conditionMessage(e), ". The likelihood cannot be computed where the ",
               "optimizer starts: are there as many coefficients as rows, or values that are very ",
               "large? Leave predictors out, or scale them")
      if (!grepl(too_large, conditionMessage(e))) stop(e)
      refuse("FormulaError", "the formula has more terms than R can walk through (it says: ",
             conditionMessage(e),
             "). Write 'y ~ . + (1 | g)' with a data frame of the columns that ",
             "you want, or fewer terms")
    })
}

#' Evaluate a fit. Wrong starting values become a typed error. Of R's warnings those that the model
#' itself carries, lme4's checks and the optimizer's code, are left to convergence(), which Python
#' reads and says once; a warning of every row ("non-integer x = 2.5") is given for the first.
.guarded <- function(expr) {
  caught <- list()
  # optwrap() of lme4 1.1-31 leaves this behind in the user's workspace.
  if (!exists("curWarnings", envir = globalenv(), inherits = FALSE))
    on.exit(suppressWarnings(rm("curWarnings", envir = globalenv())))
  model <- withCallingHandlers(
    expr,
    warning = function(w) {
      caught[[length(caught) + 1L]] <<- w
      tryInvokeRestart("muffleWarning")
    },
    # What lme4 only says in a message, a column dropped for rank deficiency, is a warning to us.
    message = function(m) {
      text <- trimws(conditionMessage(m), "right")
      caught[[length(caught) + 1L]] <<- simpleWarning(text)
      tryInvokeRestart("muffleMessage")
    },
    error = function(e) {
      .explain_start(conditionMessage(e))
      if (grepl("contrasts apply only to factors", conditionMessage(e), fixed = TRUE))
        refuse("DataError", .no_contrasts)
    }
  )
  said <- if (isS4(model) && is(model, "merMod")) .said_of_convergence(model)
  rows <- 0L
  for (w in caught) {
    text <- conditionMessage(w)
    of_a_row <- grepl("^non-integer x = ", text)
    rows <- rows + of_a_row
    if (!.all_said(text, said) && !(of_a_row && rows > 1L)) warning(w)
  }
  model
}

#' What R says while `expr` runs, as text; nothing is raised but errors.
heard <- function(expr) {
  said <- character()
  hear <- function(restart) function(c) {
    said <<- c(said, trimws(conditionMessage(c)))
    tryInvokeRestart(restart)
  }
  withCallingHandlers(expr, warning = hear("muffleWarning"), message = hear("muffleMessage"))
  unique(said)
}

.said_of_convergence <- function(model) {
  c(unlist(model@optinfo$conv$lme4$messages), .optimizer_code_text(model@optinfo))
}

# lme4 puts several of its messages into one warning, with semicolons between them.
.all_said <- function(text, said) {
  for (part in said) text <- gsub(part, "", text, fixed = TRUE)
  !nzchar(gsub("[; ]", "", text))
}

# optwrap() warns of the optimizer's code and then loses the text (it assigns it outside itself).
.optimizer_code_text <- function(info) {
  code <- info$conv$opt
  if (is.null(code) || code[1L] == 0) return(NULL)
  text <- paste("convergence code", code[1L], "from", info$optimizer)
  message <- info$message
  if (length(message)) paste0(text, ": ", message[1L]) else text
}

# In the words of lme4 1.1 and of 2.
.wrong_length <- "incorrect number of \\w+ components|starting value of .* has length not equal"

.explain_start <- function(text) {
  if (grepl(.wrong_length, text))
    refuse("ArgumentError", "start has the wrong length; lme4 says: ", text,
           ". m.theta (and m.fixef()) of a fitted model show which values there are")
  if (grepl("x0 < lb", text, fixed = TRUE))
    refuse("ArgumentError", "start lies outside the bounds: standard deviations in theta ",
           "cannot be negative; lme4 says: ", text)
}

#' R says that there is something infinite, or a factor or a group of one level, but not where.
explain_column <- function(text, formula, data, env) {
  infinite <- grepl("NA/NaN/Inf|x0 returns NA", text)
  alone <- grepl("must have > 1 sampled level", text, fixed = TRUE)
  one_level <- grepl("factors with 2 or more levels|contrasts not defined for 0 deg", text)
  if (!infinite && !alone && !one_level) return()
  formula <- tryCatch(eval(formula, env), error = function(e) NULL)
  frame <- tryCatch(suppressWarnings(model.frame(subbars(formula), eval(data, env))),
                    error = function(e) NULL)
  if (alone) .explain_one_group(text, formula, frame)
  for (name in names(frame)) {
    x <- frame[[name]]
    if (infinite && is.numeric(x) && any(is.infinite(x)))
      refuse("DataError", "'", name, "' is infinite in ", sum(rowSums(is.infinite(cbind(x))) > 0),
             " of ", nrow(frame), " rows (a logarithm of 0, a division by 0?). Change the term or ",
             "leave these rows out. R says: ", text)
    if (one_level && !is.numeric(x) && length(unique(x)) == 1L)
      refuse("DataError", "'", name, "' is '", x[1L], "' in every complete row, so it has no ",
             "effect to estimate. Take it out of the formula. R says: ", text)
  }
}

.explain_one_group <- function(text, formula, frame) {
  groups <- unique(unlist(lapply(findbars(formula), function(b) all.vars(b[[3L]]))))
  for (g in intersect(groups, names(frame))) if (length(unique(frame[[g]])) == 1L)
    refuse("FitError", text, ": all complete rows are in one '", g, "', and a variance between ",
           "groups needs two groups or more. Leave the factor out, or take more groups")
}

#' Fit the same call again with changed arguments, in the environment of the model's own formula,
#' where its data are. A change to NULL takes the argument out of the call.
update_in_place <- function(fit, formula, changes) {
  call <- getCall(fit$model)
  if (!is.null(formula)) call$formula <- parse_formula(formula)
  for (name in names(changes)) {
    value <- changes[[name]]
    if (!is.null(value)) call[[name]] <- .as_literal(value)
    else if (name %in% names(call)) call[[name]] <- NULL
  }
  as_fit(withCallingHandlers(
    .evaluated(call, model_home(fit$model)),
    # The coding of a factor that the update took out stays in the call, and is not used.
    warning = function(w) if (grepl("is absent, its contrast will be ignored", conditionMessage(w)))
      tryInvokeRestart("muffleWarning"),
    error = function(e) .explain_missing(fit$model, conditionMessage(e))))
}

#' The environment in which the model's call was evaluated, where its data are. The formula of an
#' nlmer model has another one (it is made anew from the call), but its response object knows it.
model_home <- function(model) {
  if (isS4(model) && lme4::isNLMM(model)) parent.env(model@resp$nlenv)
  else environment(formula(model))
}

#' lme4's lmer(), as a fit.
fit_lmer <- function(formula, data, data_name, reml, control, start, weights, offset, contrasts) {
  formula <- one_response(formula)
  args <- list()
  if (!reml) args$REML <- FALSE
  args <- c(args, .common_arguments("lmerControl", control, start, weights, offset))
  given <- .contrast_argument(contrasts)
  args$contrasts <- given$written
  fit_model("lmer", formula, data, data_name, args, given$bindings)
}

#' The formula in a text, parsed. A matrix as the response, which makes lm() fit several models and
#' lmer() stop in its depths, is refused.
one_response <- function(text) {
  formula <- parse_formula(text)
  lhs <- formula[[2L]]
  if (is.call(lhs) && identical(lhs[[1L]], quote(cbind)))
    refuse("FormulaError", "the response ", deparse1(lhs),
           " has several columns; a linear model has ",
           "one. Fit them one by one, e.g. by pymlm.fit_many(..., responses=[...]), or together: ",
           "pymlm.stack_outcomes(data, [...]) makes a row of each, pymlm.latent_centering([...], ",
           "...) takes several; successes and failures are for the binomial family")
  formula
}

# The arguments that every fitting function has, as a person would write them.
.common_arguments <- function(control_fun, control, start, weights, offset) {
  args <- list()
  args$control <- control_call(control_fun, control)
  if (!is.null(start)) args$start <- .as_literal(start)
  if (!is.null(weights)) args$weights <- as.name(weights)
  if (!is.null(offset)) args$offset <- as.name(offset)
  args
}

#' What lme4's optimizer and checks said, as data.
convergence <- function(fit) {
  model <- fit$model
  info <- model@optinfo
  singular <- lme4::isSingular(model)
  gradient <- info$derivs$gradient
  hessian <- info$derivs$Hessian
  scaled <- if (is.null(gradient) || any(is.na(hessian))) NA_real_ else
    tryCatch(max(pmin(abs(solve(chol(hessian), gradient)), abs(gradient))),
             error = function(e) NA_real_)
  messages <- unlist(info$conv$lme4$messages)
  # The note on a singular fit is no failure of the optimizer; `singular` says it.
  failures <- messages[!grepl("boundary (singular) fit", messages, fixed = TRUE)]
  codes <- as.integer(unlist(info$conv$lme4$code))
  opt <- info$conv$opt
  list(
    singular = singular,
    optimizer = if (length(info$optimizer)) as.character(info$optimizer) else "none",
    optimizer_code = if (is.null(opt)) 0L else as.integer(opt)[1L],
    codes = codes,
    messages = as.character(messages),
    failures = as.character(failures),
    optimizer_warnings = as.character(unique(c(unlist(info$warnings), .optimizer_code_text(info)))),
    max_gradient = if (is.null(gradient)) NA_real_ else max(abs(gradient)),
    max_scaled_gradient = scaled,
    # nlminbwrap leaves NA
    evaluations = if (!is.null(info$feval) && !is.na(info$feval[1L])) as.integer(info$feval)[1L],
    singular_terms = as.character(if (singular) .singular_terms(model)),
    derivatives = if (by_exact(model)) "exact" else if (!is.null(gradient)) "lme4"
  )
}

#' Has convergence been checked by exact derivatives?
by_exact <- function(model) {
  isS4(model) && is(model, "merMod") && identical(model@optinfo$derivs$by, "exact")
}

#' Check convergence as lmer() does, by these derivatives or, without them, by lme4's own. The
#' model, fitted without, keeps them and what the checks found.
check_by_derivatives <- function(fit, gradient = NULL, hessian = NULL) {
  model <- fit$model
  at <- optimized_parameters(model)$values
  derivs <- if (is.null(gradient)) .differences(model, at)
    else list(gradient = as.numeric(gradient), Hessian = hessian, by = "exact")
  # What is said is read from the model, as after every fit.
  found <- suppressMessages(suppressWarnings(lme4:::checkConv(
    derivs, at, ctrl = .own_control(model)$checkConv, lbound = model@lower)))
  model@optinfo$derivs <- derivs
  model@optinfo$conv["lme4"] <- list(found)
  fit$model <- model
  convergence(fit)
}

.differences <- function(model, at) {
  call <- model@call
  call$devFunOnly <- TRUE
  lme4:::deriv12(suppressMessages(suppressWarnings(eval(call, model_home(model)))), at)
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

#' The left side of any model's formula; of a nonlinear model's three parts the first.
response_text <- function(model) {
  lhs <- formula(model)[[2L]]
  if (is(model, "nlmerMod")) lhs <- lhs[[2L]]
  paste(deparse(lhs, width.cutoff = 500L), collapse = " ")
}

#' The plain attributes of a fitted mixed model.
describe <- function(fit) UseMethod("describe", fit$model)
describe.merMod <- function(fit) {
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
    response = response_text(model),
    frame_names = names(frame),
    ddf = default_ddf(model)
  )
}

# -2 log L, what summary() prints as deviance. deviance(model) of a GLMM is something else, the sum
# of squared deviance residuals given the random effects.
.deviance <- function(model, reml) {
  if (reml) deviance(model, REML = FALSE)
  else if (lme4::isLMM(model)) deviance(model)
  else -2 * as.numeric(logLik(model))
}

#' AIC, BIC and deviances; -2 log L is what R calls deviance for an ML fit and REMLcrit for REML.
criteria <- function(fit) {
  model <- fit$model
  reml <- lme4::isREML(model)
  list(
    aic = AIC(model), bic = BIC(model),
    deviance = .deviance(model, reml),
    reml_criterion = if (reml) lme4::REMLcrit(model) else NULL
  )
}

#' Names that the fixed part needs: what a prediction without random effects is made from.
fixed_names <- function(fit) {
  .walk(formula(fit$model, fixed.only = TRUE)[[3L]])$names
}
