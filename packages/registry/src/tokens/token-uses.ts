// When the tokens that admins created were last used. It is written with the reports of the replica.
import type { Clock } from '@hypercode/clock';
import type { RawBuilder } from 'kysely';
import type { Identity } from './identity.ts';
import { touchTokens } from './queries/touch-tokens.ts';

/** How precisely the last use of a token is known, in milliseconds. */
const PRECISION_MS = 60_000;

/** Noting a use costs a comparison, and at most once a minute for each token an entry for the next report. */
export class TokenUses {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  /** When each token was noted last; both monotonic, in milliseconds. */
  readonly #noted = new WeakMap<Identity, number>();
  /** Uses by the id of the token, that no report has. */
  #pending = new Map<string, number>();
  #taken = new Map<string, number>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** The token is used now. */
  note(identity: Identity): void {
    const { principal } = identity;
    if (principal.kind === 'agent') return;
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - (this.#noted.get(identity) ?? Number.NEGATIVE_INFINITY) < PRECISION_MS) return;
    this.#noted.set(identity, nowMs);
    this.#pending.set(principal.id, nowMs);
  }

  /** A statement that can stand in a `with`; null: no token was used since the last call. */
  take(): RawBuilder<unknown> | null {
    this.#taken = this.#pending;
    this.#pending = new Map();
    if (this.#taken.size === 0) return null;
    const nowMs = this.#clock.monotonicMs();
    return touchTokens(Array.from(this.#taken, ([id, atMs]) => ({ id, agoMs: Math.round(nowMs - atMs) })));
  }

  /** What was taken last could not be written: the next `take` gives it again. */
  failed(): void {
    this.#pending = new Map([...this.#taken, ...this.#pending]);
  }
}
