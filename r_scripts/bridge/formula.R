# Vetting: a formula is parsed, never evaluated, and its tree is walked with a stack of our own,
# because R's recursion ends at a few thousand levels and some have as many terms.

.formula_operators <- c(
  "~", "+", "-", "*", "/", "^", ":", "%in%", "|", "||", "(", "[",
  "==", "!=", "<", ">", "<=", ">=", "&", "&&", "!", "%%", "%/%"
)

.formula_functions <- c(
  "I", "offset", "c", "cbind", "factor", "as.factor", "ordered", "as.ordered", "relevel",
  "droplevels", "interaction", "cut", "findInterval", "ifelse", "is.na", "nlevels", "as.numeric",
  "as.integer", "as.logical", "as.character", "as.double", "numeric", "log", "log2", "log10",
  "log1p", "exp", "expm1", "sqrt", "abs", "sign", "floor", "ceiling", "round", "signif", "trunc",
  "sin", "cos", "tan", "asin", "acos", "atan", "sinpi", "cospi", "sinh", "cosh", "tanh", "asinh",
  "acosh", "atanh", "gamma", "lgamma", "beta", "lbeta", "choose", "factorial", "plogis", "qlogis",
  "pnorm", "qnorm", "dnorm", "min", "max", "pmin", "pmax", "mean", "median", "sd", "var", "sum",
  "range", "cumsum", "quantile", "rank", "rev", "seq", "seq_len", "rep", "length", "scale", "poly",
  "polym", "ns", "bs", "C", "contr.treatment", "contr.sum", "contr.helmert", "contr.poly",
  "contr.SAS", "contr.sdif", "SSasymp", "SSasympOff", "SSasympOrig", "SSbiexp", "SSfol", "SSfpl",
  "SSgompertz", "SSlogis", "SSmicmen", "SSweibull", "list", "dummy"
)

# Names that stand for values where the data have no column of that name.
.formula_constants <- c(
  "pi", "T", "F", "LETTERS", "letters", "contr.treatment", "contr.sum", "contr.helmert",
  "contr.poly", "contr.SAS", "contr.sdif"
)

#' Where formulas find their functions: splines' ns and bs, then lme4 and what it imports.
.formula_home <- new.env(parent = asNamespace("lme4"))
.formula_home$ns <- splines::ns
.formula_home$bs <- splines::bs
.formula_home$contr.sdif <- MASS::contr.sdif

#' What stands in a formula, read and not run; refused where it may not run.
vet_formula <- function(text) {
  f <- parse_formula(text)
  walked <- .walk(f)
  .check_structures(walked$structures)
  if (walked$n_bars) check_length(f)
  two_sided <- length(f) == 3L
  lhs <- if (two_sided) f[[2L]] else NULL
  # y ~ f(x, a, b) ~ a | g, as nlmer takes it, is (y ~ f(x, a, b)) ~ (a | g).
  nonlinear <- is.call(lhs) && identical(lhs[[1L]], quote(`~`)) && length(lhs) == 3L
  rhs <- list(f[[length(f)]], if (nonlinear) lhs[[3L]])
  if (nonlinear) lhs <- lhs[[2L]]
  powers <- .powers_of_one(rhs[[1L]], walked$calls)
  large <- if (any(names(.sized) %in% walked$calls)) .largest_call(f)
  refused <- c(setdiff(walked$calls, c(.formula_operators, .formula_functions)), walked$by_C)
  list(
    names = setdiff(walked$names, "."),
    constants = intersect(walked$names, .formula_constants),
    response = if (is.name(lhs)) as.character(lhs) else NULL,
    response_names = setdiff(.names_in(list(lhs)), .names_in(rhs)),
    two_sided = two_sided,
    nonlinear = nonlinear,
    dot = "." %in% walked$names,
    n_bars = walked$n_bars,
    groups = .names_in(walked$groups),
    powers = vapply(powers, deparse1, ""),
    power_bases = vapply(powers, function(p) deparse1(p[[2L]]), ""),
    bare_slopes = if (two_sided && !nonlinear) .names_in(.left_of_bare_bar(rhs[[1L]])),
    removed = if ("-" %in% walked$calls) .removed_columns(rhs[[1L]]),
    keyed = walked$keyed, valued = walked$valued,
    # What stands left of a double bar: lme4 keeps the correlations of a factor's levels there.
    uncorrelated = if ("||" %in% walked$calls) .left_of_double_bars(f),
    largest = large$size %||% 0, largest_call = large$text %||% "",
    refused = refused,
    allowed = if (length(refused)) .formula_functions # for near names
  )
}

# Functions whose columns or length a number in the formula says: their arguments, those numbers.
.sized <- list(
  ns = list(function(x, df, knots, ...) NULL, "df"),
  bs = list(function(x, df, knots, degree, ...) NULL, c("df", "degree")),
  poly = list(function(x, degree, ...) NULL, "degree"),
  cut = list(function(x, breaks, ...) NULL, "breaks"),
  seq_len = list(function(length.out) NULL, "length.out"),
  numeric = list(function(length) NULL, "length"),
  rep = list(function(x, times, each, length.out, ...) NULL, c("times", "each", "length.out")),
  seq = list(function(from, to, by, length.out, along.with, ...) NULL, "length.out"),
  contr.treatment = list(function(n, ...) NULL, "n"), contr.sum = list(function(n, ...) NULL, "n"),
  contr.helmert = list(function(n, ...) NULL, "n"), contr.poly = list(function(n, ...) NULL, "n"),
  contr.SAS = list(function(n, ...) NULL, "n")
)

.largest_call <- function(f) {
  stack <- list(f)
  found <- list(size = 0, text = "")
  while (length(stack)) {
    node <- stack[[length(stack)]]
    stack[[length(stack)]] <- NULL
    if (!is.call(node)) next
    size <- if (is.name(node[[1L]])) .size_of_call(node, as.character(node[[1L]])) else 0
    if (size > found$size)
      found <- list(size = size, text = paste(deparse(node, nlines = 1L), collapse = ""))
    stack <- c(stack, Filter(is.call, as.list(node)[-1L]))
  }
  found
}

.size_of_call <- function(node, head) {
  known <- .sized[[head]]
  if (is.null(known)) return(0)
  args <- tryCatch(as.list(match.call(known[[1L]], node))[-1L], error = function(e) NULL)
  sizes <- vapply(args[intersect(known[[2L]], names(args))], .written_number, 0)
  if (head == "seq" && !length(sizes)) {
    ends <- vapply(args[c("from", "to", "by")], .written_number, 0)
    sizes <- abs(ends[2L] - ends[1L]) / if (is.na(ends[3L])) 1 else abs(ends[3L])
  }
  max(0, sizes, na.rm = TRUE)
}

# A number as it is written, -1 and 1e3 * 2 included; NA for what is none.
.written_number <- function(node) {
  if (is.numeric(node) && length(node) == 1L) return(as.numeric(node))
  plain <- is.call(node) && as.character(node[[1L]])[1L] %in% c("-", "+", "*", "/", "^", "(")
  if (!plain) return(NA_real_)
  parts <- vapply(as.list(node)[-1L], .written_number, 0)
  if (anyNA(parts)) NA_real_ else as.numeric(do.call(as.character(node[[1L]]), as.list(parts)))
}

# Powers of one variable as terms (x^2, x**2): R crosses the variable with itself. (a + b)^2 is so.
.powers_of_one <- function(rhs, calls) {
  if (!"^" %in% calls) return(list())
  stack <- list(rhs)
  found <- list()
  while (length(stack)) {
    node <- stack[[length(stack)]]
    stack[[length(stack)]] <- NULL
    if (!is.call(node) || !is.name(node[[1L]])) next
    head <- as.character(node[[1L]])
    if (head == "^" && .is_one_variable(node[[2L]])) {
      if (!identical(node[[3L]], 1)) found <- c(list(node), found)
    } else if (head %in% c("+", "-", "*", "/", "^", ":", "%in%", "|", "||", "(", "~"))
      stack <- c(stack, as.list(node)[-1L])
  }
  unique(found)
}

.is_one_variable <- function(node) {
  while (is.call(node) && identical(node[[1L]], quote(`(`))) node <- node[[2L]]
  if (is.name(node)) return(!identical(node, quote(.)))
  is.call(node) && is.name(node[[1L]]) &&
    !as.character(node[[1L]]) %in% c("+", "-", "*", "/", "^", ":", "%in%", "|", "||")
}

# What stands left of a bar outside parentheses: y ~ x + 1 | g is y ~ (x + 1 | g).
.left_of_bare_bar <- function(rhs) {
  if (is.call(rhs) && as.character(rhs[[1L]])[1L] %in% c("|", "||") && length(rhs) == 3L)
    list(rhs[[2L]])
}

.removed_columns <- function(rhs) {
  found <- character()
  while (is.call(rhs) && as.character(rhs[[1L]])[1L] %in% c("+", "-")) {
    last <- rhs[[length(rhs)]]
    if (identical(rhs[[1L]], quote(`-`)) && is.name(last)) found <- c(as.character(last), found)
    rhs <- rhs[[2L]]
  }
  found
}

.names_in <- function(parts) unique(as.character(unlist(lapply(parts, function(p) .walk(p)$names))))

#' The one formula in `text`, as an unevaluated call to `~`.
parse_formula <- function(text) {
  parsed <- tryCatch(
    parse(text = enc2utf8(text), keep.source = FALSE, encoding = "UTF-8"),
    error = function(e) {
      why <- sub("^<text>:", "line ", conditionMessage(e))
      if (grepl("contextstack", why)) why <- "brackets are nested too deeply (R reads about 50)"
      refuse("FormulaError", "R cannot read the formula: ", why)
    }
  )
  if (length(parsed) != 1L)
    refuse("FormulaError", "expected one formula, found ", length(parsed), " expressions")
  f <- parsed[[1L]]
  if (!is.call(f) || !identical(f[[1L]], quote(`~`)))
    refuse("FormulaError", "no '~' in the formula; write e.g. 'y ~ x + (1 | g)'")
  used <- all.names(f) # R's own walk, which is quick: most formulas have neither
  if (sum(used == "(") > .most_brackets) .refuse_brackets(.walk(f)$brackets)
  if (!"||" %in% used) return(f)
  if (any(vapply(.walk(f)$groups, needs_backticks, NA))) .write_out_double_bars(f) else f
}

#' lme4 walks a mixed formula by recursion, a level and more a term, and R has not more levels than
#' options("expressions").
check_length <- function(f) {
  node <- f[[length(f)]]
  depth <- 0L
  while (is.call(node) && length(node) > 1L) {
    node <- node[[2L]]
    depth <- depth + 1L
  }
  if (depth > getOption("expressions"))
    refuse("FormulaError", "the formula has more terms than R can walk through (", depth, " deep)",
           ". Write 'y ~ . + (1 | g)' with a data frame of the columns you want, or fewer terms")
}

# lme4 looks twice into each pair of nested brackets: at 40 it would not come back.
.most_brackets <- 12L

.refuse_brackets <- function(nested) {
  if (nested > .most_brackets)
    refuse("FormulaError", "brackets are nested ", nested,
           " deep, and lme4's time doubles with each. Leave out ",
           "those that are not needed, or compute the column before")
}

#' Is it a name that R cannot read without backticks?
needs_backticks <- function(x) is.name(x) && as.character(x) != make.names(as.character(x))

#' `(a || g)` as `(1 | g) + (0 + a | g)` where g needs backticks: lme4 does the same, by text in
#' which g has lost them, so that R would run a column's name as code.
.write_out_double_bars <- function(node) {
  if (!is.call(node)) return(node)
  if (identical(node[[1L]], quote(`(`))) {
    bar <- node[[2L]]
    if (!(is.call(bar) && identical(bar[[1L]], quote(`||`)) && needs_backticks(bar[[3L]])))
      return(node)
    parts <- terms(eval(call("~", bar[[2L]]), .formula_home))
    left <- lapply(attr(parts, "term.labels"), function(l) call("+", 0, str2lang(l)))
    if (attr(parts, "intercept")) left <- c(1, left)
    return(Reduce(function(a, b) call("+", a, b),
                  lapply(left, function(l) call("(", call("|", l, bar[[3L]])))))
  }
  if (as.character(node[[1L]])[1L] %in% c("~", "+", "-"))
    node[-1L] <- lapply(as.list(node)[-1L], .write_out_double_bars)
  node
}

#' The formula with the columns for which its dot stands: with a dot left in a mixed model, R's
#' terms(), anova(), update() ... of it fail.
write_out_dot <- function(formula, columns) {
  if (!"." %in% all.names(formula) || length(formula) != 3L) return(formula)
  columns <- lapply(setdiff(columns, all.vars(formula[[2L]])), as.name)
  if (!length(columns)) return(formula)
  all <- .written_sum(columns)
  into <- function(node) {
    if (identical(node, quote(.))) return(all)
    if (is.call(node) && as.character(node[[1L]])[1L] %in%
        c("+", "-", "*", "/", "^", ":", "%in%", "("))
      node[-1L] <- lapply(as.list(node)[-1L], into)
    node
  }
  formula[[3L]] <- into(formula[[3L]])
  formula
}

# a + b + c; of very many columns halves are added, for lme4's recursion ends at some thousand.
.written_sum <- function(terms) {
  n <- length(terms)
  if (n <= 500L) return(Reduce(function(a, b) call("+", a, b), terms))
  half <- n %/% 2L
  call("+", .written_sum(terms[seq_len(half)]), .written_sum(terms[-seq_len(half)]))
}

#' Names, calls and bars of an expression, without recursion.
.walk <- function(expr) {
  attributes(expr) <- NULL # those of a terms object make `[` take terms out
  stack <- list(expr)
  top <- 1L
  names <- calls <- by_C <- character()
  groups <- structures <- list()
  n_bars <- 0L
  depth <- 0L # of brackets around each entry of the stack
  place <- "term" # of each entry: a term of the formula, a key, or a value inside a function
  keyed <- valued <- character()
  deepest <- 0L
  while (top > 0L) {
    node <- stack[[top]]
    inside <- depth[top]
    where <- place[top]
    top <- top - 1L
    if (is.name(node)) {
      names[length(names) + 1L] <- as.character(node)
      if (where == "key") keyed[length(keyed) + 1L] <- as.character(node)
      else valued[length(valued) + 1L] <- as.character(node)
    } else if (is.call(node)) {
      head <- node[[1L]]
      if (.is_structure(node)) { # of a random term, no function that R runs
        structures <- c(structures, list(node))
        node <- node[1:2]
      } else if (is.name(head)) {
        calls[length(calls) + 1L] <- as.character(head)
        if (identical(head, quote(C))) by_C <- c(by_C, .called_by_C(node))
        if (as.character(head) %in% c("|", "||") && length(node) == 3L) {
          n_bars <- n_bars + 1L
          groups[[n_bars]] <- node[[3L]]
        }
      } else {
        calls[length(calls) + 1L] <- paste(deparse(head, nlines = 1L), collapse = "")
      }
      if (identical(head, quote(`(`))) inside <- inside + 1L
      deepest <- max(deepest, inside)
      parts <- as.list(node)[-1L]
      if (identical(head, quote(C))) parts <- .without_codings(parts)
      places <- .places_of_parts(head, length(parts), where)
      for (i in rev(seq_along(parts))) {
        if (identical(parts[[i]], quote(expr = ))) next # an empty argument, as in x[, 1]
        top <- top + 1L
        stack[top] <- list(parts[[i]])
        depth[top] <- inside
        place[top] <- places[i]
      }
    }
  }
  list(names = unique(names), calls = unique(calls), by_C = by_C, groups = groups, n_bars = n_bars,
       brackets = deepest, structures = structures, keyed = unique(keyed), valued = unique(valued))
}

#' Is it us(x | g), diag(x | g), cs(x | g, hom = TRUE) or ar1(x | g)?
.is_structure <- function(node) {
  is.name(node[[1L]]) && as.character(node[[1L]]) %in% covariance_structures &&
    length(node) > 1L && is.call(node[[2L]]) && identical(node[[2L]][[1L]], quote(`|`))
}

# What lme4 before 2.0 would take for a function, and arguments that it would run or overlook.
.check_structures <- function(structures) {
  for (node in structures) {
    name <- as.character(node[[1L]])
    if (!knows_structures())
      refuse("FormulaError", name, "() of a random term is a covariance structure of lme4 2.0 and ",
             "later; this R has lme4 ", as.character(utils::packageVersion("lme4")),
             ". Update lme4, write (x | g) for any covariance matrix or (x || g) for none, or fit ",
             "the structure by nlme: pymlm.lme()")
    more <- as.list(node)[-(1:2)]
    known <- name != "us" && length(more) == 1L && identical(names(more), "hom") &&
      (is.logical(more[[1L]]) && !is.na(more[[1L]]) || identical(more[[1L]], quote(T)) ||
         identical(more[[1L]], quote(F)))
    if (length(more) && !known)
      refuse("FormulaError", deparse1(node), ": beside the term, ", name, "() takes ",
             if (name == "us") "nothing" else
               "hom = TRUE or hom = FALSE (one standard deviation for all?)")
  }
}

.left_of_double_bars <- function(node) {
  if (!is.call(node)) return(NULL)
  if (identical(node[[1L]], quote(`||`)) && length(node) == 3L) return(.names_in(list(node[[2L]])))
  if (!as.character(node[[1L]])[1L] %in% c("~", "+", "-", "(")) return(NULL)
  unique(unlist(lapply(as.list(node)[-1L], .left_of_double_bars)))
}

# Where values are names alone, which R makes of them: behind a bar, and in factor(x).
.places_of_parts <- function(head, n, where) {
  head <- if (is.name(head)) as.character(head) else ""
  if (where != "value") {
    if (head %in% c("|", "||") && n == 2L && where == "term") return(c("term", "key"))
    if (head %in% c("+", "*", ":", "/", "(", "%in%")) return(rep(where, n))
    if (where == "term" && head %in% c("~", "-", covariance_structures)) return(rep(where, n))
    if (head == "interaction" || n == 1L && head %in% c("factor", "as.factor"))
      return(rep("key", n))
  }
  rep("value", n)
}

#' What C(object, contr, ...) of `node` may run beside R's contrasts: R finds `contr` by its name,
#' which may be that of any function, and calls it with what stands in `...`, or the levels.
.called_by_C <- function(node) {
  args <- as.list(tryCatch(match.call(stats::C, node), error = function(e) node))[-1L]
  given <- names(args)
  args <- if (is.null(given)) args[-1L] else args[given != "object"]
  setdiff(.leaves(args), c(.codings(), "c", "cbind", "(", "-", "+", "*", "/", "^", ":", "T", "F"))
}

# The arguments of C() without the name of a coding: C(f, sum) means contr.sum, not a column.
.without_codings <- function(parts) {
  coding <- vapply(parts, function(p) is.name(p) && as.character(p) %in% .codings(), NA)
  coding[1L] <- FALSE
  parts[!coding]
}

# The names of R's codings, long and short.
.codings <- function() {
  long <- grep("^contr[.]", .formula_functions, value = TRUE)
  c(long, setdiff(sub("contr.", "", long, fixed = TRUE), "sdif")) # which C() does not know
}

#' What stands for a coding in the calls of C() in a formula: names, or texts in quotes.
codings_in <- function(expr) {
  if (!is.call(expr)) return(NULL)
  more <- unlist(lapply(as.list(expr)[-1L], codings_in))
  if (!identical(expr[[1L]], quote(C))) return(unique(more))
  own <- lapply(as.list(expr)[-(1:2)], function(a) {
    if (is.character(a)) deparse1(a) else if (is.name(a)) as.character(a)
  })
  unique(c(more, unlist(own)))
}

#' Every name and text in some expressions, functions included.
.leaves <- function(parts) {
  unique(unlist(lapply(parts, function(x) {
    if (is.call(x)) .leaves(as.list(x))
    else if (identical(x, quote(expr = ))) NULL # an argument left out
    else if (is.name(x) || is.character(x)) as.character(x)
  })))
}
