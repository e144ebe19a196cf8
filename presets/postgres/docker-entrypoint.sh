#!/usr/bin/env bash
# Entrypoint of the recipe's PostgreSQL image. Honours the environment variables of the official image
# (hub.docker.com/_/postgres): POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB, POSTGRES_INITDB_ARGS,
# POSTGRES_INITDB_WALDIR, POSTGRES_HOST_AUTH_METHOD, PGDATA, each but the last also as NAME_FILE, and the scripts in
# /docker-entrypoint-initdb.d.
set -Eeuo pipefail

fail() { printf 'Error: %s\n' "$*" >&2; exit 1; }

# NAME, or the content of the file that NAME_FILE names, or a default.
from_env() {
  local name=$1 file=${1}_FILE
  if [[ -n ${!name:-} && -n ${!file:-} ]]; then fail "both $name and $file are set (but are exclusive)"; fi
  if [[ -n ${!file:-} ]]; then printf -v "$name" '%s' "$(<"${!file}")"; fi
  printf -v "$name" '%s' "${!name:-${2-}}"
  export "${name?}"
  unset "$file"
}

as_postgres() { exec setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }

run_scripts() {
  local script
  for script in /docker-entrypoint-initdb.d/*; do
    case $script in
      *.sh) if [[ -x $script ]]; then "$script"; else . "$script"; fi ;;
      *.sql) "${psql[@]}" --file="$script" ;;
      *.sql.gz) gunzip --stdout "$script" | "${psql[@]}" ;;
      *.sql.xz) xzcat "$script" | "${psql[@]}" ;;
      *.sql.zst) zstd --decompress --stdout "$script" | "${psql[@]}" ;;
      *) printf 'ignoring %s\n' "$script" ;;
    esac
  done
}

initialise() {
  if [[ -z $POSTGRES_PASSWORD && $POSTGRES_HOST_AUTH_METHOD != trust ]]; then
    fail 'the superuser has no password: set POSTGRES_PASSWORD, or POSTGRES_HOST_AUTH_METHOD=trust to allow anybody in'
  fi
  # Before anything is made: scripts that cannot be read would be passed over in silence.
  ls /docker-entrypoint-initdb.d >/dev/null || fail 'the scripts in /docker-entrypoint-initdb.d cannot be read by the user postgres'
  local -a arguments=()
  # The official image lets a shell split the arguments, quotes and all.
  eval "arguments=($POSTGRES_INITDB_ARGS)"
  if [[ -n $POSTGRES_INITDB_WALDIR ]]; then arguments+=(--waldir "$POSTGRES_INITDB_WALDIR"); fi
  initdb --username="$POSTGRES_USER" --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "${arguments[@]}"
  local method=${POSTGRES_HOST_AUTH_METHOD:-$(postgres -C password_encryption)}
  printf '\nhost all all all %s\n' "$method" >>"$PGDATA/pg_hba.conf"

  # A server that only this script can reach, for the database and the scripts.
  pg_ctl -D "$PGDATA" -o "-c listen_addresses='' -p ${PGPORT:-5432}" -w start
  export PGUSER=$POSTGRES_USER PGPASSWORD=$POSTGRES_PASSWORD
  local -a psql=(psql --no-psqlrc --no-password --set=ON_ERROR_STOP=1 --dbname=postgres)
  if [[ $POSTGRES_DB != postgres ]]; then
    "${psql[@]}" --set=name="$POSTGRES_DB" <<<'CREATE DATABASE :"name";'
  fi
  psql=(psql --no-psqlrc --no-password --set=ON_ERROR_STOP=1 --dbname="$POSTGRES_DB")
  run_scripts
  pg_ctl -D "$PGDATA" -m fast -w stop
  unset PGUSER PGPASSWORD
}

if [[ ${1:-} == -* ]]; then set -- postgres "$@"; fi
if [[ ${1:-} != postgres ]]; then exec "$@"; fi

from_env POSTGRES_PASSWORD
from_env POSTGRES_USER postgres
from_env POSTGRES_DB "$POSTGRES_USER"
from_env POSTGRES_INITDB_ARGS
from_env POSTGRES_INITDB_WALDIR
from_env POSTGRES_HOST_AUTH_METHOD
export PGDATA=${PGDATA:-/var/lib/postgresql/data}

if [[ $(id -u) == 0 ]]; then
  for directory in "$PGDATA" ${POSTGRES_INITDB_WALDIR:+"$POSTGRES_INITDB_WALDIR"} /var/run/postgresql; do
    mkdir -p "$directory"
    chown -R postgres:postgres "$directory"
  done
  chmod 700 "$PGDATA"
  chmod 3777 /var/run/postgresql
  as_postgres "$BASH_SOURCE" "$@"
fi

shopt -s nullglob
if [[ ! -s $PGDATA/PG_VERSION ]]; then initialise; fi
exec "$@"
