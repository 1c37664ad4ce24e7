# Tests and intervals of variance components; confidence intervals of every parameter.

# --- ranova ---------------------------------------------------------------------------------------

#' Tests of random effects left out one by one: lmerTest's ranova().
ranova_native <- function(fit, reduce_terms = TRUE) {
  if (!lme4::isLMM(fit$model))
    refuse("NotSupportedError",
           "lmerTest's ranova takes linear mixed models. Fit the model without ",
           "the random effect, too, and compare the two by lrt()")
  in_model_data(fit, quote(.ranova(.model, reduce.terms = .reduce)),
                .ranova = well_written("ranova"),
                .model = .spelled_apart(plain_model(fit)), .reduce = reduce_terms)
}

ranova_result <- function(native, fit, reduce_terms = TRUE) {
  lost <- c(NA, vapply(attr(native, "formulae"), function(f)
    boundary_dimension(.random_parts_of(fit, f), random_parts(fit$model)), 0))
  lrt <- native[["LRT"]]
  df <- native[["Df"]]
  list(term = rownames(native), npar = as.numeric(native[["npar"]]), loglik = native[["logLik"]],
       aic = native[["AIC"]], lrt = lrt, df = df, p_value = native[["Pr(>Chisq)"]],
       p_value_boundary = boundary_p(lrt, df, lost))
}

# The random part that a formula would have on this model's data, without fitting it.
.random_parts_of <- function(fit, formula) {
  if (!length(findbars(formula))) return(list(terms = list(), n = nrow(fit$model@frame)))
  call <- fit$model@call
  call[[1L]] <- quote(lme4::lFormula)
  call$formula <- formula
  call$start <- NULL
  if (is_membership(fit$model)) { # whose own function lays out Z, and fits
    call[[1L]] <- fit$model@call[[1L]]
    return(random_parts(in_model_data(fit, call)))
  }
  made <- suppressMessages(in_model_data(fit, call))
  .random_terms(made$reTrms$Zt, made$reTrms$Gp, made$reTrms$cnms)
}

# --- standard errors of variance components -------------------------------------------------------

#' Variances and covariances with standard errors, as Stata and SAS print them.
varcorr_se_native <- function(fit, level = 0.95) {
  if (!lme4::isLMM(fit$model))
    refuse("NotSupportedError",
           "standard errors of variance components come from lmerTest's Hessian ",
           "of a linear mixed model. Use confint(method='profile') or bootstrap()")
  lmertest_model(fit)
}

varcorr_se_result <- function(native, fit, level = 0.95) {
  rows <- as.data.frame(VarCorr(fit$model))
  made <- .component_errors(fit, native@vcov_varpar, level)
  at <- match(.component_key(rows), .component_key(made))
  list(grp = as.character(rows$grp), var1 = as.character(rows$var1),
       var2 = as.character(rows$var2), vcov = rows$vcov, std_error = made$se[at],
       conf_low = made$low[at], conf_high = made$high[at], level = level)
}

# In the order of the terms, then sigma: each variance and covariance, its standard error by the
# delta method, and limits: on the log scale for a variance, plain for a covariance.
.component_errors <- function(fit, vcov_varpar, level) {
  made <- .vcov_jacobian(fit$model)
  rows <- made$rows
  se <- sqrt(pmax(rowSums((made$J %*% vcov_varpar) * made$J), 0))
  # On the boundary the Hessian says nothing about the component: no standard error, as in Stata.
  variance <- is.na(rows$var2)
  key <- paste(rows$grp, rows$var1, sep = "\r")
  zero <- key[variance & rows$vcov < 1e-8 * sigma(fit$model)^2]
  se[key %in% zero | paste(rows$grp, rows$var2, sep = "\r") %in% zero] <- NA
  z <- qnorm((1 + level) / 2)
  spread <- ifelse(variance, exp(z * se / rows$vcov), z * se)
  rows$se <- se
  rows$low <- ifelse(variance, rows$vcov / spread, rows$vcov - spread)
  rows$high <- ifelse(variance, rows$vcov * spread, rows$vcov + spread)
  rows
}

.component_key <- function(rows) {
  first <- ifelse(is.na(rows$var2), rows$var1, pmin(rows$var1, rows$var2))
  second <- ifelse(is.na(rows$var2), rows$var1, pmax(rows$var1, rows$var2))
  paste(rows$grp, first, second, sep = "\r")
}

# Derivatives of every variance and covariance in what lme4 optimizes over and sigma.
.vcov_jacobian <- function(model) {
  par <- optimized_parameters(model)$values
  sigma <- stats::sigma(model)
  groups <- names(VarCorr(model))
  structures <- term_structures(model)
  at <- 0L
  rows <- list()
  J <- list()
  for (t in seq_along(model@cnms)) {
    k <- length(model@cnms[[t]])
    own <- at + seq_len(structure_size(structures[[t]], k))
    made <- .relative_covariance(par[own], k, structures[[t]])
    for (j in seq_len(k)) for (i in j:k) {
      d <- numeric(length(par) + 1L)
      d[own] <- sigma^2 * vapply(made$slopes, function(D) D[i, j], 0)
      d[length(d)] <- 2 * sigma * made$value[i, j]
      J[[length(J) + 1L]] <- d
      rows[[length(rows) + 1L]] <- data.frame(
        grp = groups[t], var1 = model@cnms[[t]][j],
        var2 = if (i == j) NA_character_ else model@cnms[[t]][i],
        vcov = sigma^2 * made$value[i, j])
    }
    at <- max(own)
  }
  J[[length(J) + 1L]] <- c(numeric(length(par)), 2 * sigma)
  rows[[length(rows) + 1L]] <- data.frame(grp = "Residual", var1 = NA_character_,
                                           var2 = NA_character_, vcov = sigma^2)
  list(rows = do.call(rbind, rows), J = do.call(rbind, J))
}

# A term's covariance matrix over sigma^2, and its derivative in each of the term's parameters.
# Unstructured: T T', T the lower triangle of theta. Else S R S with standard deviations S and
# correlations R: all rho (cs), rho^|i - j| (ar1), none (diag).
.relative_covariance <- function(par, k, structure) {
  if (structure$class == "us") {
    fill <- function(values) { m <- matrix(0, k, k); m[lower.tri(m, diag = TRUE)] <- values; m }
    T <- fill(par)
    slopes <- lapply(seq_along(par), function(s) {
      E <- fill(as.numeric(seq_along(par) == s))
      E %*% t(T) + T %*% t(E)
    })
    return(list(value = T %*% t(T), slopes = slopes))
  }
  n_sd <- if (structure$hom) 1L else k
  s <- rep_len(par[seq_len(n_sd)], k)
  rho <- if (length(par) > n_sd) par[length(par)] else 0
  lag <- abs(outer(seq_len(k), seq_len(k), "-"))
  power <- switch(structure$class, cs = pmin(lag, 1L), ar1 = lag, diag = lag)
  R <- rho^power
  along <- function(ds) (outer(ds, s) + outer(s, ds)) * R
  slopes <- lapply(seq_len(n_sd), function(i)
    along(if (structure$hom) rep(1, k) else as.numeric(seq_len(k) == i)))
  if (length(par) > n_sd)
    slopes <- c(slopes, list(outer(s, s) * ifelse(power == 0, 0, power * rho^pmax(power - 1, 0))))
  list(value = outer(s, s) * R, slopes = slopes)
}

# --- confidence intervals -------------------------------------------------------------------------

#' R's names of all parameters, ".sig01" ... and "sd_(Intercept)|g" ..., in R's order.
parameter_names <- function(fit) {
  variance <- variance_parameters(fit$model)
  fixed <- names(fixef(fit$model))
  list(r = c(variance$r, fixed), readable = c(variance$name, fixed), n_variance = nrow(variance),
       variance = variance)
}

# Positions of the parameters that `parm` names, in R's words, in readable ones, or by R's groups.
.which_parameters <- function(names, parm, default) {
  n <- length(names$r)
  variance <- seq_len(names$n_variance)
  if (is.null(parm)) return(if (default == "all") seq_len(n) else setdiff(seq_len(n), variance))
  found <- lapply(parm, function(p) {
    if (p == "theta_") return(variance)
    if (p == "beta_") return(setdiff(seq_len(n), variance))
    plain <- sub("^var_", "sd_", p)
    if (p == "sigma^2") plain <- "sigma"
    at <- which(names$r == p | names$readable == p | names$readable == plain)
    if (!length(at))
      refuse("ArgumentError", "no parameter ", sQuote(p, FALSE), " in this model.",
             near_terms(p, names$readable), " It has ",
             paste(sQuote(names$readable, FALSE), collapse = ", "),
             " (or 'theta_' for all variance components, 'beta_' for all fixed effects)")
    at
  })
  unique(unlist(found))
}

#' The same for the bootstrap, which picks from all.
which_parameters <- function(fit, parm = NULL) .which_parameters(parameter_names(fit), parm, "all")

#' Confidence intervals: confint() of the class.
confint_native <- function(fit, ...) UseMethod("confint_native", fit$model)
confint_native.merMod <- function(fit, method, parm = NULL, level = 0.95, scale = "sd") {
  names <- parameter_names(fit)
  which <- .which_parameters(names, parm, if (method == "Wald") "fixed" else "all")
  out <- if (method == "Wald") .wald_intervals(fit, names, which, level)
  else .profile_intervals(fit, names, which, level)
  out <- .on_scale(out, scale)
  structure(out, class = "pymlm_intervals")
}

# R prints the matrix of limits.
print.pymlm_intervals <- function(x, ...) print(x$table)

.wald_intervals <- function(fit, names, which, level) {
  fixed <- confint(fit$model, parm = "beta_", level = level, method = "Wald")
  variance <- seq_len(names$n_variance)
  out <- rbind(matrix(NA_real_, names$n_variance, 2L), fixed)
  rownames(out) <- names$readable
  # R has none of these. Log-scale limits of a variance, rooted, are those of the standard
  # deviation; a correlation has none here.
  if (any(which %in% variance)) {
    # first, for what it refuses would come out of rowSums()'s arguments
    made <- varcorr_se_native(fit)
    se <- .component_errors(fit, made@vcov_varpar, level)
    limits <- sqrt(pmax(cbind(se$low, se$high), 0))
    asked <- names$variance
    one <- asked$var1 %in% "*" # of all coefficients
    asked$var1[one] <- se$var1[match(asked$grp[one], se$grp)]
    at <- match(.component_key(asked), .component_key(se))
    at[asked$kind == "cor"] <- NA
    out[variance, ] <- limits[at, ]
  }
  table <- out[which, , drop = FALSE]
  none <- rownames(table)[is.na(table[, 1L])]
  why <- ifelse(grepl("^cor_", none), "no Wald interval of a correlation: use method='profile'",
                "estimated as zero: no Wald interval")
  list(table = table, failures = stats::setNames(why, none))
}

# Standard deviations become variances; correlations stay.
.on_scale <- function(answer, scale) {
  if (scale == "sd") return(answer)
  table <- answer$table
  sd <- grepl("^sd_", rownames(table)) | rownames(table) == "sigma"
  table[sd, ] <- table[sd, ]^2
  rownames(table) <- variance_names(rownames(table))
  answer$table <- table
  answer
}

#' Names of variances, from those of standard deviations.
variance_names <- function(names) sub("^sigma$", "sigma^2", sub("^sd_", "var_", names))

confint_result <- function(native, fit, ...) UseMethod("confint_result", fit$model)
confint_result.merMod <- function(native, fit, method, parm = NULL, level = 0.95, scale = "sd") {
  interval_fields(native, fit, method, level)
}

#' The fields of ConfidenceIntervals from a matrix of limits with readable row names.
interval_fields <- function(native, fit, method, level) {
  table <- native$table
  names <- parameter_names(fit)
  plain <- sub("^sigma\\^2$", "sigma", sub("^var_", "sd_", rownames(table)))
  list(term = rownames(table), conf_low = unname(table[, 1L]), conf_high = unname(table[, 2L]),
       level = level, method = method,
       r_names = names$r[match(make.unique(plain), make.unique(names$readable))],
       failures = as.list(native$failures), notes = as.character(native$notes))
}

# --- profile --------------------------------------------------------------------------------------

#' lme4's profile of the parameters `which`, by position; kept, and used by the intervals.
profile_native <- function(fit, parm = NULL) {
  names <- parameter_names(fit)
  which <- .which_parameters(names, parm, "all")
  made <- .profiled(fit, which)
  if (is.null(made$profile)) .profile_failed(fit, made$error)
  made$profile
}

.wald_instead <- "Intervals of the parameters: m.confint(method='Wald')"

.profiled <- function(fit, which) {
  need_linear_predictor(fit, "The profile of the likelihood", .wald_instead)
  if (lme4::isGLMM(fit$model)) {
    if (has_scale(fit$model))
      refuse("NotSupportedError",
             "lme4 cannot profile a generalized model whose scale is estimated ",
             "(", family(fit$model)$family, "). Ask for method='boot' or 'Wald'")
  }
  key <- paste(c("profiled", which), collapse = " ")
  kept(fit, key, {
    warnings <- character()
    profile <- tryCatch(withCallingHandlers(
      suppressMessages(quick_profile(.without_weights(apart(plain_model(fit))), which)),
      warning = function(w) {
        warnings <<- c(warnings, conditionMessage(w))
        tryInvokeRestart("muffleWarning")
      }), error = function(e) e)
    failed <- inherits(profile, "error")
    list(profile = if (!failed) profile, warnings = unique(warnings),
         error = if (failed) conditionMessage(profile))
  })
}

# lme4 (1.1-31 at least) forgets prior weights in X and Z where it profiles a fixed effect, and
# limits are far off (lme4 issue 192). The same model in sqrt(w) y, X and Z has none to forget: its
# parameters are the same, its deviance differs by a constant.
.without_weights <- function(model) {
  if (!lme4::isLMM(model)) return(model)
  w <- model@resp$weights
  if (all(w == 1)) return(model)
  root <- sqrt(w)
  frame <- model@frame[setdiff(names(model@frame), c("(weights)", "(offset)"))]
  frame[[1L]] <- root * (model@resp$y - model@resp$offset)
  attr(frame, "terms") <- structure(attr(model@frame, "terms"), offset = NULL)
  parts <- terms_apart(model)
  parts$Zt <- parts$Zt %*% Matrix::Diagonal(x = root)
  deviance <- lme4::mkLmerDevfun(frame, root * getME(model, "X"), parts, REML = FALSE)
  optimum <- lme4::optimizeLmer(deviance, start = optimized_parameters(model)$values)
  lme4::mkMerMod(environment(deviance), optimum, parts, frame, model@call)
}

.profile_failed <- function(fit, message) {
  if (lme4::isSingular(fit$model))
    refuse("NotSupportedError", "the likelihood of this singular fit cannot be profiled (R: ",
           message, "). No variance of its own has ",
           paste(.singular_terms(fit$model), collapse = "; "),
           ": drop it from the formula, or use ",
           "method='boot'")
  if (is_structured(fit$model))
    refuse("NotSupportedError", "lme4 cannot profile this model's covariance structure (R: ",
           message,
           "). Use method='boot'")
  stop(message, call. = FALSE)
}

# All at once; where that fails, one by one, so that one bad parameter does not hide the others.
.profile_intervals <- function(fit, names, which, level) {
  all <- .profiled(fit, which)
  parts <- if (!is.null(all$profile)) list(all) else lapply(which, function(i) .profiled(fit, i))
  if (all(vapply(parts, function(p) is.null(p$profile), NA))) .profile_failed(fit, all$error)
  table <- matrix(NA_real_, length(which), 2L, dimnames = list(names$readable[which], NULL))
  failures <- character()
  for (i in seq_along(parts)) {
    part <- parts[[i]]
    wanted <- if (is.null(all$profile)) rownames(table)[i] else rownames(table)
    if (is.null(part$profile)) { failures[wanted] <- part$error; next }
    said <- part$warnings
    limits <- withCallingHandlers(confint(part$profile, level = level), warning = function(w) {
      said <<- c(said, conditionMessage(w))
      tryInvokeRestart("muffleWarning")
    })
    colnames(table) <- colnames(limits)
    table[wanted, ] <- limits[wanted, ]
    for (name in wanted) {
      about <- unique(said[endsWith(said, paste("for", name)) |
                             grepl(paste0("for ", name, ":"), said, fixed = TRUE)])
      if (length(about)) failures[name] <- paste(about, collapse = "; ")
      else if (!all(is.finite(table[name, ])))
        failures[name] <- "the profile ends before it reaches the level: no finite limit"
    }
  }
  notes <- if (lme4::isREML(fit$model)) "the profile is that of the ML fit, as lme4 does it"
  list(table = table, failures = failures, notes = notes)
}

profile_result <- function(native, fit, parm = NULL) {
  names <- parameter_names(fit)
  parameters <- setdiff(colnames(native), c(".zeta", ".par"))
  list(parameter = as.character(native$.par), zeta = native$.zeta,
       names = parameters,
       values = unname(as.matrix(as.data.frame(native)[parameters])),
       r_names = names$r[match(parameters, names$readable)])
}

# --- exact test -----------------------------------------------------------------------------------
