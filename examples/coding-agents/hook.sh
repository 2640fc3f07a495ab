#!/bin/sh
# A hook of a coding agent: tells it at the start of a turn what waits in the swarm, and at the end of a turn not to stop while something
# does. Claude Code and Gemini CLI call it with JSON on stdin and read JSON on stdout. It never fails a turn: without a core it is silent.
set -u

input=$(cat)
called() { printf '%s' "$input" | grep -q "\"$1\" *: *$2"; }

# It has gone on once already: a turn is not kept alive for ever.
called stop_hook_active true && exit 0
text=$(sh "$(dirname "$0")/inbox.sh" | sed 's/\\/\\\\/g; s/"/\\"/g')
[ -n "$text" ] || exit 0

if called hook_event_name '"\(Stop\|AfterAgent\)"'; then
  printf '{"decision":"block","reason":"%s"}\n' "$text"
else
  name=$(printf '%s' "$input" | sed -n 's/.*"hook_event_name" *: *"\([A-Za-z]*\)".*/\1/p' | head -n 1)
  printf '{"hookSpecificOutput":{"hookEventName":"%s","additionalContext":"%s"}}\n' "$name" "$text"
fi
