// A token that has been recognised: who it stands for, and until when.
import type { SwarmError } from '@hypercode/contracts';
import type { FollowedChanges } from '../changes/change-log.ts';
import type { MirroredStatus } from './agent-mirror.ts';
import type { Principal } from './principal.ts';

/** A token that has been recognised. Streams listen to it, to end when it does; while one does, its namespace is followed. */
export class Identity {
  readonly hash: string;
  readonly principal: Principal;
  readonly expiresAtMs: number | null;
  /** For an agent's token, the status of its agent as it was looked up with the token; otherwise null. */
  readonly agent: MirroredStatus | null;
  /** The change log of an agent's namespace. */
  readonly #followed: FollowedChanges | null;
  /** Whether each is a sign that the agent of the token is there itself. */
  readonly #listeners = new Map<(refusal: SwarmError) => void, boolean>();
  #release: (() => void) | null = null;
  #refusal: SwarmError | null = null;

  constructor(
    hash: string,
    principal: Principal,
    life: { expiresAtMs: number | null; followed: FollowedChanges | null; agent: MirroredStatus | null },
  ) {
    this.hash = hash;
    this.principal = principal;
    this.expiresAtMs = life.expiresAtMs;
    this.agent = life.agent;
    this.#followed = life.followed;
  }

  /** Why the token does not count any more; null while it does. */
  get refusal(): SwarmError | null {
    return this.#refusal;
  }

  /** Whether it is a session's, which has the rights of the token for a time. */
  get isLent(): boolean {
    return false;
  }

  get watched(): boolean {
    return this.#listeners.size > 0;
  }

  /** Whether a stream is open with the token itself. */
  get isStreaming(): boolean {
    return [...this.#listeners.values()].includes(true);
  }

  /** Notes that the token is used now: its namespace is followed for another minute. */
  touch(): void {
    this.#followed?.touch();
  }

  /** Calls `listener` once, when the token ends. Returns what takes it back. */
  onEnd(listener: (refusal: SwarmError) => void, { isPresence = true } = {}): () => void {
    if (this.#refusal !== null) {
      listener(this.#refusal);
      return () => undefined;
    }
    this.#listeners.set(listener, isPresence);
    this.#release ??= this.#followed?.use() ?? null;
    return () => {
      this.#listeners.delete(listener);
      if (!this.watched) this.#releaseLog();
    };
  }

  end(refusal: SwarmError): void {
    this.#refusal ??= refusal;
    for (const listener of this.#listeners.keys()) listener(this.#refusal);
    this.#listeners.clear();
    this.#releaseLog();
  }

  #releaseLog(): void {
    this.#release?.();
    this.#release = null;
  }
}
