// An agent's own circuit, as the answers to its requests tell of it: publishes, heartbeats, registrations.
//
// Answers overtake each other, so each request takes a number when it begins, and what an earlier request hears does not
// change what a later one has heard.
import { CircuitState, type SwarmError } from '@hypercode/contracts';
import { isRecord } from '../transport/json.ts';

type Listener = (circuit: CircuitState, reason: string | null) => void;

export class OwnCircuit {
  readonly #listeners: Listener[] = [];
  #state: CircuitState = 'closed';
  #reason: string | null = null;
  #requests = 0;
  /** The request that told what is known. */
  #knownFrom = 0;

  /** Calls `listener` whenever what is known changes, for as long as there is a client. */
  onChange(listener: Listener): void {
    this.#listeners.push(listener);
  }

  /** `closed` until something else is heard. */
  get state(): CircuitState {
    return this.#state;
  }

  /** The number of a request that begins now. */
  begin(): number {
    this.#requests += 1;
    return this.#requests;
  }

  /** Takes what `request` has heard. Without a `reason`, the one that was told before stands while the circuit is not closed. */
  hear(request: number, circuit: CircuitState, reason?: string | null): void {
    if (request < this.#knownFrom) return;
    this.#knownFrom = request;
    const known = circuit === 'closed' ? null : (reason ?? this.#reason);
    if (circuit === this.#state && known === this.#reason) return;
    this.#state = circuit;
    this.#reason = known;
    for (const listener of this.#listeners) listener(circuit, known);
  }

  hearRefusal(request: number, { details }: SwarmError<'CIRCUIT_OPEN'>): void {
    const told = isRecord(details) ? details : {};
    const { success, data: circuit } = CircuitState.safeParse(told['circuit']);
    const reason = told['reason'];
    this.hear(request, success ? circuit : 'open', typeof reason === 'string' ? reason : undefined);
  }
}
