# shellcheck shell=bash
# Sourced by the other scripts: cargo tools in pinned versions, installed in target/tools.
#
#   need_diesel   need_cargo_deny   need_cargo_machete
#
# Each installs its tool unless that version is there, and prints how long the installation took.
# Needs debian.sh.

cargo_tools=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/target/tools

# 2 min 30 s on 2 cores, and 340 MB while it is built.
need_diesel() {
    # The libraries are needed to run it, too.
    need_package libpq-dev libsqlite3-dev pkg-config
    need_cargo_tool diesel_cli 2.3.14 --no-default-features --features sqlite,postgres
}

need_cargo_deny() {
    need_cargo_tool cargo-deny 0.20.2
}

need_cargo_machete() {
    need_cargo_tool cargo-machete 0.9.2
}

# need_cargo_tool CRATE VERSION [ARGUMENT…]: installs VERSION of CRATE unless it is there; the other
# arguments go to `cargo install`.
need_cargo_tool() {
    local crate=$1 version=$2 started=$SECONDS installed
    shift 2
    installed=$(cargo install --list --root "$cargo_tools")
    if [[ $'\n'$installed == *$'\n'"$crate v$version:"* ]]; then
        return
    fi
    echo "installing $crate $version" >&2
    cargo install "$crate" --version "$version" --locked --root "$cargo_tools" "$@"
    echo "installed $crate $version in $((SECONDS - started)) s" >&2
}
