# Standard errors of lm and glm without clusters (sandwich), and the bootstrap with and without
# them.

#' HC0 to HC5 (vcovHC), HAC (NeweyWest), or the bootstrap of rows; tests as lmtest::coeftest() has
#' them.
#'
#' @param order rank of each row in time; NULL: as the rows come
ml_robust_errors <- function(fit, type, level = 0.95, order = NULL, lag = NULL, prewhite = TRUE,
                             boot_type = "xy", nsim = 500L, seed = NULL) {
  model <- fit$model
  if (!inherits(model, "lm"))
    refuse("NotSupportedError", "robust_errors() is for pymlm.lm and pymlm.glm; this is a ",
           kind_of(model), ". cluster_robust() has CR0 to CR3 for pymlm.lmer, and m.bootstrap() ",
           "simulates from any model")
  need_fixed_effects(fit, "A robust standard error")
  need_package("sandwich", "robust standard errors")
  if (type == "bootstrap") return(.bootstrap_errors(fit, NULL, boot_type, nsim, seed, level))
  if (type == "HAC" && !is.null(lag) && lag >= nobs(model))
    refuse("ArgumentError", "lag=", lag, " is not less than the number of rows, ", nobs(model))
  said <- character()
  v <- withCallingHandlers(
    if (type == "HAC") .newey_west(model, lag, order, prewhite)
    else list(vcov = sandwich::vcovHC(model, type = type), lag = NA_real_),
    warning = function(w) {
      said <<- c(said, conditionMessage(w))
      tryInvokeRestart("muffleWarning")
    })
  if (!all(is.finite(v$vcov)))
    refuse("NotSupportedError", type, " is not defined here: a row is fitted exactly (its ",
           "leverage is 1), as a dummy of one row is. HC0 and HC1 have numbers")
  for (text in said) warning(text, call. = FALSE)
  .lm_errors(model, v$vcov, NULL, type, level, list(lag = v$lag))
}

# The bandwidth that R chooses by itself is not in its answer.
.newey_west <- function(model, lag, order, prewhite) {
  n <- nobs(model)
  if (is.null(lag))
    lag <- floor(sandwich::bwNeweyWest(model, order.by = order, prewhite = prewhite))
  lag <- min(lag, n - 1)
  list(vcov = sandwich::NeweyWest(model, lag = lag, order.by = order, prewhite = prewhite),
       lag = lag)
}

# t with the residual (or clusters - 1) degrees of freedom; z where the dispersion is known.
.lm_errors <- function(model, v, cluster, type, level, more = list()) {
  b <- coef(model)
  b <- b[!is.na(b)]
  v <- v[names(b), names(b), drop = FALSE]
  se <- sqrt(diag(v))
  glm <- inherits(model, "glm")
  df <- if (!is.null(cluster)) nlevels(factor(cluster)) - 1 else if (glm) Inf else
    df.residual(model)
  p <- 2 * pt(-abs(b / se), df)
  out <- .robust_list(names(b), b, se, rep(df, length(b)), p, v, cluster,
                      if (!is.null(cluster)) "clusters - 1" else if (glm) "asymptotic" else
                        "residual", type, level)
  out$statistic_name <- if (glm) "z" else "t"
  if (is.null(cluster)) out["n_clusters"] <- list(NULL)
  c(out, more)
}

#' The bootstrap of rows or clusters ("xy"), or of residuals; the numbers of vcovBS() for a seed.
.bootstrap_errors <- function(fit, cluster, boot_type, nsim, seed, level) {
  model <- fit$model
  if (inherits(model, "glm"))
    refuse("NotSupportedError",
           "this bootstrap is one of linear models; m.bootstrap() simulates from a glm")
  if (anyNA(coef(model)))
    refuse("NotSupportedError", "the model has coefficients that are not estimated (",
           paste(names(coef(model))[is.na(coef(model))], collapse = ", "),
           "), which differ from draw to draw. ",
           "Leave them out of the formula")
  if (boot_type != "xy" && (!is.null(weights(model)) || !is.null(model$offset)))
    refuse("NotSupportedError",
           "sandwich's bootstrap of residuals leaves weights and offsets out. ",
           "boot_type='xy' draws rows with them")
  groups <- if (is.null(cluster)) seq_len(nobs(model)) else cluster
  found <- with_seed(seed, if (boot_type == "xy") .drawn_rows(model, groups, nsim)
    else list(vcov = suppressWarnings(sandwich::vcovBS(model, cluster = groups, R = nsim,
                                                       type = boot_type)), failed = 0L))
  .lm_errors(model, found$vcov, cluster, "bootstrap", level,
             list(boot_type = boot_type, nsim = nsim, seed = seed, n_failed = found$failed))
}

# sandwich::vcovBS(type = "xy") draw by draw, with weights and offsets, which it leaves out, and
# without draws that miss a level of a factor, whose coefficient it takes as 0.
.drawn_rows <- function(model, groups, nsim) {
  X <- model.matrix(model)
  y <- model.response(model.frame(model)) - (model$offset %||% 0)
  w <- sqrt(weights(model) %||% rep(1, nrow(X)))
  rows <- split(seq_along(groups), groups)
  draws <- lapply(seq_len(nsim), function(i) {
    j <- unlist(rows[sample(names(rows), length(rows), replace = TRUE)])
    drawn <- .lm.fit(X[j, , drop = FALSE] * w[j], y[j] * w[j])
    if (drawn$rank == ncol(X)) drawn$coefficients
  })
  good <- !vapply(draws, is.null, NA)
  if (sum(good) < 2L)
    refuse("NotSupportedError", "fewer than two of ", nsim,
           " draws could be fitted: they miss levels of a ",
           "factor. boot_type='wild' keeps every row")
  v <- stats::cov(do.call(rbind, draws[good]))
  dimnames(v) <- list(colnames(X), colnames(X))
  list(vcov = v, failed = sum(!good))
}

#' The matrix alone, for averages and marginal means with other errors than the model's own.
robust_vcov <- function(fit, type, clustered, cluster = NULL) {
  found <- if (clustered) ml_cluster_robust(fit, cluster, type) else ml_robust_errors(fit, type)
  found[c("term", "vcov")]
}
