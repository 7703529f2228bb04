#!/usr/bin/env bash
# Make the virtual environment $1 with exactly the packages of the lock file $2.
#
# Needs Python 3.13, or uv, or any Python from 3.9 on. With the last it fetches uv as a
# package into .ci/uv, and uv brings Python 3.13. Two of these at once wait for each
# other. It runs in the bash 3.2 of macOS, too.
set -euo pipefail

venv=$1
lock=$2
here=$(cd "$(dirname "$0")" && pwd)
version=$(<"$here/../.python-version")
# What set-up fetches for itself; .gitignore has it, and `make clean` removes it.
fetched=$here/uv

# Wait for the lock on file descriptor 9. macOS has no flock, but its Python does.
wait_for_lock() {
  flock 9 2>/dev/null || python3 -c 'import fcntl; fcntl.flock(9, fcntl.LOCK_EX)' ||
    true
}

# Make the environment with a Python 3.13 of this machine. Debian's may lack ensurepip.
make_venv_with_python() {
  local candidate
  for candidate in "python$version" python3 python; do
    if "$candidate" -c "import ensurepip, sys
sys.exit('%d.%d' % sys.version_info[:2] != '$version')" 2>/dev/null; then
      "$candidate" -m venv --clear "$venv"
      return
    fi
  done
  return 1
}

# Make the environment with the uv at $1, which looks for Python 3.13 or downloads it.
make_venv_with_uv() {
  "$1" venv --quiet --clear --python "$version" "$venv" && {
    "$venv/bin/python" -m ensurepip >/dev/null 2>&1 ||
      "$1" pip install --quiet --python "$venv/bin/python" pip
  }
}

# Fetch uv with whatever Python there is: in an environment of its own, or, where
# Debian's Python cannot make one, with the pip of the system.
fetch_uv() {
  [[ -x $fetched/bin/uv ]] && return
  echo "Fetching uv, which brings Python $version …"
  rm -rf "$fetched"
  if python3 -m venv "$fetched" >/dev/null 2>&1; then
    "$fetched/bin/python" -m pip install -qq --disable-pip-version-check 'uv<1'
  else
    rm -rf "$fetched"
    python3 -m pip install -qq --disable-pip-version-check --target "$fetched" 'uv<1'
  fi
}

make_venv_with_fetched_uv() {
  fetch_uv || return
  # All of it in the checkout: there may be no home to keep it in.
  UV_PYTHON_INSTALL_DIR=${UV_PYTHON_INSTALL_DIR:-$fetched/python} \
    UV_CACHE_DIR=${UV_CACHE_DIR:-$fetched/cache} make_venv_with_uv "$fetched/bin/uv"
}

make_venv() {
  make_venv_with_python && return
  make_venv_with_uv uv 2>/dev/null && return
  make_venv_with_fetched_uv && return
  echo "setup: Python $version is needed and could not be fetched: install uv, or" \
    "python$version with its venv module (Debian: python3-venv), and try again." >&2
  exit 1
}

exec 9>"$(dirname "$venv")/.setup.lock"
wait_for_lock
# Another set-up may have finished while this one waited.
if [[ -e $venv/.ready && $venv/.ready -nt $lock ]]; then
  exit 0
fi
rm -f "$venv/.ready"
echo "Setting up $venv …"
make_venv
"$venv/bin/python" -m pip install -qq --disable-pip-version-check \
  --require-hashes -r "$lock"
touch "$venv/.ready"
