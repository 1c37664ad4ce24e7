# Data sets of the installed R packages.

#' The data sets of R's packages, with their titles.
list_datasets <- function(packages) {
  packages <- packages[vapply(packages, requireNamespace, NA, quietly = TRUE)]
  found <- utils::data(package = packages)$results
  item <- sub(" .*$", "", found[, "Item"])
  source <- sub("^.*\\((.*)\\)$", "\\1", found[, "Item"])
  size <- vapply(seq_along(item), function(i) {
    d <- tryCatch(.dataset(item[i], found[i, "Package"]), error = function(e) NULL)
    if (is.data.frame(d)) dim(d) else c(NA_integer_, NA_integer_)
  }, c(0L, 0L))
  keep <- !is.na(size[1L, ])
  list(package = unname(found[keep, "Package"]), name = item[keep], rows = size[1L, keep],
       columns = size[2L, keep], title = unname(found[keep, "Title"]))
}

.dataset <- function(name, package) {
  if (!requireNamespace(package, quietly = TRUE))
    refuse("DataError", "R package '", package, "' is not installed")
  env <- new.env()
  suppressWarnings(utils::data(list = name, package = package, envir = env))
  if (!exists(name, envir = env, inherits = FALSE))
    refuse("DataError", "R package '", package, "' has no data set '", name, "'")
  get(name, envir = env)
}

#' A data set as columns with the facts that make a pandas column of each.
load_dataset <- function(name, package) {
  d <- .dataset(name, package)
  if (!is.data.frame(d))
    refuse("DataError", package, "::", name, " is a ", class(d)[1L], ", not a data frame")
  list(nrow = nrow(d), row_names = if (is.character(attr(d, "row.names"))) row.names(d),
       columns = frame_columns(d), units = .units_of(d))
}

# Units of outcome and predictor, which nlme's data sets bring along: c(age = "yr", distance =
# "mm").
.units_of <- function(d) {
  units <- attr(d, "units")
  formula <- attr(d, "formula")
  if (!is.list(units) || !inherits(formula, "formula") || length(formula) != 3L) return(NULL)
  right <- formula[[3L]]
  sides <- list(y = formula[[2L]], x = if (is.call(right)) right[[2L]])
  known <- Filter(function(s) is.name(sides[[s]]) && is.character(units[[s]]), names(sides))
  out <- lapply(known, function(s) gsub("^\\s*\\((.*)\\)\\s*$", "\\1", units[[s]]))
  stats::setNames(out, vapply(known, function(s) as.character(sides[[s]]), ""))
}

#' Every column of a data frame with the facts that make a pandas column of it. A matrix stands for
#' as many columns as it has, under the names that R prints.
frame_columns <- function(d) {
  flat <- lapply(names(d), function(n) {
    x <- d[[n]]
    if (!is.matrix(x)) return(stats::setNames(list(x), n))
    parts <- if (is.null(colnames(x))) seq_len(ncol(x)) else colnames(x)
    stats::setNames(lapply(seq_len(ncol(x)), function(j) x[, j]), paste(n, parts, sep = "."))
  })
  lapply(do.call(c, flat), .column)
}

.column <- function(x) {
  if (is.factor(x))
    return(list(kind = if (is.ordered(x)) "ordered" else "factor", values = as.integer(x),
                levels = levels(x)))
  if (inherits(x, "Date")) return(list(kind = "Date", values = as.numeric(x), levels = NULL))
  if (inherits(x, "POSIXct")) return(list(kind = "POSIXct", values = as.numeric(x), levels = NULL))
  if (is.list(x)) return(NULL)
  list(kind = typeof(x), values = as.vector(x), levels = NULL)
}

#' The first of `packages` that has a data frame of this name.
find_dataset <- function(name, packages) {
  for (p in packages) {
    if (!requireNamespace(p, quietly = TRUE)) next
    items <- sub(" .*$", "", utils::data(package = p)$results[, "Item"])
    if (name %in% items) return(p)
  }
  character()
}
