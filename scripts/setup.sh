#!/usr/bin/env bash
# Installs what pymlm needs and does not find. Called by the Makefile:
#   setup.sh r            R and the packages of the main job
#   setup.sh r-all        the R packages that single functions and the tests use
#   setup.sh python       the virtual environment, the rpy2 that fits this R, pymlm itself
#   setup.sh group NAME   one of pyproject's dependency groups (dev, docs, bench)
set -euo pipefail
cd "$(dirname "$0")/.."

apt_base=(r-base-core r-base-dev r-cran-lme4 r-cran-lmertest r-cran-pbkrtest r-cran-emmeans
          r-cran-mlmrev r-cran-nlme r-cran-mass)
apt_all=(r-cran-rlrsim r-cran-performance r-cran-parameters r-cran-effectsize r-cran-datawizard
         r-cran-multcomp r-cran-multcompview r-cran-car r-cran-optimx r-cran-dfoptim
         r-cran-sandwich r-cran-lmtest r-cran-clubsandwich r-cran-plm r-cran-geepack r-cran-lavaan
         r-cran-metafor r-cran-broom.mixed r-cran-dharma)
# What these packages are called in R, to look whether they are there already.
r_base=(lme4 lmerTest pbkrtest emmeans mlmRev nlme MASS)
r_all=(RLRsim performance parameters effectsize datawizard multcomp multcompView car optimx
       dfoptim sandwich lmtest clubSandwich plm geepack lavaan metafor broom.mixed)
# performance asks DHARMa for some checks since 0.13; where there is an older one, nothing needs it.

say() { printf 'pymlm set-up: %s\n' "$*" >&2; }

# True when R runs and has every package named.
r_has() {
  command -v Rscript >/dev/null 2>&1 || return 1
  Rscript --vanilla -e 'quit(status = !all(commandArgs(TRUE) %in% rownames(installed.packages())))' \
    "$@" >/dev/null 2>&1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then "$@"
  elif command -v sudo >/dev/null 2>&1; then sudo "$@"
  else say "root or sudo is needed for: $*"; exit 1
  fi
}

# What is lost without the packages that not every release of Debian has.
declare -A without=(
  [performance]="m.check() and check_assumptions() raise RPackageError; Nakagawa's R2 is by pymlm's own lines"
  [effectsize]="nothing; a reference of some tests, which then skip"
  [DHARMa]="nothing, or with a performance of 0.13 or later m.check() of a GLMM raises RPackageError"
  [datawizard]="nothing; a reference of some tests, which then skip"
  [parameters]="nothing; a reference of some tests, which then skip"
  [lmtest]="nothing; a reference of some tests, which then skip"
  [broom.mixed]="nothing; a reference of some tests, which then skip"
  [car]="nothing; a reference of some tests, which then skip"
)

apt_knows() { [[ $(LC_ALL=C apt-cache policy "$1" 2>/dev/null) =~ Candidate:\ [^\(] ]]; }

apt_get_install() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Installs every package that there is; the others are named in the array `absent`.
apt_install() {
  local package found=()
  absent=()
  # The package lists are fetched only when they do not know the packages yet.
  for package in "$@"; do apt_knows "$package" || { as_root apt-get update -qq; break; }; done
  for package in "$@"; do
    if apt_knows "$package"; then found+=("$package"); else absent+=("$package"); fi
  done
  [ ${#found[@]} -gt 0 ] || return 0
  say "apt-get install ${found[*]}"
  apt_get_install "${found[@]}" || { as_root apt-get update -qq; apt_get_install "${found[@]}"; }
}

say_absent() {
  local package name unnamed="functions that need it raise RPackageError, which says how to get it from CRAN"
  for package in "${absent[@]}"; do
    for name in "${r_base[@]}" "${r_all[@]}" DHARMa; do [ "r-cran-${name,,}" = "$package" ] && break; done
    say "this system has no package $package. Without it: ${without[$name]:-$unnamed}"
  done
}

install_r() { # level, then names of the r_* and apt_* arrays
  local -n r_names=$2 apt_names=$3
  if r_has "${r_names[@]}"; then return; fi
  if [ -n "${CONDA_PREFIX:-}" ]; then
    say "this conda environment lacks R packages; run: conda env create -f environment.yml; conda activate pymlm (or, to use apt: conda deactivate)"
    exit 1
  elif command -v apt-get >/dev/null 2>&1; then
    apt_install "${apt_names[@]}"
    say_absent
    if [ "$1" = base ] && [ ${#absent[@]} -gt 0 ] && ! r_has lme4 lmerTest pbkrtest; then exit 1; fi
  elif command -v Rscript >/dev/null 2>&1; then
    say "installing R packages from CRAN"
    Rscript --vanilla r_scripts/install.R $([ "$1" = all ] && echo all)
  else
    say "R was not found; install it with your system or with conda"
    exit 1
  fi
}

# rpy2-rinterface 3.6.6 and later do not load with R before 4.5.
fitting_rpy2() {
  Rscript --vanilla -e 'cat(if (getRversion() >= "4.5") "rpy2>=3.6" else "rpy2==3.5.17")'
}

pip_install() { "$VENV/bin/python" -m pip install -q --disable-pip-version-check "$@"; }

# rpy2 is compiled against this R and this Python: a compiler and both headers are needed.
need_compiler() {
  local header='import os, sys, sysconfig as s; sys.exit(not os.path.exists(os.path.join(s.get_path("include"), "Python.h")))'
  if ! "$PYTHON" -c "$header"; then
    if ! command -v apt-get >/dev/null 2>&1; then
      say "the headers of $PYTHON (Python.h) are missing; install them"
      exit 1
    fi
    apt_install "python$("$PYTHON" -c 'import sys; print("%d.%d" % sys.version_info[:2])')-dev"
  fi
  if ! command -v cc >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1; then
    apt_install build-essential
  fi
}

install_python() {
  if [ -z "${CONDA_PREFIX:-}" ] && [ ! -x "$VENV/bin/python" ]; then
    say "making $VENV"
    "$PYTHON" -m venv "$VENV" || {
      say "python3 needs its venv module; on Debian/Ubuntu: apt-get install python3-venv"
      exit 1
    }
  fi
  [ -n "${CONDA_PREFIX:-}" ] || need_compiler
  say "installing pymlm and what it needs"
  if [ -n "${CONDA_PREFIX:-}" ]; then pip_install --no-deps -e .
  else pip_install "$(fitting_rpy2)" -e .
  fi
}

# pip 25.1 and later know dependency groups; the one of an old venv may not.
install_group() {
  say "installing the tools of group $1"
  pip_install --upgrade 'pip>=25.1'
  if [ -n "${CONDA_PREFIX:-}" ]; then pip_install --group "$1"
  else pip_install "$(fitting_rpy2)" --group "$1"
  fi
}

case "${1:-}" in
  r) install_r base r_base apt_base ;;
  r-all) install_r all r_all apt_all ;;
  python) install_python ;;
  group) install_group "$2" ;;
  *) say "unknown part '${1:-}'"; exit 2 ;;
esac
