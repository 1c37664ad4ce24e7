# How well a model fits, in one row: what performance::model_performance() has, for each class.

#' @param reml take a REML fit's restricted likelihood, as AIC() does; FALSE: the full one, at its
#' estimates
ml_performance <- function(fit, reml = TRUE) {
  model <- fit$model
  ll <- if (!reml && is_reml(model)) logLik(model, REML = FALSE) else logLik(model)
  n <- nobs(model)
  k <- attr(ll, "df")
  plain <- inherits(model, "lm") && !inherits(model, "glm")
  r2 <- if (plain) .lm_r2(model) else c(NA_real_, NA_real_)
  list(nobs = n, npar = k, loglik = as.numeric(ll), aic = AIC(ll), aicc = .aicc(ll, n),
       bic = BIC(ll), r2 = r2[1L],
       r2_adjusted = r2[2L], rmse = sqrt(mean(residuals(model, type = "response")^2)),
       sigma = stats::sigma(model))
}

# Hurvich & Tsai 1989, doi:10.1093/biomet/76.2.297: AIC + 2 k (k + 1) / (n - k - 1).
.aicc <- function(ll, n) {
  k <- attr(ll, "df")
  if (n - k - 1 > 0) AIC(ll) + 2 * k * (k + 1) / (n - k - 1) else NA_real_
}

# summary() warns of a perfect fit; its R2 is 1 all the same.
.lm_r2 <- function(model) {
  s <- suppressWarnings(summary(model))
  c(s$r.squared, s$adj.r.squared)
}

#' Refuse criteria that cannot stand side by side.
check_criteria <- function(fits, names) {
  models <- lapply(fits, function(f) f$model)
  .check_quadrature(models, names)
  .check_same_data(models, names)
}
