# Meta-analysis: observations in studies, level-1 variances known. metafor, for lmer cannot fix
# residual variances, and nlme's fixed sigma maximizes another criterion under REML (3.1-162).

#' metafor's rma.mv(), as a fit.
fit_meta <- function(formula, data, variance, random, reml) {
  need_package("metafor", "meta_analysis()")
  f <- eval(parse_formula(formula), .formula_home)
  data <- data[stats::complete.cases(data), , drop = FALSE]
  frame <- model.frame(f, data)
  X <- model.matrix(f, frame)
  data$.y <- as.numeric(model.response(frame))
  data$.v <- data[[variance]]
  as_fit(metafor::rma.mv(.y, .v, mods = X, intercept = FALSE,
                         random = eval(parse_formula(random), .formula_home), data = data,
                         method = if (reml) "REML" else "ML"))
}

#' The meta-analysis as metafor has it.
meta_native <- function(fit, level = 0.95) summary(fit$model)

meta_result <- function(native, fit, level = 0.95) {
  m <- fit$model
  q <- qnorm((1 + level) / 2)
  list(
    term = rownames(m$beta), estimate = as.numeric(m$beta), std_error = m$se,
    statistic = m$zval, p_value = m$pval, conf_low = as.numeric(m$beta) - q * m$se,
    conf_high = as.numeric(m$beta) + q * m$se, level = level,
    group = m$s.names, tau2 = m$sigma2, n_groups = as.integer(m$s.nlevels), nobs = as.integer(m$k),
    q = m$QE, q_df = as.integer(m$k - m$p), q_p = m$QEp, loglik = as.numeric(logLik(m)),
    reml = m$method == "REML"
  )
}
