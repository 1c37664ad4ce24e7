# The model as broom and broom.mixed tabulate it, by R's own functions: neither is needed.

#' The estimates in broom's columns.
tidy_table <- function(fit, effects, ddf = NULL, level = 0.95, scale = "sdcor") {
  parts <- lapply(effects, function(e) switch(e,
    fixed = .tidy_fixed(fit, ddf, level),
    ran_pars = .tidy_ran_pars(fit, scale),
    ran_vals = .tidy_ran_vals(fit, level),
    ran_coefs = .tidy_ran_coefs(fit)))
  joined <- do.call(rbind, parts)
  # Of a class without random effects, which has fixed effects alone; a mixed model has rows.
  if (is.null(joined))
    refuse_class(fit, "A table of random effects", "m.tidy() has the fixed effects")
  as.list(joined)
}

.tidy_rows <- function(effect, term, estimate, group = NA, level = NA, std_error = NA, df = NA,
                       statistic = NA, p_value = NA, conf_low = NA, conf_high = NA,
                       parameter = NA) {
  text <- function(x) rep_len(as.character(x), length(term)) # there may be no term at all
  number <- function(x) rep_len(as.numeric(x), length(term))
  data.frame(effect = text(effect), group = text(group), level = text(level), term = text(term),
             estimate = number(estimate), std_error = number(std_error), df = number(df),
             statistic = number(statistic), p_value = number(p_value),
             conf_low = number(conf_low), conf_high = number(conf_high),
             parameter = text(parameter))
}

.tidy_fixed <- function(fit, ddf, level) {
  f <- fixed_table(fit, ddf, level)
  none <- rep(NA_real_, length(f$term))
  .tidy_rows("fixed", f$term, f$estimate, std_error = f$std_error,
             df = if (is.null(f$df)) none else f$df, statistic = f$statistic,
             p_value = if (is.null(f$p_value)) none else f$p_value,
             conf_low = f$conf_low, conf_high = f$conf_high, parameter = f$term)
}

#' The fields of FixedEffects, with degrees of freedom by `ddf`.
fixed_table <- function(fit, ddf, level) UseMethod("fixed_table", fit$model)
fixed_table.merMod <- function(fit, ddf, level) {
  native <- if (lme4::isLMM(fit$model)) summary_native(fit, ddf = ddf) else summary(fit$model)
  fixed_effects(native$coefficients, ddf, level)
}
fixed_table.default <- function(fit, ddf, level) {
  model <- fit$model
  b <- coefs(model)
  se <- sqrt(diag(coefs_vcov(model)))
  df <- coef_ddf(fit, ddf)
  table <- cbind(Estimate = b, `Std. Error` = se, df = df, t = b / se, p = 2 * pt(-abs(b / se), df))
  z <- all(is.infinite(df))
  colnames(table)[4:5] <- if (z) c("z value", "Pr(>|z|)") else c("t value", "Pr(>|t|)")
  # A z test has no degrees of freedom; coefficients that are not defined have a row of their own.
  if (z && identical(default_ddf(model), "asymptotic")) table <- table[, -3L, drop = FALSE]
  all <- if (inherits(model, "lm")) names(coef(model)) else names(b)
  table <- table[match(all, names(b)), , drop = FALSE]
  rownames(table) <- all
  fixed_effects(table, checked_ddf(fit, ddf), level)
}

#' Rows of variances and correlations, with the names that profile() has for them.
.variance_rows <- function(fit) UseMethod(".variance_rows", fit$model)
.variance_rows.default <- function(fit) NULL
.variance_rows.lme <- function(fit) {
  made <- varcorr_result(NULL, fit)[c("grp", "var1", "var2", "vcov", "sdcor")]
  cbind(as.data.frame(made), parameter = NA_character_)
}
.variance_rows.merMod <- function(fit) {
  rows <- as.data.frame(VarCorr(fit$model), order = "lower.tri")
  # VarCorr() numbers two terms of one group (g, g.1) and profile() does not: by what they are.
  known <- variance_parameters(fit$model)
  key <- function(d) paste(d$grp, pmin(d$var1, d$var2, na.rm = TRUE),
                           ifelse(is.na(d$var2), "", pmax(d$var1, d$var2)), sep = "\r")
  cbind(rows, parameter = known$r[match(key(rows), key(known))])
}

.tidy_ran_pars <- function(fit, scale) {
  rows <- .variance_rows(fit)
  if (is.null(rows)) return(NULL)
  prefix <- if (scale == "vcov") c("var", "cov") else c("sd", "cor")
  term <- apply(rows[c("var1", "var2")], 1L, function(v) {
    v <- v[!is.na(v)]
    if (!length(v)) v <- "Observation"
    paste0(prefix[length(v)], "__", paste(v, collapse = "."))
  })
  .tidy_rows("ran_pars", term, rows[[scale]], group = rows$grp, parameter = rows$parameter)
}

.tidy_ran_vals <- function(fit, level) UseMethod(".tidy_ran_vals", fit$model)
.tidy_ran_vals.default <- function(fit, level) refuse_class(fit, "A table of random effects")
.tidy_ran_vals.lme <- function(fit, level) do.call(rbind, lapply(modes_by_group(fit), function(g)
  .tidy_rows("ran_vals", rep(g$term, each = length(g$level)), as.vector(g$condval),
             group = g$grpvar,
             level = rep(g$level, length(g$term)))))
.tidy_ran_vals.merMod <- function(fit, level) {
  modes <- as.data.frame(ranef(fit$model, condVar = TRUE))
  z <- qnorm((1 + level) / 2)
  .tidy_rows("ran_vals", modes$term, modes$condval, group = modes$grpvar, level = modes$grp,
             std_error = modes$condsd, conf_low = modes$condval - z * modes$condsd,
             conf_high = modes$condval + z * modes$condsd)
}

.tidy_ran_coefs <- function(fit) {
  if (!inherits(fit$model, c("merMod", "lme")))
    refuse_class(fit, "A table of coefficients by group")
  coefs <- coefficients_by_group(fit$model)
  if (is.data.frame(coefs)) # nlme's are of the innermost groups
    coefs <- stats::setNames(list(coefs), utils::tail(names(fit$model$groups), 1L))
  do.call(rbind, lapply(names(coefs), function(g) {
    table <- coefs[[g]]
    .tidy_rows("ran_coefs", rep(names(table), each = nrow(table)), unlist(table), group = g,
               level = rep(row.names(table), ncol(table)))
  }))
}

#' One line about the model in broom's columns.
glance_table <- function(fit) UseMethod("glance_table", fit$model)
glance_table.lm <- function(fit) {
  model <- fit$model
  s <- summary(model)
  f <- s$fstatistic
  c(.glance_all(model), list(deviance = deviance(model)), if (inherits(model, "glm"))
    list(null_deviance = model$null.deviance, df_null = model$df.null)
    else list(r_squared = s$r.squared, adj_r_squared = s$adj.r.squared,
              statistic = if (length(f)) f[["value"]] else NA_real_,
              p_value = if (length(f)) pf(f[[1L]], f[[2L]], f[[3L]], lower.tail = FALSE) else
                NA_real_,
              df = if (length(f)) f[["numdf"]] else NA_real_))
}
glance_table.lme <- glance_table.gls <- function(fit) {
  model <- fit$model
  c(.glance_all(model),
    list(deviance = if (model$method == "ML") -2 * as.numeric(logLik(model)) else
NA_real_, reml_criterion = if (model$method == "REML") -2 * as.numeric(logLik(model))))
}
.glance_all <- function(model) {
  list(nobs = as.integer(nobs(model)), sigma = sigma(model), loglik = as.numeric(logLik(model)),
       aic = AIC(model), bic = BIC(model), df_residual = as.integer(residual_ddf(model)))
}
glance_table.merMod <- function(fit) {
  model <- fit$model
  reml <- lme4::isREML(model)
  list(nobs = nobs(model), sigma = sigma(model), loglik = as.numeric(logLik(model)),
       aic = AIC(model), bic = BIC(model),
       reml_criterion = if (reml) lme4::REMLcrit(model) else NULL,
       deviance = if (reml) deviance(model, REML = FALSE) else deviance(model),
       df_residual = df.residual(model))
}

#' The model frame, and what the fit says of each of its rows.
augment_table <- function(fit) UseMethod("augment_table", fit$model)
augment_table.lm <- function(fit) {
  model <- fit$model
  around <- influence(model, do.coef = FALSE)
  values <- list(.fitted = predict(model), .resid = residuals(model), .hat = around$hat,
                 .sigma = around$sigma, .cooksd = cooks.distance(model, infl = around),
                 .std.resid = standardized(model, around))
  list(data = .frame_columns(model.frame(model)), values = lapply(values, function(x)
    unname(as.numeric(x))))
}
augment_table.lme <- augment_table.gls <- function(fit) {
  model <- fit$model
  numbers <- list(.fitted = fitted(model), .resid = residuals(model))
  if (inherits(model, "lme")) numbers$.fixed <- fitted(model, level = 0)
  list(data = .frame_columns(nlme_frame(model)), values = lapply(numbers, as.numeric))
}

# The columns of a model frame one by one, those of a matrix under its names.
.frame_columns <- function(frame) {
  shown <- frame[setdiff(names(frame), c("(weights)", "(offset)"))]
  do.call(c, lapply(names(shown), function(n) {
    x <- shown[[n]]
    if (is.matrix(x)) {
      names <- if (is.null(colnames(x))) seq_len(ncol(x)) else colnames(x)
      names[!nzchar(names)] <- paste0("V", which(!nzchar(names)))
      return(stats::setNames(lapply(seq_len(ncol(x)), function(j) .column(as.vector(x[, j]))),
                             paste0(n, ".", names)))
    }
    class(x) <- setdiff(class(x), "AsIs")
    stats::setNames(list(.column(x)), n)
  }))
}

augment_table.merMod <- function(fit) {
  model <- fit$model
  frame <- model@frame
  data <- .frame_columns(frame)
  resp <- model@resp
  # as broom.mixed: the linear predictor of a generalized model, residuals by R's default type
  eta <- .unpadded(fit, predict(model))
  out <- list(.fitted = eta, .resid = .unpadded(fit, residuals(model)))
  if (!lme4::isNLMM(model)) # as broom.mixed: lme4 has none of these for a nonlinear model
    out <- c(out, list(.hat = hat_values(fit), .cooksd = if (length(fixef(model))) cooks_distances(
      fit) else rep(NA_real_, nrow(frame)),
                       .fixed = .unpadded(fit, predict(model, re.form = NA))))
  parts <- c("mu", "offset", "sqrtXwt", "sqrtrwt", "weights", "wtres", "gam", "eta")
  values <- lapply(stats::setNames(parts, paste0(".", parts)), function(p)
    if (p %in% ls(resp) || !is.null(tryCatch(resp[[p]], error = function(e) NULL)))
      as.numeric(resp[[p]]))
  values <- values[lengths(values) == nrow(frame)]
  list(data = data, values = c(out, values))
}
