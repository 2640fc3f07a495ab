// How the calls of one request, or of one WebSocket, take their turns: within what the caller may have in flight, and within the
// bytes that may wait to be sent.
import type { Procedure } from '@hypercode/contracts';
import { LIMITS, SwarmError } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import type { Allowances } from '../allowances/allowances.ts';
import type { AnswerMemory, Release } from './answer-memory.ts';
import type { OpenAnswers } from './open-answers.ts';

/** What all transports of a core share. */
export interface Gate {
  readonly allowances: Allowances;
  readonly memory: AnswerMemory;
  readonly open: OpenAnswers;
}

/** Of one request, or one connection. */
export interface Outgoing {
  /** Waits for the turn of a call. PAYLOAD_TOO_LARGE when the answers before it have used up the room of the request. */
  begin(declared: Procedure): Promise<Turn>;
  /** Gives memory back when the connection has taken the answer. */
  hold(release: Release): void;
}

export interface Turn {
  /** Counts the call for its caller, and waits for the memory of its answer. RATE_LIMITED. */
  admit(principal: Principal): Promise<void>;
  /** Call it once, with the answer if there is one. */
  end(answer?: unknown): void;
}

/** Calls without limits, for what is no connection. */
export const FREE: Outgoing = {
  begin: () => Promise.resolve({ admit: () => Promise.resolve(), end: () => undefined }),
  hold: (release) => release(),
};

/** What the core adds to an input that the answer repeats: status, times and a token. */
const ADDED_BYTES = 4096;

/**
 * Room that the answer of a call takes from before it is made; 0: it is small, and not counted. `inputBytes`: of the request that the
 * input is in; null: unknown.
 */
export function roomOf(
  { maxAnswerBytes, repeatsInput, hot, kind }: Procedure,
  inputBytes: number | null = null,
): number {
  if (kind === 'subscription') return 0;
  const most = maxAnswerBytes ?? (hot === true ? 0 : LIMITS.answerBytes);
  return repeatsInput === true && inputBytes !== null ? Math.min(most, inputBytes + ADDED_BYTES) : most;
}

export const disconnected = (): SwarmError => new SwarmError('UNAVAILABLE', 'the connection was closed');
