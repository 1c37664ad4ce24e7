# Models outlive the process: .rds files both ways with R, and raw bytes for pickling.

save_model <- function(fit, path) {
  saveRDS(fit$model, path)
  NULL
}

load_model <- function(path) {
  .checked_model(.readable(readRDS(path), path), path)
}

model_to_bytes <- function(fit) serialize(fit$model, NULL, xdr = FALSE)

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
  as_fit(model)
}

#' What a model from a file is, and the row names of its data: used and dropped rows in order.
identify <- function(fit) {
  model <- fit$model
  mixed <- isS4(model)
  frame <- if (mixed) model@frame else model.frame(model)
  dropped <- attr(frame, "na.action")
  used <- attr(frame, "row.names")
  n <- nrow(frame) + length(dropped)
  rows <- character(n)
  kept_at <- setdiff(seq_len(n), dropped)
  rows[kept_at] <- as.character(row.names(frame))
  rows[dropped] <- names(dropped)
  list(
    r_class = class(model)[1L],
    kind = if (!mixed) class(model)[1L] else if (lme4::isLMM(model)) "lmer"
      else if (lme4::isGLMM(model)) "glmer" else "nlmer",
    data_name = paste(deparse(getCall(model)$data), collapse = ""),
    rows = rows,
    automatic = identical(rows, as.character(seq_len(n))),
    sent = as.character(tryCatch(
      names(eval(getCall(model)$data, environment(formula(model)))),
      error = function(e) all.vars(formula(model))))
  )
}

# refit() drops the rows that were missing from a response without this attribute; ours has only
# the rows that are used.
refit_model <- function(fit, newresp) {
  attr(newresp, "na.action") <- attr(fit$model@frame, "na.action")
  as_fit(lme4::refit(fit$model, newresp = newresp))
}

#' update() in the environment of the model's own formula, where its data are.
update_model <- function(fit, formula, reml) {
  call <- fit$model@call
  if (!is.null(formula)) call$formula <- parse_formula(formula)
  call$REML <- if (!reml) FALSE
  as_fit(eval(call, environment(formula(fit$model))))
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
  call <- getCall(model)
  names <- intersect(c(as.character(call$data), ".contrasts", "nonlinear"),
                     ls(env, all.names = TRUE))
  if (!length(names))
    refuse("DataError", "the data of this model are not with it; it was saved without them")
  objects <- mget(names, envir = env)
  if (!is.null(data_file)) saveRDS(objects, data_file)
  list(
    versions = paste0("R ", getRversion(), ", lme4 ", utils::packageVersion("lme4")),
    packages = c("lme4", if (any(c("ns", "bs") %in% .walk(call)$calls)) "splines"),
    call = paste(deparse(call, width.cutoff = 90L), collapse = "\n"),
    names = names,
    objects = if (is.null(data_file)) vapply(objects, .exact_text, "") else character()
  )
}

# R's own text of an object, doubles in hexadecimal so that no digit is lost.
.exact_text <- function(x) {
  paste(deparse(x, control = c("keepNA", "keepInteger", "niceNames", "showAttributes",
                               "hexNumeric")), collapse = "\n")
}
