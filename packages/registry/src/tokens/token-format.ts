// How tokens look, and what is kept of them.
import type { TokenKind } from '@hypercode/contracts';
import { hash, randomFillSync } from 'node:crypto';

/** The beginning says what a token is for, to people and to scanners that look for leaked secrets. */
const PREFIX = { agent: 'swagent_', join: 'swjoin_', viewer: 'swview_', operator: 'swop_', admin: 'swadm_' } as const;
const MINTED = /^sw(?:agent|join|view|op|adm)_[A-Za-z0-9_-]{43}$/;
const SECRET_BYTES = 32;
/** Randomness is fetched for many tokens at once: a call of the system for each costs more than the rest of making one. */
const POOL = Buffer.alloc(SECRET_BYTES * 128);
let poolUsed = POOL.length;

function randomSecret(): string {
  if (poolUsed === POOL.length) {
    randomFillSync(POOL);
    poolUsed = 0;
  }
  const secret = POOL.toString('base64url', poolUsed, poolUsed + SECRET_BYTES);
  // What has been given away is not kept.
  POOL.fill(0, poolUsed, poolUsed + SECRET_BYTES);
  poolUsed += SECRET_BYTES;
  return secret;
}

export interface MintedToken {
  token: string;
  hash: Buffer;
}

/** A new token with 256 bits of randomness. */
export function mintToken(kind: TokenKind | 'agent'): MintedToken {
  const token = PREFIX[kind] + randomSecret();
  return { token, hash: hashToken(token) };
}

/** SHA-256; the secret is random, so a slow hash would add nothing. */
export const hashToken = (token: string): Buffer => hash('sha256', token, 'buffer');

/** Whether `token` can be one that `mintToken` made; what cannot need not be looked up. */
export const looksMinted = (token: string): boolean => MINTED.test(token);
