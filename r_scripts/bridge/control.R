# Control: lmerControl(), glmerControl(), nlmerControl() as a person would write them.

#' The call that stands in the model's call, e.g. lmerControl(optimizer = "bobyqa").
control_call <- function(fun, control) {
  if (is.null(control)) return(NULL)
  .need_optimizers(control$optimizer)
  checks <- startsWith(names(control), "check.conv.")
  control <- Map(function(x, conv) {
    if (conv && is.list(x)) .written_call(".makeCC", lapply(x, .as_literal)) else .as_literal(x)
  }, control, checks)
  .written_call(fun, control)
}

# Packages that two of lme4's optimizers need.
.need_optimizers <- function(names) {
  needed <- c(optimx = "optimx", nmkbw = "dfoptim")
  for (package in needed[intersect(names, names(needed))]) need_package(package, "this optimizer")
}

#' Names of the arguments of lmerControl(), glmerControl() ... in the installed lme4.
control_names <- function(fun) names(formals(get(fun, envir = asNamespace("lme4"))))

#' Entries that an optimizer knows in optCtrl.
optimizer_options <- function(optimizer) {
  known <- get0("opt.ctrls", asNamespace("lme4"), ifnotfound = list())[[optimizer]]
  if (optimizer == "nloptwrap")
    known <- union(known, nloptr::nloptr.get.default.options()$name)
  if (optimizer == "optimx") # what lme4's table leaves out of optimx's own
    known <- c(known, "all.methods", "badval", "dowarn", "follow.on", "kkt", "kkttol", "kkt2tol",
               "maximize", "save.failures", "starttests", "usenumDeriv")
  as.character(known)
}
