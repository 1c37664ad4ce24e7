# The model as broom.mixed tabulates it, by lme4's own functions: broom.mixed itself is not needed.

tidy_table <- function(fit, effects, ddf = NULL, level = 0.95, scale = "sdcor") {
  parts <- lapply(effects, function(e) switch(e,
    fixed = .tidy_fixed(fit, ddf, level),
    ran_pars = .tidy_ran_pars(fit, scale),
    ran_vals = .tidy_ran_vals(fit, level),
    ran_coefs = .tidy_ran_coefs(fit)))
  joined <- do.call(rbind, parts)
  as.list(joined)
}

.tidy_rows <- function(effect, term, estimate, group = NA, level = NA, std_error = NA, df = NA,
                       statistic = NA, p_value = NA, conf_low = NA, conf_high = NA, parameter = NA) {
  text <- function(x) rep_len(as.character(x), length(term)) # there may be no term at all
  number <- function(x) rep_len(as.numeric(x), length(term))
  data.frame(effect = text(effect), group = text(group), level = text(level), term = text(term),
             estimate = number(estimate), std_error = number(std_error), df = number(df),
             statistic = number(statistic), p_value = number(p_value),
             conf_low = number(conf_low), conf_high = number(conf_high), parameter = text(parameter))
}

.tidy_fixed <- function(fit, ddf, level) {
  linear <- lme4::isLMM(fit$model)
  native <- if (linear) summary_native(fit, ddf = ddf) else summary(fit$model)
  f <- fixed_effects(native$coefficients, ddf, level)
  none <- rep(NA_real_, length(f$term))
  .tidy_rows("fixed", f$term, f$estimate, std_error = f$std_error,
             df = if (is.null(f$df)) none else f$df, statistic = f$statistic,
             p_value = if (is.null(f$p_value)) none else f$p_value,
             conf_low = f$conf_low, conf_high = f$conf_high, parameter = f$term)
}

.tidy_ran_pars <- function(fit, scale) {
  rows <- as.data.frame(VarCorr(fit$model), order = "lower.tri")
  prefix <- if (scale == "vcov") c("var", "cov") else c("sd", "cor")
  term <- apply(rows[c("var1", "var2")], 1L, function(v) {
    v <- v[!is.na(v)]
    if (!length(v)) v <- "Observation"
    paste0(prefix[length(v)], "__", paste(v, collapse = "."))
  })
  # VarCorr() numbers two terms of one group (g, g.1) and profile() does not: by what they are.
  known <- variance_parameters(fit$model)
  key <- function(d) paste(d$grp, pmin(d$var1, d$var2, na.rm = TRUE),
                           ifelse(is.na(d$var2), "", pmax(d$var1, d$var2)), sep = "\r")
  .tidy_rows("ran_pars", term, rows[[scale]], group = rows$grp,
             parameter = known$r[match(key(rows), key(known))])
}

.tidy_ran_vals <- function(fit, level) {
  modes <- as.data.frame(ranef(fit$model, condVar = TRUE))
  z <- qnorm((1 + level) / 2)
  .tidy_rows("ran_vals", modes$term, modes$condval, group = modes$grpvar, level = modes$grp,
             std_error = modes$condsd, conf_low = modes$condval - z * modes$condsd,
             conf_high = modes$condval + z * modes$condsd)
}

.tidy_ran_coefs <- function(fit) {
  coefs <- coefficients_by_group(fit$model)
  do.call(rbind, lapply(names(coefs), function(g) {
    table <- coefs[[g]]
    .tidy_rows("ran_coefs", rep(names(table), each = nrow(table)), unlist(table), group = g,
               level = rep(row.names(table), ncol(table)))
  }))
}

glance_table <- function(fit) {
  model <- fit$model
  reml <- lme4::isREML(model)
  list(nobs = nobs(model), sigma = sigma(model), loglik = as.numeric(logLik(model)),
       aic = AIC(model), bic = BIC(model),
       reml_criterion = if (reml) lme4::REMLcrit(model) else NULL,
       deviance = if (reml) deviance(model, REML = FALSE) else deviance(model),
       df_residual = df.residual(model))
}

#' The model frame, and what the fit says of each of its rows.
augment_table <- function(fit) {
  model <- fit$model
  frame <- model@frame
  shown <- frame[setdiff(names(frame), c("(weights)", "(offset)"))]
  data <- do.call(c, lapply(names(shown), function(n) {
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
  resp <- model@resp
  # as broom.mixed: the linear predictor of a generalized model, residuals by R's default type
  eta <- .unpadded(fit, predict(model))
  out <- list(.fitted = eta, .resid = .unpadded(fit, residuals(model)))
  if (!lme4::isNLMM(model)) # as broom.mixed: lme4 has none of these for a nonlinear model
    out <- c(out, list(.hat = hat_values(fit), .cooksd = if (length(fixef(model))) cooks_distances(fit) else rep(NA_real_, nrow(frame)),
                       .fixed = .unpadded(fit, predict(model, re.form = NA))))
  parts <- c("mu", "offset", "sqrtXwt", "sqrtrwt", "weights", "wtres", "gam", "eta")
  values <- lapply(stats::setNames(parts, paste0(".", parts)), function(p)
    if (p %in% ls(resp) || !is.null(tryCatch(resp[[p]], error = function(e) NULL)))
      as.numeric(resp[[p]]))
  values <- values[lengths(values) == nrow(frame)]
  list(data = data, values = c(out, values))
}
