# Sourced by scripts that need databases: a temporary folder, in memory if there is room, and throwaway servers in it, whose
# programs are installed if this is Debian and run by root. All of it is gone when the script ends.
# shellcheck shell=bash

# Creating tables is mostly waiting for the disk.
temporary=${TMPDIR:-/tmp}
if [[ -w /dev/shm ]] && (($(df --output=avail --block-size=1M /dev/shm | tail -1) > 2048)); then temporary=/dev/shm; fi
folder=$(mktemp --directory --tmpdir="$temporary")
chmod 755 "$folder"
# Processes that are to be gone before the folder is.
servers=()
stop() {
    local server
    if [[ -f "$folder/postgres/postmaster.pid" ]]; then
        as_server postgres pg_ctl --pgdata="$folder/postgres" --mode=immediate --silent stop || true
    fi
    for server in "${servers[@]}"; do
        kill -9 "$server" 2>/dev/null || true
        # Without a word on how it ended.
        wait "$server" 2>/dev/null || true
    done
    rm -rf "$folder"
}
trap stop EXIT

install() {
    command -v "$1" >/dev/null && return
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$2"
}

no_answer() {
    echo "$1 does not answer; this is its log:" >&2
    cat "$2" >&2 || true
    exit 1
}

free_port() {
    python3 -c 'import socket; it = socket.socket(); it.bind(("127.0.0.1", 0)); print(it.getsockname()[1])'
}

# Servers refuse to be run by root.
as_server() {
    local user=$1
    shift
    if ((EUID == 0)); then
        local quoted
        printf -v quoted '%q ' env "PATH=$PATH" "$@"
        su "$user" --shell /bin/bash --command "cd / && $quoted"
    else
        "$@"
    fi
}

own_folder() {
    mkdir "$folder/$1"
    if ((EUID == 0)); then chown "$2" "$folder/$1"; fi
}

start_postgres() {
    install initdb postgresql
    local programs port
    programs=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | tail -1 || true)
    PATH="$PATH:$programs"
    port=$(free_port)
    own_folder postgres postgres
    as_server postgres initdb --pgdata="$folder/postgres" --username=postgres --auth=trust --no-sync >/dev/null
    as_server postgres pg_ctl --pgdata="$folder/postgres" --log="$folder/postgres/log" --wait --silent start \
        --options="-p $port -k $folder/postgres -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200" ||
        no_answer PostgreSQL "$folder/postgres/log"
    POSTGRES_URL="postgres://postgres@127.0.0.1:$port/postgres"
}

# With a name for its folder, and options, where it is not the only one.
start_mysql() {
    install mariadbd mariadb-server
    local name=${1:-mariadb} port user=mysql
    local data="$folder/$name"
    shift || true
    ((EUID == 0)) || user=$(id --user --name)
    port=$(free_port)
    own_folder "$name" "$user"
    mariadb-install-db --user="$user" --datadir="$data" --skip-test-db \
        --auth-root-authentication-method=normal >/dev/null
    mariadbd --no-defaults --user="$user" --datadir="$data" --port="$port" \
        --bind-address=127.0.0.1 --socket="$data/socket" --pid-file="$data/pid" \
        --innodb-flush-log-at-trx-commit=0 --max-connections=200 "$@" 2>"$folder/$name.log" &
    servers+=($!)
    for _ in {1..300}; do
        if mariadb-admin --no-defaults --socket="$data/socket" --user=root --silent ping >/dev/null 2>&1; then
            MYSQL_URL="mysql://root@127.0.0.1:$port/mysql"
            return
        fi
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    no_answer MariaDB "$folder/$name.log"
}
