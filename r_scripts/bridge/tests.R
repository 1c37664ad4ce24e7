# Tests of fixed effects: anova, contest, drop1, step, ls_means.

# --- anova ----------------------------------------------------------------------------------------

.test_instead <- "Test parameters by m.contest('a = 0'), or compare two fits by pymlm.lrt(m0, m1)"

#' Tests of the fixed part's terms: anova() of the class.
anova_native <- function(fit, ...) UseMethod("anova_native", fit$model)
anova_native.merMod <- function(fit, type, ddf = NULL) {
  need_linear_predictor(fit, "An analysis of variance table", .test_instead)
  say_without_intercept(fit$model)
  if (is.null(ddf)) {
    need_fixed_effects(fit, "lme4's analysis of variance table")
    if (type != "I")
      message("this is lme4's own table, which is sequential (type I), not of type ", type,
              ": ask for ddf='asymptotic', Wald tests")
    return(anova(plain_model(fit)))
  }
  switch(ddf,
    "Satterthwaite" = anova(lmertest_model(fit), type = type, ddf = ddf),
    "Kenward-Roger" = no_fallback(anova(kenward_roger_model(fit), type = type, ddf = ddf)),
    if (type == "II" && ddf == "asymptotic" && isGLMM(fit$model)) .car_wald(fit) else
    .wald_anova(fit, .contrasts_of_type(fit$model, type), ddf,
                paste("Type", type, "Analysis of Variance Table with"))
  )
}

#' Type II of a generalized model: the weights of its rows count, which lmerTest's hypotheses leave
#' out.
.car_wald <- function(fit) {
  need_package("car", "tests of type II of generalized mixed models")
  need_fixed_effects(fit, "An analysis of variance table")
  car::Anova(fit$model, type = "II")
}

#' Without an intercept R codes the first factor by all its levels, and its test asks another
#' question.
say_without_intercept <- function(model) {
  terms <- terms(model)
  if (attr(terms, "intercept") || !length(attr(terms, "term.labels"))) return(invisible())
  frame <- model.frame(model)
  main <- attr(terms, "term.labels")[attr(terms, "order") == 1L]
  factors <- Filter(function(name) {
    x <- frame[[gsub("^`|`$", "", name)]]
    is.factor(x) || is.character(x) || is.logical(x)
  }, main)
  if (length(factors))
    advise("the model has no intercept: the row ", factors[1L],
           " tests that the mean of every level ",
           "is 0, not that the levels are alike. Fit the model with its intercept to test that")
}

# lme4's own table is sequential, whatever type was asked for.
anova_result <- function(native, fit, ...) UseMethod("anova_result", fit$model)
anova_result.merMod <- function(native, fit, type, ddf = NULL) {
  anova_fields(native, ddf, if (is.null(ddf)) "I" else type)
}

#' A table of class anova as the fields of AnovaTable, whatever its columns are called.
anova_fields <- function(table, ddf, type = NULL) {
  column <- function(...) {
    at <- match(c(...), names(table))
    at <- at[!is.na(at)]
    if (length(at)) as.numeric(table[[at[1L]]])
  }
  chisq <- any(c("Chisq", "LRT", "LR Chisq", "scaled dev.") %in% names(table))
  list(term = rownames(table), sum_sq = column("Sum Sq", "Sum of Sq"), mean_sq = column("Mean Sq"),
       num_df = column("NumDF", "npar", "Df", "numDF"),
       den_df = if (identical(ddf, "asymptotic")) rep(Inf, nrow(table)) else
         column("DenDF", "denDF"),
       statistic = column("F value", "F values", "F-value", "Chisq", "LRT", "LR Chisq",
                          "scaled dev."),
       p_value = column("Pr(>F)", "p-value", "Pr(>Chisq)", "Pr(>Chi)", "Pr(Chi)"),
       aic = column("AIC"),
       statistic_name = if (chisq) "chisq" else "F", type = type, ddf = ddf)
}

.contrasts_of_type <- function(model, type) {
  name <- c(I = "get_contrasts_type1", II = "get_contrasts_type2_unfolded",
            III = "get_contrasts_type3")[[type]]
  utils::getFromNamespace(name, "lmerTest")(model)
}

#' lme4's own model, without what lmerTest added.
plain_model <- function(fit) {
  if (inherits(fit$model, "lmerModLmerTest")) as_class(fit$model, "lmerMod") else fit$model
}

# Wald tests with degrees of freedom that need no estimation: F by the between-within rule, or
# chi-squared.
.wald_anova <- function(fit, contrasts, ddf, heading) {
  ddf <- checked_ddf(fit, ddf)
  contrasts <- contrasts[vapply(contrasts, nrow, 0L) > 0L]
  rows <- lapply(names(contrasts), function(term)
    .wald_test(fit, contrasts[[term]], 0, ddf, .term_ddf(fit, term, ddf)))
  table <- if (length(rows)) do.call(rbind, rows) else .wald_row(ddf, fit$model)
  if (length(rows)) rownames(table) <- names(contrasts)
  structure(table, heading = paste(heading, if (ddf == "asymptotic") "Wald chi-square tests"
                                   else .ddf_label(ddf)),
            hypotheses = contrasts, class = c("anova", "data.frame"))
}

.term_ddf <- function(fit, term, ddf) {
  if (ddf == "asymptotic") Inf else between_within_terms(fit)[[term]]
}

# (Lb - c)' (L V L')^- (Lb - c) with as many degrees of freedom as L V L' has rank, lmerTest's own
# rule for what is zero.
.wald_test <- function(fit, L, rhs, ddf, den_df) {
  model <- fit$model
  if (anyNA(L)) return(.wald_row(ddf, model, NA_real_, NA_real_, NA_real_))
  distance <- drop(L %*% coefs(model)) - rhs
  parts <- eigen(L %*% coefs_vcov(model) %*% t(L), symmetric = TRUE)
  keep <- parts$values > max(sqrt(.Machine$double.eps) * parts$values[1L], 0)
  if (!all(keep) && any(rhs != 0)) warning("Contrast is rank deficient and test may be affected")
  along <- drop(crossprod(parts$vectors[, keep, drop = FALSE], distance))
  .wald_row(ddf, model, sum(along^2 / parts$values[keep]), sum(keep), den_df)
}

.wald_row <- function(ddf, model, chisq = numeric(), df = numeric(), den_df = numeric()) {
  if (ddf == "asymptotic")
    return(data.frame(Chisq = chisq, Df = df,
                      `Pr(>Chisq)` = pchisq(chisq, df, lower.tail = FALSE), check.names = FALSE))
  F <- chisq / df
  data.frame(`Sum Sq` = chisq * sigma(model)^2, `Mean Sq` = F * sigma(model)^2, NumDF = df,
             DenDF = den_df, `F value` = F, `Pr(>F)` = pf(F, df, den_df, lower.tail = FALSE),
             check.names = FALSE)
}

# --- contest --------------------------------------------------------------------------------------

#' Tests of L b = rhs; `L` is a list of rows. Joint: one test of all; else one a row.
contest_native <- function(fit, L, rhs, labels = NULL, joint = FALSE, ddf = NULL, level = 0.95) {
  ddf <- checked_ddf(fit, ddf)
  L <- matrix(unlist(L), nrow = length(L), byrow = TRUE)
  if (joint) return(.contest_joint(fit, L, rhs, ddf))
  table <- do.call(rbind, lapply(seq_len(nrow(L)), function(i)
    .contest_row(fit, L[i, ], rhs[i], ddf, level)))
  rownames(table) <- labels
  table
}

.contest_row <- function(fit, L, rhs, ddf, level) {
  model <- .contest_model(fit, ddf)
  if (ddf %in% c("Satterthwaite", "Kenward-Roger"))
    return(no_fallback(lmerTest::contest1D(model, L, rhs = rhs, ddf = ddf, confint = TRUE,
                                           level = level)))
  estimate <- sum(L * coefs(model))
  se <- sqrt(drop(L %*% coefs_vcov(model) %*% L))
  df <- min(coef_ddf(fit, ddf)[L != 0], Inf)
  t <- (estimate - rhs) / se
  half <- qt((1 + level) / 2, df) * se
  name <- if (ddf == "asymptotic") c("z value", "Pr(>|z|)") else c("t value", "Pr(>|t|)")
  out <- data.frame(estimate, se, df, t, estimate - half, estimate + half, 2 * pt(-abs(t), df))
  stats::setNames(out, c("Estimate", "Std. Error", "df", name[1L], "lower", "upper", name[2L]))
}

.contest_joint <- function(fit, L, rhs, ddf) {
  model <- .contest_model(fit, ddf)
  if (ddf %in% c("Satterthwaite", "Kenward-Roger"))
    return(no_fallback(lmerTest::contestMD(model, L, rhs = rhs, ddf = ddf)))
  df <- min(coef_ddf(fit, ddf)[colSums(L != 0) > 0], Inf)
  .wald_test(fit, L, rhs, ddf, df)
}

.contest_model <- function(fit, ddf) {
  switch(ddf, "Satterthwaite" = lmertest_model(fit), "Kenward-Roger" = kenward_roger_model(fit),
         fit$model)
}

contest_result <- function(native, fit, L, rhs, labels = NULL, joint = FALSE, ddf = NULL,
                           level = 0.95) {
  ddf <- checked_ddf(fit, ddf)
  rows <- unname(matrix(unlist(L), nrow = length(L), byrow = TRUE))
  asked <- list(hypotheses = rows, rhs = rhs, coefficients = names(coefs(fit$model)),
                response = response_text(fit$model))
  if (joint) return(c(anova_fields(native, ddf), asked))
  c(estimate_fields(native, ddf, level), asked)
}

#' A table of estimates by lmerTest as fields of Contest and LsMeans.
estimate_fields <- function(table, ddf, level) {
  column <- function(...) as.numeric(table[[intersect(c(...), names(table))[1L]]])
  list(term = rownames(table), estimate = column("Estimate"), std_error = column("Std. Error"),
       df = column("df"), statistic = column("t value", "z value"),
       p_value = column("Pr(>|t|)", "Pr(>|z|)"), conf_low = column("lower"),
       conf_high = column("upper"),
       statistic_name = if ("z value" %in% names(table)) "z" else "t", level = level, ddf = ddf)
}

# --- drop1, step, ls_means ------------------------------------------------------------------------

#' Tests of terms left out one by one: drop1() of the class.
drop1_native <- function(fit, ...) UseMethod("drop1_native", fit$model)
drop1_native.default <- function(fit, ...)
  refuse_class(fit, "drop1", "m.anova() has the marginal tests of terms")
drop1_native.merMod <- function(fit, scope = NULL, ddf = NULL) {
  need_linear_predictor(fit, "drop1", .test_instead)
  model <- switch(if (is.null(ddf)) "none" else ddf, "Satterthwaite" = lmertest_model(fit),
                  "Kenward-Roger" = kenward_roger_model(fit), plain_model(fit))
  scope <- .droppable(model, scope)
  if (is.null(ddf)) return(in_model_data(fit, quote(drop1(.model, scope = .scope, test = "Chisq")),
                                         .model = model, .scope = scope))
  if (ddf %in% c("Satterthwaite", "Kenward-Roger"))
    return(no_fallback(drop1(model, scope = scope, ddf = ddf)))
  contrasts <- utils::getFromNamespace("get_contrasts_marginal", "lmerTest")(model)[scope]
  .wald_anova(fit, contrasts, ddf, "Single term deletions using")
}
drop1_native.lm <- function(fit, scope = NULL, ddf = NULL) {
  z <- checked_ddf(fit, ddf) == "asymptotic"
  in_model_data(fit, quote(drop1(.model, scope = .scope, test = .test)), .model = fit$model,
                .scope = .droppable(fit$model, scope), .test = if (z) "Chisq" else "F")
}

# Terms that can go: all that may, or those of `scope`.
.droppable <- function(model, scope) {
  marginal <- drop.scope(terms(model))
  unknown <- setdiff(scope, marginal)
  if (length(unknown))
    refuse("ArgumentError", "drop1 cannot drop ", paste(sQuote(unknown, FALSE), collapse = ", "),
           ".", near_terms(unknown[1L], marginal),
           " Terms that can go without leaving an interaction without its parts are ",
           paste(sQuote(marginal, FALSE), collapse = ", "))
  scope <- if (is.null(scope)) marginal else scope
  if (!length(scope))
    refuse("NotSupportedError", "there is no term to drop: the fixed part is the intercept alone")
  scope
}

drop1_result <- function(native, fit, scope = NULL, ddf = NULL) {
  if (isS4(fit$model)) return(anova_fields(native, ddf))
  out <- anova_fields(native, checked_ddf(fit, ddf))
  if (out$statistic_name == "F")
    out$den_df <- ifelse(is.na(out$statistic), NA, residual_ddf(fit$model))
  out
}

#' Evaluate `expr` where the model's data are; `...` are further objects that it names.
in_model_data <- function(fit, expr, ...) {
  home <- environment(formula(fit$model))
  data <- (if (isS4(fit$model)) fit$model@call else fit$model$call)$data
  if (is.name(data) && !is.data.frame(get0(as.character(data), envir = home)))
    refuse_without_data(as.character(data))
  tryCatch(eval(expr, list(...), home), error = function(e) {
    .explain_missing(fit$model, conditionMessage(e))
    if (!grepl("number of rows in use has changed", conditionMessage(e), fixed = TRUE)) stop(e)
    refuse("DataError",
           "some rows are missing only in a term that would leave the model: without it ",
           "they come back, and the fits would be of different data. Fit to complete rows: ",
           "data.dropna(subset=[...]) with the formula's columns")
  })
}

#' The error where R would fit other models, and the data are not there.
refuse_without_data <- function(data, why = "") {
  refuse("DataError", "the data of this model ('", data,
         "') are not with it, and this needs them to ",
         "fit other models", why, ". Fit the model in pymlm, or save it in R from a function or ",
         "environment that holds the data")
}

# A model from R's workspace has its own frame for data, without what stands inside of functions.
.explain_missing <- function(model, text) {
  name <- sub("^object '(.*)' not found$", "\\1", text)
  if (name != text && name %in% all.vars(formula(model)))
    refuse_without_data(deparse1(getCall(model)$data),
                        paste0(": '", name, "' stands inside a function"))
}

#' The model with a call that names nothing, for functions that evaluate it in places of their own
#' (lmerTest's step where a random effect goes, pbkrtest's SATmodcomp).
self_contained <- function(fit, model) {
  for (part in intersect(.named_in_call, names(model@call)))
    model@call[[part]] <- in_model_data(fit, model@call[[part]])
  model <- .spelled_apart(model)
  model@call$formula <- formula(model)
  model
}

.named_in_call <- c("data", "contrasts", "control")

# lmerTest pastes formulas, and forgets the backticks of a name that is all of the fixed part.
.spelled_apart <- function(model) {
  form <- formula(model)
  fixed <- nobars(form[[3L]])
  if (!is.name(fixed) || make.names(fixed) == as.character(fixed)) return(model)
  bars <- written_bars(form)
  form[[3L]] <- Reduce(function(a, b) call("+", a, b), c(list(1, fixed), bars))
  attr(model@frame, "formula") <- form
  model
}

#' ... and back: the call as a person would have typed it.
.named_again <- function(model, call) {
  of <- function(own) {
    for (part in intersect(.named_in_call, names(own))) own[[part]] <- call[[part]]
    own
  }
  if (isS4(model)) model@call <- of(model@call) else model$call <- of(model$call)
  model
}

#' Backward elimination: lmerTest's step().
step_native <- function(fit, ...) UseMethod("step_native", fit$model)
step_native.default <- function(fit, ...)
  refuse_class(fit, "lmerTest's step",
               "Compare models by pymlm.lrt(m0, m1), or drop terms by m.drop1()")
step_native.merMod <- function(fit, ddf, alpha_random, alpha_fixed, reduce_random, reduce_fixed,
                        keep_terms = NULL) {
  model <- refitting_model(fit, ddf)
  unknown <- setdiff(keep_terms, attr(terms(model), "term.labels"))
  if (length(unknown))
    refuse("ArgumentError", "step cannot keep ", paste(sQuote(unknown, FALSE), collapse = ", "),
           ".", near_terms(unknown[1L], attr(terms(model), "term.labels")),
           " The model's terms are ",
           paste(sQuote(attr(terms(model), "term.labels"), FALSE), collapse = ", "))
  no_fallback(in_model_data(
    fit, quote(.step(.model, ddf = .ddf, alpha.random = .random, alpha.fixed = .fixed,
                     reduce.random = .rr, reduce.fixed = .rf, keep = .keep)),
    .step = well_written("step.lmerModLmerTest"),
    .model = self_contained(fit, model), .ddf = ddf, .random = alpha_random, .fixed = alpha_fixed,
    .rr = reduce_random, .rf = reduce_fixed, .keep = as.character(keep_terms)))
}

step_result <- function(native, fit, ddf, ...) {
  random <- native$random
  fixed <- native$fixed
  # Without a random effect left the path is that of an lm, whose table has no mean squares.
  if (is.null(fixed[["Mean Sq"]])) fixed[["Mean Sq"]] <- fixed[["Sum of Sq"]] / fixed[["Df"]]
  found <- attr(native, "model")
  list(
    random = list(term = rownames(random), eliminated = random[["Eliminated"]],
                  npar = random[["npar"]], loglik = random[["logLik"]], aic = random[["AIC"]],
                  lrt = random[["LRT"]], df = random[["Df"]], p_value = random[["Pr(>Chisq)"]]),
    fixed = c(list(eliminated = as.numeric(fixed[["Eliminated"]])),
              anova_fields(fixed[setdiff(names(fixed), "Eliminated")], ddf)[
                c("term", "sum_sq", "mean_sq", "num_df", "den_df", "statistic", "p_value")]),
    formula = paste(deparse(formula(found), width.cutoff = 500L), collapse = " "), ddf = ddf
  )
}

#' The model that step() ended with, as lme4 or stats::lm made it.
step_model <- function(fit, args, key) {
  found <- attr(.native(fit, "step", args, key), "model")
  if (inherits(found, "lmerMod")) found <- plain_model(list(model = found))
  as_fit(.named_again(found, fit$model@call))
}

#' Least-squares means: lmerTest's ls_means().
ls_means_native <- function(fit, ...) UseMethod("ls_means_native", fit$model)
ls_means_native.default <- function(fit, ...)
  refuse_class(fit, "lmerTest's ls_means", "m.emmeans() gives the same means")
ls_means_native.merMod <- function(fit, which = NULL, level = 0.95, ddf = "Satterthwaite",
                            pairwise = FALSE) {
  model <- .contest_model(fit, ddf)
  factors <- .factor_terms(fit$model)
  if (!length(factors))
    refuse("NotSupportedError", "ls_means needs a factor among the fixed effects; this model has ",
           "none. Make the column categorical, or use emmeans(specs, at=...)")
  unknown <- setdiff(which, factors)
  if (length(unknown))
    refuse("ArgumentError", "ls_means of ", paste(sQuote(unknown, FALSE), collapse = ", "),
           ": it is none.", near_terms(unknown[1L], factors), " The model's terms of factors are ",
           paste(sQuote(factors, FALSE), collapse = ", "))
  if (is.null(which)) which <- factors
  tryCatch(no_fallback(lmerTest::ls_means(model, which = which, level = level, ddf = ddf,
                                          pairwise = pairwise)),
           error = function(e) {
             if (!grepl("not found|subscript out of bounds", conditionMessage(e))) stop(e)
             refuse("NotSupportedError", "lmerTest's ls_means does not know covariates inside a ",
                    "function, or whose names need backticks (R: ", conditionMessage(e), "). ",
                    "Ask emmeans(), which does")
           })
}

# Terms made of factors alone. lmerTest's own rule takes poly(x, 2) and `a b` for factors, too.
.factor_terms <- function(model) {
  variables <- attr(terms(model), "factors")
  classes <- attr(terms(model, fixed.only = FALSE), "dataClasses")
  factors <- names(classes)[classes %in% c("factor", "ordered")]
  rows <- vapply(rownames(variables), function(row) {
    written <- str2lang(row)
    if (is.name(written)) as.character(written) else row
  }, "")
  alone <- vapply(colnames(variables), function(term) all(rows[variables[, term] > 0] %in% factors),
                  NA)
  colnames(variables)[alone]
}

ls_means_result <- function(native, fit, which = NULL, level = 0.95, ddf = "Satterthwaite",
                            pairwise = FALSE) {
  hypotheses <- attr(native, "hypotheses")
  c(estimate_fields(as.data.frame(native)[c("Estimate", "Std. Error", "df", "t value", "lower",
                                            "upper", "Pr(>|t|)")], ddf, level),
    list(factor = rep(names(hypotheses), vapply(hypotheses, nrow, 0L)), pairwise = pairwise))
}

#' Is it a mixed model of lme4?
is_mixed <- function(fit) methods::is(fit$model, "merMod")
