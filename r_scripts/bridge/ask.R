# One mechanism for every question about a model. A capability X is
#   X_native(fit, ...)           what R's own function returns, kept with the model
#   X_result(native, fit, ...)   the same as a named list whose names are the dataclass's fields
# ask() gives the second, show() what R prints for the first.

ask <- function(fit, what, args = list(), keep = TRUE, engine = NULL) {
  with_engine(fit, engine, {
    native <- .native(fit, what, args, keep)
    do.call(get(paste0(what, "_result"), envir = bridge, mode = "function"),
            c(list(native, fit), args))
  })
}

# What R said when it made the native value stands on the result that is printed.
show_native <- function(fit, what, args = list(), engine = NULL) {
  with_engine(fit, engine, enc2utf8(printed(suppressMessages(.native(fit, what, args, TRUE)))))
}

.native <- function(fit, what, args, keep) {
  make <- get(paste0(what, "_native"), envir = bridge, mode = "function")
  if (!keep) return(do.call(make, c(list(fit), args)))
  key <- paste(c(what, deparse(args, width.cutoff = 500L)), collapse = " ")
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
