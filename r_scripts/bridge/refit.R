# A model fitted to another response is its own call, evaluated where its data hold the new numbers:
# what reads the call or the data later (update, drop1, lmerTest, influence, emmeans, a script, a
# file) finds the response that was fitted. lme4's refit() leaves the first one in both.

#' Fit the model's call to another response: the fit, and the columns of its data that are new.
#' What lme4 says of convergence is read from the model.
refit_model <- function(fit, response) {
  made <- NULL
  .guarded({
    made <- fit_to_response(fit, response)
    made$fit$model
  })
  made
}

#' The same, with all that R says.
#'
#' @param response one number a row of the data, used rows and dropped ones, NA where there is none;
#'   for a response of two columns a matrix of successes and failures
fit_to_response <- function(fit, response) {
  made <- .call_with_response(fit, response)
  again <- withCallingHandlers(
    eval(made$call, made$home),
    error = function(e) .explain_missing(fit$model, conditionMessage(e)))
  list(fit = as_fit(again), columns = lapply(made$columns, .column))
}

# The call, an environment for it that is the new model's alone, and the columns that it holds anew.
.call_with_response <- function(fit, response) {
  model <- fit$model
  call <- getCall(model)
  if (inherits(model, "lme")) call[[1L]] <- quote(lme) # R noted the method, lme.formula
  old <- model_home(model)
  home <- copy_of_home(old)
  data <- tryCatch(eval(call$data, old), error = function(e) NULL)
  if (!is.data.frame(data)) refuse_without_data(deparse1(call$data))
  argument <- intersect(c("formula", "fixed", "model"), names(call)) # of lme4, lme, gls
  form <- eval(call[[argument]], old)
  response <- .in_rows_of_old(.as_long_as(data, model, response), data, form, old)
  columns <- .response_columns(form, data, call, old, response)
  if (is.null(columns)) {
    columns <- .columns_of_its_own(.left_of(form), data, response)
    parts <- lapply(names(columns), as.name)
    .left_of(form) <- if (length(parts) == 1L) parts[[1L]] else as.call(c(quote(cbind), parts))
  }
  for (name in names(columns)) data[[name]] <- columns[[name]]
  name <- if (is.name(call$data)) as.character(call$data) else "data"
  assign(name, data, envir = home)
  call$data <- as.name(name)
  call[[argument]] <- as.call(as.list(form)) # without the environment of the old formula
  list(call = call, home = home, columns = columns)
}

# A nonlinear model's formula has three parts, (y ~ f(x, a)) ~ a | g.
.nonlinear <- function(form) is.call(form[[2L]]) && identical(form[[2L]][[1L]], quote(`~`))
.left_of <- function(form) if (.nonlinear(form)) form[[2L]][[2L]] else form[[2L]]
`.left_of<-` <- function(form, value) {
  if (.nonlinear(form)) form[[2L]][[2L]] <- value else form[[2L]] <- value
  form
}
.variables_right_of <- function(form)
  unique(c(if (.nonlinear(form)) all.vars(form[[2L]][[3L]]), all.vars(form[[3L]])))

#' The environment of a model's data with what it holds, for a model that changes some of it.
copy_of_home <- function(home) {
  list2env(as.list(home, all.names = TRUE), parent = parent.env(home))
}

# One value a row of the data. R leaves rows out for `subset`, too, of which the model knows
# nothing.
.as_long_as <- function(data, model, response) {
  if (NROW(response) == nrow(data)) return(response)
  frame <- model.frame(model)
  dropped <- attr(frame, "na.action")
  labels <- character(NROW(response))
  labels[dropped] <- names(dropped)
  labels[setdiff(seq_along(labels), dropped)] <- row.names(frame)
  at <- match(row.names(data), labels)
  if (is.matrix(response)) response[at, , drop = FALSE] else response[at]
}

# A refit is one of the same rows: those without the old response stay out, and it is said.
.in_rows_of_old <- function(response, data, form, home) {
  none <- function(x) if (is.matrix(x)) rowSums(is.na(x)) > 0 else is.na(x)
  late <- none(eval(.left_of(form), data, home)) & !none(response)
  if (!any(late)) return(response)
  if (is.matrix(response)) response[late, ] <- NA else response[late] <- NA
  predictors <- intersect(.variables_right_of(form), names(data))
  lost <- sum(late & complete.cases(data[predictors]))
  if (lost)
    warning(lost, " row(s) that have a value now had no response when the model was fitted, and ",
            "stay ",
            "out: refit() keeps the model's rows. Fit the new response anew, or by update(), to ",
            "use ",
            "them", call. = FALSE)
  response
}

# The columns that make the left side what is asked for: y; y = exp(v) for log(y); a and n = s + f
# for cbind(a, n - a). NULL where no column does, or one that does stands in another place of the
# call, too.
.response_columns <- function(form, data, call, home, response) {
  left <- .left_of(form)
  columns <- if (is.matrix(response)) .pair_behind(as.list(left)[-1L], response)
    else .column_behind(left, response)
  others <- c("weights", "offset", "subset", "random", "correlation")
  elsewhere <- c(.variables_right_of(form), unlist(lapply(others, function(part)
    all.vars(call[[part]]))))
  if (is.null(columns) || !all(names(columns) %in% names(data)) ||
      any(names(columns) %in% elsewhere)) return(NULL)
  found <- suppressWarnings(tryCatch(eval(left, columns, home), error = function(e) NULL))
  same <- isTRUE(all.equal(as.numeric(found), as.numeric(response), tolerance = .round_trip))
  if (!same || !identical(is.na(as.numeric(found)), is.na(as.numeric(response)))) return(NULL)
  Map(.of_kind, columns, data[names(columns)])
}

# exp(log(v)) and the like return in the last digits.
.round_trip <- 1e-13

.inverses <- list(
  "(" = identity, I = identity, log = exp, log2 = function(v) 2^v, log10 = function(v) 10^v,
  log1p = expm1, exp = log, expm1 = log1p, sqrt = function(v) v^2, qlogis = stats::plogis,
  plogis = stats::qlogis)

# The column that `side` is made of, so that `side` is `value`.
.column_behind <- function(side, value) {
  if (is.name(side)) return(stats::setNames(list(value), as.character(side)))
  if (!is.call(side) || !is.name(side[[1L]])) return(NULL)
  name <- as.character(side[[1L]])
  if (length(side) == 2L && name %in% names(.inverses))
    return(.column_behind(side[[2L]], suppressWarnings(.inverses[[name]](value))))
  if (length(side) != 3L ||
      sum(constant <- c(is.numeric(side[[2L]]), is.numeric(side[[3L]]))) != 1L)
    return(NULL)
  k <- side[[which(constant) + 1L]]
  inner <- switch(paste0(name, which(constant)),
    "+1" = , "+2" = value - k, "*1" = , "*2" = value / k,
    "-2" = value + k, "-1" = k - value, "/2" = value * k, "/1" = k / value)
  if (!is.null(inner)) .column_behind(side[[which(!constant) + 1L]], inner)
}

.pair_behind <- function(sides, value) {
  if (length(sides) != 2L) return(NULL)
  plain <- vapply(sides, is.name, NA)
  if (all(plain))
    return(stats::setNames(list(value[, 1L], value[, 2L]), vapply(sides, as.character, "")))
  if (!any(plain)) return(NULL)
  i <- which(plain)
  rest <- sides[[3L - i]]
  if (!is.call(rest) || !identical(rest[[1L]], quote(`-`)) || length(rest) != 3L ||
      !is.name(rest[[2L]]) || !identical(rest[[3L]], sides[[i]])) return(NULL)
  stats::setNames(list(value[, i], rowSums(value)), as.character(c(sides[[i]], rest[[2L]])))
}

# Zeros and ones are the levels of a factor with two, or false and true, where the old column is
# such.
.of_kind <- function(new, old) {
  if (!all(new %in% c(0, 1, NA))) return(new)
  if (is.logical(old)) return(as.logical(new))
  if (!is.factor(old) || nlevels(old) != 2L) return(new)
  old[] <- levels(old)[new + 1]
  old
}

# Columns under the name that the response has in the model frame.
.columns_of_its_own <- function(side, data, response) {
  label <- paste(deparse(side, width.cutoff = 500L), collapse = " ")
  labels <- if (is.matrix(response)) paste(label, c("successes", "failures")) else label
  labels <- utils::tail(make.unique(c(names(data), labels)), length(labels))
  values <- if (is.matrix(response)) list(response[, 1L], response[, 2L]) else list(response)
  stats::setNames(values, labels)
}

#' The model with memory of its own, for what works on a model in place.
#'
#' lme4 keeps the response and predictor modules in reference objects, into whose memory its C++
#' writes, and profile() and its like work on those that they are given, or make others over the
#' offset and the weights that lie in the model frame.
apart <- function(model) {
  if (!isS4(model) || !methods::is(model, "merMod")) return(model)
  model@resp <- if (methods::is(model@resp, "glmResp")) .glm_response_apart(model@resp)
    else model@resp$copy()
  model@pp <- model@pp$copy()
  numbers <- intersect(c("(weights)", "(offset)", names(model@frame)[1L]), names(model@frame))
  for (name in numbers)
    if (is.double(model@frame[[name]])) model@frame[[name]] <- model@frame[[name]] + 0
  model
}

# glmResp$copy() starts the linear predictor at zero.
.glm_response_apart <- function(response) {
  names <- setdiff(names(lme4::glmResp$fields()), "Ptr")
  values <- lapply(stats::setNames(names, names), function(name) {
    value <- response[[name]]
    if (is.numeric(value)) value + 0 else value
  })
  do.call(lme4::glmResp$new, c(values, list(etastart = values$eta)))
}
