// What the policy denies to the handlers of one client. A denied handler stays: it tries again until the policy allows it.
//
//   allowed ──denied───> denied     one line in the log, with the rule; again when another decision denies it
//   denied  ──allowed──> allowed    one line in the log
//   any     ──ended────> ended      the handler was stopped, or refused for another reason
import type { SwarmError } from '@hypercode/contracts';
import { safely } from './emitter.ts';
import type { SwarmLogger } from './logger.ts';

/** What a handler asks for. */
export interface Asked {
  /** Absent for a group that exists: its own. */
  readonly topics?: readonly string[] | undefined;
  /** Undefined for a subscription. */
  readonly group?: string | undefined;
}

export interface Denial {
  readonly topics: readonly string[];
  /** Null for a subscription. */
  readonly group: string | null;
  /** The rule that decided; null when no rule allows it. */
  readonly rule: string | null;
  /** The decision in words: role, topic or group, and rule. */
  readonly reason: string;
}

export type OnDenied = (error: SwarmError<'ACL_DENIED'>) => void;

/** The right of one handler, as the core's answers report it. */
export interface Right {
  /** The core has refused it; it will be tried again. */
  denied(error: SwarmError<'ACL_DENIED'>): void;
  /** The core has given something. */
  allowed(): void;
  /** It is asked for no more. */
  ended(): void;
}

export class Denials {
  readonly #logger: SwarmLogger;
  /** By handler. */
  readonly #current = new Map<Right, Denial>();

  constructor(logger: SwarmLogger) {
    this.#logger = logger;
  }

  /** What is denied now. */
  get current(): readonly Denial[] {
    return [...this.#current.values()];
  }

  /** The right of a new handler. `onDenied` is called instead of the log. */
  rightTo({ topics = [], group }: Asked, onDenied?: OnDenied): Right {
    const subject = group === undefined ? { topics: topics.join(' ') } : { group, topics: topics.join(' ') };
    const right: Right = {
      denied: (error) => {
        const before = this.#current.get(right);
        const { message: reason, details } = error;
        const rule = details?.rule ?? null;
        this.#current.set(right, { topics, group: group ?? null, rule, reason });
        if (before?.reason === reason) return;
        if (onDenied !== undefined) return safely(() => onDenied(error));
        const about = { code: error.code, role: details?.role, ...subject, rule };
        this.#logger.warn(about, `${reason}; it will be tried again until the policy allows it`);
      },
      allowed: () => {
        if (this.#current.delete(right)) this.#logger.warn(subject, 'the policy now allows what it denied');
      },
      ended: () => void this.#current.delete(right),
    };
    return right;
  }
}
