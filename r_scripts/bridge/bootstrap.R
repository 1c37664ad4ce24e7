# Bootstrap: all responses are simulated first, in R's own order, and refitted after, anywhere.
# with_seed() of prediction.R leaves the session's own random numbers as they were.

#' The responses that bootMer(fit, nsim, seed, use.u, type) would simulate.
boot_simulations <- function(fit, nsim, seed, type = "parametric", use_u = FALSE) {
  if (!inherits(fit$model, c("merMod", "lm")))
    refuse_class(fit, "The bootstrap", "m.confint() has nlme's approximate intervals")
  if (inherits(fit$model, "lm") && type == "parametric" && use_u)
    refuse("NotSupportedError", "use_u is of random effects, and a ", kind_of(fit$model),
           " has none")
  if (type != "parametric" && .has_own_distribution(fit$model))
    refuse("NotSupportedError", "the semiparametric bootstrap adds resampled residuals to the ",
           "fitted values, which are no responses of a ", kind_of(fit$model),
           " (lme4's bootMer() calls it questionable of GLMMs, and its refits fail). ",
           "Take type='parametric'")
  need_linear_predictor(fit, "The bootstrap", .wald_instead)
  need_own_z(fit, "The bootstrap")
  model <- fit$model
  out <- new.env(parent = emptyenv())
  out$y <- with_seed(seed, if (type == "parametric") .parametric(model, nsim, use_u)
                     else replicate(nsim, .used_rows(model, fitted(model) + sample(
                       residuals(model, "response"), replace = TRUE)), simplify = FALSE))
  out
}

# Counts, successes, waiting times: responses that are not a mean and an error.
.has_own_distribution <- function(model) {
  if (isS4(model)) lme4::isGLMM(model)
  else inherits(model, "glm") && family(model)$family != "gaussian"
}

# One value a row used: the mark keeps refit() from dropping the rows that are already gone.
.used_rows <- function(model, y) {
  attr(y, "na.action") <- if (isS4(model)) attr(model@frame, "na.action")
  y
}

.parametric <- function(model, nsim, use_u) {
  if (!isS4(model)) return(as.list(simulate(model, nsim = nsim)))
  lapply(as.list(simulate(without_dropped(model), nsim = nsim, use.u = use_u)), function(y)
    .used_rows(model, y))
}

#' Some of the simulated responses as bytes, for another process.
simulations_bytes <- function(simulations, from, to) {
  serialize(simulations$y[from:to], NULL, xdr = FALSE)
}
simulations_from_bytes <- function(bytes) {
  out <- new.env(parent = emptyenv())
  out$y <- unserialize(bytes)
  out
}

# The control of the model's own call, which bootMer takes over, too.
.own_control <- function(model) {
  tryCatch(eval(model@call$control, environment(formula(model))), error = function(e) NULL)
}

#' One refit by `refit`, with what R said about it: a model (NULL when it failed), its error, its
#' messages. By lme4's refit(), which starts at the optimum, as bootMer does.
.boot_refit <- function(refit, simulations, i) .refit_heard(refit(simulations$y[[i]]))

#' One refit for questions that the model is asked later: with its own response in call and data.
#' The model is NULL when it failed.
boot_model <- function(fit, simulations, i) {
  one <- .refit_heard(fit_to_response(fit, .of_every_row(fit$model, simulations$y[[i]])))
  list(model = one$value$fit, columns = one$value$columns, error = one$error, said = one$said)
}

# simulate() pads most responses itself; those of .used_rows() it does not.
.of_every_row <- function(model, y) {
  frame <- used_frame(model)
  dropped <- attr(frame, "na.action")
  if (NROW(y) > nrow(frame) || !length(dropped)) return(y)
  rows <- replace(rep(NA_integer_, NROW(y) + length(dropped)), -dropped, seq_len(NROW(y)))
  if (is.matrix(y)) y[rows, , drop = FALSE] else as.vector(y)[rows]
}

.refit_heard <- function(expr) {
  said <- heard(value <- tryCatch(expr, error = function(e) e))
  failed <- inherits(value, "error")
  list(value = if (!failed) value, error = if (failed) conditionMessage(value),
       said = said)
}

# An lm or glm (of a bootstrap test) has no refit(): the same matrix, another response.
.refitted_to <- function(model, y) {
  if (inherits(model, "glm")) return(.glm_refitted_to(model, y))
  fitted <- lm.wfit(model.matrix(model), y, if (is.null(model$weights)) rep(1, length(y))
                    else model$weights, offset = model$offset)
  model[names(fitted)] <- fitted
  model
}

# `y` as simulate() gives it: numbers, a factor, or counts of successes and failures. The weights
# are those of the call: glm.fit() multiplies them by the counts, as it did in the first fit.
.glm_refitted_to <- function(model, y) {
  weights <- model.weights(model.frame(model))
  n <- NROW(y)
  fitted <- stats::glm.fit(
    model.matrix(model), y, weights = if (is.null(weights)) rep(1, n) else weights,
    offset = if (is.null(model$offset)) rep(0, n) else model$offset, family = family(model),
    control = model$control, intercept = attr(terms(model), "intercept") > 0)
  if (!fitted$converged) stop("glm.fit did not converge")
  model[names(fitted)] <- fitted
  model
}

#' The default statistic of some simulated responses: a matrix, one row each, NA where a refit
#' failed.
boot_default <- function(fit, simulations, scale = "sd") {
  k <- length(boot_parameters(fit, scale)$estimate)
  refit <- refitter(fit$model)
  rows <- counted(seq_along(simulations$y), function(i) {
    one <- .boot_refit(refit, simulations, i)
    value <- if (is.null(one$value)) rep(NA_real_, k) else
      tryCatch(.parameters(one$value, scale), error = function(e) {
        one$error <<- conditionMessage(e)
        rep(NA_real_, k)
      })
    list(value = value, error = one$error, said = one$said)
  })
  .boot_answer(rows)
}

.boot_answer <- function(rows) {
  list(values = unname(do.call(rbind, lapply(rows, function(r) unname(r$value)))),
       failed = which(vapply(rows, function(r) !is.null(r$error), NA)),
       errors = as.character(unlist(lapply(rows, function(r) r$error))),
       said = as.character(unlist(lapply(rows, function(r) r$said))))
}

#' Every parameter: standard deviations and correlations (or variances), sigma, fixed effects.
boot_parameters <- function(fit, scale = "sd") {
  if (!isS4(fit$model)) {
    own <- .parameters(fit$model, scale)
    return(list(term = names(own), estimate = unname(own)))
  }
  names <- parameter_names(fit)$readable
  list(term = if (scale == "variance") variance_names(names) else names,
       estimate = unname(.parameters(fit$model, scale)))
}

# What confint(method = "boot") of lme4 bootstraps, in its order.
.parameters <- function(model, scale = "sd") {
  if (!isS4(model)) # of an lm sigma and the coefficients, of a glm these alone
    return(c(if (!inherits(model, "glm")) c(sigma = sigma(model)), coefs(model)))
  values <- variance_values(model)
  if (scale == "variance") {
    is_sd <- variance_parameters(model)$kind != "cor"
    values[is_sd] <- values[is_sd]^2
  }
  c(values, fixef(model))
}

#' Intervals of bootstrap draws, as confint() of a bootMer object gives them (by boot::boot.ci).
boot_intervals <- function(estimate, draws, level) {
  draws <- matrix(draws, ncol = length(estimate))
  types <- c(perc = "percent", basic = "basic", norm = "normal")
  lapply(stats::setNames(names(types), names(types)), function(type) {
    limits <- vapply(seq_along(estimate), function(i) {
      t <- draws[is.finite(draws[, i]), i]
      none <- c(NA_real_, NA_real_)
      if (length(t) < 2L || diff(range(t)) == 0) return(none)
      object <- structure(list(t0 = estimate[i], t = matrix(t), R = length(t)), class = "boot")
      found <- boot::boot.ci(object, conf = level, type = type)[[types[[type]]]]
      if (is.null(found)) none else utils::tail(found[1L, ], 2L) # NULL: draws all but alike
    }, c(0, 0))
    list(conf_low = limits[1L, ], conf_high = limits[2L, ])
  })
}

#' The matrix that R prints for bootstrap intervals, and the fields of ConfidenceIntervals.
boot_confint <- function(fit, term, low, high, level) {
  table <- cbind(low, high)
  dimnames(table) <- list(term, paste(format(100 * c((1 - level) / 2, (1 + level) / 2), trim = TRUE,
                                             scientific = FALSE, digits = 3), "%"))
  c(interval_fields(list(table = table, failures = character()), fit, "boot", level),
    list(printed = waits(table)))
}

#' Twice the difference of two models' log-likelihoods on one response, refitted by both.
boot_lrt <- function(large, small, simulations) {
  refits <- list(refitter(large$model), refitter(small$model))
  rows <- counted(seq_along(simulations$y), function(i) {
    one <- .boot_refit(refits[[1L]], simulations, i)
    two <- .boot_refit(refits[[2L]], simulations, i)
    error <- c(one$error, two$error)
    value <- if (length(error)) NA_real_ else
      2 * (as.numeric(logLik(one$value)) - as.numeric(logLik(two$value)))
    list(value = value, error = if (length(error)) error[1L], said = c(one$said, two$said))
  })
  .boot_answer(rows)
}
