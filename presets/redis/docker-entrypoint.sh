#!/bin/sh
# Entrypoint of the recipe's Redis image; does what that of the official image does (hub.docker.com/_/redis).
set -e

# Settings or a configuration file alone are meant for the server.
if [ "${1#-}" != "$1" ] || [ "${1%.conf}" != "$1" ]; then set -- redis-server "$@"; fi

# The official image is compiled with protected mode off, as a server that answers its own container only is of no use.
allow_others() {
  case ${2:-} in -v | --version | -h | --help | --test-memory | --check-system) return 1 ;; esac
  case " $* " in *' --protected-mode '*) return 1 ;; esac
  ! { [ -f "${2:-}" ] && grep -qi '^[[:space:]]*protected-mode' "$2"; }
}

if [ "$1" = redis-server ]; then
  if allow_others "$@"; then set -- "$@" --protected-mode no; fi
  if [ "$(id -u)" = 0 ]; then
    # The working directory is the server's, and so is whatever was mounted there.
    find . \! -user redis -exec chown redis {} +
    exec setpriv --reuid=redis --regid=redis --init-groups -- "$0" "$@"
  fi
  if [ "$(umask)" = 0022 ]; then umask 0077; fi
fi

exec "$@"
