#!/bin/sh
# Wakes the coding agent SWARM_AGENT when the swarm has something for it: runs the command that is given, with what waits on its stdin, one
# turn at a time. Example: SWARM_AGENT=coder-1 ./wake.sh claude -p --permission-mode acceptEdits
# The group SWARM_AGENT-wake remembers what it has been woken for: a turn that fails is tried again, and a restart loses nothing.
set -u

agent=${SWARM_AGENT:?"set it to the name with which the coding agent joins"}
here=$(cd "$(dirname "$0")" && pwd)

if [ "${1:-}" = --turn ]; then
  shift
  text=$(sh "$here/inbox.sh")
  # The turn before has seen to it.
  [ -n "$text" ] || exit 0
  printf '%s\n' "$text" | "$@"
  exit
fi

[ $# -gt 0 ] || { echo "usage: SWARM_AGENT=NAME wake.sh COMMAND [ARGUMENT]..." >&2 && exit 2; }
command=
for word in sh "$here/wake.sh" --turn "$@"; do
  command="$command '$(printf '%s' "$word" | sed "s/'/'\\\\''/g")'"
done
# `listen` hides what begins with SWARM_ from its commands, tokens above all: the turn finds the core by the chosen context.
exec swarm listen --group "$agent-wake" --topics "task.$agent.assigned" --topics "agent.$agent.inbox.>" \
  --topics "question.$agent.answered" --exec "SWARM_AGENT='$agent'${SWARM_INBOX_STATE:+ SWARM_INBOX_STATE='$SWARM_INBOX_STATE'}$command"
