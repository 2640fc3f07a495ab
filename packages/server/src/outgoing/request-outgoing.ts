// The calls of one request over HTTP: one, or a batch whose answers are sent together.
import { LIMITS, type Procedure, SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { callerKey } from '../allowances/allowances.ts';
import { AnswerBudget, MAX_UNSENT_BYTES } from './answer-budget.ts';
import type { Release } from './answer-memory.ts';
import { disconnected, type Gate, type Outgoing, roomOf, type Turn } from './outgoing.ts';

export interface RequestOutgoingOptions {
  readonly gate: Gate;
  readonly response: ServerResponse;
  readonly socket: Socket;
  /** The procedures of all its calls; undefined where there is none of that name. */
  readonly calls: readonly (Procedure | undefined)[];
  /** Of its body; null: unknown. */
  readonly bodyBytes: number | null;
}

/** A batch may have so much, and then its last answer. */
const MAX_BATCH_BYTES = MAX_UNSENT_BYTES + LIMITS.pageBytes;

/**
 * A request is one call in flight, however many calls are in it, from its first call until its answer was taken. A pipelined request
 * begins when its answer can be sent. The answers of a batch are all made before the first is sent: so each is measured, and when
 * they come to more than the limit, the calls that have not begun are refused.
 */
export class RequestOutgoing implements Outgoing {
  readonly #options: RequestOutgoingOptions;
  /** Of a batch. */
  readonly #budget: AnswerBudget | null;
  /** Bytes of all answers, at their largest. */
  readonly #room: number;
  #made = 0;
  #memory: Promise<void> | null = null;
  #isCounted = false;

  constructor(options: RequestOutgoingOptions) {
    this.#options = options;
    const rooms = options.calls.map((declared) => this.#roomOf(declared));
    this.#room = Math.min(
      rooms.reduce((sum, bytes) => sum + bytes, 0),
      MAX_BATCH_BYTES,
    );
    const isBatch = options.calls.length > 1;
    this.#budget = isBatch ? new AnswerBudget({ unsent: () => this.#made, maxCalls: Infinity }) : null;
  }

  async begin(declared: Procedure): Promise<Turn> {
    const { gate, response, socket } = this.#options;
    const room = this.#roomOf(declared);
    const admit = (principal: Principal) => this.#admit(principal, room);
    if (room === 0) return { admit, end: () => undefined };
    if (!(await gate.open.turnOf(response, socket))) throw disconnected();
    const budget = this.#budget;
    if (budget === null) return { admit, end: () => undefined };
    if (budget.isSpent || !(await budget.begin(room))) throw spent();
    return {
      admit,
      end: (answer) => {
        if (answer !== undefined) this.#made += Buffer.byteLength(JSON.stringify(answer));
        budget.end(room);
        if (budget.isSpent) budget.abandon();
      },
    };
  }

  hold(release: Release): void {
    const { gate, response, socket } = this.#options;
    gate.open.add(response, socket, release);
  }

  /** A small answer alone is not worth counting. */
  #roomOf(declared: Procedure | undefined): number {
    if (declared === undefined || (this.#options.calls.length === 1 && declared.hot === true)) return 0;
    return roomOf(declared, this.#options.bodyBytes);
  }

  async #admit(principal: Principal, room: number): Promise<void> {
    const { gate, response, socket } = this.#options;
    if (!this.#isCounted) {
      const usage = gate.allowances.beginCall(principal);
      this.#isCounted = true;
      gate.open.add(response, socket, () => gate.allowances.endCall(usage));
    }
    if (room > 0) await (this.#memory ??= this.#reserve(principal));
  }

  async #reserve(principal: Principal): Promise<void> {
    this.hold(await this.#options.gate.memory.reserve(callerKey(principal), this.#room));
  }
}

const spent = (): SwarmError<'PAYLOAD_TOO_LARGE'> =>
  new SwarmError(
    'PAYLOAD_TOO_LARGE',
    `the answers before it in the batch have more than ${MAX_UNSENT_BYTES} bytes; make the call again, in another request`,
    { details: { limit: MAX_UNSENT_BYTES } },
  );
