# The random part as the multilevel workflow needs it: per term its covariance, and how its columns
# vary over the rows.

#' One entry per random term: group, coefficients, covariance, mean cross-product of its columns
#' over the rows (so that sum(covariance * moments) is its mean variance), and the group of each
#' row.
ml_terms <- function(fit) UseMethod("ml_terms", fit$model)
ml_terms.default <- function(fit)
  refuse_class(fit, "A partition of the variance", "It needs random effects: pymlm.lmer or lme")
ml_terms.lme <- function(fit) {
  model <- fit$model
  if (!is.null(model$modelStruct$varStruct))
    refuse("NotSupportedError",
           "the residual variance of this model differs between rows, and so does ",
           "every share of the variance: m.sd_ratios() has the ratios")
  found <- varcorr_result(NULL, fit)
  data <- nlme_frame(model)
  groups <- model$groups
  list(
    sigma = model$sigma, residual = model$sigma^2, nobs = as.integer(model$dims$N), linear = TRUE,
    terms = lapply(found$matrices, function(t) {
      z <- model.matrix(stats::formula(model$modelStruct$reStruct[[t$grp]]), data)
      list(group = t$grp, key = t$grp, terms = t$terms, covariance = t$covariance,
           moments = unname(crossprod(z) / nrow(z)), centred = unname(as.matrix(stats::cov(z))))
    }),
    groups = lapply(groups, function(g) as.integer(factor(g))), memberships = character()
  )
}
ml_terms.merMod <- function(fit) {
  model <- fit$model
  need_linear_predictor(fit, "A partition of the variance",
                        "m.varcorr() has the parameters' variances")
  flist <- getME(model, "flist")
  assign <- attr(flist, "assign")
  zt <- getME(model, "Ztlist") # one matrix a coefficient: groups by rows
  last <- cumsum(lengths(model@cnms))
  covariances <- VarCorr(model)
  n <- nrow(model@frame)
  list(
    sigma = sigma(model),
    residual = ml_level1_variance(fit),
    nobs = n,
    linear = lme4::isLMM(model),
    terms = lapply(seq_along(model@cnms), function(i) {
      k <- length(model@cnms[[i]])
      own <- zt[last[i] - k + seq_len(k)]
      # A row of Z holds the columns once, under its group; with multiple membership in shares.
      m <- do.call(cbind, lapply(own, function(a) Matrix::colSums(a)))
      moments <- matrix(vapply(own, function(a) vapply(own, function(b) sum(a * b), 0),
                               numeric(k)), k)
      list(group = names(flist)[assign[i]], key = names(covariances)[i],
           terms = as.character(model@cnms[[i]]),
           covariance = unname(matrix(covariances[[i]], length(model@cnms[[i]]))),
           moments = unname(moments / n), centred = unname(as.matrix(stats::cov(m))))
    }),
    groups = lapply(flist, as.integer),
    memberships = if (is_membership(model)) as.character(names(membership_weights(fit)))
                  else character()
  )
}

#' Variance of level 1: sigma^2, or that of the latent response for a binomial GLMM.
ml_level1_variance <- function(fit) {
  model <- fit$model
  if (lme4::isLMM(model)) return(sigma(model)^2)
  family <- stats::family(model)
  latent <- c(logit = pi^2 / 3, probit = 1, cloglog = pi^2 / 6)
  if (!lme4::isGLMM(model) || family$family != "binomial" || !family$link %in% names(latent))
    return(NA_real_)
  latent[[family$link]]
}

#' Each random term's relative covariance factor, and the covariance matrix of (theta, sigma).
ml_theta <- function(fit) {
  .need_linear(fit, "The interval by the delta method")
  need_unstructured(fit$model, "The interval by the delta method", "Ask for the bootstrap")
  model <- lmertest_model(fit)
  # (x || g) has two terms of one name, which a named list would not bring over.
  list(factors = unname(lapply(getME(model, "Tlist"), function(m) unname(as.matrix(m)))),
       vcov = unname(as.matrix(model@vcov_varpar)))
}

#' Model-implied covariance of some rows: sigma^2 (Z Lambda Lambda' Z' + W^-1).
ml_implied <- function(fit, rows) UseMethod("ml_implied", fit$model)
ml_implied.lm <- function(fit, rows) {
  model <- fit$model
  if (inherits(model, "glm")) .need_linear(fit, "The model-implied covariance of the response")
  w <- if (is.null(weights(model))) rep(1, nrow(model.frame(model))) else weights(model)
  diag(sigma(model)^2 / w[rows], length(rows))
}
# nlme gives a group's matrix, in the order of its rows; between groups there is none.
ml_implied.lme <- ml_implied.gls <- function(fit, rows) {
  model <- fit$model
  lme <- inherits(model, "lme")
  group <- if (lme) model$groups[[1L]] else nlme::getGroups(model)
  if (lme && ncol(model$groups) > 1L)
    refuse("NotSupportedError",
           "nlme gives the implied covariance of models with one grouping factor; ",
           "fit it by pymlm.lmer")
  out <- matrix(0, length(rows), length(rows))
  if (is.null(group) && is.null(model$modelStruct$corStruct)) {
    w <- model$modelStruct$varStruct
    ratio <- if (is.null(w)) rep(1, model$dims$N) else 1 / nlme::varWeights(w)
    return(diag((model$sigma * ratio[rows])^2, length(rows)))
  }
  if (is.null(group)) group <- rep("1", model$dims$N)
  group <- as.character(group)
  for (g in unique(group[rows])) {
    V <- if (lme) nlme::getVarCov(model, individuals = g, type = "marginal")[[1L]]
      else nlme::getVarCov(model, individual = g)
    mine <- which(group[rows] == g)
    at <- match(rows[mine], which(group == g))
    out[mine, mine] <- unclass(V)[at, at]
  }
  out
}
ml_implied.merMod <- function(fit, rows) {
  .need_linear(fit, "The model-implied covariance of the response")
  model <- fit$model
  a <- as.matrix(getME(model, "Lambdat") %*% getME(model, "Zt")[, rows, drop = FALSE])
  unname(sigma(model)^2 * (crossprod(a) + diag(1 / weights(model)[rows], length(rows))))
}

#' What the fixed part predicts, the response, and the between part of both: cor(y, Xb)^2 and more.
ml_fixed_part <- function(fit) UseMethod("ml_fixed_part", fit$model)
ml_fixed_part.default <- function(fit) {
  model <- fit$model
  lm <- inherits(model, "lm")
  fitted <- as.numeric(if (inherits(model, "lme")) fitted(model, level = 0) else fitted(model))
  n <- length(fitted)
  y <- if (inherits(model, "glm")) model$y
    else fitted(model) + residuals(model, type = "response")
  list(response = unname(as.numeric(y)), weights = if (lm) as.numeric(weights(model) %||% rep(1, n))
         else rep(1, n), offset = as.numeric(if (lm) model$offset %||% rep(0, n) else rep(0, n)),
       linear = if (inherits(model, "glm")) unname(model$linear.predictors) else fitted,
       fitted = fitted, term = names(coefs(model)), estimate = unname(coefs(model)))
}
ml_fixed_part.merMod <- function(fit) {
  need_linear_predictor(fit, "Explained variance",
                        "m.predict(re_form='NA') is what the parameters say")
  model <- fit$model
  list(response = as.numeric(getME(model, "y")),
       weights = as.numeric(stats::weights(model)), offset = as.numeric(getME(model, "offset")),
       linear = unname(predict(model, re.form = NA, type = "link")),
       fitted = unname(predict(model, re.form = NA, type = "response")),
       term = names(fixef(model)), estimate = unname(fixef(model)))
}

#' Draws of the variances by parametric bootstrap: rows are draws, columns the covariances by term.
ml_bootstrap <- function(fit, nsim, seed) {
  need_own_z(fit, "The bootstrap")
  model <- fit$model
  values <- function(m) c(unlist(lapply(VarCorr(m), function(v) as.numeric(v))),
                          if (lme4::isLMM(m)) sigma(m)^2)
  draws <- with_seed(seed, suppressMessages(suppressWarnings(
    lme4::bootMer(model, values, nsim = nsim, type = "parametric"))))
  list(draws = unname(draws$t), failed = sum(!stats::complete.cases(draws$t)))
}
