// The commands of administrators on tokens: create, list, revoke.
import type { Clock } from '@hypercode/clock';
import { type CreateTokenInput, type CreateTokenResult, SwarmError, type TokenInfo } from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Identities } from './identities.ts';
import { deleteToken, insertToken, listTokens } from './queries/operator-tokens.ts';
import { mintToken } from './token-format.ts';

export interface TokensOptions {
  db: Kysely<Schema>;
  clock: Clock;
  identities: Identities;
}

export class Tokens {
  readonly #options: TokensOptions;

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  /** The token itself is in the answer and nowhere else. UNAVAILABLE. */
  async create(input: CreateTokenInput): Promise<CreateTokenResult> {
    const { db, clock } = this.#options;
    const { namespace, kind, name, roles, expiresInMs, maxUses } = input;
    const { token, hash } = mintToken(kind);
    const id = clock.newId();
    await insertToken(db, {
      hash,
      id,
      kind,
      namespace,
      name,
      roles: kind === 'join' ? (roles ?? '*') : null,
      expiresInMs: expiresInMs ?? null,
      maxUses: maxUses ?? null,
    });
    return { id, token };
  }

  /** Operators' tokens of a namespace, oldest first. UNAVAILABLE. */
  list(namespace: string): Promise<TokenInfo[]> {
    return listTokens(this.#options.db, namespace);
  }

  /** Ends a token on every replica. NOT_FOUND when there is none with this id, UNAVAILABLE. */
  async revoke(namespace: string, id: string): Promise<void> {
    const { db, identities } = this.#options;
    const revoked = await deleteToken(db, namespace, id);
    if (!revoked) throw new SwarmError('NOT_FOUND', `there is no token ${id}`);
    identities.revoked(id);
  }
}
