# lme4's optimizers for thousands of small fits: the same steps and numbers, without what R does at
# each that takes longer than the deviance function itself.

#' A deviance function whose calls of methods, `resp$updateMu(x)`, are calls of what was found
#' behind them once: R's search for a method costs more than a small model's evaluation does.
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
  if (identical(x, quote(pp$X))) { # which nobody changes
    rho$.pp.X <- rho$pp$X
    return(quote(.pp.X))
  }
  if (identical(x, quote(GHrule(0L)))) {
    rho$.no_points <- lme4::GHrule(0L)
    return(quote(.no_points))
  }
  head <- x[[1L]]
  if (is.call(head) && identical(head[[1L]], quote(`$`)) && is.name(head[[2L]]) &&
      as.character(head[[2L]]) %in% c("pp", "resp")) {
    # The pointer to what C++ made of the object stays, as long as the object does. By name: the
    # body of every fit is the same then, and R compiles it once.
    object <- rho[[as.character(head[[2L]])]]
    pointer <- identical(head[[3L]], quote(ptr))
    name <- paste0(".", as.character(head[[2L]]), ".", as.character(head[[3L]]))
    assign(name, if (pointer) object$ptr() else .method_bound(eval(head, rho), object), envir = rho)
    if (pointer) return(as.name(name))
    x[[1L]] <- as.name(name)
  }
  for (i in seq_along(x)) if (is.call(x[[i]])) x[[i]] <- .bind_methods(x[[i]], rho)
  x
}

# A method of an object that asks for the object's pointer no more.
.method_bound <- function(method, object) {
  f <- if (isS4(method)) method@.Data else method
  body(f) <- .with_pointer(body(f))
  environment(f) <- list2env(list(.ptr = object$ptr()), parent = environment(method))
  f
}

.with_pointer <- function(x) {
  if (identical(x, quote(ptr()))) return(quote(.ptr))
  if (is.call(x)) for (i in seq_along(x)) if (is.call(x[[i]])) x[[i]] <- .with_pointer(x[[i]])
  x
}

# The object of Nelder_Mead() as a list of its methods.
.quick_nelder_mead <- function(...) {
  object <- asNamespace("lme4")$NelderMead$new(...)
  if (is.null(.quick$nelder_mead))
    .quick$nelder_mead <- .methods_called(body(lme4::Nelder_Mead), quote(nM))
  sapply(.quick$nelder_mead, function(name)
    .method_bound(eval(call("$", object, as.name(name))), object), simplify = FALSE)
}

# Names m of all calls object$m() in an expression.
.methods_called <- function(x, object) {
  if (!is.call(x)) return(NULL)
  own <- if (identical(x[[1L]], quote(`$`)) && identical(x[[2L]], object)) as.character(x[[3L]])
  unique(c(own, unlist(lapply(as.list(x), .methods_called, object))))
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
  wrap <- list2env(list(nloptr = .in_home(nloptr$nloptr, inner)),
                   parent = environment(lme4$nloptwrap))
  ours <- new.env(parent = lme4)
  ours$nloptwrap <- .in_home(lme4$nloptwrap, wrap)
  ours$Nelder_Mead <- .in_home(
    lme4$Nelder_Mead, list2env(list(NelderMead = list(new = .quick_nelder_mead)), parent = lme4))
  for (name in c("getOptfun", "optwrap", "optimizeLmer", "optimizeGlmer"))
    assign(name, .in_home(lme4[[name]], ours), envir = ours)
  ours$mkMerMod <- .in_home(
    lme4$mkMerMod, list2env(list(new = .filled, is = remembered_is()), parent = lme4))
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
