# pbkrtest's comparisons of two models: F tests of the means, and the parametric bootstrap.

#' F test of two models, or of a restriction matrix, by Kenward-Roger or Satterthwaite.
mean_comparison <- function(fit, small = NULL, L = NULL, method = "Kenward-Roger",
                            names = c("m1", "m0")) {
  if (!is(fit$model, "merMod"))
    refuse("NotSupportedError", names[1L],
           " must be a mixed model; for a linear model anova() has F tests")
  .need_linear(fit, paste("F tests by", method))
  need_fixed_effects(fit, "An F test of the means")
  if (is_membership(fit$model))
    refuse("NotSupportedError",
           "pbkrtest fits lme4's own models, in which every row lies in one unit; ",
           "m.contest(L) tests the same with Satterthwaite's degrees of freedom")
  if (!is.null(small)) {
    .check_same_data(list(fit$model, small$model), names)
    if (!(is(small$model, "merMod") && lme4::isLMM(small$model)))
      refuse("ComparisonError", "the smaller model must be a linear mixed model; give an array L ",
             "for a restriction of the fixed effects")
  }
  restriction <- if (is.null(small)) matrix(unlist(L), nrow = length(L), byrow = TRUE)
  else if (length(fixef(small$model))) plain_model(small)
  else diag(length(fixef(fit$model))) # without fixed effects: all of them are 0
  test <- tryCatch(
    if (method == "Kenward-Roger") pbkrtest::KRmodcomp(kenward_roger_model(fit), restriction)
    else if (uses_exact(fit)) sat_modcomp_exact(fit, restriction)
    else sat_modcomp(self_contained(fit, plain_model(fit)), restriction),
    error = function(e) {
      if (grepl("equal mean|not nested", conditionMessage(e)))
        refuse("ComparisonError", "the models have the same fixed effects or are not nested")
      stop(e)
    })
  for (part in c("formula.large", "formula.small")) if (inherits(test[[part]], "formula"))
    test[[part]] <- .printable_formula(test[[part]])
  c(.modcomp_fields(test$test), list(method = method, printed = waits(test)))
}

.modcomp_fields <- function(table) {
  column <- function(...) {
    at <- match(c(...), names(table))
    at <- at[!is.na(at)]
    if (length(at)) as.numeric(table[[at[1L]]])
  }
  list(term = rownames(table), statistic = column("stat", "statistic"),
       num_df = column("ndf", "df"), den_df = column("ddf"), f_scaling = column("F.scaling"),
       p_value = column("p.value"))
}

#' The models that the parametric bootstrap refits: pbkrtest takes ML fits.
ml_fit <- function(fit) {
  model <- plain_model(fit)
  if (is_reml(model)) {
    call <- model@call
    call$REML <- FALSE
    model <- in_model_data(fit, call)
  }
  as_fit(model)
}

#' pbkrtest's tests from simulated likelihood-ratio statistics, as summary(PBmodcomp) has them.
pb_test <- function(large, small, ref) {
  lrt <- max(0, 2 * (as.numeric(logLik(large$model)) - as.numeric(logLik(small$model))))
  df <- attr(logLik(large$model), "df") - attr(logLik(small$model), "df")
  test <- .pb_summary(c(tobs = lrt, df = df), ref)
  # Of likelihood ratios on the boundary many are 0, and belong to the null distribution; pbkrtest,
  # which compares means, takes what is not positive for failed optimization.
  positive <- used <- unname(test$samples["npos"])
  notes <- character()
  if (!isS4(small$model)) {
    used <- length(ref)
    test$test["PBtest", "p.value"] <- (1 + sum(ref > lrt)) / (1 + used)
    test$samples["npos"] <- used
    if (isS4(large$model))
      notes <- paste("Gamma, Bartlett and F stand for continuous distributions, of",
"tests of the means; a variance is tested here, and PBtest is the one to read")
  }
  if (positive < 2)
    notes <- c(notes, paste("no two simulated statistics are above 0: Gamma, Bartlett and",
                            "F have no moments to start from"))
  p <- test$test["PBtest", "p.value"]
  test$ctime <- NULL # pbkrtest prints it: the time of refits that others made
  test[c("formula.large", "formula.small")] <- lapply(list(large$model, small$model),
                                                      .printable_formula)
  c(.modcomp_fields(test$test), list(method = "parametric bootstrap", n_extreme = test$n.extreme,
    n_positive = positive, pb_std_error = sqrt(p * (1 - p) / used), notes = notes,
    printed = waits(test)))
}

# pbkrtest's two and three rows by its own functions; without two positive values there are two.
.pb_summary <- function(lrt, ref) {
  ref <- structure(ref, ctime = 0)
  inside <- function(name) utils::getFromNamespace(name, "pbkrtest")
  if (sum(ref > 0) < 2L) return(inside(".finalizePB")(lrt, ref))
  summary <- utils::getS3method("summary", "PBmodcomp", envir = asNamespace("pbkrtest"))
  summary(structure(list(LRTstat = lrt, ref = ref), class = "PBmodcomp"))
}

# print() of a formula shows its environment where it is not the workspace.
.printable_formula <- function(model) {
  out <- formula(model)
  environment(out) <- globalenv()
  out
}

#' Refuses what pbkrtest's PBmodcomp() cannot simulate or refit.
check_pb <- function(large, small, names = c("m1", "m0")) {
  models <- list(large$model, small$model)
  for (i in 1:2) if (!is(models[[i]], "merMod") && !inherits(models[[i]], "lm"))
    refuse("NotSupportedError", "pb_modcomp() simulates from models of lm, glm, lmer and glmer; ",
           names[i], " is a ", class(models[[i]])[1L])
  if (is_membership(large$model) || is_membership(small$model))
    refuse("NotSupportedError", "lme4's simulate() does not know the weights of a ",
           "multiple-membership model; compare by pymlm.lrt, or refit draws of your own")
  .check_same_data(models, names)
  .check_same_kind(models, names)
  if (anyNA(vapply(models, logLik, 0)))
    refuse("NotSupportedError", "a quasi-family has no likelihood; anova() gives an F test")
  if (!.tested(rev(models))$nested ||
      attr(logLik(models[[1L]]), "df") <= attr(logLik(models[[2L]]), "df"))
    refuse("ComparisonError", names[2L], " must be nested in ", names[1L],
           " and have fewer parameters")
  NULL
}
