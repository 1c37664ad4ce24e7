# Alternatives to a multilevel model: plm's panel estimators, robust covariance matrices, GEE.

#' A panel model of plm, for single-level formulas; `by` is the individual index.
ml_fit_panel <- function(formula, data, data_name, by, model) {
  need_package("plm", "the panel estimators")
  env <- new.env(parent = .formula_home)
  env$plm <- plm::plm
  formula <- parse_formula(formula)
  # plm finds columns by names that R's own grammar knows; others travel under such names.
  safe <- stats::setNames(make.names(names(data), unique = TRUE), names(data))
  changed <- safe[safe != names(safe)]
  if (length(changed)) {
    formula <- do.call(substitute, list(formula, lapply(as.list(changed), as.name)))
    names(data) <- unname(safe)
  }
  assign(data_name, data, envir = env)
  args <- list(formula = formula, data = as.name(data_name), index = safe[[by]], model = model)
  fit <- tryCatch(as_fit(eval(.written_call("plm", args), env)), error = function(e) {
    if (grepl("empty model", conditionMessage(e)))
      refuse("DataError", "no predictor varies within any '", by, "' (or every group has one row),",
             " so the ", model, " estimator, which needs the within variation, has nothing to fit")
    stop(e)
  })
  fit$kept$renamed <- changed
  fit
}

# Names as R writes them for the user's own columns: `my x`:z for my.x:z.
.own_names <- function(terms, changed) {
  if (!length(changed)) return(terms)
  vapply(strsplit(terms, ":", fixed = TRUE), function(parts) {
    at <- match(parts, changed)
    parts[!is.na(at)] <- paste0("`", names(changed)[at[!is.na(at)]], "`")
    paste(parts, collapse = ":")
  }, "")
}

#' The panel estimator as plm has it.
ml_panel_native <- function(fit) summary(fit$model)

ml_panel_result <- function(native, fit) {
  model <- fit$model
  # plm adjusts its counts for panels: of the summary's matrix only the table is read.
  rho <- if (!is.null(model$ercomp)) model$ercomp$sigma2
  pdim <- plm::pdim(model)
  list(
    fixed = fixed_effects(.with_df(native$coefficients, model, fit$kept$renamed)),
    model = model$args$model,
    r_squared = unname(plm::r.squared(model)),
    nobs = as.integer(nobs(model)), ngroups = as.integer(pdim$nT$n),
    sigma_u = if (is.null(rho)) NA_real_ else sqrt(rho[["id"]]),
    sigma_e = if (is.null(rho)) sqrt(stats::deviance(model) / df.residual(model))
              else sqrt(rho[["idios"]]),
    theta = if (is.null(model$ercomp)) NULL else as.numeric(unlist(model$ercomp$theta))
  )
}

# t tests get the residual df; z tests have none.
.with_df <- function(table, model, changed) {
  rownames(table) <- .own_names(rownames(table), changed)
  colnames(table) <- sub("z-value", "z value", sub("t-value", "t value", colnames(table)))
  if (!"t value" %in% colnames(table)) return(table)
  cbind(table[, 1:2, drop = FALSE], df = df.residual(model), table[, -(1:2), drop = FALSE])
}

#' Hausman's test of the random-effects estimator: plm's phtest().
ml_hausman <- function(within, random) {
  test <- plm::phtest(within$model, random$model)
  list(chisq = unname(test$statistic), df = as.numeric(test$parameter),
       p_value = unname(test$p.value), printed = waits(test))
}

#' Cluster-robust tests of the coefficients; `cluster` has one entry per row used.
ml_cluster_robust <-
  function(fit, cluster, type, level = 0.95, boot_type = "xy", nsim = 500L, seed = NULL) {
  model <- fit$model
  if (is.data.frame(cluster)) cluster <- factor(cluster[[1L]])
  mixed <- inherits(model, "merMod")
  if (inherits(model, "lm")) need_fixed_effects(fit, "A robust standard error")
  if (mixed) {
    .need_linear(fit, "Cluster-robust standard errors")
    need_fixed_effects(fit, "A cluster-robust covariance matrix")
    if (is_membership(model))
      refuse("NotSupportedError", "the rows of a multiple-membership model belong to several ",
             "clusters at once, so there are no independent clusters to be robust to")
  }
  if (type == "bootstrap") {
    if (!inherits(model, "lm"))
      refuse("NotSupportedError", "the bootstrap of clusters is there for pymlm.lm; of a ",
             kind_of(model),
             ", m.bootstrap() and m.confint(method='boot') simulate from the model")
    .bootstrap_errors(fit, cluster, boot_type, nsim, seed, level)
  } else if (substr(type, 1L, 2L) == "CR") .club_sandwich(model, cluster, type, level)
  else if (mixed)
    refuse("NotSupportedError", "sandwich has no HC estimators for lmer fits (no estfun method). ",
           "Ask for type='CR2' (or CR0, CR1, CR3), which clubSandwich computes")
  else .sandwich(model, cluster, type, level)
}

.club_sandwich <- function(model, cluster, type, level) {
  need_package("clubSandwich", "CR0 to CR3")
  if (inherits(model, "lmerModLmerTest")) model <- as_class(model, "lmerMod")
  if (inherits(model, "gls"))
    refuse("NotSupportedError",
           "clubSandwich does not find the data of a gls model that was fitted from ",
           "here. Ask of pymlm.lm, whose coefficients differ by the weights alone, or of pymlm.lme")
  if (inherits(model, "lme")) model <- nlme_with_data(model)
  args <- list(model, type = type)
  if (!is.null(cluster)) args$cluster <- factor(cluster)
  v <- tryCatch(do.call(clubSandwich::vcovCR, args), error = function(e) {
    if (grepl("Non-nested|nested", conditionMessage(e)))
      refuse("NotSupportedError", "clubSandwich needs random effects that are nested within the ",
             "clusters: ", conditionMessage(e))
    if (grepl("prior weights", conditionMessage(e)))
      refuse("NotSupportedError", "clubSandwich has no robust errors for lmer fits with prior ",
             "weights. pymlm.lm(..., weights=) with the same clusters has them")
    stop(e)
  })
  test <- clubSandwich::coef_test(model, vcov = v, test = "Satterthwaite")
  c(.robust_list(rownames(test), test$beta, test$SE, test$df_Satt, test$p_Satt, as.matrix(v),
                 attr(v, "cluster"), "Satterthwaite", type, level),
    list(printed = waits(test)))
}

# t with clusters - 1 degrees of freedom: Cameron & Miller 2015.
.sandwich <- function(model, cluster, type, level) {
  need_package("sandwich", "HC0 to HC3")
  v <- sandwich::vcovCL(model, cluster = factor(cluster), type = type)
  b <- coef(model)[colnames(v)]
  se <- sqrt(diag(v))
  df <- rep(nlevels(factor(cluster)) - 1, length(b))
  .robust_list(names(b), b, se, df, 2 * pt(-abs(b / se), df), v, factor(cluster),
               "clusters - 1", type, level)
}

.robust_list <- function(term, b, se, df, p, v, cluster, ddf, type, level) {
  half <- qt((1 + level) / 2, df) * se
  list(term = as.character(term), estimate = unname(b), std_error = unname(se), df = unname(df),
       statistic = unname(b / se), p_value = unname(p), conf_low = unname(b - half),
       conf_high = unname(b + half), statistic_name = "t", ddf = ddf, type = type,
       vcov = unname(matrix(as.numeric(v), nrow(v))), n_clusters = nlevels(factor(cluster)),
       level = level)
}

#' GEE; the rows must come sorted by cluster, for geepack takes a change of id as a new cluster.
ml_fit_gee <- function(formula, data, data_name, by, family, link, corstr, std_err) {
  need_package("geepack", "GEE")
  env <- new.env(parent = .formula_home)
  env$geeglm <- geepack::geeglm
  assign(data_name, data, envir = env)
  written <- if (is.null(link)) as.name(family) else .written_call(family, list(link = link))
  args <- list(formula = parse_formula(formula), family = written, data = as.name(data_name),
               id = as.name(by), corstr = corstr, std.err = std_err)
  as_fit(eval(.written_call("geeglm", args), env))
}

#' Generalized estimating equations as geepack has them.
ml_gee_native <- function(fit, level = 0.95) summary(fit$model)

ml_gee_result <- function(native, fit, level = 0.95) {
  table <- native$coefficients
  b <- table[["Estimate"]]
  se <- table[["Std.err"]]
  half <- qnorm((1 + level) / 2) * se
  alpha <- native$corr
  list(
    fixed = list(term = rownames(table), estimate = b, std_error = se, statistic = b / se,
                 p_value = 2 * pnorm(-abs(b / se)), conf_low = b - half, conf_high = b + half,
                 statistic_name = "z"),
    corstr = fit$model$corstr,
    alpha = if (length(alpha) && nrow(alpha)) alpha[["Estimate"]] else numeric(),
    alpha_std_error = if (length(alpha) && nrow(alpha)) alpha[["Std.err"]] else numeric(),
    scale = native$dispersion[["Estimate"]][1L],
    n_clusters = length(native$clusz), max_cluster = as.integer(max(native$clusz)),
    nobs = as.integer(sum(native$clusz)), family = fit$model$family$family
  )
}
