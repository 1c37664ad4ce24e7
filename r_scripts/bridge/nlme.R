# nlme for what lme4 lacks: correlated residuals and variances by group, with lme() and gls().

#' Fit by nlme. `random` is NULL for gls; `structure` describes correlation and variances.
fit_nlme <- function(formula, data, data_name, random, structure, reml, control,
                     contrasts = NULL) {
  .need_package_nlme()
  .check_nlme_names(names(data))
  env <- new.env(parent = .nlme_home())
  assign(data_name, data, envir = env)
  fixed <- parse_formula(formula)
  check_length(fixed)
  if (!is.null(random) && "." %in% c(all.names(fixed), all.names(parse_formula(random))))
    refuse("FormulaError",
           "lme() of nlme takes '.' for the grouping factor, not for the other columns: ",
           "write the predictors out, 'y ~ a + b', or fit with pymlm.lmer, where it stands for ",
           "them")
  args <- list(fixed, data = as.name(data_name))
  names(args)[1L] <- if (is.null(random)) "model" else "fixed"
  if (!is.null(random)) args$random <- parse_formula(random)
  args$correlation <- .correlation_call(structure)
  if (!is.null(structure$variance_by))
    args$weights <- call("varIdent", form = .formula_call(structure$variance_by))
  # gls() of nlme takes contrasts from the columns alone; lme() has an argument, too.
  given <- .contrast_argument(contrasts)
  if (any(vapply(data[names(contrasts)], is.numeric, NA))) refuse("DataError", .no_contrasts)
  if (is.null(random)) for (name in names(contrasts)) {
    if (!is.factor(data[[name]])) data[[name]] <- factor(data[[name]])
    stats::contrasts(data[[name]]) <- coding_of(contrasts[name])[[1L]]
    assign(data_name, data, envir = env)
  } else {
    args$contrasts <- given$written
    for (name in names(given$bindings)) assign(name, given$bindings[[name]], envir = env)
  }
  args$method <- if (reml) "REML" else "ML"
  args$na.action <- as.name("na.omit")
  fun <- if (is.null(random)) "gls" else "lme"
  if (length(control)) args$control <- .written_call("list", lapply(control, .as_literal))
  fit <- as_fit(within_r_s_stacks(withCallingHandlers(
    eval(.written_call(fun, args), env),
    error = function(e) .explain_nlme(conditionMessage(e), fixed, as.name(data_name), env))))
  say_unused_codings(fit$model, given$bindings$.contrasts)
  fit
}

# lmer and lm leave columns out that others determine; nlme stops, and does not say which they are.
.explain_nlme <- function(text, formula, data, env) {
  explain_column(text, formula, data, env)
  if (grepl(too_large, text)) return() # this walk would be too long as well
  x <- tryCatch({
    formula <- eval(formula, env)
    frame <- model.frame(formula, eval(data, env))
    list(x = model.matrix(formula, frame), y = model.response(frame))
  }, error = function(e) NULL)
  if (is.null(x) || !all(is.finite(x$x))) return()
  found <- qr(x$x)
  spare <- colnames(x$x)[found$pivot[-seq_len(found$rank)]]
  if (length(spare) && nrow(x$x) > ncol(x$x))
    refuse("FitError", text, ". The other columns of the fixed part determine ",
           paste0("'", spare, "'", collapse = ", "), " (a constant beside the intercept, a sum of ",
           "others?), and nlme fits no such model; lmer and lm leave such columns out. Take them ",
           "out of the formula")
  if (is.numeric(x$y) && length(unique(x$y)) == 1L)
    refuse("FitError", text, ". The response is ", format(x$y[[1L]]), " in every complete row: ",
           "there is nothing to explain")
}

#' A formula in lme4's way as nlme's two: the fixed part, and the one random term.
nlme_parts <- function(text) {
  formula <- parse_formula(text)
  bars <- findbars(formula)
  if (length(bars) != 1L)
    refuse("FormulaError",
           "lme() takes one random term, in the formula as '+ (x | g)' or by random='~ x ",
           "| g'; this formula has ", length(bars),
           ". Nested factors: random='~ 1 | outer/inner'; ",
           "crossed ones: pymlm.lmer")
  formula[[3L]] <- nobars(formula[[3L]]) %||% 1
  bar <- bars[[1L]]
  list(fixed = paste(deparse(formula, width.cutoff = 500L), collapse = " "),
       random = paste("~", paste(deparse(bar, width.cutoff = 500L), collapse = " ")))
}

.need_package_nlme <- function() need_package("nlme", "lme() and gls()")

# nlme pastes its formulas together from the names, without backticks.
.check_nlme_names <- function(names) {
  plain <- vapply(names, function(name)
    identical(tryCatch(str2lang(name), error = function(e) NULL), as.name(name)), NA)
  if (!all(plain))
    refuse("DataError", "nlme cannot read the column name ", sQuote(names[!plain][1L], FALSE),
           ": its names are letters, digits, '.' and '_'. Rename the column")
}

# Formulas find nlme's functions, then pymlm's list of pure ones.
.nlme_home <- function() {
  home <- new.env(parent = .formula_home)
  for (name in c("lme", "gls", "corAR1", "corCAR1", "corCompSymm", "corSymm", "varIdent"))
    assign(name, getExportedValue("nlme", name), envir = home)
  home
}

# ~ 1 | g with g a column of any name.
.formula_call <- function(group, left = 1) {
  call("~", call("|", left, as.name(group)))
}

.correlation_call <- function(s) {
  if (is.null(s$correlation)) return(NULL)
  left <- if (is.null(s$time)) 1 else as.name(s$time)
  nested <- NULL
  for (g in s$group) nested <- if (is.null(nested)) as.name(g) else call("/", nested, as.name(g))
  form <- call("~", if (is.null(nested)) left else call("|", left, nested))
  fun <- c(ar1 = "corAR1", car1 = "corCAR1", cs = "corCompSymm", symm = "corSymm")
  call(fun[[s$correlation]], form = form)
}

describe.lme <- describe.gls <- function(fit) {
  m <- fit$model
  lme <- inherits(m, "lme")
  list(
    formula = paste(deparse(formula(m), width.cutoff = 500L), collapse = " "),
    nobs = as.integer(m$dims$N), dropped = as.integer(m$na.action),
    reml = identical(m$method, "REML"),
    ngroups = if (lme) {
      g <- m$groups
      as.list(vapply(g, function(x) length(unique(x)), 0L))
    } else list(),
    sigma = m$sigma, loglik = as.numeric(logLik(m)), npar = attr(logLik(m), "df"),
    aic = AIC(m), bic = BIC(m), is_lme = lme, df_residual = as.integer(residual_ddf(m)),
    frame_names = names(nlme_frame(m)), ddf = default_ddf(m)
  )
}

summary_native.lme <- summary_native.gls <- function(fit, ddf = NULL) summary(fit$model)

summary_result.lme <- summary_result.gls <- function(native, fit, ddf = NULL) {
  t <- native$tTable
  m <- fit$model
  df <- if ("DF" %in% colnames(t)) t[, "DF"] else rep(m$dims$N - m$dims$p, nrow(t))
  q <- qt(0.975, df)
  list(
    fixed = list(term = rownames(t), estimate = unname(t[, "Value"]),
                 std_error = unname(t[, "Std.Error"]), df = unname(as.numeric(df)),
                 statistic = unname(t[, "t-value"]), p_value = unname(t[, "p-value"]),
                 conf_low = unname(t[, "Value"] - q * t[, "Std.Error"]),
                 conf_high = unname(t[, "Value"] + q * t[, "Std.Error"])),
    correlation = unname(as.matrix(native$corFixed %||% native$corBeta)),
    scaled_residuals = unname(quantile(residuals(m, type = "pearson"), na.rm = TRUE))
  )
}

varcorr_native.lme <- function(fit) nlme::VarCorr(fit$model)
varcorr_native.gls <- function(fit) NULL

# nlme's own is text, made for the digits of its moment.
print.pymlm_varcorr_lme <- function(x, ...)
  print(nlme::VarCorr(structure(unclass(x), class = "lme")))

# Rows as lme4 gives them; nlme counts levels from the outermost.
varcorr_result.lme <- varcorr_result.gls <- function(native, fit) {
  m <- fit$model
  s <- m$sigma
  parts <- if (inherits(m, "lme")) lapply(m$modelStruct$reStruct, function(p)
    as.matrix(p) * s^2) else list()
  rows <- do.call(rbind, lapply(names(parts), function(grp) {
    V <- parts[[grp]]
    terms <- colnames(V)
    k <- nrow(V)
    own <- data.frame(grp = grp, var1 = terms, var2 = NA_character_, vcov = diag(V),
                      sdcor = sqrt(diag(V)))
    pairs <- which(lower.tri(V), arr.ind = TRUE)
    if (nrow(pairs)) own <- rbind(own, data.frame(
      grp = grp, var1 = terms[pairs[, 2L]], var2 = terms[pairs[, 1L]], vcov = V[pairs],
      sdcor = V[pairs] / sqrt(diag(V)[pairs[, 1L]] * diag(V)[pairs[, 2L]])))
    own
  }))
  rows <- rbind(rows, data.frame(grp = "Residual", var1 = NA_character_, var2 = NA_character_,
                                 vcov = s^2, sdcor = s))
  list(grp = rows$grp, var1 = rows$var1, var2 = rows$var2, vcov = rows$vcov, sdcor = rows$sdcor,
       sigma = s, use_sigma = TRUE,
       printed = if (inherits(m, "lme"))
         waits(structure(list(sigma = s, modelStruct = m$modelStruct["reStruct"]),
                         class = "pymlm_varcorr_lme")),
       matrices = lapply(names(parts), function(grp)
         list(grp = grp, terms = colnames(parts[[grp]]),
              covariance = unname(as.matrix(parts[[grp]])))))
}

#' Conditional modes of an lme, each grouping factor.
modes_by_group <- function(fit) {
  m <- fit$model
  if (!inherits(m, "lme"))
    refuse("NotSupportedError", "a gls model has no random effects; fit lme() for these")
  found <- nlme::ranef(m)
  if (is.data.frame(found)) found <- stats::setNames(list(found), names(m$groups)[1L])
  lapply(names(found), function(g) list(
    grpvar = g, level = rownames(found[[g]]), term = colnames(found[[g]]),
    condval = unname(as.matrix(found[[g]]))))
}

#' Coefficients of an lme's innermost groups.
coef_by_group <- function(fit) {
  m <- fit$model
  found <- coefficients_by_group(m)
  list(grpvar = utils::tail(names(m$groups), 1L), level = rownames(found),
       term = colnames(found), values = unname(as.matrix(found)))
}

# Types I and III are nlme's sequential and marginal tests, II is car's (Wald chi-squared).
anova_native.lme <- anova_native.gls <- function(fit, type = "I", ddf = NULL) {
  z <- checked_ddf(fit, ddf) == "asymptotic"
  say_without_intercept(structure(list(terms = terms(fit$model), model = nlme_frame(fit$model)),
                                  class = "lm"))
  if (type == "II" || z) {
    need_package("car", "Wald chi-squared tests of nlme's models")
    if (type == "I") refuse("NotSupportedError", "sequential tests (type=1) of a ",
                            kind_of(fit$model), " are F tests: leave ddf out")
    return(car::Anova(nlme_with_data(fit$model), type = type))
  }
  anova(fit$model, type = if (type == "I") "sequential" else "marginal")
}

anova_result.lme <- anova_result.gls <- function(native, fit, type = "I", ddf = NULL) {
  chisq <- "Chisq" %in% names(native)
  out <- anova_fields(native, if (chisq) "asymptotic" else default_ddf(fit$model), type)
  if (!chisq && is.null(out$den_df)) out$den_df <- rep(residual_ddf(fit$model), length(out$term))
  out
}

#' The model with its data in its call, for packages that look for them in places of their own.
nlme_with_data <- function(model) {
  model$call$data <- structure(nlme_frame(model), na.action = NULL)
  model$na.action <- NULL
  model
}

residual_values.lme <- residual_values.gls <- function(fit, type) nlme_rows(fit, "residuals", type)

#' Parameters of the correlation structure and ratios of standard deviations, on their own scale.
nlme_structure <- function(fit) {
  s <- fit$model$modelStruct
  cor <- if (!is.null(s$corStruct)) coef(s$corStruct, unconstrained = FALSE)
  var <- if (!is.null(s$varStruct)) coef(s$varStruct, unconstrained = FALSE, allCoef = TRUE)
  list(correlation_name = names(cor), correlation = unname(as.numeric(cor)),
       ratio_name = names(var), ratio = unname(as.numeric(var)))
}

#' Correlation matrix of the residuals of one group, and their standard deviations.
nlme_residual_matrix <- function(fit, group) {
  m <- fit$model
  V <- if (inherits(m, "lme")) nlme::getVarCov(m, individuals = group, type = "conditional")[[1L]]
  else nlme::getVarCov(m, individual = group)
  unname(as.matrix(unclass(V)))
}

#' Levels of the innermost grouping factor.
nlme_groups <- function(fit) {
  m <- fit$model
  g <- if (inherits(m, "lme")) m$groups[[ncol(m$groups)]] else nlme::getGroups(m)
  if (is.null(g)) character() else levels(as.factor(g))
}

#' Fitted values or residuals of a model of nlme, in the order of its rows.
nlme_rows <- function(fit, what, type = "response", level = NULL) {
  m <- fit$model
  args <- list(m)
  if (what == "residuals") args$type <- type
  if (inherits(m, "lme") && !is.null(level)) args$level <- level
  out <- do.call(if (what == "residuals") stats::residuals else stats::fitted, args)
  as.numeric(out)
}

confint_native.lme <- confint_native.gls <- function(fit, level = 0.95) {
  tryCatch(nlme::intervals(fit$model, level = level), error = function(e)
    refuse("NotSupportedError", "nlme has no intervals of this model's variances: ",
           sub("\n.*", "", conditionMessage(e)),
           ". The fit is at a boundary or near it: fit fewer ",
           "random effects, or take the fixed effects' intervals from m.tidy(conf_int=True)"))
}

confint_result.lme <- confint_result.gls <- function(native, fit, level = 0.95) {
  rows <- list()
  add <- function(part, group, m) for (i in seq_len(nrow(m)))
    rows[[length(rows) + 1L]] <<- list(part = part, group = group, term = rownames(m)[i],
                                      low = m[i, 1L], est = m[i, 2L], high = m[i, 3L])
  if (!is.null(native$fixed)) add("fixed", "", as.matrix(native$fixed))
  if (!is.null(native$coef)) add("fixed", "", as.matrix(native$coef))
  for (g in names(native$reStruct)) add("random", g, as.matrix(native$reStruct[[g]]))
  if (!is.null(native$corStruct)) add("correlation", "", as.matrix(native$corStruct))
  if (!is.null(native$varStruct)) add("variance ratio", "", as.matrix(native$varStruct))
  if (!is.null(native$sigma)) {
    s <- as.numeric(native$sigma)
    rows[[length(rows) + 1L]] <- list(part = "sigma", group = "", term = "sigma", low = s[1L],
                                      est = s[2L], high = s[3L])
  }
  text <- function(f) vapply(rows, function(r) as.character(r[[f]]), "")
  number <- function(f) vapply(rows, function(r) as.numeric(r[[f]]), 0)
  list(part = text("part"), group = text("group"), term = text("term"),
       estimate = number("est"), conf_low = number("low"), conf_high = number("high"),
       level = level)
}

#' anova() of nlme on two or more fits.
nlme_compare <- function(...) {
  fits <- list(...)
  models <- lapply(fits, function(f) f$model)
  if (length(unique(vapply(models, function(m) m$dims$N, 0))) > 1L)
    refuse("ComparisonError", "the models were fitted to different numbers of rows")
  methods <- vapply(models, function(m) m$method, "")
  fixed <- vapply(models, function(m) paste(sort(names(coefs(m))), collapse = " "), "")
  if (length(unique(methods)) > 1L)
    refuse("ComparisonError", "some models were fitted by REML and some by ML; refit them alike")
  if (methods[1L] == "REML" && length(unique(fixed)) > 1L)
    refuse("ComparisonError", "REML likelihoods of models with different fixed effects cannot be ",
           "compared; refit them with reml=False")
  ll <- lapply(models, logLik)
  df <- vapply(ll, attr, 0, "df")
  value <- vapply(ll, as.numeric, 0)
  chisq <- c(NA, 2 * abs(diff(value)))
  more <- c(NA, abs(diff(df)))
  chisq[more %in% 0] <- more[more %in% 0] <- NA
  list(npar = df, aic = vapply(models, AIC, 0), bic = vapply(models, BIC, 0), loglik = value,
       chisq = chisq, df = more, p_value = pchisq(chisq, more, lower.tail = FALSE))
}

#' The rows that a fit used, with na.action as model.frame() gives it; the data are in the formula's
#' environment, also after readRDS().
nlme_frame <- function(model) {
  data <- eval(getCall(model)$data, environment(formula(model)))
  dropped <- model$na.action
  if (!length(dropped)) return(data)
  names(dropped) <- row.names(data)[dropped]
  data <- data[-dropped, , drop = FALSE]
  attr(data, "na.action") <- dropped
  data
}
