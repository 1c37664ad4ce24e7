# RLRsim's tests of one variance against zero by a simulated null distribution.

#' RLRsim's exact restricted likelihood-ratio test of one variance.
exact_rlrt <- function(fit, full = NULL, null = NULL, nsim = 10000L, seed = NULL) {
  need_package("RLRsim", "exact_rlrt")
  for (m in Filter(Negate(is.null), list(fit, full, null))) {
    if (!is(m$model, "lmerMod"))
      refuse("NotSupportedError",
             "the exact restricted likelihood-ratio test compares linear mixed ",
             "models; of a model without random effects it needs nothing but the larger one, as m")
    if (!lme4::isREML(m$model))
      refuse("NotSupportedError", "the exact test is one of restricted likelihoods: refit with ",
             "reml=True")
  }
  if (is.null(full) != is.null(null))
    refuse("ArgumentError", "give both m_full and m_null, or neither")
  if (is.null(full) && length(fit$model@theta) != 1L)
    refuse("ArgumentError", "this model has several variance parameters. Give the model that has ",
           "the tested random effect alone as m, the whole model as m_full, and the model ",
           "without it as m_null; or use pb_modcomp")
  if (!is.null(full)) .check_exact(fit$model, full$model, null$model)
  .check_unweighted(list(fit$model, full$model, null$model), c("m", "m_full", "m_null"))
  if (is.null(full) && any(getME(fit$model, "offset") != 0))
    refuse("NotSupportedError", "RLRsim takes a response without its offset where it is given one ",
           "model. Subtract the offset from the response, and fit to the difference")
  .exact_result("RLRT", nsim, seed,
    RLRsim::exactRLRT(plain_model(fit), mA = if (!is.null(full)) plain_model(full),
                      m0 = if (!is.null(null)) plain_model(null), nsim = nsim))
}

#' exactLRT(m, m0): a variance and, where m0 has fewer, fixed effects, by full likelihood.
exact_lrt <- function(fit, null, nsim = 10000L, seed = NULL, names = c("m", "m0")) {
  need_package("RLRsim", "exact_lrt")
  m <- fit$model
  m0 <- null$model
  if (!is(m, "lmerMod") || !inherits(m0, "lm") || inherits(m0, "glm"))
    refuse("NotSupportedError",
           "the exact likelihood-ratio test is of a linear mixed model against an lm; ",
           names[1L], " is a ", kind_of(m), ", ", names[2L], " a ", kind_of(m0),
           ". Two mixed models are compared by exact_rlrt() or pb_modcomp()")
  if (lme4::isREML(m))
    refuse("NotSupportedError", "the exact test is one of full likelihoods: refit ", names[1L],
           " with reml=False, or use exact_rlrt()")
  if (length(m@theta) != 1L)
    refuse("NotSupportedError", names[1L],
           " has several variance parameters, and RLRsim's exactLRT() tests ",
           "one. exact_rlrt() tests one beside others; pb_modcomp() several")
  .check_same_data(list(m, m0), names)
  .check_unweighted(list(m, m0), names)
  X <- getME(m, "X")
  if (!within_space(.fixed_matrix(m0), X))
    refuse("ComparisonError", names[2L], " is not nested in ", names[1L],
           ": it has fixed effects that ",
           names[1L], " has not")
  if (nrow(X) - ncol(X) - nrow(getME(m, "Zt")) < 1L)
    refuse("NotSupportedError",
           "there are no more rows than fixed and random effects; the test needs them")
  .exact_result("LRT", nsim, seed, if (m@theta == 0) .lrt_of_zero(m, m0, nsim)
                else RLRsim::exactLRT(plain_model(fit), m0, nsim = nsim))
}

# RLRsim's exactLRT() stops where the variance is estimated as 0 (exactRLRT() takes the identity for
# the correlation there, as here).
.lrt_of_zero <- function(m, m0, nsim) {
  X <- getME(m, "X")
  Z <- as.matrix(getME(m, "Z"))
  lrt <- max(0, 2 * (as.numeric(logLik(m, REML = FALSE)) - as.numeric(logLik(m0, REML = FALSE))))
  draws <- RLRsim::LRTSim(X, Z, ncol(X) - m0$rank, sqrt.Sigma = diag(ncol(Z)), nsim = nsim)
  structure(list(statistic = c(LRT = lrt), p.value = mean(lrt < draws), sample = draws,
                 method = paste("simulated finite sample distribution of LRT. (p-value based on",
                                nsim, "simulated values)")), class = "htest")
}

# What RLRsim simulates knows no prior weights, and it does not say so.
.check_unweighted <- function(models, names) {
  for (i in seq_along(models)) {
    w <- if (!is.null(models[[i]])) weights(models[[i]])
    if (!is.null(w) && any(w != 1))
      refuse("NotSupportedError", names[i],
             " has prior weights, which RLRsim's null distribution ignores. ",
             "lrt() has the mixture's p-value, pb_modcomp() simulates with weights")
  }
}

.exact_result <- function(name, nsim, seed, test) {
  said <- character()
  test <- with_seed(seed, withCallingHandlers(test, warning = function(w) {
    said <<- c(said, trimws(conditionMessage(w)))
    tryInvokeRestart("muffleWarning")
  }))
  if (test$p.value == 0)
    said <- c(said, paste0("none of the ", nsim, " simulated values is as large: p < 1/", nsim))
  test$data.name <- NULL # R's text of our arguments, no name of the user's
  list(test = name, statistic = unname(test$statistic), p_value = test$p.value, nsim = nsim,
       seed = seed, notes = said, printed = waits(test))
}

# RLRsim answers for any three models; the test is of the effect that m has alone, m_full beside
# others, and m_null not.
.check_exact <- function(alone, full, null) {
  .check_same_data(list(alone, full, null), c("m", "m_full", "m_null"))
  parts <- lapply(list(alone, full, null), random_parts)
  tested <- boundary_dimension(parts[[3L]], parts[[2L]])
  own <- length(alone@theta) == 1L && !is.na(boundary_dimension(parts[[1L]], parts[[2L]])) &&
    is.na(boundary_dimension(parts[[1L]], parts[[3L]]))
  if (!isTRUE(tested == 1) || !own || !.same_means(list(full, null), list(NULL, NULL)))
    refuse("ComparisonError",
           "these models do not test one variance: m must have the tested random ",
           "effect alone, m_full all random effects, and m_null those of m_full but the ",
           "tested one, ",
           "with the same fixed effects")
}
