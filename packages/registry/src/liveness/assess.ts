// What a check of an agent changes: what is remembered of the agent, and the status that is shown. Pure.
import type { Agent } from '@hypercode/contracts';
import type { ProbeResult } from '../probes/probe.ts';
import { advance, type CircuitSettings, shownCircuit } from './circuit.ts';
import { judgeLease, type LeaseMoment, type LeaseSettings } from './lease.ts';
import {
  type CircuitMemory,
  isBlank,
  type LivenessMemory,
  PROBE_FAILED,
  UNPROBED,
} from '../documents/liveness-memory.ts';
import { type Trip, trippedCircuit } from '../documents/trip.ts';
import { judgeProbe } from './probe-outcome.ts';

export interface LivenessSettings extends LeaseSettings, CircuitSettings {}

/** An agent as liveness sees it. */
export interface Examined {
  /** The agent's own lease, in milliseconds. */
  readonly leaseMs: number;
  /** Whether an operator has tripped the name. What is remembered of the process follows that. */
  readonly trip: Trip | null;
  readonly memory: LivenessMemory;
  readonly status: Pick<Agent['status'], 'health' | 'activity' | 'circuit' | 'circuitOpenUntil'>;
  readonly hasHealthUrl: boolean;
  readonly registeredAt: number;
  readonly lastSeenAt: number | null;
}

export interface Assessment {
  /** `memory` itself when nothing has changed; null: nothing to remember, and nothing left to show. */
  readonly memory: LivenessMemory | null;
  /** What is to be shown, if it differs from what is. */
  readonly shown: Partial<Omit<Agent['status'], 'lastSeenAt'>> | null;
  /** Why the agent is to be removed. */
  readonly expired: string | null;
}

/** A process that a replica of a release without trips has registered does not know of the trip of its name yet. */
const remembered = ({ memory, trip }: Examined): LivenessMemory =>
  trip === null || memory.circuit.tripped ? memory : { ...memory, circuit: trippedCircuit(memory.circuit, trip) };

/** Failures are counted, and open nothing: only the judge opens circuits, since it has the mass-failure guard. */
const countingOnly = ({ openMs }: CircuitSettings): CircuitSettings => ({ threshold: Infinity, openMs });

/** Opens a circuit whose failures have come to exceed the threshold. */
function openedIfDue(circuit: CircuitMemory, at: number, settings: CircuitSettings): CircuitMemory {
  if (circuit.circuit !== 'closed' || circuit.failures <= settings.threshold) return circuit;
  const reason = circuit.reason ?? 'too many failures in a row';
  // The failure that was counted last is what opens it.
  return advance({ ...circuit, failures: circuit.failures - 1 }, { kind: 'failure', reason, at }, settings);
}

/** What the check of a lease has found, before it counts. */
export interface Finding {
  /** What is to be remembered, whether or not failures count. */
  readonly memory: LivenessMemory;
  readonly health: Agent['status']['health'];
  /** Failures that are to be counted. */
  readonly failed: { readonly times: number; readonly reason: string } | null;
  /** Why the agent is to be removed. */
  readonly expired: string | null;
}

/** The judge's check of one agent: its lease, and its circuit after the time that has passed. */
export function checkAgent(agent: Examined, moment: LeaseMoment, settings: LivenessSettings): Finding {
  const { hasHealthUrl, lastSeenAt, status } = agent;
  const memory = remembered(agent);
  const { now } = moment;
  const verdict = judgeLease(
    {
      ...agent,
      activity: status.activity,
      health: status.health,
      consecutiveFailures: memory.circuit.failures,
      missedLeases: memory.missed,
    },
    moment,
    settings,
  );
  const circuit = advance(memory.circuit, { kind: 'tick', at: now }, settings);
  if (verdict.verdict === 'fine') {
    const isNew = !hasHealthUrl && lastSeenAt !== null && lastSeenAt !== memory.successAt;
    // The heartbeat that ends a missed lease is no trial. All others are, however late this check comes.
    const success = { kind: 'success', at: now, trial: memory.missed === 0 } as const;
    const next = isNew ? advance(circuit, success, settings) : circuit;
    const successAt = isNew ? lastSeenAt : memory.successAt;
    const failingSince = next.failures === 0 ? null : memory.failingSince;
    const fine = { ...memory, circuit: next, missed: 0, successAt, failingSince };
    return { memory: fine, health: verdict.health, failed: null, expired: null };
  }
  const wasHealthy = memory.wasHealthy || status.health === 'healthy';
  // A sign of life from before a miss is no success any more, whatever verdict the lease gets later.
  const failing = { ...memory, circuit, successAt: lastSeenAt, failingSince: memory.failingSince ?? now, wasHealthy };
  const { reason } = verdict;
  if (verdict.verdict === 'expired') return { memory: failing, health: 'unhealthy', failed: null, expired: reason };
  const { missed, failures: times } = verdict;
  return { memory: { ...failing, missed }, health: 'unhealthy', failed: { times, reason }, expired: null };
}

/**
 * What the finding leads to. `suspended`: no agent is tripped or expired now, and no failure counts. `waits`: it is not tripped or
 * expired yet, but its failures count.
 */
export function judgeAgent(
  agent: Examined,
  finding: Finding,
  { now, suspended, waits = false }: { readonly now: number; readonly suspended: boolean; readonly waits?: boolean },
  settings: LivenessSettings,
): Assessment {
  const { badTrial, ...memory } = finding.memory;
  if (suspended) return assessed(agent, memory, finding.health);
  if (finding.expired !== null && waits) return assessed(agent, memory, finding.health);
  if (finding.expired !== null) return { memory: agent.memory, shown: null, expired: finding.expired };
  const { times, reason } = finding.failed ?? { times: 0, reason: '' };
  let { circuit } = memory;
  if (badTrial !== undefined) circuit = advance(circuit, { kind: 'failure', reason: badTrial, at: now }, settings);
  for (let failure = 0; failure < times; failure += 1) {
    circuit = advance(circuit, { kind: 'failure', reason, at: now }, countingOnly(settings));
  }
  return assessed(agent, { ...memory, circuit: waits ? circuit : openedIfDue(circuit, now, settings) }, finding.health);
}

/**
 * What the result of a probe leads to. Opening a circuit is left to the judge, for the failures of a closed circuit as for the
 * bad trial of a half-open one.
 */
export function probedAgent(
  agent: Examined,
  { result, now }: { result: ProbeResult; now: number },
  settings: LivenessSettings,
): Assessment & { readonly isAlive: boolean } {
  const { status, lastSeenAt } = agent;
  const memory = remembered(agent);
  const leaseLive = lastSeenAt !== null && now - lastSeenAt <= agent.leaseMs;
  const outcome = judgeProbe(result, { activity: status.activity, leaseLive });
  if (outcome.outcome === 'ignored') return { memory, shown: null, expired: null, isAlive: false };
  if (outcome.outcome === 'success') {
    const circuit = advance(memory.circuit, { kind: 'success', at: now }, settings);
    const { badTrial: _, unprobed: __, probeDetail, ...others } = memory;
    // As the reason does, it outlives good trials until the circuit closes.
    const detail = circuit.circuit === 'closed' || probeDetail === undefined ? {} : { probeDetail };
    const next = { ...others, ...detail, circuit, missed: 0, failingSince: null, wasHealthy: true };
    const found = assessed(agent, next, 'healthy');
    const { activity } = outcome;
    const isNew = activity !== null && activity !== status.activity;
    return { ...found, shown: isNew ? { ...found.shown, activity } : found.shown, isAlive: true };
  }
  const probeDetail = outcome.reason;
  if (outcome.outcome === 'unprobed') {
    const health = status.health === 'healthy' ? 'unknown' : status.health;
    const found = assessed(agent, { ...memory, unprobed: true, probeDetail }, health);
    const shown = found.shown === null ? null : { ...found.shown, reason: found.shown.reason ?? UNPROBED };
    return { ...found, shown, isAlive: false };
  }
  const { unprobed: _, ...known } = memory;
  const reason = PROBE_FAILED;
  const current = advance(memory.circuit, { kind: 'tick', at: now }, settings);
  const failed =
    current.circuit === 'half_open'
      ? { circuit: current, badTrial: reason }
      : { circuit: advance(current, { kind: 'failure', reason, at: now }, countingOnly(settings)) };
  const wasHealthy = memory.wasHealthy || status.health === 'healthy';
  const next = { ...known, ...failed, probeDetail, failingSince: memory.failingSince ?? now, wasHealthy };
  return { ...assessed(agent, next, 'unhealthy'), isAlive: false };
}

function assessed({ memory, status }: Examined, next: LivenessMemory, health: Agent['status']['health']): Assessment {
  const circuit = shownCircuit(next.circuit);
  const differs =
    health !== status.health ||
    circuit.circuit !== status.circuit ||
    circuit.circuitOpenUntil !== status.circuitOpenUntil;
  const isSame = JSON.stringify(next) === JSON.stringify(memory);
  return {
    // The memory is kept until the published status matches it. Agents without memory are not checked again, so dropping it
    // earlier would make a lost status write permanent.
    memory: isBlank(next) && !differs ? null : isSame ? memory : next,
    shown: differs ? { health, ...circuit } : null,
    expired: null,
  };
}
