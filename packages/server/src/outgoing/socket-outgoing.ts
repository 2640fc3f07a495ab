// The calls over one WebSocket, each answered by itself.
import type { Procedure } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import type { Socket } from 'node:net';
import { callerKey, type Usage } from '../allowances/allowances.ts';
import { AnswerBudget } from './answer-budget.ts';
import type { Release } from './answer-memory.ts';
import { disconnected, type Gate, type Outgoing, roomOf, type Turn } from './outgoing.ts';

export interface SocketOutgoingOptions {
  readonly gate: Gate;
  readonly transport: Socket;
  /** Stops reading the connection, and reads it again. */
  readonly pause: () => void;
  readonly resume: () => void;
}

/** Calls that one connection has worked on at a time; the others wait. As many as an agent may have in flight. */
const MAX_CALLS = 64;
/** Fewer bytes than these do not count as waiting. */
const FEW_BYTES = 64 * 1024;

/**
 * A call begins when what the connection has not taken leaves room for its answer. While a call waits, the connection is not read:
 * a peer that takes no answers can ask for no more.
 */
export class SocketOutgoing implements Outgoing {
  readonly #options: SocketOutgoingOptions;
  readonly #budget: AnswerBudget;
  /** Memory of answers that the connection has not taken. */
  readonly #unsent = new Set<Release>();

  constructor(options: SocketOutgoingOptions) {
    this.#options = options;
    const { transport, pause, resume } = options;
    this.#budget = new AnswerBudget({
      unsent: () => transport.writableLength,
      maxCalls: MAX_CALLS,
      onWaiting: (isWaiting) => (isWaiting ? pause() : resume()),
    });
    transport.on('drain', () => this.#sent());
    transport.once('close', () => {
      this.#sent();
      this.#budget.abandon();
    });
  }

  async begin(declared: Procedure): Promise<Turn> {
    const room = roomOf(declared);
    const isStream = declared.kind === 'subscription';
    // While the connection is not read, no sign of life of the peer is: so no call waits for one that may take long.
    const isLong = isStream || declared.waits === true;
    if (!isLong && !(await this.#budget.begin(room))) throw disconnected();
    let usage: Usage | undefined;
    let release: Release | undefined;
    return {
      admit: async (principal: Principal) => {
        if (isStream) return;
        const { allowances, memory } = this.#options.gate;
        usage = allowances.beginCall(principal);
        if (room > 0) release = await memory.reserve(callerKey(principal), room);
      },
      end: () => {
        // By then the adapter has written the answer.
        setImmediate(() => {
          if (usage !== undefined) this.#options.gate.allowances.endCall(usage);
          if (release !== undefined) this.#hold(release);
          if (!isLong) this.#budget.end(room);
        });
      },
    };
  }

  hold(release: Release): void {
    setImmediate(() => this.#hold(release));
  }

  #hold(release: Release): void {
    const { transport } = this.#options;
    if (transport.destroyed || transport.writableLength < FEW_BYTES) release();
    else this.#unsent.add(release);
  }

  #sent(): void {
    for (const release of this.#unsent) release();
    this.#unsent.clear();
    this.#budget.proceed();
  }
}
