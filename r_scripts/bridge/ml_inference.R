# Tests by every rule of degrees of freedom; R2; model checks; lavaan.

#' Tests of the rows of L, one at a time; "residual" is t with rows - coefficients.
ml_contests <- function(fit, l, ddf, level) {
  l <- if (is.matrix(l)) l else matrix(l, 1L)
  rows <- lapply(seq_len(nrow(l)), function(i)
    if (ddf == "residual") .residual_row(fit, l[i, ], level)
    else .contest_row(fit, l[i, ], 0, ddf, level))
  estimate_fields(do.call(rbind, rows), ddf, level)[
    c("estimate", "std_error", "df", "statistic", "p_value", "conf_low", "conf_high")]
}

.residual_row <- function(fit, L, level) {
  model <- fit$model
  df <- nrow(model@frame) - length(fixef(model))
  estimate <- sum(L * fixef(model))
  se <- sqrt(sum(L * drop(as.matrix(vcov(model)) %*% L)))
  half <- qt((1 + level) / 2, df) * se
  data.frame(Estimate = estimate, `Std. Error` = se, df = df, `t value` = estimate / se,
             lower = estimate - half, upper = estimate + half,
             `Pr(>|t|)` = 2 * pt(-abs(estimate / se), df), check.names = FALSE)
}

#' All rows of L jointly: chi-squared for "asymptotic", else F.
ml_joint <- function(fit, l, ddf) {
  rows <- lapply(seq_len(nrow(l)), function(i) l[i, ])
  if (ddf == "residual") {
    model <- fit$model
    df <- nrow(model@frame) - length(fixef(model))
    table <- .wald_test(fit, l, rep(0, nrow(l)), ddf, df)
  } else {
    table <- contest_native(fit, rows, rep(0, nrow(l)), joint = TRUE, ddf = ddf)
  }
  anova_fields(table, ddf)[c("statistic", "num_df", "den_df", "p_value")]
}

#' Nakagawa's R2 by performance; NULL where it gives none (singular fits) or is not installed.
ml_nakagawa <- function(fit) {
  need_linear_predictor(fit, "Nakagawa's R2", "m.sigma and m.varcorr() say how much is left over")
  if (!requireNamespace("performance", quietly = TRUE) || lme4::isSingular(fit$model) ||
      is_membership(fit$model)) return(NULL) # performance takes each row to lie in one unit
  model <- self_contained(fit, fit$model)
  # insight fits the model without predictors by this call, in a place of its own.
  if (is.name(model@call[[1L]])) model@call[[1L]] <- call("::", quote(lme4), model@call[[1L]])
  if (!is.null(model@call$family)) model@call$family <- family(model)
  out <- suppressWarnings(suppressMessages(performance::r2_nakagawa(model)))
  if (!is.list(out) || is.null(out$R2_conditional) || is.na(out$R2_conditional)) return(NULL)
  list(marginal = out$R2_marginal[[1L]], conditional = out$R2_conditional[[1L]])
}

#' p-values of the checks; NA where one cannot be made.
ml_checks <- function(fit) UseMethod("ml_checks", fit$model)
ml_checks.default <- function(fit)
  refuse_class(fit, "This set of checks",
               "m.check() and m.qq_data() check one assumption at a time")
ml_checks.lm <- function(fit) {
  model <- fit$model
  if (inherits(model, "glm")) .need_linear(fit, "These assumptions")
  need_package("performance", "the checks of assumptions")
  r <- unname(rstandard(model))
  curve <- .curvature(r, as.numeric(scale(fitted(model))))
  list(normal_residuals = as.numeric(suppressMessages(performance::check_normality(model)))[1L],
       heteroscedasticity = .score_test(fit)$p.value[[1L]],
       curvature = curve[2L], curvature_statistic = curve[1L], serial = numeric(),
       serial_statistic = numeric(), residual = r, fitted = unname(fitted(model)),
       effect = character(), effect_p = numeric(), modes = list(), level1_equal = numeric(),
       groups = character())
}
ml_checks.merMod <- function(fit) {
  .need_linear(fit, "These assumptions")
  need_package("performance", "the checks of assumptions")
  model <- fit$model
  p <- function(expr) tryCatch(as.numeric(suppressMessages(suppressWarnings(expr)))[1L],
                               error = function(e) NA_real_)
  r <- residuals(model, type = "pearson", scaled = TRUE)
  eta <- as.numeric(scale(fitted(model)))
  groups <- getME(model, "flist")
  if (is_membership(model)) groups <- groups[setdiff(names(groups), names(membership_weights(fit)))]
  modes <- ranef(model, condVar = FALSE)
  effects <- list()
  for (g in names(modes)) for (t in colnames(modes[[g]])) {
    v <- modes[[g]][[t]]
    effects[[paste0(g, ": ", t)]] <- list(
      modes = v,
      p = if (stats::sd(v) > 0) p(stats::shapiro.test(.at_most(v))$p.value) else NA_real_)
  }
  curve <- .curvature(unname(r), eta)
  serial <- lapply(groups, function(g) .serial_score(model, unname(r), g))
  list(
    normal_residuals = p(performance::check_normality(model)),
    heteroscedasticity = p(.score_test(fit)$p.value),
    curvature = curve[2L], curvature_statistic = curve[1L],
    serial = unname(vapply(serial, `[`, 0, 2L)),
    serial_statistic = unname(vapply(serial, `[`, 0, 1L)),
    residual = unname(r), fitted = unname(fitted(model)),
    effect = names(effects), effect_p = unname(vapply(effects, `[[`, 0, "p")),
    modes = unname(lapply(effects, `[[`, "modes")),
    level1_equal = unname(vapply(groups, function(g) p(stats::fligner.test(r, g)$p.value), 0)),
    groups = names(groups)
  )
}

# A curve left in the residuals: t and p of the quadratic term on fitted values; NA where these
# have no two values but for rounding.
.curvature <- function(r, eta) {
  if (anyNA(eta) || length(unique(signif(eta, 8L))) < 3L) return(c(NA_real_, NA_real_))
  unname(coef(summary(stats::lm(r ~ eta + I(eta^2))))["I(eta^2)", c("t value", "Pr(>|t|)")])
}

# Conditional residuals of one group are negatively correlated even where the errors are not: their
# covariance is sigma^2 (I - H), H the hat matrix of hatvalues.merMod. So each product of neighbours
# is taken less its expectation, -H; summed by group it has mean 0, which t tests over the groups.
.serial_score <- function(model, r, g) {
  g <- as.integer(g)
  o <- order(g)
  same <- .at_most(which(diff(g[o]) == 0L), 10000L)
  a <- o[same]
  b <- o[same + 1L]
  by_group <- rowsum(r[a] * r[b] + .hat_of_pairs(model, a, b), g[a])[, 1L]
  if (length(by_group) < 2L || stats::sd(by_group) == 0) return(c(NA_real_, NA_real_))
  test <- stats::t.test(by_group)
  c(test$statistic[[1L]], test$p.value)
}

.hat_of_pairs <- function(model, a, b, at_once = 2000L) {
  part <- getME(model, c("L", "Lambdat", "Zt", "RX", "X", "RZX"))
  w <- sqrt(weights(model, type = "prior"))
  hat <- function(k) { # in portions: the left factor has as many rows as there are random effects
    rows <- unique(c(a[k], b[k]))
    z <- part$Lambdat %*% part$Zt[, rows, drop = FALSE] %*% Diagonal(x = w[rows])
    left <- solve(part$L, solve(part$L, z, "P"), "L")
    i <- match(a[k], rows)
    j <- match(b[k], rows)
    products <- function(m) colSums(m[, i, drop = FALSE] * m[, j, drop = FALSE])
    if (!ncol(part$X)) return(products(left))
    x <- t(part$X[rows, , drop = FALSE] * w[rows])
    products(left) + products(solve(t(part$RX), x - as.matrix(crossprod(part$RZX, left))))
  }
  pieces <- split(seq_along(a), ceiling(seq_along(a) / at_once))
  unlist(lapply(pieces, hat), use.names = FALSE)
}

.at_most <- function(x, n = 5000L) if (length(x) > n) x[seq_len(n)] else x

#' A two-level model in lavaan: each y on x at both levels, x partitioned by the model; outcomes
#' covary at both levels. Labels are w_x, b_x, or w1_x, w2_x ... of several outcomes.
ml_latent <- function(data, y, cluster, x, within, between, fiml, level) {
  need_package("lavaan", "latent centring")
  mark <- if (length(y) == 1L) "" else seq_along(y)
  regressions <- function(prefix, more) paste0("  ", y, " ~ ", vapply(mark, function(k)
    paste(c(paste0(prefix, k, "_", x, "*", x), more), collapse = " + "), ""), collapse = "\n")
  together <- if (length(y) > 1L)
    paste0("\n  ", utils::combn(y, 2L, paste, collapse = " ~~ "), collapse = "")
  each <- rep(mark, each = length(x))
  syntax <- paste0(
    "level: 1\n", regressions("w", within), together, "\nlevel: 2\n", regressions("b", between),
    together, "\n",
    paste0("contextual", each, "_", x, " := b", each, "_", x, " - w", each, "_", x,
           collapse = "\n"))
  flat <- "no variance within cluster|Level-1 variable|has no variance"
  notes <- character()
  fit <- withCallingHandlers(
    lavaan::sem(syntax, data = data, cluster = cluster, fixed.x = FALSE, meanstructure = TRUE,
                missing = if (fiml) "ml" else "listwise"),
    warning = function(w) {
      notes <<- c(notes, conditionMessage(w))
      invokeRestart("muffleWarning")
    })
  if (!lavaan::lavInspect(fit, "converged"))
    stop("lavaan's two-level model did not converge. ", paste(notes, collapse = " "), call. = FALSE)
  admissible <- suppressWarnings(lavaan::lavInspect(fit, "post.check"))
  est <- lavaan::parameterEstimates(fit, level = level)
  list(
    lhs = est$lhs, op = est$op, rhs = est$rhs, label = est$label,
    est_level = if (is.null(est$level)) rep(NA_integer_, nrow(est)) else as.integer(est$level),
    estimate = est$est, std_error = est$se, statistic = est$z, p_value = est$pvalue,
    conf_low = est$ci.lower, conf_high = est$ci.upper,
    notes = gsub("[[:space:]]+", " ", notes[!grepl(flat, notes)]), admissible = admissible,
    nobs = as.integer(lavaan::lavInspect(fit, "nobs")[1L]),
    nclusters = as.integer(lavaan::lavInspect(fit, "nclusters")[1L]),
    loglik = as.numeric(lavaan::fitMeasures(fit, "logl")), syntax = syntax,
    printed = waits(lavaan::summary(fit))
  )
}
