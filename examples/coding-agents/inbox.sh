#!/bin/sh
# What waits in the swarm for the coding agent SWARM_AGENT: one line, or nothing. It prints numbers and the names of tools, and no word
# that another agent wrote. Needs `swarm` with a token that may read. Messages and answers are told once (the place up to which they were
# told is kept in SWARM_INBOX_STATE), tasks until they are taken. Of each kind it looks at the newest that one page of the log has.
set -u

agent=${SWARM_AGENT:?"set it to the name with which the coding agent joins"}
case $agent in *[!a-z0-9-]*) echo "inbox.sh: SWARM_AGENT is not the name of an agent: $agent" >&2 && exit 2 ;; esac
state=${SWARM_INBOX_STATE:-${XDG_STATE_HOME:-$HOME/.local/state}/swarm}
told=$state/$agent.position

# The position comes first in what `swarm` prints, before any field that an agent has filled in.
position() { grep -o '"position":"[^"]*"' | head -n 1 | cut -d '"' -f 4; }
count() { swarm events read --newest --limit 100 --json "$@" 2>/dev/null | grep -c .; }

end=$(swarm events read --newest --limit 1 --json 2>/dev/null | position)
# No core, or an empty log: there is nothing to tell.
[ -n "$end" ] || exit 0
last=$(cat "$told" 2>/dev/null)
mkdir -p "$state" && printf '%s\n' "$end" >"$told"

# Tasks that the agent's own group has not taken yet, and those that it is to try again.
group=$(swarm groups get "$agent" --json 2>/dev/null | grep "^{\"group\":{\"group\":\"$agent\",")
taken=$(printf '%s\n' "$group" | position)
again=$(printf '%s\n' "$group" | grep -o '"waiting":[0-9]*' | head -n 1 | cut -d : -f 2)
tasks=$(($(count "task.$agent.assigned" ${taken:+--after "$taken"}) + ${again:-0}))
messages=$(count "agent.$agent.inbox.>" ${last:+--after "$last"})
answers=$(count "question.$agent.answered" ${last:+--after "$last"})

text=
[ "$tasks" = 0 ] || text="$text Tasks that wait for you: $tasks. Call claim_work."
[ "$messages" = 0 ] || text="$text New messages: $messages. Call read_events with the topics [\"agent.$agent.inbox.>\"]."
[ "$answers" = 0 ] || text="$text New answers to your questions: $answers. Call ask_person again, with the questionId of each."
[ -z "$text" ] || printf 'In the swarm, where you are "%s":%s\n' "$agent" "$text"
