# Native R's side of a parity test: emit(x) writes any nest of lists, vectors, matrices and data
# frames to standard output as JSON, numbers with 17 significant digits. Base R only.

emit <- function(x) cat(.json(x), "\n", sep = "")

.json <- function(x) {
  if (is.null(x)) return("null")
  if (isS4(x) && methods::is(x, "Matrix")) x <- as.matrix(x)
  if (is.factor(x)) x <- as.character(x)
  if (is.data.frame(x)) {
    x <- c(list(.rows = row.names(x)), as.list(x))
  } else if (is.matrix(x)) {
    return(.json(list(rows = rownames(x), cols = colnames(x),
                      values = lapply(seq_len(nrow(x)), function(i) unname(x[i, ])))))
  }
  if (is.list(x)) {
    parts <- vapply(x, .json, "")
    if (is.null(names(x))) return(paste0("[", paste(parts, collapse = ","), "]"))
    return(paste0("{", paste0(.json_text(names(x)), ":", parts, collapse = ","), "}"))
  }
  if (!is.null(names(x)) && is.atomic(x)) return(.json(as.list(x)))
  values <- if (is.character(x)) ifelse(is.na(x), "null", .json_text(x))
  else if (is.logical(x)) ifelse(is.na(x), "null", tolower(as.character(x)))
  else if (is.numeric(x)) .json_number(x)
  else .json_text(paste(deparse(x), collapse = " "))
  if (length(x) == 1L) values else paste0("[", paste(values, collapse = ","), "]")
}

.json_number <- function(x) {
  text <- sprintf("%.17g", as.numeric(x))
  text[is.nan(x)] <- "NaN"
  text[is.na(x) & !is.nan(x)] <- "null"
  text[is.infinite(x)] <- ifelse(x[is.infinite(x)] > 0, "Infinity", "-Infinity")
  text
}

.json_text <- function(x) {
  x <- enc2utf8(as.character(x))
  x <- gsub("\\", "\\\\", x, fixed = TRUE)
  x <- gsub("\"", "\\\"", x, fixed = TRUE)
  x <- gsub("\n", "\\n", x, fixed = TRUE)
  x <- gsub("\t", "\\t", x, fixed = TRUE)
  # JSON has no control characters as they are
  if (any(grepl("[\001-\037]", x))) for (code in setdiff(1:31, 9:10))
    x <- gsub(intToUtf8(code), sprintf("\\u%04x", code), x, fixed = TRUE)
  paste0("\"", x, "\"")
}
