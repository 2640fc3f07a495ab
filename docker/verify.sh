#!/usr/bin/env bash
# Builds the images, starts them as docs/containers.md says, breaks what may break, and takes everything away again.
# Needs a Docker engine with compose, curl and jq. Uses a project, volumes, ports and secrets of its own.
#   docker/verify.sh             all of it
#   KEEP=1 docker/verify.sh      leaves what it started, to look at
set -euo pipefail
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
export COMPOSE_PROJECT_NAME=hypercode-verify CORE_PORT=0 ARCHITECT_PORT=0
one() { docker compose --env-file "$scratch/env" "$@"; }
many() { one -f docker-compose.yml -f docker-compose.replicas.yml "$@"; }

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'FAILED: %s\n' "$*" >&2; exit 1; }
same() { [[ $1 == "$2" ]] || fail "${3:-comparison}: expected \"$2\", got \"$1\""; }
until_true() { # until_true WHAT COMMAND...
  local what=$1; shift
  for _ in $(seq $((${PATIENCE_S:-30} * 5))); do "$@" >/dev/null 2>&1 && return; sleep 0.2; done
  fail "$what: not within ${PATIENCE_S:-30} s"
}
finish() {
  local status=$?
  ((status == 0)) || many logs --tail 20 || true
  if [[ -z ${KEEP:-} ]]; then
    docker rm --force --volumes hypercode-verify-alone >/dev/null 2>&1 || true
    docker volume rm --force hypercode-verify-alone >/dev/null 2>&1 || true
    many down --volumes --timeout 5 >/dev/null 2>&1 || true
    rm -rf "$scratch"
  fi
  exit "$status"
}
trap finish EXIT

# Where a port was published. Port 0 is another one after every start.
at() {
  if [[ $1 == alone ]]; then echo "http://$(docker port hypercode-verify-alone "$2")"; else echo "http://$(many port "$1" "$2")"; fi
}
# Whom `api` asks.
entry=core
api() { # api METHOD PATH TOKEN [BODY]
  curl -sS --fail-with-body -X "$1" "$(at "$entry" 7700)$2" -H "Authorization: Bearer $3" ${4:+-H 'Content-Type: application/json' -d "$4"}
}
# Asks the Architect.
plans() { curl -sS --fail-with-body "$(at architect 7710)$1" "${@:2}"; }
agent() { printf '{"name":"%s","role":"worker","version":"1.0.0"}' "$1"; }
agents() { api GET /v1/agents "$SWARM_ADMIN_TOKEN" | jq -r '.agents[].name' | paste -sd' '; }

say 'nothing starts without secrets'
: >"$scratch/env"
(unset POSTGRES_PASSWORD REDIS_PASSWORD SWARM_ADMIN_TOKEN SWARM_JOIN_TOKEN ARCHITECT_TOKEN; one config --quiet 2>&1) | tee "$scratch/refusal" || true
grep -q 'docker/make-env.sh' "$scratch/refusal" || fail 'the refusal does not say what to do'
rm "$scratch/env"

say 'secrets are made once, for their owner alone'
docker/make-env.sh "$scratch/env"
same "$(stat -c %a "$scratch/env")" 600 'mode of the file with secrets'
! docker/make-env.sh "$scratch/env" || fail 'secrets were made over'
# shellcheck disable=SC1091
source "$scratch/env"

say 'everything builds, starts and is healthy'
time one build --quiet
time one up --detach --wait
docker image ls --filter reference='hypercode-*' --format '{{.Repository}} {{.Size}}'

say 'no program is root, can write, or has privileges'
for service in core architect analyst scribe; do
  id=$(one ps --quiet "$service")
  same "$(one exec -T "$service" id -u)" 1000 "user of $service"
  ! one exec -T "$service" touch /tmp/x 2>/dev/null || fail "$service can write"
  same "$(one exec -T "$service" grep CapEff /proc/1/status | tr -d '[:space:]')" CapEff:0000000000000000 "$service"
  docker inspect "$id" --format '{{range $port, $where := .NetworkSettings.Ports}}{{range $where}}{{.HostIp}} {{end}}{{end}}' >"$scratch/ips"
  ! grep -qv '^\(127.0.0.1 \)*$' "$scratch/ips" || fail "$service is published on $(cat "$scratch/ips")"
done

say 'PostgreSQL and Redis publish no port unless asked'
for service in postgres redis; do
  same "$(docker inspect "$(one ps --quiet "$service")" --format '{{range .NetworkSettings.Ports}}{{.}}{{end}}' | tr -d '[]')" '' "$service"
done
POSTGRES_PORT=0 one -f docker-compose.yml -f docker-compose.stores.yml config | grep -q 'host_ip: 127.0.0.1' || fail 'no way to publish'

say 'each program has a token for its own role and name'
# AGENT ROLE WANTED: registers with the token of the analyst.
with_analysts_token() {
  same "$(one exec -T analyst node --input-type=module --eval "
    import { readFileSync } from 'node:fs';
    const token = readFileSync('/token/join', 'utf8').trim();
    const response = await fetch('http://core:7700/v1/agents', {
      method: 'POST',
      headers: { authorization: 'Bearer ' + token, 'content-type': 'application/json' },
      body: JSON.stringify({ name: '$1', role: '$2', version: '1.0.0' }),
    });
    console.log(response.status);")" "$3" "$1 with the role $2 and the token of the analyst"
}
with_analysts_token architect architect 403
with_analysts_token architect worker 403
with_analysts_token scribe worker 403
with_analysts_token another worker 403
same "$(one exec -T analyst sh -c 'ls /token' | paste -sd' ')" join 'tokens that the analyst can read'
one up --detach --wait >/dev/null 2>&1
one logs --no-log-prefix architect-token >"$scratch/made"
same "$(grep -c 'made the join token' "$scratch/made") $(grep -c 'kept the join token' "$scratch/made")" '1 1' 'tokens made and kept'

say 'a core alone keeps its data in a volume'
printf '%s\n' "$SWARM_JOIN_TOKEN" >"$scratch/join-token"
printf '%s\n' "$SWARM_ADMIN_TOKEN" >"$scratch/admin-token"
chmod 711 "$scratch"
chmod 644 "$scratch"/*-token
docker run --detach --name hypercode-verify-alone --read-only --cap-drop ALL --publish 127.0.0.1::7700 \
  --volume hypercode-verify-alone:/data --volume "$scratch:/run/secrets:ro" \
  --env SWARM_JOIN_TOKEN_FILE=/run/secrets/join-token --env SWARM_ADMIN_TOKEN_FILE=/run/secrets/admin-token hypercode-core >/dev/null
entry=alone
alone_registers() { api POST /v1/agents "$SWARM_JOIN_TOKEN" "$(agent alone-1)"; }
until_true 'the core takes a registration' alone_registers
docker kill --signal KILL hypercode-verify-alone >/dev/null
docker start hypercode-verify-alone >/dev/null
alone_knows() { [[ $(agents) == alone-1 ]]; }
until_true 'the core has what it had' alone_knows
docker stop hypercode-verify-alone >/dev/null
same "$(docker inspect hypercode-verify-alone --format '{{.State.ExitCode}}')" 0 'a core alone'
entry=core

say 'an agent registers, and a plan goes through both workers'
api POST /v1/agents "$SWARM_JOIN_TOKEN" "$(agent verify-1)" | jq -e '.outcome == "created"' >/dev/null
goal='{"title":"A note","steps":[{"id":"a","title":"Outline","capability":"outline","input":"One. Two."},
  {"id":"b","title":"Write","capability":"write","dependsOn":["a"]}]}'
plans /goals -H 'Content-Type: application/json' -d "$goal" >/dev/null
plan_done() { plans /plans | jq -e '.plans[0].status == "completed"'; }
until_true 'the plan is completed' plan_done

say 'every program ends with 0 at SIGTERM, well within its grace'
for service in scribe analyst architect core; do
  id=$(one ps --quiet "$service")
  began=$SECONDS
  one stop "$service" >/dev/null 2>&1
  same "$(docker inspect "$id" --format '{{.State.ExitCode}}')" 0 "$service"
  echo "$service: $((SECONDS - began)) s"
done
one up --detach --wait >/dev/null 2>&1

say 'what was acknowledged outlives a kill of the core, of PostgreSQL and of Redis'
for service in core postgres redis; do
  api POST /v1/agents "$SWARM_JOIN_TOKEN" "$(agent "before-$service")" >/dev/null
  api POST /v1/events "$SWARM_ADMIN_TOKEN" "{\"topic\":\"verify.$service\",\"data\":1}" >/dev/null
  one kill --signal KILL "$service" >/dev/null 2>&1
  one up --detach --wait >/dev/null 2>&1
  [[ " $(agents) " == *" before-$service "* ]] || fail "the agent before the kill of $service is gone: $(agents)"
done
curl -sSN --max-time 2 "$(at core 7700)/v1/events/stream?topics=verify.*&from=earliest" \
  -H "Authorization: Bearer $SWARM_ADMIN_TOKEN" >"$scratch/events" 2>/dev/null || true
same "$(grep -o '"topic":"verify\.[a-z]*"' "$scratch/events" | paste -sd' ')" \
  '"topic":"verify.core" "topic":"verify.postgres" "topic":"verify.redis"' 'events'

say 'a plan goes on when the core and the Architect are killed in the middle of it, and no task is done twice'
length=400
goal=$(jq -cn --argjson n "$length" '{title: "A chain", steps: [range($n) | {id: "t\(.)", title: "Step \(.)",
  capability: "outline", input: "One. Two.", dependsOn: (if . == 0 then [] else ["t\(. - 1)"] end)}]}')
plan=$(plans /goals -H 'Content-Type: application/json' -d "$goal" | jq -r .planId)
shown() { plans '/plans?limit=1' | jq ".plans[] | select(.planId == \"$plan\")"; }
under_way() { shown | jq -e '.tasks.completed > 20'; }
until_true 'the plan is under way' under_way
one kill --signal KILL core architect >/dev/null 2>&1
began=$SECONDS
one up --detach --wait >/dev/null 2>&1
chain_done() { shown | jq -e '.status == "completed"'; }
# A task whose delivery was lost with the core comes again at its deadline, 30 s later.
PATIENCE_S=90 until_true 'the chain is completed' chain_done
echo "up and completed after $((SECONDS - began)) s"
curl -sSN --max-time 3 "$(at core 7700)/v1/events/stream?topics=task.*.completed&from=earliest" \
  -H "Authorization: Bearer $SWARM_ADMIN_TOKEN" >"$scratch/completed" 2>/dev/null || true
same "$(sed -n 's/^data: *//p' "$scratch/completed" | jq -r --arg plan "$plan" 'select(.event.data.planId == $plan) | .event.data.taskId' | sort | uniq -c |
  awk '$1 == 1' | wc -l)" "$length" 'tasks that were completed once'

say 'with a token, goals and plans are for those who have it'
sed 's/^# ARCHITECT_TOKEN=/ARCHITECT_TOKEN=/' "$scratch/env" >"$scratch/env-with-token"
docker compose --env-file "$scratch/env-with-token" up --detach --wait architect >/dev/null 2>&1
same "$(curl -sS --output /dev/null --write-out '%{http_code}' "$(at architect 7710)/plans")" 401 'plans without the token'
bearer=$(sed -n 's/^ARCHITECT_TOKEN=//p' "$scratch/env-with-token")
plans "/plans/$plan" -H "Authorization: Bearer $bearer" | jq -e '.status == "completed"' >/dev/null || fail 'the plan is not there with the token'

say 'two cores behind a proxy: a watch survives the end of either'
many up --detach --wait
entry=proxy
mapfile -t cores < <(many ps --quiet core)
same "${#cores[@]}" 2 'cores'
watcher=$(many run --detach --env SWARM_URL=http://proxy:7700 --env SWARM_TOKEN="$SWARM_ADMIN_TOKEN" analyst watch-agents.ts)
heard() { docker logs "$watcher" 2>&1 | grep -q "$1"; }
until_true 'the watch has begun' heard 'here verify-1'
for core in "${cores[@]}"; do
  docker kill --signal KILL "$core" >/dev/null
  name="after-${core:0:12}"
  registered() { api POST /v1/agents "$SWARM_JOIN_TOKEN" "$(agent "$name")"; }
  until_true 'the proxy has another core' registered
  until_true "the watch tells of $name" heard "registered $name "
  docker start "$core" >/dev/null
  healthy() { [[ $(docker inspect "$core" --format '{{.State.Health.Status}}') == healthy ]]; }
  until_true 'the core is back' healthy
done
same "$(docker logs "$watcher" 2>&1 | grep -c 'registered after-')" 2 'registrations that the watch told of'

say 'without PostgreSQL no core is ready, and known tokens go on through the proxy'
many stop postgres >/dev/null 2>&1
unready() { [[ $(curl -s --output /dev/null --write-out '%{http_code}' "$(at proxy 7700)/readyz") == 503 ]]; }
until_true 'the cores are not ready' unready
# For longer than the proxy needs to see it.
for _ in $(seq 25); do
  api POST /v1/events "$SWARM_ADMIN_TOKEN" '{"topic":"verify.without","data":1}' >/dev/null
  sleep 0.2
done
many start postgres >/dev/null 2>&1
ready() { curl -sS --fail "$(at proxy 7700)/readyz"; }
until_true 'the cores are ready again' ready

say 'an idle stream stays open through the proxy, and comes unbuffered'
curl -sSN --max-time 70 "$(at proxy 7700)/v1/events/stream?topics=nothing.here" \
  -H "Authorization: Bearer $SWARM_ADMIN_TOKEN" >"$scratch/idle" 2>"$scratch/curl" || true
grep -q 'timed out' "$scratch/curl" || fail "the stream ended early: $(cat "$scratch/curl")"
(($(grep -c '^event: bookmark' "$scratch/idle") >= 4)) || fail "bookmarks in 70 s: $(cat "$scratch/idle")"

say 'a WebSocket passes the proxy'
many exec -T analyst node --eval "
  const socket = new WebSocket('ws://proxy:7700/trpc?connectionParams=1');
  socket.onerror = (event) => { console.error(event.message); process.exit(1); };
  socket.onopen = () => {
    socket.send(JSON.stringify({ method: 'connectionParams', data: { token: '$SWARM_ADMIN_TOKEN' } }));
    socket.send(JSON.stringify({ id: 1, method: 'query', params: { path: 'registry.get', input: { name: 'verify-1' } } }));
  };
  socket.onmessage = ({ data }) => process.exit(JSON.parse(data).result?.data?.name === 'verify-1' ? 0 : 1);"

docker rm --force "$watcher" >/dev/null
say 'all of it held'
