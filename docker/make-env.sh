#!/bin/sh
# Makes .env with fresh random secrets for docker compose, or the file that is named. One that is there is left alone.
set -eu
[ $# -gt 0 ] || cd "$(dirname "$0")/.."
file=${1:-.env}
umask 077
secret() { od -An -N 24 -t x1 /dev/urandom | tr -d ' \n'; }

if [ -e "$file" ]; then
  echo "$file is there already, and was left alone: the volumes of the stores know its passwords" >&2
  exit 1
fi
# Written as a whole, or not at all.
trap 'rm -f "$file.new"' EXIT
cat >"$file.new" <<END
# Secrets of docker compose. Hexadecimal, so that they need no quoting in addresses.
POSTGRES_PASSWORD=$(secret)
REDIS_PASSWORD=$(secret)
SWARM_ADMIN_TOKEN=swadm_$(secret)
# Registers agents of every name and role, for the operator. The programs of compose have tokens of their own.
SWARM_JOIN_TOKEN=swjoin_$(secret)
# With this line whoever submits goals, or looks at plans, must send the token.
# ARCHITECT_TOKEN=$(secret)
END
mv "$file.new" "$file"
echo "made $file"
