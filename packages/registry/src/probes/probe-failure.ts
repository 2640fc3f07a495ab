// Why a probe failed: a closed list of kinds, and the one place that reads Node.js's errors.

/**
 * - `refused`: nothing listens there, or no way leads there
 * - `reset`: the connection ended before the answer did
 * - `timeout`: no whole answer in time
 * - `dns`: the name was not resolved
 * - `tls`: the certificate or the handshake is bad
 * - `status`: an answer other than 2xx and 3xx
 * - `redirect`: 3xx; redirects are not followed
 * - `too_large`: more headers or body than is read
 * - `blocked`: the address may not be probed
 * - `invalid`: the URL cannot be probed, or the answer is not HTTP
 * - `unprobed`: the probe could not begin in its time, so nothing is known of the agent
 * - `aborted`: the probe was given up on this side, which means nothing for the agent
 */
export type ProbeFailureKind =
  | 'refused'
  | 'reset'
  | 'timeout'
  | 'dns'
  | 'tls'
  | 'status'
  | 'redirect'
  | 'too_large'
  | 'blocked'
  | 'invalid'
  | 'unprobed'
  | 'aborted';

/** The message is a sentence for operators, and names no address that a name was resolved to. Agents do not read it. */
export class ProbeFailure extends Error {
  override readonly name = 'ProbeFailure';
  readonly kind: ProbeFailureKind;

  constructor(kind: ProbeFailureKind, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.kind = kind;
  }

  /** What an error of the connection means; `secure` is whether TLS was spoken. */
  static from(cause: unknown, secure: boolean): ProbeFailure {
    if (cause instanceof ProbeFailure) return cause;
    const code = codeOf(cause);
    const [kind, reason] = OF_CODE[code] ?? ofUnknown(code, secure);
    return new ProbeFailure(kind, reason, { cause });
  }
}

type Meaning = readonly [ProbeFailureKind, string];

const UNREACHABLE: Meaning = ['refused', 'the host cannot be reached'];
const RESET: Meaning = ['reset', 'the connection was closed before the answer was complete'];
const NO_RESOURCES: Meaning = ['unprobed', 'the core could not open another connection'];
const SELF_SIGNED: Meaning = ['tls', 'the certificate is self-signed'];
const UNKNOWN_ISSUER: Meaning = ['tls', 'the issuer of the certificate is not trusted'];

const OF_CODE: Readonly<Record<string, Meaning>> = {
  ECONNREFUSED: ['refused', 'the connection was refused'],
  EHOSTUNREACH: UNREACHABLE,
  EHOSTDOWN: UNREACHABLE,
  ENETUNREACH: UNREACHABLE,
  ENETDOWN: UNREACHABLE,
  EADDRNOTAVAIL: UNREACHABLE,
  EACCES: UNREACHABLE,
  EPERM: UNREACHABLE,
  ECONNRESET: RESET,
  ECONNABORTED: RESET,
  EPIPE: RESET,
  HPE_INVALID_EOF_STATE: RESET,
  ETIMEDOUT: ['timeout', 'the connection timed out'],
  EMFILE: NO_RESOURCES,
  ENFILE: NO_RESOURCES,
  ENOBUFS: NO_RESOURCES,
  ENOMEM: NO_RESOURCES,
  HPE_HEADER_OVERFLOW: ['too_large', 'the headers of the answer are too large'],
  CERT_HAS_EXPIRED: ['tls', 'the certificate has expired'],
  CERT_NOT_YET_VALID: ['tls', 'the certificate is not valid yet'],
  CERT_REVOKED: ['tls', 'the certificate was revoked'],
  ERR_TLS_CERT_ALTNAME_INVALID: ['tls', 'the certificate is for another host'],
  DEPTH_ZERO_SELF_SIGNED_CERT: SELF_SIGNED,
  SELF_SIGNED_CERT_IN_CHAIN: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT: UNKNOWN_ISSUER,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNKNOWN_ISSUER,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNKNOWN_ISSUER,
};

function ofUnknown(code: string, secure: boolean): Meaning {
  if (code.startsWith('HPE_')) return ['invalid', 'the answer is not HTTP'];
  return secure ? ['tls', 'the TLS handshake failed'] : UNREACHABLE;
}

function codeOf(error: unknown): string {
  // Of several addresses, the last was given the whole time.
  if (error instanceof AggregateError && error.errors.length > 0) return codeOf(error.errors.at(-1));
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
