// The commands of administrators on tokens: create, list, revoke.
import type { Clock } from '@hypercode/clock';
import {
  type CreateTokenInput,
  type CreateTokenResult,
  SwarmError,
  type TokenChange,
  type TokenInfo,
} from '@hypercode/contracts';
import type { Kysely } from 'kysely';
import type { Schema } from '../schema.ts';
import type { Identities } from './identities.ts';
import { deleteToken, insertToken, listTokens, type NewToken } from './queries/operator-tokens.ts';
import { isNameFree, lockNames } from './queries/token-names.ts';
import { mintToken } from './token-format.ts';

/** A token was created or revoked. */
export interface TokenNotice {
  readonly change: TokenChange;
  readonly token: TokenInfo;
  /** Where the admin did it. */
  readonly namespace: string;
  /** Name of the admin's token. */
  readonly by: string;
}

/** The admin who makes a call. */
export interface TokenAdmin {
  readonly name: string;
}

export interface TokensOptions {
  db: Kysely<Schema>;
  clock: Clock;
  identities: Identities;
  /** Names of operators and admins that are in no table: those of the configuration's tokens. */
  reservedNames: readonly string[];
  /**
   * How long the name of an operator's or admin's token that has ended is not given to another, in milliseconds: at least the
   * window of deduplication, since the name is the source of the events.
   */
  nameRestMs: number;
  /** Called once it is stored. */
  onChange: (notice: TokenNotice) => void;
}

export class Tokens {
  readonly #options: TokensOptions;

  constructor(options: TokensOptions) {
    this.#options = options;
  }

  /**
   * The token itself is in the answer and nowhere else. CONFLICT when the name of an operator or admin is taken: on the bus they are
   * known by it, so two never share one. UNAVAILABLE.
   */
  async create(input: CreateTokenInput, by: TokenAdmin): Promise<CreateTokenResult> {
    const { db, clock, onChange } = this.#options;
    const { namespace, kind, name, roles, names, expiresInMs, maxUses } = input;
    const { token, hash } = mintToken(kind);
    const id = clock.newId();
    const row: NewToken = {
      hash,
      id,
      kind,
      namespace,
      name,
      roles: kind === 'join' ? (roles ?? '*') : null,
      names: names ?? null,
      expiresInMs: expiresInMs ?? null,
      maxUses: maxUses ?? null,
    };
    const isNamed = kind === 'operator' || kind === 'admin';
    const created = isNamed ? await this.#insertNamed(row, kind) : await insertToken(db, row);
    onChange({ change: 'created', token: created, namespace, by: by.name });
    return { id, token };
  }

  async #insertNamed(row: NewToken, kind: 'operator' | 'admin'): Promise<TokenInfo> {
    const { db, reservedNames, nameRestMs } = this.#options;
    const { namespace, name } = row;
    const taken = () =>
      new SwarmError(
        'CONFLICT',
        `the name "${name}" belongs to another token, or to one that ended less than ${nameRestMs / 1000} s ago`,
      );
    if (reservedNames.includes(name)) throw taken();
    return db.transaction().execute(async (transaction) => {
      await lockNames(transaction);
      if (!(await isNameFree(transaction, { kind, namespace, name, restMs: nameRestMs }))) throw taken();
      return insertToken(transaction, row);
    });
  }

  /** The tokens of a namespace that are no agent's, and those of admins, oldest first. UNAVAILABLE. */
  list(namespace: string): Promise<TokenInfo[]> {
    return listTokens(this.#options.db, namespace);
  }

  /** Ends a token of the namespace, or of an admin, on every replica. NOT_FOUND when there is none with this id, UNAVAILABLE. */
  async revoke(namespace: string, id: string, by: TokenAdmin): Promise<void> {
    const { db, identities, onChange } = this.#options;
    const revoked = await deleteToken(db, namespace, id);
    if (revoked === null) throw new SwarmError('NOT_FOUND', `there is no token ${id}`);
    identities.revoked(id);
    onChange({ change: 'revoked', token: revoked, namespace, by: by.name });
  }
}
