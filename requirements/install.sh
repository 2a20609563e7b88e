#!/bin/sh
# Makes .venv and fills it with exactly what requirements/<which>.lock names: sh requirements/install.sh app|dev
# Needs Python 3.11 or newer with pip; no root, nothing else.
set -eu
cd "$(dirname "$0")/.."
which=${1:-app}

can_be_used() {
    "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1
}

find_python() {
    for candidate in ${PYTHON:+"$PYTHON"} python3.13 python3.12 python3.11 python3.14 python3 python; do
        if can_be_used "$candidate"; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    echo "Python 3.11 or newer is needed and none was found. Install it, or name it: make demo PYTHON=/path/to/python3.12" >&2
    exit 1
}

python=.venv/bin/python
if ! can_be_used $python; then
    base=$(find_python)
    echo "Making .venv with $($base --version) ..."
    rm -rf .venv
    # Some systems ship Python without ensurepip; their pip can install into the new environment from outside.
    if "$base" -c 'import ensurepip' >/dev/null 2>&1; then
        "$base" -m venv .venv
    else
        "$base" -m venv --without-pip .venv
    fi
    printf '%s\n' "$base" > .venv/.base
fi

pip() {
    if $python -c 'import pip' >/dev/null 2>&1; then
        $python -m pip --disable-pip-version-check "$@"
    else
        "$(cat .venv/.base)" -m pip --disable-pip-version-check --python $python "$@"
    fi
}

uv_install() {
    # uv does not read pip's configuration: a company's own package index is handed on.
    index=${PIP_INDEX_URL:-$(pip config get global.index-url 2>/dev/null || true)}
    # Service users often have no home folder to keep a cache in.
    if [ ! -w "${HOME:-/nonexistent}" ]; then
        export UV_CACHE_DIR="$PWD/.venv/cache"
    fi
    env ${index:+UV_DEFAULT_INDEX="$index"} UV_LINK_MODE=copy UV_PYTHON_DOWNLOADS=never \
        .venv/bin/uv pip install --python $python "$@"
}

install() {
    uv_install "$@" || { echo "uv could not do it; trying pip, which takes a minute longer ..." >&2; pip install "$@"; }
}

if [ ! -x .venv/bin/uv ]; then
    echo "Installing the installer ..."
    pip install --quiet --require-hashes -r requirements/installer.lock
fi
echo "Installing requirements/$which.lock ..."
install --require-hashes -r "requirements/$which.lock"
install --quiet --no-deps --no-build-isolation -e .
touch ".venv/.$which-is-installed"
