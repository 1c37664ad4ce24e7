# Text such as "2*a + b = 3" or "SMfrlunch30 - WSfrlunch = 0" as a row of L and a right-hand side.
# Names of coefficients are found first, the longest that fits, because R's own names hold operators
# ("(Intercept)", "a:b", "I(x^2)", "poly(Days, 2)1"); what is left is parsed, never evaluated.

#' @return list of `L` (rows), `rhs`, and `equation` (did the text have a right-hand side)
parse_hypotheses <- function(fit, texts) {
  terms <- names(coefs(fit$model))
  rows <- lapply(enc2utf8(texts), .hypothesis, terms = terms)
  list(L = lapply(rows, function(r) r$L), rhs = vapply(rows, function(r) r$rhs, 0),
       equation = vapply(rows, function(r) r$equation, NA))
}

#' Names of the fixed effects, for checks on the Python side.
fixed_terms <- function(fit) names(coefs(fit$model))

.hypothesis <- function(text, terms) {
  marked <- .mark_terms(text, terms)
  sides <- strsplit(marked, "={1,2}")[[1L]]
  if (!nzchar(trimws(text)) || length(sides) > 2L || any(!nzchar(trimws(sides))))
    .bad_hypothesis(text, "write it as 'a - b = 0', with one '=' at most")
  values <- lapply(sides, .linear_form, text = text, terms = terms)
  out <- values[[1L]]
  if (length(values) == 2L) out <- out - values[[2L]]
  if (all(out[-1L] == 0)) .bad_hypothesis(text, "it names no coefficient, or they cancel")
  list(L = unname(out[-1L]), rhs = -out[[1L]], equation = length(sides) == 2L)
}

.bad_hypothesis <- function(text, why) {
  refuse("ArgumentError", "hypothesis ", sQuote(text, FALSE), ": ", why)
}

# Coefficient names become `.b[1]`, `.b[2]` ... where they stand alone, not inside a longer word.
.mark_terms <- function(text, terms) {
  ways <- Map(c, terms, paste0("`", terms, "`"), .in_user_s_ticks(terms))
  order <- order(nchar(terms), decreasing = TRUE)
  n <- nchar(text)
  out <- character()
  at <- 1L
  while (at <= n) {
    before <- if (at > 1L) substr(text, at - 1L, at - 1L) else " "
    found <- NULL
    for (i in order) for (written in unique(ways[[i]])) {
      end <- at + nchar(written) - 1L
      if (substr(text, at, end) == written && .stands_alone(text, written, before, end))
        found <- c(i, end)
      if (!is.null(found)) break
    }
    if (!is.null(found)) {
      out <- c(out, " .b[", found[1L], "] ")
      at <- found[2L] + 1L
    } else {
      out <- c(out, substr(text, at, at))
      at <- at + 1L
    }
    if (!is.null(found)) found <- NULL
  }
  paste(out, collapse = "")
}

# R writes a tab in a name as "\\t"; who quotes the name writes the tab.
.in_user_s_ticks <- function(terms) {
  vapply(column_names_in(terms), function(parts) {
    odd <- make.names(parts) != parts
    parts[odd] <- paste0("`", gsub("([`\\\\])", "\\\\\\1", parts[odd]), "`")
    paste(parts, collapse = ":")
  }, "")
}

.stands_alone <- function(text, written, before, end) {
  word <- "[[:alnum:]_.:]"
  after <- substr(text, end + 1L, end + 1L)
  starts <- grepl(paste0("^", word), written) && grepl(word, before)
  ends <- grepl(paste0(word, "$"), written) && nzchar(after) && grepl(word, after)
  # A name that closes a bracket may be the beginning of another: poly(x, 2) of poly(x, 2)1.
  closes <- grepl("\\)$", written) && nzchar(after) && grepl("[[:alnum:]_.:]", after)
  !starts && !ends && !closes
}

# Value of a linear expression: the constant, then one weight for each coefficient.
.linear_form <- function(side, text, terms) {
  parsed <- tryCatch(parse(text = side, keep.source = FALSE), error = function(e) NULL)
  if (length(parsed) != 1L) .bad_hypothesis(text, "R cannot read it")
  zero <- numeric(length(terms) + 1L)
  walk <- function(e) {
    if (is.numeric(e)) return(replace(zero, 1L, as.numeric(e)))
    if (is.name(e)) .unknown_coefficient(text, as.character(e), terms)
    head <- if (is.name(e[[1L]])) as.character(e[[1L]]) else ""
    if (head == "[" && identical(e[[2L]], quote(.b))) return(replace(zero, e[[3L]] + 1L, 1))
    arguments <- as.list(e)[-1L]
    if (head == "(" ) return(walk(arguments[[1L]]))
    if (head %in% c("+", "-") && length(arguments) == 1L)
      return(if (head == "-") -walk(arguments[[1L]]) else walk(arguments[[1L]]))
    if (!head %in% c("+", "-", "*", "/") || length(arguments) != 2L)
      .unknown_coefficient(text, paste(deparse(e), collapse = ""), terms)
    a <- walk(arguments[[1L]])
    b <- walk(arguments[[2L]])
    switch(head, "+" = a + b, "-" = a - b, "*" = .times(a, b, text), "/" = .over(a, b, text))
  }
  walk(parsed[[1L]])
}

.times <- function(a, b, text) {
  if (all(a[-1L] == 0)) a[1L] * b else if (all(b[-1L] == 0)) b[1L] * a
  else .bad_hypothesis(text, "a product of two coefficients is not linear")
}

.over <- function(a, b, text) {
  if (any(b[-1L] != 0)) .bad_hypothesis(text, "division by a coefficient is not linear")
  if (b[1L] == 0) .bad_hypothesis(text, "division by zero")
  a / b[1L]
}

# Python adds the near names.
.unknown_coefficient <- function(text, name, terms) {
  marks <- gregexpr(" *\\.b\\[[0-9]+\\] *", name)
  regmatches(name, marks) <- lapply(regmatches(name, marks), function(m)
    terms[as.integer(gsub("[^0-9]", "", m))])
  refuse("ArgumentError", "hypothesis ", sQuote(text, FALSE), ": ", sQuote(name, FALSE),
         " is no coefficient of this model.", near_terms(name, terms), " The coefficients are ",
         paste(sQuote(terms, FALSE), collapse = ", "))
}

#' Names that resemble `name`, phrased for the end of an error message.
near_terms <- function(name, terms) {
  distance <- utils::adist(tolower(name), tolower(terms), partial = FALSE)[1L, ]
  near <- terms[order(distance)][sort(distance) <= pmax(2, nchar(name) / 3)]
  near <- utils::head(near, 3L)
  if (!length(near)) return("")
  paste0(" Did you mean ", paste(sQuote(near, FALSE), collapse = " or "), "?")
}
