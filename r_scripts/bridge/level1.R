# The variance of level 1 of generalized mixed models, on the scale of the linear predictor.
# Nakagawa, Johnson & Schielzeth 2017, doi:10.1098/rsif.2017.0213, tables 1 and 2.

#' The variance of level 1 by one of the paper's approximations, and the mean that it was taken at.
#'
#' @param mean expected response (a count, a probability); NULL: that of the model without
#' predictors
ml_level1 <- function(fit, approximation = "auto", mean = NULL) {
  model <- fit$model
  kind <- .level1_kind(model)
  known <- switch(kind, binomial = c("latent", if (family(model)$link == "logit") "delta"),
                  log = c("lognormal", "delta", "trigamma"), sqrt = "delta")
  if (is.null(known))
    refuse("NotSupportedError",
           "the level-1 variance is defined here for linear models, for binomial ones ",
           "with logit, probit or cloglog link, for Poisson, negative binomial and Gamma ones ",
           "with log ",
           "link, and for Poisson ones with square root; this is ", family(model)$family,
           " with link ",
           family(model)$link)
  if (approximation == "auto") approximation <- known[1L]
  if (!approximation %in% known)
    refuse("ArgumentError", "approximation='", approximation, "' is not there for a ",
           family(model)$family,
           " model with link ", family(model)$link, ". There is: ", paste(known, collapse = ", "))
  if (approximation == "latent")
    return(list(variance = ml_level1_variance(fit), approximation = approximation, mean = NA_real_))
  if (kind == "sqrt") return(list(variance = 0.25, approximation = approximation, mean = NA_real_))
  gamma <- family(model)$family == "Gamma"
  if (is.null(mean) && !gamma) mean <- .null_mean(fit, kind)
  if (kind == "binomial") {
    if (mean >= 1)
      refuse("ArgumentError", "mean is a probability here, between 0 and 1, not ", mean)
    return(list(variance = 1 / (mean * (1 - mean)), approximation = approximation, mean = mean))
  }
  # Squared coefficient of variation of the response given the random effects.
  cv2 <- if (gamma) sigma(model)^2 else 1 / mean + .inverse_size(model)
  list(variance = switch(approximation, lognormal = log1p(cv2), delta = cv2,
                         trigamma = trigamma(1 / cv2)),
       approximation = approximation, mean = if (gamma) NA_real_ else mean)
}

.level1_kind <- function(model) {
  if (!lme4::isGLMM(model)) return("none")
  f <- family(model)
  if (f$family == "binomial" && f$link %in% c("logit", "probit", "cloglog")) return("binomial")
  if (f$link == "log" && (f$family %in% c("poisson", "Gamma") || .is_negative_binomial(model)))
    return("log")
  if (f$link == "sqrt" && f$family == "poisson") return("sqrt")
  "none"
}

.is_negative_binomial <- function(model) startsWith(family(model)$family, "Negative Binomial")

# 1 / theta of var = mu + mu^2 / theta; 0 for Poisson.
.inverse_size <- function(model)
  if (.is_negative_binomial(model)) 1 / getME(model, "glmer.nb.theta") else 0

# The expected response of the model without predictors, equations 5.8 and 6.8 of the paper, with
# offsets at their mean: exp(b + tau^2 / 2), and for logit McCulloch's approximation.
.null_mean <- function(fit, kind) {
  null <- .null_model(fit)
  b <- mean(predict(null$model, re.form = NA, type = "link"))
  tau2 <- sum(vapply(ml_terms(null)$terms, function(t) sum(t$covariance * t$moments), 0))
  if (kind == "log") exp(b + tau2 / 2)
  else stats::plogis(b - 0.5 * tau2 * tanh(b * (1 + 2 * exp(-0.5 * tau2)) / 6))
}

# The same model with an intercept for its fixed effects; the size of a negative binomial stays.
.null_model <- function(fit) {
  model <- fit$model
  if (identical(names(fixef(model)), "(Intercept)")) return(fit)
  whole <- formula(model)
  bars <- lapply(findbars(whole), function(b) call("(", b))
  offsets <- attr(terms(model), "offset")
  kept <- c(bars, if (length(offsets)) as.list(attr(terms(model), "variables"))[-1L][offsets])
  null <- whole
  null[[3L]] <- Reduce(function(a, b) call("+", a, b), kept, 1)
  call <- model@call
  call[[1L]] <- quote(lme4::glmer)
  call$formula <- null
  call$family <- family(model)
  call[c("start", "verbose", "nb.control", "initCtrl", "contrasts")] <- NULL
  as_fit(tryCatch(suppressMessages(suppressWarnings(in_model_data(fit, call))),
                  error = function(e) {
    if (inherits(e, "pymlm_DataError")) stop(e)
    refuse("NotSupportedError",
           "the model without predictors, of which the expected response is taken, ",
           "could not be fitted: ", conditionMessage(e), ". Give the expected response as mean=")
  }))
}
