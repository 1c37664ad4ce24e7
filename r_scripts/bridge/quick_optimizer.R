# lme4's optimizers for thousands of small fits: the same steps and numbers, without what R does at each
# that takes longer than the deviance function itself.

#' A deviance function whose calls of methods, `resp$updateMu(x)`, are calls of what was found behind
#' them once: R's search for a method costs more than a small model's evaluation does.
methods_bound <- function(devfun) {
  rho <- environment(devfun)
  bound <- function(f) {
    body(f) <- .bind_methods(body(f), rho)
    environment(f) <- rho
    f
  }
  if (is.function(rho$pwrssUpdate)) rho$pwrssUpdate <- bound(rho$pwrssUpdate)
  bound(devfun)
}

.bind_methods <- function(x, rho) {
  if (!is.call(x)) return(x)
  head <- x[[1L]]
  if (is.call(head) && identical(head[[1L]], quote(`$`)) && is.name(head[[2L]]) &&
      as.character(head[[2L]]) %in% c("pp", "resp")) {
    # The pointer to what C++ made of the object stays, as long as the object does. By name: the body
    # of every fit is the same then, and R compiles it once.
    pointer <- identical(head[[3L]], quote(ptr))
    name <- paste0(".", as.character(head[[2L]]), ".", as.character(head[[3L]]))
    assign(name, eval(if (pointer) x else head, rho), envir = rho)
    if (pointer) return(as.name(name))
    x[[1L]] <- as.name(name)
  }
  for (i in seq_along(x)) if (is.call(x[[i]])) x[[i]] <- .bind_methods(x[[i]], rho)
  x
}

#' lme4's functions that optimize, around an nloptr() that does not make a data frame of its options
#' anew at each call; and the one that makes a model of what they found.
quick_lme4 <- function() {
  if (is.null(.quick$lme4)) .quick$lme4 <- .make_quick()
  .quick$lme4
}
.quick <- new.env(parent = emptyenv())

.make_quick <- function() {
  nloptr <- asNamespace("nloptr")
  lme4 <- asNamespace("lme4")
  inner <- new.env(parent = nloptr)
  inner$nloptr.get.default.options <- local({
    all <- nloptr$nloptr.get.default.options()
    function() all
  })
  inner$nloptr.add.default.options <- .of_last(nloptr$nloptr.add.default.options)
  wrap <- list2env(list(nloptr = .in_home(nloptr$nloptr, inner)), parent = environment(lme4$nloptwrap))
  ours <- new.env(parent = lme4)
  ours$nloptwrap <- .in_home(lme4$nloptwrap, wrap)
  for (name in c("getOptfun", "optwrap", "optimizeLmer", "optimizeGlmer"))
    assign(name, .in_home(lme4[[name]], ours), envir = ours)
  ours$mkMerMod <- .in_home(lme4$mkMerMod, list2env(list(new = .filled), parent = lme4))
  ours
}

# new() of a model, without the checks of what lme4 itself has made.
.filled <- function(Class, ...) {
  if (is.null(.quick[[Class]])) .quick[[Class]] <- methods::new(Class)
  object <- .quick[[Class]]
  slots <- list(...)
  if (!all(names(slots) %in% methods::slotNames(object)) || any(vapply(slots, is.null, NA)))
    return(methods::new(Class, ...))
  for (name in names(slots)) attr(object, name) <- slots[[name]]
  object
}

.in_home <- function(f, home) {
  environment(f) <- home
  f
}

# What was answered last is the answer to the same question; of x0 the length counts.
.of_last <- function(f) {
  asked <- answer <- NULL
  function(opts.user, x0 = 0, ...) {
    question <- list(opts.user, length(x0), ...)
    if (!identical(question, asked)) {
      answer <<- f(opts.user, x0, ...)
      asked <<- question
    }
    answer
  }
}
