// What one look at an agent changes: what is remembered of it, and what everybody is shown. Pure.
import type { Agent } from '@hypercode/contracts';
import type { ProbeResult } from '../probes/probe.ts';
import { advance, type CircuitMemory, type CircuitSettings, shownCircuit } from './circuit.ts';
import { judgeLease, type LeaseMoment, type LeaseSettings } from './lease.ts';
import { isBlank, type LivenessMemory } from '../documents/liveness-memory.ts';
import { judgeProbe } from './probe-outcome.ts';

export interface LivenessSettings extends LeaseSettings, CircuitSettings {}

/** An agent as liveness sees it. */
export interface Examined {
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

/** Failures are counted, and open nothing: that is the judge's alone, since it holds the brake. */
const countingOnly = ({ openMs }: CircuitSettings): CircuitSettings => ({ threshold: Infinity, openMs });

/** Opens a circuit whose failures have come to exceed the threshold. */
function openedIfDue(circuit: CircuitMemory, at: number, settings: CircuitSettings): CircuitMemory {
  if (circuit.circuit !== 'closed' || circuit.failures <= settings.threshold) return circuit;
  const reason = circuit.reason ?? 'too many failures in a row';
  // The failure that was counted last is what opens it.
  return advance({ ...circuit, failures: circuit.failures - 1 }, { kind: 'failure', reason, at }, settings);
}

/** What one look at a lease has found, before it counts. */
export interface Look {
  /** What is to be remembered, whether or not failures count. */
  readonly memory: LivenessMemory;
  readonly health: Agent['status']['health'];
  /** Failures that are to be counted. */
  readonly failed: { readonly times: number; readonly reason: string } | null;
  /** Why the agent is to be removed. */
  readonly expired: string | null;
}

/** The judge's look at one agent: its lease, and what time has made of its circuit. */
export function lookAt(agent: Examined, moment: LeaseMoment, settings: LivenessSettings): Look {
  const { memory, hasHealthUrl, lastSeenAt, status } = agent;
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
    const isNews = !hasHealthUrl && lastSeenAt !== null && lastSeenAt !== memory.successAt;
    // The beat that ends a missed lease is no trial. All others are, however late this look comes.
    const success = { kind: 'success', at: now, trial: memory.missed === 0 } as const;
    const next = isNews ? advance(circuit, success, settings) : circuit;
    const successAt = isNews ? lastSeenAt : memory.successAt;
    const failingSince = next.failures === 0 ? null : memory.failingSince;
    const fine = { ...memory, circuit: next, missed: 0, successAt, failingSince };
    return { memory: fine, health: verdict.health, failed: null, expired: null };
  }
  const wasHealthy = memory.wasHealthy || status.health === 'healthy';
  // What was seen before a miss is no success any more, whatever verdict the lease gets later.
  const failing = { ...memory, circuit, successAt: lastSeenAt, failingSince: memory.failingSince ?? now, wasHealthy };
  const { reason } = verdict;
  if (verdict.verdict === 'expired') return { memory: failing, health: 'unhealthy', failed: null, expired: reason };
  const { missed, failures: times } = verdict;
  return { memory: { ...failing, missed }, health: 'unhealthy', failed: { times, reason }, expired: null };
}

/** What the look comes to. `braked`: nobody is tripped or expired now. */
export function judgeAgent(
  agent: Examined,
  look: Look,
  { now, braked }: { readonly now: number; readonly braked: boolean },
  settings: LivenessSettings,
): Assessment {
  const { badTrial, ...memory } = look.memory;
  if (braked) return assessed(agent, memory, look.health);
  if (look.expired !== null) return { memory: agent.memory, shown: null, expired: look.expired };
  const { times, reason } = look.failed ?? { times: 0, reason: '' };
  let { circuit } = memory;
  if (badTrial !== undefined) circuit = advance(circuit, { kind: 'failure', reason: badTrial, at: now }, settings);
  for (let failure = 0; failure < times; failure += 1) {
    circuit = advance(circuit, { kind: 'failure', reason, at: now }, countingOnly(settings));
  }
  return assessed(agent, { ...memory, circuit: openedIfDue(circuit, now, settings) }, look.health);
}

/** What a probe says. Whatever opens a circuit is left to the judge: the failures of a closed one, and the bad trial of a half-open one. */
export function probedAgent(
  agent: Examined,
  { result, now }: { result: ProbeResult; now: number },
  settings: LivenessSettings,
): Assessment & { readonly isAlive: boolean } {
  const { memory, status, lastSeenAt } = agent;
  const leaseLive = lastSeenAt !== null && now - lastSeenAt <= settings.leaseMs;
  const outcome = judgeProbe(result, { activity: status.activity, leaseLive });
  if (outcome.outcome === 'ignored') return { memory, shown: null, expired: null, isAlive: false };
  if (outcome.outcome === 'success') {
    const circuit = advance(memory.circuit, { kind: 'success', at: now }, settings);
    const { badTrial: _, ...others } = memory;
    const next = { ...others, circuit, missed: 0, failingSince: null, wasHealthy: true };
    const found = assessed(agent, next, 'healthy');
    const { activity } = outcome;
    const isNews = activity !== null && activity !== status.activity;
    return { ...found, shown: isNews ? { ...found.shown, activity } : found.shown, isAlive: true };
  }
  const { reason } = outcome;
  const current = advance(memory.circuit, { kind: 'tick', at: now }, settings);
  const failed =
    current.circuit === 'half_open'
      ? { circuit: current, badTrial: reason }
      : { circuit: advance(current, { kind: 'failure', reason, at: now }, countingOnly(settings)) };
  const wasHealthy = memory.wasHealthy || status.health === 'healthy';
  const next = { ...memory, ...failed, failingSince: memory.failingSince ?? now, wasHealthy };
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
    // Who is forgotten is not looked at again, so nobody is before what is shown agrees: what is to be shown may yet be lost.
    memory: isBlank(next) && !differs ? null : isSame ? memory : next,
    shown: differs ? { health, ...circuit } : null,
    expired: null,
  };
}
