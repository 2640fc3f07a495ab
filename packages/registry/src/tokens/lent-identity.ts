// The identity of a caller who has rights for a time: those of a token, as a session of a browser has, or those of an agent that the
// caller's join token has made.
import type { SwarmError } from '@hypercode/contracts';
import { Identity } from './identity.ts';

/** For how long, and what ends it before. */
export interface Tenure {
  /** Null: it does not end by itself. */
  readonly expiresAtMs: number | null;
  readonly refusal: SwarmError | null;
  onEnd(listener: (refusal: SwarmError) => void): () => void;
}

/** Ends with its token or with its tenure, whichever ends first. What it does is no sign of life of the token's agent. */
export class LentIdentity extends Identity {
  readonly #token: Identity;
  readonly #tenure: Tenure;
  readonly #released: (token: Identity) => void;

  /** `released` is called when nothing of this identity listens to the token any more. */
  constructor(token: Identity, tenure: Tenure, released: (token: Identity) => void) {
    const endsAtMs = Math.min(token.expiresAtMs ?? Infinity, tenure.expiresAtMs ?? Infinity);
    const expiresAtMs = endsAtMs === Infinity ? null : endsAtMs;
    super(token.hash, token.principal, { expiresAtMs, followed: null, agent: token.agent });
    this.#token = token;
    this.#tenure = tenure;
    this.#released = released;
  }

  override get isLent(): boolean {
    return true;
  }

  override get refusal(): SwarmError | null {
    return this.#token.refusal ?? this.#tenure.refusal;
  }

  override onEnd(listener: (refusal: SwarmError) => void): () => void {
    let isOver = false;
    const once = (refusal: SwarmError): void => {
      if (isOver) return;
      isOver = true;
      listener(refusal);
    };
    const forgetToken = this.#token.onEnd(once, { isPresence: false });
    const forgetTenure = this.#tenure.onEnd(once);
    return () => {
      isOver = true;
      forgetTenure();
      forgetToken();
      this.#released(this.#token);
    };
  }
}
