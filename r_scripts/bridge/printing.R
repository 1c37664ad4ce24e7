# What R prints for a result. The text is made when it is first read, and again for other digits,
# from a small R object that waits for it and holds neither the model nor its data.

#' Text that R prints for `x`, as one string.
printed <- function(x, ...) {
  paste(utils::capture.output(print(x, ...)), collapse = "\n")
}

#' `value` under options(digits = digits); NULL is the session's 7.
under_digits <- function(digits, value) {
  if (is.null(digits)) return(value)
  old <- options(digits = digits)
  on.exit(options(old))
  value
}

#' The print of `native` for a result's field `printed`: an environment that waits for
#' show_native(), or text and its digits, where the native object would drag its model along.
#'
#' @param below lines that stand below R's
#' @param digits of a text that is made at once
waits <- function(native, below = NULL, digits = NULL) {
  table <- .trimmed(native)
  # Of lme4's summary two parts alone can hold what is not its own.
  summed <- inherits(table, "summary.merMod") && .is_plain(table$optinfo)
  if (summed) table$call <- .freed(table$call) else table <- .freed(table)
  if (summed || .is_light(table))
    return(list2env(list(native = table, below = below), parent = emptyenv()))
  c(show_native(list(native = native, below = below), digits), digits %||% 7L)
}

#' What R prints for an object that `waits` left for later, under options(digits = digits).
#'
#' "" stands for what R cannot print (emmeans stops at numbers that agree in all digits): it is
#' shown as a table. What R said when it made the native value stands on the result already.
show_native <- function(waiting, digits = NULL) {
  text <- suppressMessages(tryCatch(under_digits(digits, printed(waiting$native)),
                                    error = function(e) NULL))
  if (is.null(text)) return("")
  enc2utf8(paste(c(text, waiting$below), collapse = "\n"))
}

#' What R prints of the model itself.
print_model <- function(fit, digits = NULL) enc2utf8(under_digits(digits, printed(fit$model)))

# Without what is as long as the data. What is printed of residuals is their quantiles, and five
# numbers are their own.
.trimmed <- function(native) UseMethod(".trimmed")
.trimmed.default <- function(native) native

.trimmed.summary.merMod <- function(native) {
  native$residuals <- quantile(unname(native$residuals), na.rm = TRUE, names = FALSE)
  native
}

.trimmed.summary.lm <- function(native) {
  if (native$df[2L] > 5L) native$residuals <- quantile(native$residuals)
  if (!is.null(native$weights)) native$weights <- range(native$weights)
  native$terms <- NULL
  native
}

.trimmed.summary.glm <- function(native) {
  if (native$df.residual > 5L)
    native$deviance.resid <- quantile(native$deviance.resid, na.rm = TRUE)
  native$family <- unclass(native$family)[c("family", "link")]
  native$terms <- NULL
  native
}

.trimmed.summary.lme <- function(native) {
  native[c("data", "fitted", "groups", "terms")] <- NULL
  native
}
.trimmed.summary.gls <- .trimmed.summary.lme

.trimmed.emmGrid <- function(native) summary(native) # what its print prints
.trimmed.emm_list <- function(native) structure(lapply(native, .trimmed), class = class(native))

.trimmed.anova <- function(native) {
  attr(native, "formulae") <- NULL # ranova's, with the environment of the data
  native
}

# Formulas without the environments that hold the data.
.freed <- function(x) {
  if (is.object(x) && isS4(x)) return(x)
  # which prints otherwise than rows named 1, 2
  numbered <- is.data.frame(x) && .row_names_info(x) < 0L
  own <- attributes(x)
  if (typeof(x) == "list") {
    x <- .within(unclass(x), .freed)
  } else if (is.null(own) ||
             !typeof(x) %in% c("language", "double", "integer", "character", "logical"))
    return(x)
  own <- .within(own, .freed)
  if (is.environment(own$.Environment)) own$.Environment <- globalenv()
  attributes(x) <- own
  if (numbered) attr(x, "row.names") <- .set_row_names(length(own$row.names))
  x
}

# Each part by `f`, but those that nothing can be in: most parts of a result are such.
.within <- function(parts, f) {
  for (i in which(.may_hold(parts))) parts[[i]] <- f(parts[[i]])
  parts
}
.may_hold <- function(parts) {
  vapply(parts, function(p) is.recursive(p) || !is.null(attributes(p)), NA, USE.NAMES = FALSE)
}

#: Bytes beside which a result costs little; R's own lists of the random effects may be longer.
.light_bytes <- 5e5

.is_light <- function(x) {
  .is_plain(x) && (inherits(x, c("summary.merMod", "VarCorr.merMod", "ranef.mer", "anova")) ||
                     utils::object.size(x) < .light_bytes)
}

.is_plain <- function(x) {
  if (is.environment(x)) return(identical(x, globalenv()) || isNamespace(x))
  if (is.function(x)) return(isNamespace(environment(x)))
  parts <- c(if (is.list(x)) unclass(x), attributes(x))
  for (part in parts[.may_hold(parts)]) if (!.is_plain(part)) return(FALSE)
  TRUE
}
