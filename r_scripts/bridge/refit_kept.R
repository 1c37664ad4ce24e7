# lme4's refit() to many responses. What refit() makes before it optimizes depends on the model
# alone: the first call is lme4's own, in which its deviance function and the arguments of its steps
# are taken down; the calls after it are these steps on the kept function. So each lme4's refit() is
# repeated with what it does otherwise than lmer() (1.1-31 counts one fixed effect in the REML
# criterion).

#' A function of a response that refits `model` to it, as lme4::refit() does and bootMer() with it.
#'
#' The models that it returns share memory: each is good until the next.
refitter <- function(model) {
  if (!isS4(model)) return(function(y) .refitted_to(model, y))
  control <- .own_control(model)
  if (!lme4::isLMM(model)) return(function(y) .taken_down(apart(model), y, control)$model)
  # refit() hands the deviance function memory that is the refit's own; what it returns has it.
  kept <- NULL
  function(y) {
    if (is.null(kept)) {
      kept <<- .taken_down(model, y, control)
      return(kept$model)
    }
    steps <- kept
    kept <<- NULL # what stops in the middle is made anew
    refitted <- .steps_again(steps, y)
    kept <<- steps
    refitted
  }
}

# lme4's refit(), with the arguments that it calls its optimizer, checks and constructor with.
.taken_down <- function(model, y, control) {
  lme4 <- asNamespace("lme4")
  out <- new.env(parent = emptyenv())
  ours <- new.env(parent = lme4)
  ours$optwrap <- function(optimizer, fn, par, ...) {
    out$optwrap <- list(optimizer = optimizer, fn = methods_bound(fn), par = par + 0, ...)
    do.call(quick_lme4()$optwrap, out$optwrap)
  }
  ours$checkConv <- function(derivs, coefs, ...) {
    out$checkConv <- list(...)
    lme4$checkConv(derivs, coefs, ...)
  }
  ours$mkMerMod <- function(rho, opt, reTrms, fr, mc, lme4conv = NULL) {
    out$mkMerMod <- list(rho = rho, reTrms = reTrms, fr = fr, mc = mc)
    lme4$mkMerMod(rho, opt, reTrms, fr, mc, lme4conv)
  }
  refit <- utils::getS3method("refit", "merMod", envir = lme4)
  environment(refit) <- ours
  out$model <- refit(model, y, control = control)
  out
}

.steps_again <- function(steps, y) {
  quick <- quick_lme4()
  made <- steps$mkMerMod
  made$rho$resp$setResp(as.numeric(y))
  opt <- do.call(quick$optwrap, steps$optwrap)
  checked <- do.call(lme4:::checkConv, c(list(attr(opt, "derivs"), opt$par), steps$checkConv))
  quick$mkMerMod(made$rho, opt, made$reTrms, made$fr, made$mc, checked)
}
