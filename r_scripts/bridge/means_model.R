# The model and its data as emmeans should see them.

# The model as emmeans should see it. emmeans before 1.8.7 takes the offset that it finds in the
# model frame for a covariate of its own, so that the variables inside are out of reach: an offset
# here stands in the formula, however it was given, and emmeans computes it from the grid's
# variables. Those have the fit's means in scale(x) and its like.
.means_model <- function(fit, with_offset = TRUE) {
  if (!isS4(fit$model)) return(.plain_means_model(fit, with_offset))
  kept(fit, paste("model for means", with_offset), {
    model <- fit$model
    frame <- model@frame
    formula <- formula_with_offset(model)
    if (!with_offset) formula[[3L]] <- .without_offset(formula[[3L]]) %||% 1
    attr(frame, "formula") <- formula
    attr(attr(frame, "terms"), "offset") <- NULL
    column <- offset_column(model)
    if (!is.null(column)) {
      frame[[column]] <- frame[[deparse1(.offset_of(column))]] <- frame[["(offset)"]]
      frame[["(offset)"]] <- NULL
    }
    model@frame <- frame
    model@call$offset <- NULL # emmeans 2 would add it to the formula's
    attr(attr(model@frame, "terms"), "predvars.fixed") <-
      attr(frozen_terms(fit, terms(model, fixed.only = TRUE)), "predvars")
    model
  })
}

# R's own terms know the statistics of scale(x); of I(x - mean(x)) the frozen ones do.
.plain_means_model <- function(fit, with_offset) {
  model <- fit$model
  if (!inherits(model, "lm")) {
    model$call$weights <- NULL # emmeans calls varIdent(), which it finds where nlme is attached
    return(nlme_with_data(model))
  }
  if (!with_offset) {
    # emmeans takes one that it finds in the frame, and cannot take differences along it.
    model$call$offset <- model$offset <- model$model[["(offset)"]] <- NULL
    model <- within_terms(model, .without_offset(formula(model)[[3L]]) %||% 1)
    attr(model$model, "terms") <- terms(model)
  } else if (!is.null(offset_column(model))) {
    # emmeans 2 does not find one that was given beside I(x^2).
    written <- .offset_of(offset_column(model))
    model <- within_terms(model, call("+", formula(model)[[3L]], written))
    names(model$model)[names(model$model) == "(offset)"] <- deparse1(written, backtick = TRUE)
    attr(model$model, "terms") <- terms(model)
    model$call$offset <- NULL
  }
  model$terms <- frozen_terms(fit, terms(model))
  model
}

# The terms of an lm whose right-hand side is written anew, of the same variables and perhaps an
# offset.
within_terms <- function(model, right) {
  form <- formula(model)
  form[[3L]] <- right
  old <- terms(model)
  new <- terms(form)
  for (part in c("variables", "predvars")) {
    own <- as.list(attr(old, part))[-1L]
    written <- as.list(attr(terms(form), "variables"))[-1L]
    keep <- match(vapply(written, deparse1, ""),
                  vapply(as.list(attr(old, "variables"))[-1L], deparse1, ""))
    written[!is.na(keep)] <- own[keep[!is.na(keep)]]
    if (length(own)) attr(new, part) <- as.call(c(quote(list), written))
  }
  attr(new, "dataClasses") <- attr(old, "dataClasses")
  model$terms <- new
  model
}

.without_offset <- function(node) {
  if (!is.call(node)) return(node)
  head <- as.character(node[[1L]])[1L]
  if (head == "offset") return(NULL)
  if (head != "+" || length(node) != 3L) return(node)
  parts <- Filter(Negate(is.null), lapply(as.list(node)[-1L], .without_offset))
  if (length(parts) == 2L) call("+", parts[[1L]], parts[[2L]]) else if (length(parts)) parts[[1L]]
}

# Its slope is no estimate: the coefficient of an offset is 1.
.not_an_offset <- function(fit, var) {
  tt <- prediction_terms(fit)
  offsets <- as.list(attr(tt, "variables"))[-1L][attr(tt, "offset")]
  inner <- .variables_in(var, all.vars(tt))
  found <- Filter(function(o) any(inner %in% all.vars(o)), offsets)
  if (length(found))
    refuse("NotSupportedError", "the slope of '", var, "' is that of ", deparse1(found[[1L]]),
           ", which the model does not estimate: an offset has the coefficient 1. Write the ",
           "variable as a term to estimate it.")
}

# The variables of "log(x)", of `log(x)` and of a column of that name.
.variables_in <- function(var, columns) {
  if (var %in% columns) return(var)
  tryCatch(all.vars(parse(text = var, keep.source = FALSE)), error = function(e) var)
}

# emmeans finds the data through the environment of the model's formula. Where they are not there (a
# model from a file), the model frame serves, unless the formula transforms what it names.
.means_data <- function(fit) {
  if (!is.null(getCall(fit$model)$subset)) return(NULL)
  if (inherits(fit$model, c("lme", "gls"))) return(NULL) # they stand in the call
  frame <- model.frame(fit$model)
  data <- model_data(fit)
  if (!is.null(data)) {
    # emmeans takes out the rows that the fit dropped: not where they are out already.
    shortened <- nrow(data) == nrow(frame) && length(attr(frame, "na.action"))
    return(if (shortened) data)
  }
  needed <- .names_in(list(delete.response(terms(fit$model))))
  absent <- setdiff(needed, names(frame))
  if (length(absent))
    refuse("DataError", "marginal means need the data that the model was fitted to, and they did ",
           "not come with it: '", absent[1L], "' stands inside a function in the formula. Fit the ",
           "model anew with pymlm.lmer.")
  frame[, needed, drop = FALSE]
}

#' The data frame that the model's call names, or NULL where it is not with the model.
model_data <- function(fit) {
  call <- getCall(fit$model)
  if (is.null(call$data)) return(NULL)
  home <- environment(formula(fit$model))
  data <- tryCatch(eval(call$data, home), error = function(e) NULL)
  if (!is.data.frame(data)) return(NULL)
  frame <- used_frame(fit$model)
  sizes <- nrow(frame) + c(0L, length(attr(frame, "na.action")))
  # A membership factor is no column of any data; its weights travel with the model.
  shares <- if (is_membership(fit$model)) membership_names(fit$model)
  elsewhere <- setdiff(.names_in(list(formula(fit$model))), c(names(data), shares))
  found <- vapply(elsewhere, function(v) {
    x <- get0(v, home)
    !is.null(x) && !is.function(x)
  }, NA)
  if (nrow(data) %in% sizes && all(found)) data
}

# --- degrees of freedom ------------------------------------------------------------------------

#' Give an emmGrid the covariance and degrees of freedom that emm_basis.merMod would.
.with_ddf <- function(grid, fit, ddf) {
  method <- ddf_of_means(fit, ddf)
  if (!isS4(fit$model)) { # nlme's have it from `mode`
    if (is.null(ddf) || ddf == "default" || !inherits(fit$model, "lm")) return(grid)
    return(update(grid, df = if (method == "asymptotic") Inf else residual_ddf(fit$model)))
  }
  if (method == "asymptotic") return(grid)
  if (method == "Kenward-Roger") {
    adjusted <- kenward_roger_vcov(fit)
    grid@dfargs <- list(unadjV = vcov(fit$model), adjV = adjusted)
    grid@V <- as.matrix(adjusted)
    grid@dffun <- function(k, dfargs) pbkrtest::Lb_ddf(k, dfargs$unadjV, dfargs$adjV)
  } else {
    grid@dfargs <- list(object = lmertest_model(fit))
    grid@dffun <- function(k, dfargs)
      suppressMessages(lmerTest::calcSatterth(dfargs$object, k)$denom)
  }
  attr(grid@dffun, "mesg") <- tolower(method)
  grid
}

# None and what is not linear: z tests.
ddf_of_means <- function(fit, ddf) {
  if (is.null(ddf)) return("asymptotic")
  if (!isS4(fit$model)) return(.own_means_ddf(fit, ddf))
  ddf <- checked_ddf(fit, ddf)
  if (ddf == "between-within")
    refuse("NotSupportedError", "between-within degrees of freedom belong to a term of the model, ",
           "and a marginal mean mixes several. Ask for 'Satterthwaite', 'Kenward-Roger' or ",
           "'asymptotic'.")
  if (ddf == "Kenward-Roger") .need_reml(fit)
  if (ddf == "Satterthwaite") .need_linear(fit, "Satterthwaite degrees of freedom")
  ddf
}

# emmeans' own choice for models without lme4: of a glm t tests for gaussian and Gamma alone.
.own_means_ddf <- function(fit, ddf) {
  model <- fit$model
  if (inherits(model, "lme") && ddf == "Satterthwaite")
    refuse("NotSupportedError", "emmeans estimates these of an lme by refits to random noise: ",
           "other numbers at each call. Leave ddf out (containment), or fit with pymlm.lmer")
  if (inherits(model, "gls") && ddf %in% c("default", "Satterthwaite")) return("Satterthwaite")
  if (ddf == "default" && inherits(model, "glm"))
    return(if (family(model)$family %in% c("gaussian", "Gamma")) "residual" else "asymptotic")
  checked_ddf(fit, ddf)
}
