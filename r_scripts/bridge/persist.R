# Models outlive the process: .rds files both ways with R, and raw bytes for pickling.

#' Writes the model to an .rds file.
save_model <- function(fit, path) {
  .write_rds(fit$model, path)
  NULL
}

.write_rds <- function(object, path) {
  failed <- function(e) refuse("DataError", "cannot write '", path, "': ", conditionMessage(e))
  tryCatch(saveRDS(object, path), error = failed, warning = failed)
}

#' Reads a model from an .rds file.
load_model <- function(path) {
  .checked_model(.readable(readRDS(path), path), path)
}

#' The model as bytes that travel.
model_to_bytes <- function(fit) serialize(fit$model, NULL, xdr = FALSE)

#' The model that the bytes hold.
bytes_to_model <- function(bytes) {
  .checked_model(.readable(unserialize(bytes), "the pickle"), "the pickle")
}

.readable <- function(expr, where) {
  tryCatch(expr, error = function(e)
    refuse("DataError", where, " cannot be read as an R object: ", conditionMessage(e)),
    warning = function(w)
      refuse("DataError", where, " cannot be read as an R object: ", conditionMessage(w)))
}

.checked_model <- function(model, where) {
  known <- c("merMod", "lm", "lmList4", "lme", "gls")
  if (!inherits(model, known))
    refuse("DataError", where, " holds an R object of class '", class(model)[1L],
           "', not a model that pymlm knows (", paste(known, collapse = ", "), ")")
  as_fit(if (isS4(model) && is(model, "merMod")) .with_lme4(.with_data(model)) else model)
}

# A model that R made in a function keeps its data in that function's environment, from which lme4's
# own functions, glmer() or the control that its call names, are found where lme4 is attached alone.
.with_lme4 <- function(model) {
  home <- model_home(model)
  if (exists("lmerControl", envir = home, mode = "function")) return(model)
  .move_home(model, .leading_to_lme4(home))
}

.leading_to_lme4 <- function(env) {
  if (isNamespace(env)) return(env)
  if (identical(env, globalenv()) || identical(env, emptyenv()))
    return(new.env(parent = .formula_home))
  list2env(as.list(env, all.names = TRUE), parent = .leading_to_lme4(parent.env(env)))
}

.move_home <- function(model, env) {
  for (part in c("formula", "terms")) {
    value <- attr(model@frame, part)
    if (part == "terms") attr(value, ".Environment") <- env
    else if (!is.null(value)) environment(value) <- env
    attr(model@frame, part) <- value
  }
  if (lme4::isNLMM(model)) {
    parameters <- model@resp$nlenv
    parent.env(parameters) <- env
  }
  model
}

# A model that R saved from its workspace comes without its data: the workspace is not saved with
# it. What the call names is then made again from the model's own frame, in an environment of the
# model, so that update, drop1, step, emmeans ... find it; columns that the formula transforms are
# not in that frame, and those functions then say so.
.with_data <- function(model) {
  call <- model@call
  home <- environment(formula(model))
  # A frame, for a name such as `data` is found anyhow: as R's function.
  if (is.null(call$data) ||
      is.data.frame(tryCatch(eval(call$data, home), error = function(e) NULL)))
    return(model)
  data <- .with_dropped_rows(as.data.frame(lapply(model@frame, identity), optional = TRUE),
                             model@frame)
  for (part in c("weights", "offset")) {
    hidden <- paste0("(", part, ")")
    if (is.name(call[[part]]) && hidden %in% names(data))
      names(data)[names(data) == hidden] <- as.character(call[[part]])
  }
  env <- new.env(parent = .formula_home)
  name <- if (is.name(call$data)) as.character(call$data) else "data"
  assign(name, data, envir = env)
  model@call$data <- as.name(name)
  .move_home(model, env)
}

# The rows that were dropped come back, missing, so that a model fitted again has the same rows.
.with_dropped_rows <- function(data, frame) {
  dropped <- attr(frame, "na.action")
  if (!length(dropped)) return(data)
  rows <- seq_len(nrow(frame) + length(dropped))
  labels <- character(length(rows))
  labels[dropped] <- names(dropped)
  labels[-dropped] <- row.names(frame)
  data <- data[match(rows, rows[-dropped]), , drop = FALSE]
  row.names(data) <- labels
  data
}

#' What a model from a file is, and the row names of its data: used and dropped rows in order.
identify <- function(fit) {
  model <- fit$model
  if (inherits(model, "lmList4")) return(identify_lm_list(model))
  mixed <- isS4(model)
  frame <- if (mixed) model@frame else if (inherits(model, c("lme", "gls"))) nlme_frame(model)
    else model.frame(model)
  dropped <- attr(frame, "na.action")
  used <- attr(frame, "row.names")
  n <- nrow(frame) + length(dropped)
  rows <- character(n)
  kept_at <- setdiff(seq_len(n), dropped)
  rows[kept_at] <- as.character(row.names(frame))
  rows[dropped] <- names(dropped)
  list(
    r_class = class(model)[1L],
    kind = if (!mixed) class(model)[1L] else if (is_membership(model)) "membership"
      else if (lme4::isLMM(model)) "lmer"
      else if (lme4::isGLMM(model)) "glmer" else "nlmer",
    data_name = paste(deparse(getCall(model)$data), collapse = ""),
    rows = rows,
    automatic = identical(rows, as.character(seq_len(n))),
    sent = as.character(tryCatch(
      names(eval(getCall(model)$data, environment(formula(model)))),
      error = function(e) .names_in(list(formula(model)))))
  )
}

#' A model's random terms for another fit by lme4's modular functions, whose C++ writes new
#' parameters into them where they lie: without copies, into this model's.
terms_apart <- function(model) {
  terms <- getME(model, c("Zt", "Lambdat", "Lind", "theta", "lower", "flist", "cnms", "Gp",
                          "Ztlist"))
  terms$theta <- terms$theta + 0
  terms$Lambdat@x <- terms$Lambdat@x + 0
  for (name in kept_beside_slots) terms[[name]] <- attr(model, name)
  terms
}

#' The formula that update(model, text) would fit, dots replaced.
updated_formula <- function(fit, text) {
  new <- update.formula(formula(fit$model), parse_formula(text))
  paste(deparse(new, width.cutoff = 500L), collapse = " ")
}

#' What a script needs to repeat the fit: versions, the call, and the objects that the call names,
#' as text, or written to `data_file`.
script_parts <- function(fit, data_file) {
  model <- fit$model
  env <- model_home(model)
  if (is_membership(model))
    refuse("NotSupportedError", "a multiple-membership fit is not one call of lme4, so no script ",
           "of native R repeats it; m.save() writes a model that R can refit")
  written <- .note(model, "pymlm_call")
  call <- .as_r_checks(if (is.null(written)) getCall(model) else written, model)
  nlme <- inherits(model, c("lme", "gls"))
  if (nlme) call[[1L]] <- as.name(class(model)[1L]) # lme() writes lme.formula() there
  package <- if (nlme) "nlme" else if (isS4(model)) "lme4"
  names <- intersect(c(as.character(call$data), ".contrasts", "nonlinear"),
                     ls(env, all.names = TRUE))
  if (!length(names))
    refuse("DataError", "the data of this model are not with it; it was saved without them")
  objects <- mget(names, envir = env)
  if (!is.null(data_file)) .write_rds(objects, data_file)
  list(
    remarks = if (by_exact(model))
      "pymlm checked convergence by exact derivatives; R takes lme4's own, by differences",
    versions = paste0("R ", getRversion(), if (!is.null(package))
      paste0(", ", package, " ", utils::packageVersion(package))),
    packages = c(package, if (any(c("ns", "bs") %in% .walk(call)$calls)) "splines"),
    call = paste(deparse(call, width.cutoff = 90L), collapse = "\n"),
    names = names,
    targets = vapply(names, function(n) deparse(as.name(n), backtick = TRUE), ""),
    objects = if (is.null(data_file)) vapply(objects, .exact_text, "") else character()
  )
}

# R has no exact derivatives; its own check is nearer to them than none.
.as_r_checks <- function(call, model) {
  if (!by_exact(model) || !is.call(call$control)) return(call)
  call$control$calc.derivs <- NULL
  if (length(call$control) == 1L) call$control <- NULL
  call
}

# What pymlm noted on a model's frame; models of other classes have none.
.note <- function(model, name) if (isS4(model)) attr(model@frame, name)

# R code that makes an object: its values by deparse(), doubles in hexadecimal so that no digit is
# lost, its attributes as quoted text. deparse() alone writes names as code (in R 4.2 a backtick in
# the name of a column ends it, and what follows runs).
.exact_text <- function(x) {
  if (is.function(x) || is.language(x) || isS4(x) || is.environment(x))
    return(paste(deparse(x, width.cutoff = 90L), collapse = "\n"))
  about <- attributes(x)
  if (is.data.frame(x)) about$row.names <- .row_names_info(x, 0L) # R's short form of 1..n
  attributes(x) <- NULL
  values <- if (is.list(x)) {
    paste0("list(", paste(vapply(x, .exact_text, ""), collapse = ",\n"), ")")
  } else if (is.character(x) && length(x)) {
    paste0("c(", paste(.quoted(x), collapse = ", "), ")")
  } else {
    paste(deparse(x, control = c("keepNA", "keepInteger", "hexNumeric")), collapse = "\n")
  }
  if (!length(about)) return(values)
  paste0("structure(", values, ",\n",
         paste(.quoted(names(about)), "=", vapply(about, .exact_text, ""), collapse = ", "), ")")
}

# Text between double quotes as R reads it back, whatever it holds.
.quoted <- function(x) {
  missing <- is.na(x)
  x <- enc2utf8(x)
  for (pair in list(c("\\", "\\\\"), c("\"", "\\\""), c("\n", "\\n"), c("\r", "\\r"),
                    c("\t", "\\t")))
    x <- gsub(pair[1L], pair[2L], x, fixed = TRUE)
  # control characters: no escape of their own in a text file
  for (i in grep("[\001-\037\177]", x)) {
    points <- utf8ToInt(x[i])
    parts <- vapply(points, intToUtf8, "")
    control <- points < 32L | points == 127L
    parts[control] <- sprintf("\\u%04x", points[control])
    x[i] <- paste(parts, collapse = "")
  }
  ifelse(missing, "NA_character_", paste0("\"", x, "\""))
}
