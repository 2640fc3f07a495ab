// How a command ends: the exit codes, and which refusal has which.
import { type ErrorCode } from '@hypercode/client';

/** Exit codes of `swarm`. Scripts rely on them. */
export const EXIT = {
  done: 0,
  /** The answer is no: refused, not found, a check failed. */
  no: 1,
  /** Wrong usage. */
  usage: 2,
  /** No core is there, or it cannot answer now. */
  unavailable: 3,
  /** Not allowed: no token, a wrong one, or one that may not. */
  denied: 4,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** A command that ends with one line on stderr, and perhaps a second one that helps. */
export class Failure extends Error {
  readonly exitCode: ExitCode;
  /** What to do about it. */
  readonly hint: string | undefined;

  constructor(exitCode: ExitCode, message: string, hint?: string) {
    super(message);
    this.exitCode = exitCode;
    this.hint = hint;
  }
}

/** Wrong usage that only the command itself can see. */
export const wrongUsage = (message: string, hint?: string): Failure => new Failure(EXIT.usage, message, hint);

/** The answer is no. */
export const refused = (message: string, hint?: string): Failure => new Failure(EXIT.no, message, hint);

/** A person, or the system, ended the command. */
export const interrupted = (): Failure => new Failure(EXIT.interrupted, '');

export const EXIT_OF: Readonly<Record<ErrorCode, ExitCode>> = {
  INVALID_INPUT: EXIT.usage,
  PAYLOAD_TOO_LARGE: EXIT.usage,
  IMMUTABLE_FIELD: EXIT.no,
  UNAUTHENTICATED: EXIT.denied,
  FORBIDDEN: EXIT.denied,
  ACL_DENIED: EXIT.denied,
  FENCED: EXIT.denied,
  NOT_FOUND: EXIT.no,
  CONFLICT: EXIT.no,
  COMPACTED: EXIT.no,
  UNROUTABLE: EXIT.no,
  CIRCUIT_OPEN: EXIT.no,
  RATE_LIMITED: EXIT.unavailable,
  UNAVAILABLE: EXIT.unavailable,
  INTERNAL: EXIT.unavailable,
};
