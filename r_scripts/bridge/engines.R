# Which engine makes degrees of freedom: lmerTest and pbkrtest themselves ("lmerTest"), or the
# closed forms of pymlm/inference ("exact"), whose numbers Python computes and hands over here.
#
# ask() notes in fit$engine which one a question is for; lmertest_model() and kenward_roger_vcov()
# then answer with that engine's objects, and whatever is kept under a key of its own per engine, so
# that both can be asked of one model. The fitted model itself, which is what is saved, stays
# lme4's.

#' Do the closed forms give the degrees of freedom?
uses_exact <- function(fit) identical(fit$engine, "exact")

#' The key under which an engine's intermediate is kept.
engine_key <- function(fit, key) if (uses_exact(fit)) paste(key, "exact") else key

#' Evaluate `expr` while `fit` answers by `engine`.
with_engine <- function(fit, engine, expr) {
  before <- fit$engine
  on.exit(fit$engine <- before)
  fit$engine <- engine
  expr
}

#' Call a bridge function whose answer depends on the engine but is no ask().
call_by_engine <- function(fit, engine, fun, args) {
  with_engine(fit, engine, do.call(get(fun, envir = bridge, mode = "function"), c(list(fit), args)))
}

#' What the choice of an engine depends on; the work is that of one evaluation of the deviance.
engine_facts <- function(fit) {
  model <- fit$model
  linear <- isS4(model) && lme4::isLMM(model)
  if (!linear) return(list(linear = FALSE))
  counts <- as.numeric(getME(model, "L")@colcount)
  X <- getME(model, "X")
  list(
    linear = TRUE, structured = is_structured(model), reml = lme4::isREML(model),
    ready = inherits(model, "lmerModLmerTest"), nobs = nrow(X), p = ncol(X),
    n_theta = length(model@theta), z_entries = length(getME(model, "Zt")@x),
    factor_work = sum(counts^2)
  )
}

#' What Python needs of a model for the exact engine.
exact_parts_of <- function(fit) exact_parts(fit$model)

#' Keep what Python computed. `answers` is Python's function for models that R refits itself.
store_exact <- function(fit, found, answers) {
  fit$kept[["exact"]] <- c(found, answers = answers)
  NULL
}

#' What the exact engine has for lmertest_model() and kenward_roger_vcov(). R's objects take longer
#' to make than the numbers in them, so each is made when it is first needed.
exact_object <- function(fit, key) {
  found <- fit$kept[["exact"]]
  if (is.null(found)) stop("the exact engine was asked before it had computed anything")
  kept(fit, paste(key, "exact"), switch(key,
    "lmerTest" = .filled_lmertest(fit$model, found$satterthwaite),
    "vcovAdj" = .filled_adjusted(fit$model, found$kenward_roger)
  ))
}

.filled_lmertest <- function(model, s) {
  exact_lmertest(model, s$vcov_varpar, s$jac_list, as.character(unlist(s$messages)))
}

.filled_adjusted <- function(model, k) {
  exact_kenward_roger(model, k$phi_adj, k$P, k$W, k$condition)
}

#' The model for functions that refit it, as step() does: what they refit is answered by the same
#' engine, except where the closed forms do not reach, and by lmerTest then.
refitting_model <- function(fit, ddf) {
  kenward_roger <- ddf == "Kenward-Roger"
  if (!uses_exact(fit))
    return(if (kenward_roger) kenward_roger_model(fit) else lmertest_model(fit))
  exact_model(lmertest_model(fit), if (kenward_roger) kenward_roger_vcov(fit),
              .refresh_by(fit$kept[["exact"]]$answers, kenward_roger))
}

.refresh_by <- function(answers, kenward_roger) function(model) {
  found <- answers(exact_parts(model))
  if (identical(found$kind, "NotSupportedError")) return(lmerTest::as_lmerModLmerTest(model))
  if (!is.null(found$error)) stop(found$error, call. = FALSE)
  exact_model(.filled_lmertest(model, found$satterthwaite),
              if (kenward_roger) .filled_adjusted(model, found$kenward_roger),
              .refresh_by(answers, kenward_roger))
}

#' pbkrtest::SATmodcomp() from the exact engine's numbers; pbkrtest differentiates by itself, and
#' lmerTest's F test of the same restriction is the same formula.
sat_modcomp_exact <- function(fit, restriction) {
  started <- proc.time()
  model <- lmertest_model(fit)
  L <- pbkrtest::model2restriction_matrix(model, restriction)
  test <- lmerTest::contestMD(model, L)
  structure(
    list(test = data.frame(statistic = test[["F value"]], ndf = test[["NumDF"]],
                           ddf = test[["DenDF"]], p.value = test[["Pr(>F)"]]),
         sigma = sigma(model), formula.large = formula(model), formula.small = L,
         ctime = (proc.time() - started)[3L], L = L),
    class = "SATmodcomp"
  )
}
