// How often agents may be registered and updated on this replica: shares that no token and no agent can use up for another.
import type { Clock } from '@hypercode/clock';
import type { AgentRegistration } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import { RateLimit } from './rate-limit.ts';

export interface RegistrationRatesOptions {
  /** Registrations a second of one name with one token, and updates a second of one agent; 0 turns all limits off. */
  perSecond: number;
  clock: Pick<Clock, 'monotonicMs'>;
}

type Capabilities = AgentRegistration['capabilities'];

/** An agent as an input names it. */
interface Named {
  readonly namespace: string;
  readonly name: string;
}

/** What counts as one registration, in characters of JSON: a large one costs the store as much as several. */
const COUNTED_LENGTH = 64 * 1024;
/** A token registers a whole fleet; a name is one agent that starts again and again. */
const NAMES_OF_A_TOKEN = 50;
/** A fleet that restarts registers at once; so ten seconds' worth of registrations may. */
const BURST_SECONDS = 10;

export class RegistrationRates {
  readonly #ofNames: RateLimit;
  readonly #ofTokens: RateLimit;
  readonly #updates: RateLimit;

  constructor({ perSecond, clock }: RegistrationRatesOptions) {
    const limit = (rate: number, unit: string) =>
      new RateLimit({ perSecond: rate, burstSeconds: BURST_SECONDS, clock, words: `${rate} ${unit} per second` });
    this.#ofNames = limit(perSecond, 'registrations of one name');
    this.#ofTokens = limit(perSecond * NAMES_OF_A_TOKEN, 'registrations with one token');
    this.#updates = limit(perSecond, 'updates of one agent');
  }

  /**
   * Counts a registration, once for each 64 KiB of its capabilities. Throws RATE_LIMITED. The name comes first: a loop on one name leaves the other holders of the token their
   * share. It is counted with the token, so that a token that may not have the name cannot keep it from one that may.
   */
  register({ id }: Pick<Principal, 'id'>, { namespace, name }: Named, capabilities: Capabilities = []): void {
    const amount = amountOf(capabilities);
    this.#ofNames.take(`${id} ${namespace} ${name}`, amount);
    this.#ofTokens.take(id, amount);
  }

  /** Counts an update by the agent that is updated, in the same way. Throws RATE_LIMITED. */
  update({ namespace, name }: Named, capabilities: Capabilities = []): void {
    this.#updates.take(`${namespace} ${name}`, amountOf(capabilities));
  }
}

/** Only capabilities can be large. */
const amountOf = (capabilities: Capabilities): number =>
  capabilities.length === 0 ? 1 : Math.ceil(JSON.stringify(capabilities).length / COUNTED_LENGTH);
