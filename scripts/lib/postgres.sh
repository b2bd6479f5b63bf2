# shellcheck shell=bash
# Sourced by the other scripts: a private PostgreSQL cluster in a temporary folder.
#
#   start_postgres   starts it, sets POSTGRES_SERVER (postgres://postgres@127.0.0.1:PORT),
#                    and has it stopped and removed when the script ends, however it ends
#
# No cluster of the system is used or touched. Needs debian.sh.

postgres_bin=
postgres_home=
postgres_run=()

start_postgres() {
    find_postgres || install_packages postgresql
    find_postgres || {
        echo "error: no PostgreSQL under /usr/lib/postgresql" >&2
        return 1
    }

    trap stop_postgres EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    postgres_home=$(mktemp --directory "${TMPDIR:-/tmp}/rollcall-postgres.XXXXXX")
    # PostgreSQL refuses to run as root.
    if ((EUID == 0)); then
        postgres_run=(runuser --user postgres --)
        chown postgres: "$postgres_home"
    fi
    in_postgres_home initdb --pgdata data --username postgres --auth trust \
        --encoding UTF8 --locale C.UTF-8 >"$postgres_home/initdb.log" 2>&1 || {
        cat "$postgres_home/initdb.log" >&2
        return 1
    }

    # A port may be taken between the look and the start: another one is tried.
    local attempt port options
    for attempt in 1 2 3 4 5; do
        port=$(free_port)
        options="-c listen_addresses=127.0.0.1 -c port=$port -c max_connections=400"
        options+=" -c unix_socket_directories=$postgres_home"
        if in_postgres_home pg_ctl start --wait --silent --pgdata data --log server.log --options "$options" >/dev/null; then
            # shellcheck disable=SC2034 # The scripts that source this file read it.
            POSTGRES_SERVER=postgres://postgres@127.0.0.1:$port
            return
        fi
        echo "PostgreSQL did not start on port $port (attempt $attempt)" >&2
    done
    cat "$postgres_home/server.log" >&2
    return 1
}

stop_postgres() {
    local status=$?
    trap - EXIT
    if [[ -n $postgres_home ]]; then
        if [[ -e $postgres_home/data/postmaster.pid ]]; then
            in_postgres_home pg_ctl stop --silent --pgdata data --mode immediate || status=1
        fi
        rm --recursive --force "$postgres_home"
    fi
    exit "$status"
}

# The newest one that is installed.
find_postgres() {
    postgres_bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin 2>/dev/null | sort --version-sort | tail --lines 1)
    [[ -n $postgres_bin && -x $postgres_bin/initdb ]]
}

in_postgres_home() {
    local program=$1
    shift
    (cd "$postgres_home" && "${postgres_run[@]}" "$postgres_bin/$program" "$@")
}

free_port() {
    local port
    while port=$((RANDOM % 20000 + 20000)); do
        if ! (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
            echo "$port"
            return
        fi
    done
}
