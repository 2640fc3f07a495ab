// An agent's own circuit, as the answers to its requests report it: publishes, heartbeats, registrations.
//
// Answers overtake each other, so each request takes a number when it begins, and the answer to an earlier request does
// not change what a later one has reported.
import type { CircuitState, SwarmError } from '@hypercode/contracts';
import { isRecord } from '../transport/json.ts';

type Listener = (circuit: CircuitState, reason: string | null) => void;

export class OwnCircuit {
  readonly #listeners: Listener[] = [];
  #state: CircuitState = 'closed';
  #reason: string | null = null;
  #requests = 0;
  /** The request whose answer reported what is known. */
  #knownFrom = 0;

  /** Calls `listener` whenever what is known changes, for as long as there is a client. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** `closed` until an answer reports another state. */
  get state(): CircuitState {
    return this.#state;
  }

  /** The number of a request that begins now. */
  begin(): number {
    this.#requests += 1;
    return this.#requests;
  }

  /** Takes what the answer to `request` reports. Without a `reason`, the last one stands while the circuit is not closed. */
  learn(request: number, circuit: CircuitState, reason?: string | null): void {
    if (request < this.#knownFrom) return;
    this.#knownFrom = request;
    const known = circuit === 'closed' ? null : (reason ?? this.#reason);
    if (circuit === this.#state && known === this.#reason) return;
    this.#state = circuit;
    this.#reason = known;
    for (const listener of this.#listeners) listener(circuit, known);
  }

  learnFromRefusal(request: number, { details }: SwarmError<'CIRCUIT_OPEN'>): void {
    const { circuit, reason } = isRecord(details) ? details : {};
    this.learn(request, isCircuitState(circuit) ? circuit : 'open', typeof reason === 'string' ? reason : undefined);
  }
}

const STATES: Readonly<Record<CircuitState, true>> = { closed: true, open: true, half_open: true };

export const isCircuitState = (value: unknown): value is CircuitState =>
  typeof value === 'string' && Object.hasOwn(STATES, value);
