# Stata's xtreg of a model with one random intercept, and regress of a linear model.

#' xtreg, re, fe or be ([XT] xtreg, Methods and formulas).
#'
#' "re": Swamy and Arora's variance components with the harmonic mean of the group sizes, then OLS
#' on quasi-demeaned data. "fe": OLS on demeaned data, to which the grand mean is added for the
#' constant. "be": OLS on the group means.
xtreg <- function(fit, type = "re") {
  model <- fit$model
  groups <- unique(names(model@cnms))
  if (length(groups) != 1L || !identical(unlist(model@cnms, use.names = FALSE), "(Intercept)"))
    refuse("NotSupportedError", "xtreg, ", type,
           " fits one random intercept and nothing else; this model ",
           "is ", deparse(formula(model), width.cutoff = 500L)[1L])
  if (!"(Intercept)" %in% names(fixef(model)))
    refuse("NotSupportedError", "xtreg, ", type, " always has a constant, and this model has no ",
           "intercept: fit it with one")
  if (any(weights(model) != 1))
    refuse("NotSupportedError", "xtreg, ", type, " takes no weights here")
  p <- .panel_parts(model, groups)
  found <- switch(type, re = .xtreg_re(p), fe = .xtreg_fe(p), be = .xtreg_be(p))
  b <- found$b
  known <- !is.na(b)
  b0 <- replace(b, !known, 0)
  slopes <- known & names(b) != "(Intercept)"
  r2 <- function(a, b) if (any(slopes) && sd(a) > 0) cor(a, b)^2 else NA_real_
  V <- found$V
  se <- replace(b, TRUE, NA_real_)
  se[known] <- sqrt(diag(V))
  at <- match(names(b)[slopes], rownames(V))
  list(
    type = type, term = names(b), estimate = unname(b), std_error = unname(se),
    sigma_u = found$sigma_u, sigma_e = found$sigma_e,
    rho = found$sigma_u^2 / (found$sigma_u^2 + found$sigma_e^2),
    r2_within = r2(drop(p$Xd %*% b0), p$yd), r2_between = r2(drop(p$Xm %*% b0), p$ym),
    r2_overall = r2(drop(p$X %*% b0), p$y),
    wald_chi2 = if (any(slopes))
      drop(crossprod(b[slopes], solve(V[at, at, drop = FALSE], b[slopes]))) else NA_real_,
    wald_df = sum(slopes), df_residual = found$df %||% Inf,
    correlation = found$correlation %||% NA_real_, f_groups = found$f_groups %||% NA_real_
  )
}

# Response and predictors as they are, as group means and as deviations from these.
.panel_parts <- function(model, groups) {
  X <- getME(model, "X")
  y <- getME(model, "y") - getME(model, "offset")
  g <- droplevels(model@flist[[groups]])
  n <- as.numeric(table(g))
  mean_of <- function(v) rowsum(v, g, reorder = TRUE) / n
  Xm <- mean_of(X)
  ym <- mean_of(matrix(y))[, 1L]
  Xd <- X - Xm[g, , drop = FALSE]
  varying <- apply(abs(Xd), 2L, max) > 1e-10 * pmax(1, apply(abs(X), 2L, max))
  list(X = X, y = y, g = g, n = n, Xm = Xm, ym = ym, Xd = Xd, yd = y - ym[g], varying = varying)
}

.ols <- function(X, y) {
  colnames(X) <- paste0("x", seq_len(ncol(X))) # names that lm does not have to write
  lm(y ~ 0 + X)
}

.xtreg_re <- function(p) {
  within <- lm.fit(p$Xd[, p$varying, drop = FALSE], p$yd)
  s2e <- sum(within$residuals^2) / (length(p$y) - length(p$n) - within$rank)
  between <- lm.fit(p$Xm, p$ym)
  s2u <- max(0, sum(between$residuals^2) / (length(p$n) - between$rank) - s2e * mean(1 / p$n))
  theta <- (1 - sqrt(s2e / (p$n * s2u + s2e)))[p$g]
  gls <- .ols(p$X - theta * p$Xm[p$g, , drop = FALSE], p$y - theta * p$ym[p$g])
  .named_ols(gls, colnames(p$X), list(sigma_u = sqrt(s2u), sigma_e = sqrt(s2e)))
}

# Coefficients and their covariance under the model's names; NA for what could not be estimated.
.named_ols <- function(ols, names, more, scale = 1) {
  b <- stats::setNames(coef(ols), names)
  V <- vcov(ols, complete = FALSE) * scale
  dimnames(V) <- rep(list(names[!is.na(b)]), 2L)
  c(list(b = b, V = V), more)
}

.xtreg_fe <- function(p) {
  constant <- colnames(p$X) == "(Intercept)"
  kept <- p$varying | constant
  if (!any(p$varying))
    refuse("NotSupportedError", "xtreg, fe: no predictor varies within the groups")
  X <- sweep(p$Xd, 2L, colMeans(p$X), "+")
  X[, constant] <- 1
  ols <- .ols(X[, kept, drop = FALSE], p$yd + mean(p$y))
  rank <- qr(p$Xd[, p$varying, drop = FALSE])$rank
  df <- length(p$y) - length(p$n) - rank
  if (df < 1)
    refuse("NotSupportedError", "xtreg, fe: ", length(p$y), " rows leave no degrees of freedom ",
           "beside ", length(p$n), " groups and ", rank, " slopes")
  rss <- deviance(ols)
  found <- .named_ols(ols, colnames(p$X)[kept], list(df = df, sigma_e = sqrt(rss / df)),
                      scale = df.residual(ols) / df)
  b <- stats::setNames(rep(NA_real_, ncol(p$X)), colnames(p$X))
  b[kept] <- found$b
  b0 <- replace(b, is.na(b), 0)
  u <- p$ym - drop(p$Xm %*% b0)
  slopes <- replace(b0, constant, 0)
  pooled <- lm.fit(p$X[, kept, drop = FALSE], p$y)
  xb <- drop(p$X %*% slopes)
  utils::modifyList(found, list(
    b = b, sigma_u = sd(u), correlation = if (sd(xb) > 0) cor(u[p$g], xb) else NA_real_,
    f_groups = ((sum(pooled$residuals^2) - rss) / (length(p$n) - 1)) / (rss / df)))
}

.xtreg_be <- function(p) {
  ols <- .ols(p$Xm, p$ym)
  if (df.residual(ols) < 1)
    refuse("NotSupportedError", "xtreg, be: ", length(p$n), " groups are too few for ",
           ncol(p$X), " coefficients")
  .named_ols(ols, colnames(p$X), list(df = df.residual(ols), sigma_e = sigma(ols),
                                      sigma_u = NA_real_))
}

#' regress of an lm; `cluster` has one entry per row used.
regress <- function(fit, cluster = NULL, name = NULL, robust = FALSE) {
  model <- fit$model
  if (!inherits(model, "lm") || inherits(model, "glm"))
    refuse("NotSupportedError", "regress is Stata's table of a linear model without random ",
           "effects: fit mlm.lm()")
  s <- summary(model)
  b <- coef(model)
  used <- !is.na(b)
  V <- if (!is.null(cluster) || robust) .sandwich_of(model, cluster)
       else vcov(model, complete = FALSE)
  slopes <- names(b)[used & names(b) != "(Intercept)"]
  den <- if (is.null(cluster)) df.residual(model) else length(unique(cluster)) - 1
  wald <- if (length(slopes))
    drop(crossprod(b[slopes], solve(V[slopes, slopes, drop = FALSE], b[slopes]))) else NA_real_
  num <- length(slopes)
  if (!is.null(cluster) && num > den) wald <- NA_real_ # Stata leaves the test out
  se <- replace(b, TRUE, NA_real_)
  se[used] <- sqrt(diag(V))
  rss <- sum(weights(model) %||% 1 * residuals(model)^2)
  list(
    response = response_text(model), term = names(b), numeric_label = .numeric_columns(model),
    estimate = unname(b), std_error = unname(se), nobs = nobs(model), f = wald / num,
    num_df = num, den_df = den, r_squared = s$r.squared, adj_r_squared = s$adj.r.squared,
    root_mse = s$sigma, ss_model = rss * s$r.squared / (1 - s$r.squared), ss_residual = rss,
    robust = robust, cluster = name, n_clusters = if (!is.null(cluster)) length(unique(cluster))
  )
}

.sandwich_of <- function(model, cluster) {
  need_package("sandwich", "Stata's robust standard errors")
  V <- if (is.null(cluster)) sandwich::vcovHC(model, type = "HC1")
       else sandwich::vcovCL(model, cluster = cluster, type = "HC1")
  V[rowSums(is.na(V)) < ncol(V), colSums(is.na(V)) < nrow(V), drop = FALSE]
}

# TRUE for a coefficient whose term is made of numeric variables.
.numeric_columns <- function(model) {
  classes <- attr(terms(model), "dataClasses")
  uses <- attr(terms(model), "factors")
  plain <- vapply(seq_along(attr(terms(model), "term.labels")), function(k)
    all(classes[rownames(uses)[uses[, k] > 0]] %in% c("numeric", "nmatrix.1")), NA)
  unname(c(TRUE, plain)[attr(model.matrix(model), "assign") + 1L])
}
