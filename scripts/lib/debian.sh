# shellcheck shell=bash
# Sourced by the other scripts: installs what a Debian system lacks.

# The commands that every build needs, and the packages that bring them.
need_build_tools() {
    need cc build-essential
    need make build-essential
    need perl perl
    if ! command -v cargo >/dev/null; then
        echo "error: cargo is missing; install Rust from https://rustup.rs first" >&2
        return 1
    fi
}

# need COMMAND PACKAGE: installs PACKAGE when COMMAND cannot be found.
need() {
    command -v "$1" >/dev/null || install_packages "$2"
}

# need_package PACKAGE…: installs the packages that are not there, for what is no command.
need_package() {
    local package missing=()
    for package in "$@"; do
        if ! dpkg-query --show --showformat '${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed; then
            missing+=("$package")
        fi
    done
    ((${#missing[@]} == 0)) || install_packages "${missing[@]}"
}

install_packages() {
    local as_root=()
    if ! command -v apt-get >/dev/null; then
        echo "error: please install $*: there is no apt-get here to do it" >&2
        return 1
    fi
    if ((EUID != 0)); then
        if ! command -v sudo >/dev/null; then
            echo "error: please install $* as root: there is no sudo here to do it" >&2
            return 1
        fi
        as_root=(sudo)
    fi
    echo "installing $*" >&2
    "${as_root[@]}" apt-get update --quiet --quiet >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install --quiet --quiet --yes --no-install-recommends "$@" >&2
}
