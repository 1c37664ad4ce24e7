# One mechanism for every question about a model. A capability X is
#   X_native(fit, ...)           what R's own function returns, kept with the model
#   X_result(native, fit, ...)   the same as a named list whose names are the dataclass's fields

#' The answer, with `show` including what R prints for it: text, or a small R object that prints it.
#'
#' @param key the question in words that stand for its exact value, made by Python; NULL where the
#'   native object is not kept
#' @param digits of a print that cannot wait
ask <- function(fit, what, args = list(), key = NULL, engine = NULL, show = FALSE, digits = NULL) {
  with_engine(fit, engine, {
    native <- .native(fit, what, args, key)
    answer <- do.call(get(paste0(what, "_result"), envir = bridge, mode = "function"),
                      c(list(native, fit), args))
    if (show && is.null(answer$printed)) answer$printed <- waits(native, digits = digits)
    answer
  })
}

.native <- function(fit, what, args, key) {
  make <- get(paste0(what, "_native"), envir = bridge, mode = "function")
  if (is.null(key)) return(do.call(make, c(list(fit), args)))
  kept(fit, engine_key(fit, key), do.call(make, c(list(fit), args)))
}

#' Evaluate `value` once for this model and keep it. What R says in messages meanwhile is kept, too,
#' and said again whenever the value is used, so that it reaches every result made from it.
kept <- function(fit, key, value) {
  heard <- paste("said of", key)
  found <- fit$kept[[key]]
  if (is.null(found)) {
    said <- list()
    found <- withCallingHandlers(value, message = function(m) said[[length(said) + 1L]] <<- m)
    assign(key, found, envir = fit$kept)
    if (length(said)) assign(heard, said, envir = fit$kept)
  } else for (m in fit$kept[[heard]]) message(m)
  found
}
