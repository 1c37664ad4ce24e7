# One mechanism for every question about a model. A capability X is
#   X_native(fit, ...)           what R's own function returns, kept with the model
#   X_result(native, fit, ...)   the same as a named list whose names are the dataclass's fields

#' The answer, with `show` including what R prints for it: text, or a small R object that prints it.
#'
#' @param key the question in words that stand for its exact value, made by Python; NULL where the
#'   native object is not kept
ask <- function(fit, what, args = list(), key = NULL, engine = NULL, show = FALSE) {
  with_engine(fit, engine, {
    native <- .native(fit, what, args, key)
    answer <- do.call(get(paste0(what, "_result"), envir = bridge, mode = "function"),
                      c(list(native, fit), args))
    if (show && is.null(answer$printed)) answer$printed <- .to_print(native)
    answer
  })
}

.native <- function(fit, what, args, key) {
  make <- get(paste0(what, "_native"), envir = bridge, mode = "function")
  if (is.null(key)) return(do.call(make, c(list(fit), args)))
  kept(fit, engine_key(fit, key), do.call(make, c(list(fit), args)))
}

#' What R prints for an object that `.to_print` left for later.
show_native <- function(waiting) enc2utf8(printed(waiting$native))

# A result that is not printed holds no model, no data and no number for every row: only R's tables,
# which are free of them, wait here for their print; of the rest the text is made at once. To make it
# always would cost a summary more than its numbers.
.to_print <- function(native) {
  table <- .bare_table(native)
  if (!is.null(table)) return(list2env(list(native = table)))
  # What R cannot print (emmeans stops at numbers that agree in seven digits) is shown as a table.
  # What R said when it made the native value stands on the result already.
  suppressMessages(tryCatch(enc2utf8(printed(native)), error = function(e) NULL))
}

.bare_table <- function(native) {
  if (inherits(native, "summary.merMod")) {
    # What is printed of the residuals is their quantiles, and five numbers are their own.
    native$residuals <- quantile(unname(native$residuals), na.rm = TRUE, names = FALSE)
    return(native)
  }
  if (inherits(native, c("VarCorr.merMod", "ranef.mer"))) return(native)
  if (!inherits(native, "anova")) return(NULL)
  attr(native, "formulae") <- NULL # ranova's, with the environment of the data
  native
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
