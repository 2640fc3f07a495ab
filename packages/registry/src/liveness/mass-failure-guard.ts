// The brake of one namespace: when very many agents fail together, the fault is likely the core's or the network's, and
// nobody is tripped or expired for it. No clock, no store.
//
//   watching ──at least half of those healthy a round ago, and at least five, fail──> suspended
//   suspended ──a round in which the core's stores answered──> suspended   the first in a row
//   suspended ──another one──> watching                                    resumed: counts start at zero
//   suspended ──a round in which they did not answer──> suspended          none in a row
//
// Every look goes back by a whole round from where it is, so that no boundary divides agents that fail together, and a round
// is long enough for all of them to be found out. Failures while it is suspended do not prolong it. Agents that failed then
// are no longer healthy a round ago when it is released, so the same absentees cannot engage it again, and their circuits
// open if they stay away.
import { lookMsOf } from './lease.ts';

export type Brake =
  | { readonly state: 'watching' }
  | {
      readonly state: 'suspended';
      /** Rounds in a row, since it was engaged, in which the core's own stores answered. */
      readonly answeredRounds: number;
      /** When the present round began, in milliseconds since the epoch. */
      readonly roundBegan: number;
      /** Whether they have answered in the present round so far. */
      readonly answered: boolean;
    };

/** What one look has shown. `now` is in milliseconds since the epoch. */
export interface BrakeLook {
  readonly now: number;
  /** How long a round takes: `brakeRoundMs`. */
  readonly roundMs: number;
  /** Agents that were healthy a round ago. */
  readonly healthyBefore: number;
  /** Those of them that fail now. */
  readonly failing: number;
  /** Whether the stores of the core itself have answered since the last look. */
  readonly storesAnswered: boolean;
}

export interface BrakeStep {
  readonly brake: Brake;
  /**
   * What to make known, if anything. At `suspended`, the failures of this look already count for nobody. At `resumed`,
   * counts start at zero: `forget` for each circuit of the namespace, while `failingSince` stays as it is.
   */
  readonly says: 'suspended' | 'resumed' | null;
}

/** Fewer failing agents never engage the brake. */
export const LEAST_FAILING = 5;
/** Rounds with stores that answer, after which it is released. */
const ROUNDS_TO_RESUME = 2;

export const releasedBrake: Brake = { state: 'watching' };

/**
 * How long a round is, in milliseconds: agents that vanish at the same moment are all found out within one. That of an agent
 * with a healthUrl shows when its next probe has failed, at the latest; that of another one when the lease has run out that
 * its last beat began, which may have been up to a lease ago.
 */
export const brakeRoundMs = (times: { leaseMs: number; probeIntervalMs: number; probeTimeoutMs: number }): number =>
  Math.max(times.leaseMs, times.probeIntervalMs * LONGEST_INTERVAL + times.probeTimeoutMs) + lookMsOf(times.leaseMs);

/** Times between two probes are spread by a tenth. */
const LONGEST_INTERVAL = 1.1;

/** The brake after a look: `brake` itself when nothing has changed. To be asked before what the look has found counts. */
export function afterLook(brake: Brake, look: BrakeLook): BrakeStep {
  const { now, roundMs, healthyBefore, failing, storesAnswered } = look;
  if (brake.state === 'watching') {
    const failTogether = failing >= LEAST_FAILING && failing * 2 >= healthyBefore;
    return failTogether
      ? { brake: { state: 'suspended', answeredRounds: 0, roundBegan: now, answered: true }, says: 'suspended' }
      : { brake, says: null };
  }
  const tookMs = now - brake.roundBegan;
  // A clock that went back measures no round.
  const answered = brake.answered && storesAnswered && tookMs >= 0;
  if (tookMs >= 0 && tookMs < roundMs) {
    return { brake: answered === brake.answered ? brake : { ...brake, answered }, says: null };
  }
  const answeredRounds = answered ? brake.answeredRounds + 1 : 0;
  return answeredRounds >= ROUNDS_TO_RESUME
    ? { brake: releasedBrake, says: 'resumed' }
    : { brake: { state: 'suspended', answeredRounds, roundBegan: now, answered: true }, says: null };
}

/** What is known of an agent's own signs, whether or not they count: the brake moves neither. */
export interface AgentSigns {
  /** Whether it has ever been healthy. One that has never answered is no loss when it does not. */
  readonly wasHealthy: boolean;
  /** When its present run of failures began, in milliseconds since the epoch; null while there is none. */
  readonly failingSince: number | null;
}

/** Counts who was healthy at `roundAgo` (milliseconds since the epoch), and who of them has begun to fail since. */
export function countRound(
  agents: Iterable<AgentSigns>,
  roundAgo: number,
): Pick<BrakeLook, 'healthyBefore' | 'failing'> {
  let healthyBefore = 0;
  let failing = 0;
  for (const { wasHealthy, failingSince } of agents) {
    if (!wasHealthy || (failingSince !== null && failingSince <= roundAgo)) continue;
    healthyBefore += 1;
    if (failingSince !== null) failing += 1;
  }
  return { healthyBefore, failing };
}
