# Marginal means, trends, contrasts and joint tests, by emmeans.
# The reference grid is made without degrees of freedom and gets them afterwards, from the same
# lmerTest and pbkrtest objects as everything else: emmeans would compute them anew, and above
# 3,000 rows leave them out with a message only.

#' Marginal means, or contrasts of them: emmeans().
emmeans_native <- function(fit, specs, by = NULL, at = NULL, contrast = NULL, options = list(),
                           ddf = NULL) {
  if (!is.null(options$submodel)) options$submodel <- submodel_of(fit, options$submodel, contrast)
  means <- means_of(fit, specs, by, at, options, ddf)
  .finished_means(means, fit, contrast, options)
}
#' The means before contrasts and tests.
means_of <- function(fit, specs, by, at, options, ddf) {
  grid <- .reference_grid(fit, at, ddf, options$offset, options)
  back <- c(options$type, options$regrid) %in% c("response", "unlink", "mu")
  if (any(back) && is.null(options$tran)) grid <- with_back_transform(grid, fit)
  grid <- regridded(grid, fit, options)
  with_transformation(.means_over(grid, specs, by, options), options)
}
emmeans_result <- function(native, fit, specs, by = NULL, at = NULL, contrast = NULL,
                           options = list(), ddf = NULL) {
  out <- grid_result(native, if (is.null(contrast)) "emmean" else "estimate",
                     ddf_of_means(fit, ddf))
  if (isTRUE(options$comparisons)) c(out, .comparison_arrows(native, contrast, options)) else out
}
# Arrows of emmeans' plot: means whose arrows do not overlap differ. None points beyond the ends.
.comparison_arrows <- function(native, contrast, options) {
  if (!is.null(contrast))
    refuse("ArgumentError", "comparison arrows are of means, not of contrasts: leave one out")
  if (!requireNamespace("ggplot2", quietly = TRUE))
    refuse("RPackageError", "comparison arrows need R's ggplot2: install.packages(\"ggplot2\")")
  level <- if (is.null(options$level)) 0.95 else options$level
  drawn <- plot(native, comparisons = TRUE, plotit = FALSE, alpha = 1 - level)
  list(arrow_low = drawn$lcmpl, arrow_high = drawn$rcmpl)
}

#' Slopes at levels of factors: emmeans' emtrends().
emtrends_native <- function(fit, specs, var, by = NULL, at = NULL, contrast = NULL,
                            options = list(), ddf = NULL) {
  .not_an_offset(fit, var)
  base <- .reference_grid(fit, at, ddf)
  .known_covariate(base, var)
  .possible_degree(fit, var, options$max_degree)
  args <- c(.grid_arguments(fit, .checked_at(fit, at), FALSE, ddf), list(var = var))
  if (!is.null(options$max_degree)) args$max.degree <- options$max_degree
  args <- c(args, grid_options(fit, options))
  regrid <- options$regrid
  if (!is.null(regrid) && isS4(fit$model) && ddf_of_means(fit, ddf) != "asymptotic")
    refuse("NotSupportedError", "slopes on another scale (regrid=) have z tests: ddf='asymptotic'")
  slopes <- .odd_names_apart(do.call(emmeans::emtrends,
                                     c(args, list(regrid = regrid)[!is.null(regrid)])))
  if (is.null(regrid)) slopes <- .with_ddf(slopes, fit, ddf)
  # As emtrends() itself does where it is given specs: the degrees of a polynomial are no levels.
  if ("degree" %in% slopes@roles$predictors &&
      !"degree" %in% c(.names_in_specs(specs, names(slopes@levels)), by))
    by <- c("degree", by)
  .finished_means(.means_over(slopes, specs, by, options), fit, contrast, options)
}
emtrends_result <- function(native, fit, specs, var, by = NULL, at = NULL, contrast = NULL,
                            options = list(), ddf = NULL) {
  grid_result(native, if (is.null(contrast)) "trend" else "estimate", ddf_of_means(fit, ddf))
}

# An offset is no term, and no test of terms depends on it; emmeans (1.8 at least) stops where there
# is one.
joint_tests_native <- function(fit, by = NULL, at = NULL, ddf = NULL, options = list()) {
  grid <- .reference_grid(fit, at, ddf, FALSE, c(list(cov_reduce = "meanint"), options["vcov"]))
  .known_factors(grid, by, "by", also = NULL)
  grid <- .without_codings_in_terms(grid)
  args <- options["submodel"][!is.null(options$submodel)]
  tryCatch(.joint_tests(grid, by, args), error = function(e) {
    if (!is.null(options$submodel) &&
        grepl("number of columns|numbers of columns", conditionMessage(e)))
      refuse("NotSupportedError", "the installed emmeans (",
             format(utils::packageVersion("emmeans")),
             ") cannot put tests of a submodel together for a ", kind_of(fit$model),
             "; anova(type='II') has them ",
             "where the class has such tests")
    if (conditionMessage(e) != "There are no factors to test") stop(e)
    refuse("NotSupportedError", "the model has no term to test besides the intercept",
           if (length(by)) paste(" and", paste(by, collapse = ", ")))
  })
}
# joint_tests() makes patterns of the names: such names are others meanwhile.
.joint_tests <- function(grid, by, args) {
  known <- names(grid@levels)
  asked <- function(grid, by) do.call(emmeans::joint_tests, c(list(grid, by = by), args))
  # A formula of a submodel has the names in it.
  if (!any(.is_pattern(known)) || inherits(args$submodel, "formula")) return(asked(grid, by))
  safe <- stats::setNames(sprintf("v%dv", seq_along(known)), known)
  to <- function(x) ifelse(x %in% known, safe[x], x)
  names(grid@levels) <- to(names(grid@levels))
  names(grid@grid) <- to(names(grid@grid))
  grid@roles <- lapply(grid@roles, function(x) if (is.character(x)) unname(to(x)) else x)
  grid@misc[c("pri.vars", "by.vars")] <-
    lapply(grid@misc[c("pri.vars", "by.vars")], function(x) if (length(x)) unname(to(x)))
  names(grid@model.info$xlev) <- to(names(grid@model.info$xlev))
  terms <- grid@model.info$terms
  symbols <- lapply(safe, as.name)
  rows <- rownames(attr(terms, "factors"))
  rownames(attr(terms, "factors")) <- vapply(rows, function(row)
    deparse1(do.call(substitute, list(str2lang(row), symbols)), backtick = TRUE), "")
  attr(terms, "term.labels") <- character()
  grid@model.info$terms <- terms
  out <- asked(grid, if (length(by)) unname(to(by)))
  back <- stats::setNames(known, safe)
  parts <- strsplit(as.character(out[["model term"]]), ":", fixed = TRUE)
  out[["model term"]] <-
    vapply(parts, function(p) paste(ifelse(p %in% safe, back[p], p), collapse = ":"), "")
  names(out) <- ifelse(names(out) %in% safe, back[names(out)], names(out))
  attr(out, "by.vars") <- if (length(by)) by
  out
}
.is_pattern <- function(names) grepl("[][\\\\^$|?*+(){}]", names)
# joint_tests() takes contr.sum in the term C(f, contr.sum) for a second factor, and leaves terms
# out.
.without_codings_in_terms <- function(grid) {
  table <- attr(grid@model.info$terms, "factors")
  rows <- rownames(table)
  coded <- grepl("C(", rows, fixed = TRUE)
  rownames(table)[coded] <- vapply(rows[coded], function(r) {
    names <- .names_in(list(str2lang(r)))
    if (length(names) == 1L) deparse1(as.name(names), backtick = TRUE) else r
  }, "")
  attr(grid@model.info$terms, "factors") <- table
  grid
}
joint_tests_result <- function(native, fit, by = NULL, at = NULL, ddf = NULL, options = list()) {
  rows <- as.data.frame(native)
  list(term = as.character(rows[["model term"]]), by = .labels(rows, by),
       num_df = rows$df1, den_df = rows$df2, statistic = rows$F.ratio, p_value = rows$p.value,
       ddf = ddf_of_means(fit, ddf), notes = as.character(attr(native, "mesg")))
}

#' Means with letters of what does not differ: multcomp's cld().
cld_native <- function(fit, specs, by = NULL, at = NULL, alpha = 0.05, options = list(),
                       ddf = NULL) {
  need_package("multcompView", "compact letter displays")
  need_package("multcomp", "compact letter displays")
  means <- means_of(fit, specs, by, at, options, ddf)
  if (!is.null(options$type)) means <- update(means, predict.type = options$type)
  args <- list(object = means, alpha = alpha)
  if (!is.null(options$adjust)) args$adjust <- options$adjust
  if (!is.null(options$level)) args$level <- options$level
  do.call(multcomp::cld, args)
}
cld_result <- function(native, fit, specs, by = NULL, at = NULL, alpha = 0.05, options = list(),
                       ddf = NULL) {
  c(.grid_rows(native, "emmean", ddf_of_means(fit, ddf)), list(group = trimws(native$.group)))
}

# --- the reference grid -------------------------------------------------------------------------

# `offset`: NULL takes it from the grid's variables, a number stands for it, FALSE leaves it out.
.reference_grid <- function(fit, at, ddf, offset = NULL, options = list()) {
  need_package("emmeans", "marginal means")
  need_fixed_effects(fit, "A marginal mean")
  if (is_nlmm(fit$model))
    refuse("NotSupportedError", "marginal means are not defined for a nonlinear mixed model")
  args <- .grid_arguments(fit, .checked_at(fit, at), offset, ddf)
  grid <- tryCatch(
    .odd_names_apart(do.call(emmeans::ref_grid, c(args, grid_options(fit, options)))),
    error = function(e) {
      .explain_counterfactuals(conditionMessage(e), options$counterfactuals)
      if (!grepl("rg.limit", conditionMessage(e), fixed = TRUE)) stop(e)
      refuse("NotSupportedError",
             "the reference grid would have too many rows: hold covariates at few ",
             "values (at=, cov_reduce=), or name factors that are only averaged over as ",
             "nuisance=. ",
             "emmeans says: ", conditionMessage(e))
    })
  if (length(options$counterfactuals) && isS4(fit$model) &&
      ddf_of_means(fit, ddf) != "asymptotic" && ncol(grid@linfct) != length(coefs(fit$model)))
    refuse("NotSupportedError", "means of counterfactuals are averages over the rows, and emmeans ",
           "has z tests of them for a ", kind_of(fit$model), ": ddf='asymptotic'")
  .with_ddf(grid, fit, ddf)
}

# Of one combination emmeans (1.8 at least) makes no grid: it takes a column of it for the whole.
.explain_counterfactuals <- function(text, names) {
  if (length(names) && grepl("coercible to non-negative integer", text, fixed = TRUE))
    refuse("ArgumentError", "counterfactuals: ", paste(names, collapse = ", "), " would have one ",
           "value alone (a number's is its mean), and emmeans compares several. Give them: ",
           "at={'", names[1L], "': [...]}")
  # emmeans 2.0 forgets an argument on the way to its methods of lme4's models.
  if (length(names) && grepl('"options" is missing', text, fixed = TRUE))
    refuse("NotSupportedError", "this emmeans makes no counterfactuals of a mixed model (it says: ",
           text, "). m.avg_predictions(variables=...) gives their averages over the rows")
}

# model.frame() looks for the levels of `a b` under the name with backticks, and for those of C(f,
# sum) under f, and takes the column's own.
# And what emmeans makes of the response's transformation is tried before it is used.
.odd_names_apart <- function(expr) {
  withCallingHandlers(expr, warning = function(w) {
    known <- c("^variable '.*' is not a factor$", "^contrasts dropped",
               "^There are unevaluated constants in the response",
               "^first element used of 'length.out'") # then emmeans stops, and it is said why
    if (any(vapply(known, grepl, NA, conditionMessage(w))))
      tryInvokeRestart("muffleWarning")
  })
}

.grid_arguments <- function(fit, at, offset = NULL, ddf = NULL) {
  model <- .means_model(fit, with_offset = is.null(offset))
  args <- list(object = model)
  args$data <- .means_data(fit) # left out, not NULL, where emmeans finds the data itself
  if (is_lmm(fit$model)) args$lmer.df <- "asymptotic"
  if (inherits(fit$model, c("lme", "gls")) && !is.null(ddf) && ddf != "default")
    args$mode <- switch(ddf_of_means(fit, ddf), "residual" = "df.error", tolower(ddf))
  if (length(at)) args$at <- at
  # What emmeans takes for no column of the data: pi, unless there is one of that name.
  codings <- codings_in(formula(model))
  args$params <- as.character(c(codings, setdiff("pi", names(used_frame(fit$model)))))
  if (is.numeric(offset)) args$offset <- offset
  args
}

.checked_at <- function(fit, at) {
  if (!length(at)) return(NULL)
  plain <- .odd_names_apart(do.call(emmeans::ref_grid, .grid_arguments(fit, NULL)))
  levels <- plain@levels
  unknown <- setdiff(names(at), names(levels))
  if (length(unknown))
    refuse("ArgumentError", "at names '", unknown[1L], "', which is no predictor of this model.",
           near_terms(unknown[1L], names(levels)), " There are: ",
           paste(names(levels), collapse = ", "))
  for (name in names(at)) at[[name]] <- .checked_values(name, at[[name]], levels[[name]])
  at
}

.checked_values <- function(name, values, levels) {
  if (is.numeric(levels)) {
    if (!is.numeric(values)) refuse("ArgumentError", "at: '", name, "' is numeric; give numbers")
    twice <- anyDuplicated(as.character(values)) # emmeans finds its rows by this text
    if (twice)
      refuse("ArgumentError", "at: '", name, "' has ", as.character(values[twice]),
             " twice, or two ",
             "numbers that agree in 15 digits; emmeans takes every value once")
    return(values)
  }
  values <- as.character(values)
  unknown <- setdiff(values, as.character(levels))
  if (length(unknown))
    refuse("ArgumentError", "at: '", name, "' has no level '", unknown[1L], "'. There are: ",
           paste(levels, collapse = ", "))
  if (is.logical(levels)) as.logical(values) else values
}

# --- means and contrasts ------------------------------------------------------------------------

.means_over <- function(grid, specs, by, options) {
  if (length(specs) == 1L && startsWith(trimws(specs), "~") && !specs %in% names(grid@levels)) {
    # Which Python has vetted. emmeans splits its text at the bar, within names, too.
    right <- parse_formula(specs)[[2L]]
    bar <- is.call(right) && identical(right[[1L]], quote(`|`))
    if (bar) by <- unique(c(all.vars(right[[3L]]), by))
    specs <- all.vars(if (bar) right[[2L]] else right)
    if (!length(specs)) specs <- "1"
  }
  .known_factors(grid, specs, "specs")
  .known_factors(grid, by, "by")
  grid <- .without_patterns(grid, c(specs, by))
  args <- list(object = grid, specs = specs)
  if (length(by)) args$by <- by
  if (!is.null(options$weights)) args$weights <- options$weights
  if (!is.null(options$submodel)) args$submodel <- options$submodel
  tryCatch(do.call(emmeans::emmeans, args), error = function(e) {
    if (!is.numeric(options$weights)) stop(e)
    refuse("ArgumentError",
           "weights: there is one for each combination that is averaged over; emmeans ",
           "says: ", conditionMessage(e))
  })
}

# emmeans looks for names among the model's terms as patterns, only to say what is involved in an
# interaction: it stops at "a{b}" and takes "a|b" for two names. For such names that is said here.
.without_patterns <- function(grid, names) {
  if (!any(.is_pattern(names(grid@levels)))) return(grid)
  asked <- setdiff(c(names, grid@roles$trend), "1")
  inside <- lapply(attr(grid@model.info$terms, "term.labels"), function(t) all.vars(str2lang(t)))
  if (any(vapply(inside, function(v) all(asked %in% v) && length(v) > length(asked), NA)))
    message("NOTE: Results may be misleading due to involvement in interactions")
  attr(grid@model.info$terms, "term.labels") <- character()
  grid
}

.names_in_specs <- function(specs, known) {
  formula <- startsWith(trimws(specs[1L]), "~") && !specs[1L] %in% known
  if (formula) all.vars(parse_formula(specs)) else specs
}

.known_factors <- function(grid, names, argument, also = "1") {
  unknown <- setdiff(names, c(names(grid@levels), also))
  if (length(unknown) && ".obs.no." %in% grid@misc$avgd.over)
    refuse("ArgumentError", argument, ": '", unknown[1L], "' is averaged over the rows of the ",
           "data, as all that counterfactuals= does not name. It names: ",
           paste(names(grid@levels), collapse = ", "))
  if (length(unknown))
    refuse("ArgumentError", argument, ": '", unknown[1L], "' is no predictor of this model.",
           near_terms(unknown[1L], names(grid@levels)), " There are: ",
           paste(names(grid@levels), collapse = ", "))
}

.known_covariate <- function(grid, var) {
  inner <- .variables_in(var, names(grid@levels))
  .known_factors(grid, inner, "var", also = NULL)
  if (!length(inner))
    refuse("ArgumentError", "var: '", var, "' names no covariate, whose slope is asked for. ",
           "There are: ", paste(names(grid@levels), collapse = ", "))
  factors <- inner[!vapply(grid@levels[inner], is.numeric, NA)]
  if (length(factors))
    refuse("ArgumentError", "var: '", factors[1L], "' is a factor and has no slope; compare its ",
           "means with emmeans(contrast='pairwise')")
}

.finished_means <- function(means, fit, contrast, options) {
  if (!is.null(contrast)) means <- contrasted(means, contrast, options)
  found <- summary_options(fit, options)
  if (length(found)) means <- do.call(update, c(list(object = means), found))
  if (is.null(options$cross_adjust)) means else .adjusted_across(means, options$cross_adjust)
}

# An argument of summary() that no emmGrid keeps; what the grid said of its df goes along.
.adjusted_across <- function(means, how) {
  if (!length(means@misc$by.vars))
    refuse("ArgumentError",
           "cross_adjust= adjusts p values across the groups of by=, and there are none here; ",
           "adjust= is for one family")
  rows <- summary(means, cross.adjust = how)
  if (!"p.value" %in% names(rows))
    refuse("ArgumentError",
           "cross_adjust= is of p values, and intervals were asked for: infer='both'")
  structure(rows, said = attr(means@dffun, "mesg"))
}

# --- answers ------------------------------------------------------------------------------------

# emmeans says which method it took where it knows several.
grid_result <- function(native, kind, ddf) {
  said <- if (isS4(native)) attr(native@dffun, "mesg") else attr(native, "said")
  known <- c("satterthwaite" = "Satterthwaite", "kenward-roger" = "Kenward-Roger",
             "df.error" = "residual")
  method <- if (is.null(said)) ddf else if (said %in% names(known)) known[[said]] else said
  .grid_rows(if (isS4(native)) summary(native) else native, kind, method)
}

.grid_rows <- function(rows, kind, ddf) {
  name <- attr(rows, "estName")
  limits <- attr(rows, "clNames")
  by <- attr(rows, "by.vars")
  plain <- as.data.frame(rows)
  column <- function(...) {
    at <- intersect(c(...), names(plain))
    if (length(at)) as.numeric(plain[[at[1L]]])
  }
  labels <- names(plain)[seq_len(match(name, names(plain)) - 1L)]
  list(
    labels = .labels(plain, labels), by_names = as.character(by), kind = kind,
    estimate = plain[[name]], std_error = plain$SE, df = as.numeric(plain$df),
    conf_low = if (length(limits)) plain[[limits[1L]]],
    conf_high = if (length(limits)) plain[[limits[2L]]],
    null = column("null"), statistic = column("t.ratio", "z.ratio"), p_value = column("p.value"),
    estimate_name = name, statistic_name = if ("z.ratio" %in% names(plain)) "z" else "t",
    adjust = as.character(attr(rows, "adjust")), ddf = ddf,
    notes = as.character(attr(rows, "mesg"))
  )
}

#' Label columns: text for factors and contrasts, numbers for covariates.
.labels <- function(rows, names) {
  lapply(names, function(n) {
    x <- rows[[n]]
    numeric <- is.numeric(x)
    list(name = n, text = as.character(x), number = if (numeric) as.numeric(x))
  })
}
