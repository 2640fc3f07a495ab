// What one look at an agent changes: what is remembered of it, and what everybody is shown. Pure.
import type { Agent } from '@hypercode/contracts';
import type { ProbeResult } from '../probes/probe.ts';
import { advance, type CircuitMemory, type CircuitSettings } from './circuit.ts';
import { isTimely, judgeLease, type LeaseMoment, type LeaseSettings } from './lease.ts';
import { isBlank, type LivenessMemory } from './liveness-memory.ts';
import { judgeProbe } from './probe-outcome.ts';

export interface LivenessSettings extends LeaseSettings, CircuitSettings {}

/** An agent as liveness sees it. */
export interface Examined {
  readonly memory: LivenessMemory;
  readonly status: Pick<Agent['status'], 'health' | 'activity' | 'circuit'>;
  readonly hasHealthUrl: boolean;
  readonly registeredAt: number;
  readonly lastSeenAt: number | null;
}

export interface Assessment {
  /** `memory` itself when nothing has changed; null: nothing to remember, and nothing left to show. */
  readonly memory: LivenessMemory | null;
  /** What is to be shown, if it differs from what is. */
  readonly shown: Partial<Pick<Agent['status'], 'health' | 'circuit' | 'consecutiveFailures' | 'reason'>> | null;
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

/** The judge's look: the lease, the time, and what has come together. `braked`: nobody is tripped or expired now. */
export function judgeAgent(
  agent: Examined,
  moment: LeaseMoment & { readonly braked: boolean },
  settings: LivenessSettings,
): Assessment {
  const { memory, hasHealthUrl, lastSeenAt, status } = agent;
  const { now, braked } = moment;
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
  if (verdict.verdict === 'expired' && !braked) return { memory, shown: null, expired: verdict.reason };
  let circuit = advance(memory.circuit, { kind: 'tick', at: now }, settings);
  let { missed, successAt, failingSince, wasHealthy } = memory;
  if (verdict.verdict === 'missed') {
    missed = verdict.missed;
    failingSince ??= now;
    wasHealthy ||= status.health === 'healthy';
    const counted = braked ? 0 : verdict.failures;
    for (let failure = 0; failure < counted; failure += 1) {
      circuit = advance(circuit, { kind: 'failure', reason: verdict.reason, at: now }, countingOnly(settings));
    }
  } else if (verdict.verdict === 'fine') {
    missed = 0;
    const isNews = lastSeenAt !== null && lastSeenAt !== successAt;
    if (!hasHealthUrl && isNews) {
      const trial = isTimely(successAt, lastSeenAt, settings.leaseMs);
      circuit = advance(circuit, { kind: 'success', at: now, trial }, settings);
      successAt = lastSeenAt;
    }
    if (circuit.failures === 0) failingSince = null;
  }
  if (!braked) circuit = openedIfDue(circuit, now, settings);
  const health = verdict.verdict === 'fine' ? verdict.health : 'unhealthy';
  return assessed(agent, { ...memory, circuit, missed, successAt, failingSince, wasHealthy }, health);
}

/** What a probe says. A closed circuit is left to the judge; a trial of a half-open one counts at once. */
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
    const next = { ...memory, circuit, missed: 0, failingSince: null, wasHealthy: true };
    return { ...assessed(agent, next, 'healthy'), isAlive: true };
  }
  const failure = { kind: 'failure', reason: outcome.reason, at: now } as const;
  const circuit = advance(memory.circuit, failure, countingOnly(settings));
  const wasHealthy = memory.wasHealthy || status.health === 'healthy';
  const next = { ...memory, circuit, failingSince: memory.failingSince ?? now, wasHealthy };
  return { ...assessed(agent, next, 'unhealthy'), isAlive: false };
}

function assessed({ memory, status }: Examined, next: LivenessMemory, health: Agent['status']['health']): Assessment {
  const { circuit, failures, reason } = next.circuit;
  const differs = circuit !== status.circuit || health !== status.health;
  const isSame = JSON.stringify(next) === JSON.stringify(memory);
  return {
    // Who is forgotten is not looked at again, so nobody is before what is shown agrees: what is to be shown may yet be lost.
    memory: isBlank(next) && !differs ? null : isSame ? memory : next,
    shown: differs ? { health, circuit, consecutiveFailures: failures, reason } : null,
    expired: null,
  };
}
