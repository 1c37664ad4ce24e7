# The one entry into the R half. Python calls dispatch(name, args) and nothing else.
# The bridge's functions see lme4 and what it imports (stats, methods, utils, Matrix) unprefixed;
# other packages are named with `::`.

bridge <- environment()

# Options that change what R computes or prints: fixed during a call, whatever the program that
# shares this R has set.
.fixed_options <- list(
  width = 80L, digits = 7L, scipen = 0L, OutDec = ".", max.print = 99999L, warn = 0L,
  contrasts = c(unordered = "contr.treatment", ordered = "contr.poly"), na.action = "na.omit",
  show.signif.stars = TRUE, show.coef.Pvalues = TRUE, useFancyQuotes = TRUE, expressions = 5000L,
  digits.secs = NULL, encoding = "native.enc", error = NULL, ts.eps = 1e-05,
  browserNLdisabled = TRUE,
  emmeans = list(save.ref_grid = FALSE) # else it leaves .Last.ref_grid in the user's workspace
)

#' Run one bridge function; return its value and conditions as data. Nothing is printed.
#' An interrupt stops the function alone: options and sinks are put back whatever happens.
dispatch <- function(name, args) suspendInterrupts(.dispatch(name, args))

.dispatch <- function(name, args) {
  old <- options(c(.fixed_options, list(try.outFile = NULL)))
  on.exit(options(old), add = TRUE)
  sunk <- file(nullfile(), open = "w")
  sink(sunk)
  options(try.outFile = sunk) # try() of R's packages prints what it caught
  depth <- sink.number()
  on.exit({
    while (sink.number() >= depth) sink()
    close(sunk)
  }, add = TRUE)
  warnings <- character()
  messages <- advice <- character()
  error <- NULL
  value <- tryCatch(
    withCallingHandlers(
      allowInterrupts(do.call(get(name, envir = bridge, mode = "function"), args, quote = TRUE)),
      warning = function(w) {
        warnings <<- c(warnings, conditionMessage(w))
        tryInvokeRestart("muffleWarning")
      },
      message = function(m) {
        text <- sub("\n$", "", conditionMessage(m))
        messages <<- c(messages, text)
        if (inherits(m, "pymlm_advice")) advice <<- c(advice, text)
        tryInvokeRestart("muffleMessage")
      }
    ),
    error = function(e) error <<- .with_odd_names(.describe_condition(e), args),
    interrupt = function(i) {
      error <<- list(message = "interrupted", call = "", class = "interrupt")
    }
  )
  if (!is.null(error)) value <- NULL
  # R's, of the pattern that it took the name for
  if (isTRUE(error$odd_name)) warnings <- character()
  list(value = value, warnings = unique(warnings), messages = enc2utf8(unique(messages)),
       advice = enc2utf8(unique(advice)), error = error)
}

.describe_condition <- function(e) {
  call <- conditionCall(e)
  text <- if (is.null(call)) "" else tryCatch(
    substr(paste(deparse(call[[1L]], nlines = 1L), collapse = ""), 1L, 200L),
    error = function(e) "")
  list(message = enc2utf8(conditionMessage(e)), call = enc2utf8(text), class = class(e))
}

# R's packages do not read every name: a column called `a{b}` is a regular expression to emmeans.
.with_odd_names <- function(error, args) {
  model <- if (length(args) && is.environment(args[[1L]])) args[[1L]]$model
  if (is.null(model) || any(startsWith(error$class, "pymlm_"))) return(error)
  names <- tryCatch(unique(c(all.vars(formula(model)),
                             all.vars(getCall(model)[c("weights", "offset")]))),
                    error = function(e) character())
  odd <- names[make.names(names) != names | names %in% c("pi", "T", "F", "LETTERS", "letters")]
  if (!length(odd)) return(error)
  error$message <- paste0(
    "R stopped here (", error$message, "). The model has the column ", sQuote(odd[1L], FALSE),
    ", a name that R's packages do not always read: rename the column, ",
    "to letters, digits, '.' and '_'")
  error$class <- c("pymlm_NotSupportedError", error$class)
  error$odd_name <- TRUE
  error
}

#' Raise a condition that Python turns into the pymlm error of that name.
refuse <- function(class, ...) {
  stop(structure(class = c(paste0("pymlm_", class), "error", "condition"),
                 list(message = paste0(...), call = NULL)))
}

#' Say what the user should know of an answer that is right: in the notes of the result, and as an
#' AdviceWarning of Python.
advise <- function(...) {
  message(structure(class = c("pymlm_advice", "message", "condition"),
                    list(message = paste0(..., "\n"), call = NULL)))
}
