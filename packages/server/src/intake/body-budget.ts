// How many bytes of request bodies the process holds at a time, and how many of them one caller.
import { SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';

const MIB = 1024 * 1024;
const LIMITS = { totalBytes: 64 * MIB, callerBytes: 16 * MIB };
/** Bodies up to this length are not counted: the connections on which they come cost more. */
export const UNCOUNTED_BYTES = 4096;
/** When a refused caller may try again, in milliseconds. Most bodies are read and worked on in less. */
const RETRY_AFTER_MS = 1000;

/** What one body holds of the budget, until it is released. */
export interface BodyClaim {
  /** Claims more, as a body of unknown length comes in. RATE_LIMITED. */
  grow(bytes: number): void;
  /** Gives everything back; once. */
  release(): void;
}

/**
 * A body counts from before its first byte is read, with the length that its head states or as it comes, until it is answered. One
 * caller holds a quarter at most: its further bodies are refused while those of others are read.
 */
export class BodyBudget {
  readonly #limits: typeof LIMITS;
  readonly #held = new Map<string, number>();
  #total = 0;

  constructor(limits: typeof LIMITS = LIMITS) {
    this.#limits = limits;
  }

  /** Bytes that are held now. */
  get heldBytes(): number {
    return this.#total;
  }

  /** RATE_LIMITED where the caller, or all callers together, hold too much. */
  claim(caller: string, bytes: number): BodyClaim {
    this.#take(caller, bytes);
    let held = bytes;
    return {
      grow: (more) => {
        this.#take(caller, more);
        held += more;
      },
      release: () => {
        this.#giveBack(caller, held);
        held = 0;
      },
    };
  }

  #take(caller: string, bytes: number): void {
    const { totalBytes, callerBytes } = this.#limits;
    const own = (this.#held.get(caller) ?? 0) + bytes;
    if (own > callerBytes)
      throw tooMuch(`this caller has more than ${callerBytes} bytes of request bodies under way; send fewer at a time`);
    if (this.#total + bytes > totalBytes)
      throw tooMuch(`the core has more than ${totalBytes} bytes of request bodies under way; send this one later`);
    this.#total += bytes;
    this.#held.set(caller, own);
  }

  #giveBack(caller: string, bytes: number): void {
    this.#total -= bytes;
    const own = (this.#held.get(caller) ?? 0) - bytes;
    if (own > 0) this.#held.set(caller, own);
    else this.#held.delete(caller);
  }
}

const tooMuch = (message: string): SwarmError =>
  new SwarmError('RATE_LIMITED', message, { retryAfterMs: RETRY_AFTER_MS });

/** Whose share it is: an agent has one, however many tokens it has. */
export const shareOf = (principal: Principal): string =>
  principal.kind === 'agent' ? principal.agentId : principal.id;
