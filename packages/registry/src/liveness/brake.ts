// The brake of one namespace: when very many agents fail together, the fault is likely the core's or the network's, and
// nobody is tripped or expired for it. No clock, no store.
//
//   watching ──at least half of those healthy a round ago, and at least five, fail──> suspended
//   suspended ──a round in which the core's stores answered──> suspended   the first in a row
//   suspended ──another one──> watching                                    resumed: counts start at zero
//   suspended ──a round in which they did not answer──> suspended          none in a row
//
// Failures while it is suspended do not prolong it. Agents that failed then are no longer healthy a round ago when it is
// released, so the same absentees cannot engage it again, and their circuits open if they stay away.

export type Brake =
  | { readonly state: 'watching' }
  | {
      readonly state: 'suspended';
      /** Rounds in a row, since it was engaged, in which the core's own stores answered. */
      readonly answeredRounds: number;
    };

/** What one round has shown. Rounds are no shorter than the time between two probes, so that each agent has its turn in one. */
export interface Round {
  /** Agents that were healthy a round ago. */
  readonly healthyBefore: number;
  /** Those of them that fail now. */
  readonly failing: number;
  /** Whether the stores of the core itself answered during the round. */
  readonly storesAnswered: boolean;
}

export interface BrakeStep {
  readonly brake: Brake;
  /**
   * What to make known, if anything. At `suspended`, the failures of this round already count for nobody. At `resumed`,
   * counts start at zero: `forget` for each circuit of the namespace, while `failingSince` stays as it is.
   */
  readonly says: 'suspended' | 'resumed' | null;
}

/** Fewer failing agents never engage the brake. */
export const LEAST_FAILING = 5;
/** Rounds with stores that answer, after which it is released. */
const ROUNDS_TO_RESUME = 2;

export const releasedBrake: Brake = { state: 'watching' };

/** The brake after a round: `brake` itself when nothing has changed. To be asked before the round's failures count. */
export function afterRound(brake: Brake, { healthyBefore, failing, storesAnswered }: Round): BrakeStep {
  if (brake.state === 'watching') {
    const failTogether = failing >= LEAST_FAILING && failing * 2 >= healthyBefore;
    return failTogether
      ? { brake: { state: 'suspended', answeredRounds: 0 }, says: 'suspended' }
      : { brake, says: null };
  }
  const answeredRounds = storesAnswered ? brake.answeredRounds + 1 : 0;
  if (answeredRounds >= ROUNDS_TO_RESUME) return { brake: releasedBrake, says: 'resumed' };
  return answeredRounds === brake.answeredRounds
    ? { brake, says: null }
    : { brake: { state: 'suspended', answeredRounds }, says: null };
}

/** What is known of an agent's own signs, whether or not they count: the brake moves neither. */
export interface AgentSigns {
  /** Whether it has ever been healthy. One that has never answered is no loss when it does not. */
  readonly wasHealthy: boolean;
  /** When its present run of failures began, in milliseconds since the epoch; null while there is none. */
  readonly failingSince: number | null;
}

/** Counts who was healthy at `previousRoundAt` (milliseconds since the epoch), and who of them has begun to fail since. */
export function countRound(
  agents: Iterable<AgentSigns>,
  previousRoundAt: number,
): Pick<Round, 'healthyBefore' | 'failing'> {
  let healthyBefore = 0;
  let failing = 0;
  for (const { wasHealthy, failingSince } of agents) {
    if (!wasHealthy || (failingSince !== null && failingSince <= previousRoundAt)) continue;
    healthyBefore += 1;
    if (failingSince !== null) failing += 1;
  }
  return { healthyBefore, failing };
}
