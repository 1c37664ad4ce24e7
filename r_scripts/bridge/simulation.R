# Simulated responses.

#' New responses; with a seed, R's own stream of random numbers is left where it was.
simulated <- function(fit, nsim = 1L, seed = NULL, re_form = NULL, use_u = FALSE) {
  need_linear_predictor(fit, "simulate", "m.predict() and m.sigma are what it would draw from")
  if (!inherits(fit$model, c("merMod", "lm")))
    refuse_class(fit, "simulate", "nlme's own draws nothing but its likelihood ratios")
  if (!isS4(fit$model) && (use_u || !is.null(re_form)))
    refuse("NotSupportedError", "re_form and use_u are of random effects, and a ",
           kind_of(fit$model), " has none")
  args <- list(object = without_dropped(fit$model), nsim = nsim)
  if (!is.null(re_form) && re_form != "NA") .check_drawn_terms(fit$model, .as_re_form(fit, re_form))
  if (use_u) args$use.u <- TRUE else if (!is.null(re_form))
    args$re.form <- .as_re_form(fit, re_form)
  sims <- with_seed(seed, do.call(stats::simulate, args))
  columns <- lapply(sims, function(s) {
    s <- if (is.matrix(s)) s else as.matrix(s)
    names <- if (is.null(colnames(s))) rep("", ncol(s)) else colnames(s)
    names[!nzchar(names)] <- paste0("V", which(!nzchar(names))) # as R's data frames have it
    lapply(seq_len(ncol(s)), function(j) list(
      values = if (is.character(s)) NULL else as.numeric(s[, j]),
      text = if (is.character(s)) as.character(s[, j]),
      name = if (ncol(s) > 1L) names[j] else ""))
  })
  names <- rep(names(sims), lengths(columns))
  Map(function(column, name) c(list(simulation = name), column),
      unname(do.call(c, unname(columns))), names)
}

# With some terms kept, lme4 (1.1-31 at least) reads the parameters of the drawn terms from the
# front of theta, where other terms' may stand: the samples of Penicillin get the plates' variance.
.check_drawn_terms <- function(model, re) {
  if ("dummy" %in% unlist(lapply(findbars(formula(model)), all.names)))
    refuse("NotSupportedError",
           "lme4 cannot draw a part of the random effects beside dummy(). Draw ",
           "all (re_form=None) or none (use_u=True), or fit the dummy as a column of 0 and 1.")
  if (!lme4::isLMM(model) && !lme4::isGLMM(model)) return()
  need_unstructured(model, "Which terms are drawn, where re_form names some,",
                    "Draw all (re_form=None) or none (use_u=True).")
  template <- substitute(. ~ . - XX, list(XX = re[[2L]]))
  drawn <- findbars(update.formula(.random_part(model), template)[-2L])
  if (!length(drawn)) return()
  made <- mkReTrms(drawn, model@frame)$cnms
  blocks <- .random_blocks(model)
  for (kept in lapply(findbars(re), function(bar) mkReTrms(list(bar), model@frame)$cnms))
    if (any(kept[[1L]] %in% unlist(made[names(made) == names(kept)])))
      refuse("NotSupportedError", "lme4 keeps or draws whole terms, and would draw '",
             kept[[1L]][1L], "' by ", names(kept),
             " on top of what is kept. Name the whole term in ",
             "re_form, or write it apart in the model's formula.")
  right <- unlist(lapply(seq_along(made), function(i) {
    same <- vapply(blocks, function(b) b$group == names(made)[i] && identical(b$coefs, made[[i]]),
                   NA)
    lower <- blocks[[which(same)[1L]]]$factor
    lower[lower.tri(lower, diag = TRUE)]
  }))
  if (!isTRUE(all.equal(unname(right), unname(getME(model, "theta")[seq_along(right)]))))
    refuse("NotSupportedError", "lme4 would draw the random effects that this re_form leaves out ",
           "with the variances of other terms. Draw all (re_form=None) or none (use_u=True).")
}

.random_part <- function(model) {
  bars <- written_bars(formula(model))
  as.formula(call("~", Reduce(function(a, b) call("+", a, b), bars)))
}

#' Evaluate with R's default generators and this seed, then put the user's stream back.
with_seed <- function(seed, expr) {
  if (is.null(seed)) return(expr)
  old <- get0(".Random.seed", globalenv(), inherits = FALSE)
  kind <- RNGkind()
  on.exit({
    RNGkind(kind[1L], kind[2L], kind[3L])
    if (is.null(old)) rm(".Random.seed", envir = globalenv())
    else assign(".Random.seed", old, envir = globalenv())
  })
  RNGkind("default", "default", "default")
  set.seed(seed)
  expr
}
