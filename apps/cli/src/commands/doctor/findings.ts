// What `swarm doctor` looks at: each check gives findings, and each finding that is not well says what to do.
import type { SwarmClient } from '@hypercode/client';
import { API_VERSION, type ClusterStatus, type GroupInfo, type WhoamiResult } from '@hypercode/contracts';
import { counted } from '../../output/counted.ts';
import { showAgo, showDuration } from '../../output/times.ts';

export interface Finding {
  /** `note`: worth knowing, and perhaps meant so. */
  readonly level: 'ok' | 'note' | 'wrong';
  readonly what: string;
  readonly todo?: string;
}

export const ok = (what: string): Finding => ({ level: 'ok', what });
export const note = (what: string, todo: string): Finding => ({ level: 'note', what, todo });
export const wrong = (what: string, todo: string): Finding => ({ level: 'wrong', what, todo });

/** A clock that is further away than this makes times and deadlines misleading, in milliseconds. */
const CLOCK_MS = 5_000;
const SOON_MS = 24 * 3_600_000;
const SLOW_STORE_MS = 250;
const LATE_LOOP_MS = 200;
/** Groups whose members are looked at. */
const GROUPS_LOOKED_AT = 50;

export function tokenFindings(me: WhoamiResult, namespace: string, nowMs: number): Finding[] {
  const { kind, name, expiresAt, may } = me;
  const findings = [ok(`token: ${kind} "${name}", may call ${may.length} procedures`)];
  if (me.namespace !== null && me.namespace !== namespace) {
    findings.push(
      wrong(
        `the token belongs to the namespace ${me.namespace}, and commands use ${namespace}`,
        `give --namespace ${me.namespace}`,
      ),
    );
  }
  if (expiresAt !== null && Date.parse(expiresAt) - nowMs < SOON_MS) {
    findings.push(
      note(`the token ends ${showAgo(expiresAt, nowMs)}`, 'get another from an admin: swarm tokens create'),
    );
  }
  return findings;
}

/** `beforeMs` and `afterMs`: the local time when the core was asked, and when it had answered. */
export function clockFindings(me: WhoamiResult, beforeMs: number, afterMs: number): Finding[] {
  const coreMs = Date.parse(me.now);
  const differenceMs = coreMs < beforeMs ? coreMs - beforeMs : Math.max(0, coreMs - afterMs);
  const answered = ok(`connection: the core answers in ${showDuration(afterMs - beforeMs)}`);
  if (Math.abs(differenceMs) <= CLOCK_MS) return [answered, ok('clock: that of the core and this one agree')];
  const relation = differenceMs > 0 ? 'ahead of' : 'behind';
  return [
    answered,
    wrong(`clock: that of the core is ${showDuration(Math.abs(differenceMs))} ${relation} this one`, 'set both by NTP'),
  ];
}

export function versionFindings(me: WhoamiResult, version: string): Finding[] {
  const both = `swarm ${version} (API ${API_VERSION}), core ${me.core.version} (API ${me.core.api})`;
  if (me.core.api < API_VERSION) {
    return [note(`versions: ${both}`, 'the core is older, and ignores what it does not know: update the core')];
  }
  if (me.core.api > API_VERSION) {
    return [note(`versions: ${both}`, 'swarm is older, and does not show all that the core has: update swarm')];
  }
  return [ok(`versions: ${both}`)];
}

export function clusterFindings({ replicas, stores, suspended }: ClusterStatus): Finding[] {
  const findings: Finding[] = [];
  for (const [name, { kind, ok: answers, latencyMs }] of Object.entries(stores)) {
    if (!answers)
      findings.push(
        wrong(
          `store of ${name} (${kind}) does not answer, or takes no writes`,
          'see its log; the core goes on when it answers',
        ),
      );
    else if (latencyMs !== null && latencyMs > SLOW_STORE_MS)
      findings.push(
        note(
          `store of ${name} (${kind}) takes ${showDuration(latencyMs)} to answer`,
          'see its load, and the network to it',
        ),
      );
    else findings.push(ok(`store of ${name}: ${kind} answers`));
  }
  const versions = new Set(replicas.map(({ version }) => version));
  if (versions.size > 1) {
    findings.push(
      note(`replicas have ${versions.size} versions: ${[...versions].join(', ')}`, 'finish the update of all replicas'),
    );
  } else findings.push(ok(`replicas: ${replicas.length}`));
  for (const { id, host, eventLoopP99Ms } of replicas.filter((replica) => replica.eventLoopP99Ms > LATE_LOOP_MS)) {
    findings.push(
      note(
        `replica ${id.slice(0, 8)} on ${host} is ${Math.round(eventLoopP99Ms)} ms late`,
        'its processor is busy: add a replica, or a machine',
      ),
    );
  }
  for (const namespace of suspended) {
    findings.push(
      wrong(
        `the mass-failure guard holds in ${namespace}: many agents fail at the same time`,
        'look at the network between core and agents',
      ),
    );
  }
  return findings;
}

export async function groupFindings(
  client: SwarmClient,
  groups: readonly GroupInfo[],
  nowMs: number,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const { group, paused, deadLetters } of groups) {
    if (paused !== null) {
      const why = paused.reason === null ? '' : `: ${paused.reason}`;
      findings.push(
        note(
          `group ${group} is paused by ${paused.by} ${showAgo(paused.at, nowMs)}${why}`,
          `swarm groups resume ${group}`,
        ),
      );
    }
    if (deadLetters > 0)
      findings.push(
        wrong(
          `group ${group} has ${counted(deadLetters, 'dead letter')}`,
          `swarm dead ls ${group}, then swarm dead redrive ${group} or discard ${group}`,
        ),
      );
  }
  const behind = groups.filter(({ lag, paused }) => lag > 0 && paused === null).slice(0, GROUPS_LOOKED_AT);
  const seen = await Promise.all(behind.map(({ group }) => client.groups.get({ group, limit: 1 })));
  for (const { group, members } of seen) {
    const lag = `group ${group.group} is ${counted(group.lag, 'event')} behind`;
    if (members.length === 0)
      findings.push(
        wrong(
          `${lag}, and nobody consumes it`,
          `start a consumer of ${group.group}, or swarm groups rm ${group.group}`,
        ),
      );
    else if (members.every(({ passedOver }) => passedOver))
      findings.push(
        wrong(
          `${lag}, and all of its members (${members.length}) let deadlines pass`,
          `swarm groups get ${group.group}`,
        ),
      );
    else
      findings.push(
        note(
          `${lag}, with ${counted(members.length, 'member')}`,
          `it may catch up; swarm groups get ${group.group} shows how`,
        ),
      );
  }
  return findings.length === 0 ? [ok(`groups: ${groups.length}, none behind, paused or with dead letters`)] : findings;
}
