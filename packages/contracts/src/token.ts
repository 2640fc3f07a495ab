// Tokens that administrators create: for agents that join, for viewers, operators and administrators.
import { z } from 'zod';
import { takesBack } from './known-fields.ts';
import { LIMITS } from './limits.ts';
import { inNamespace, Name, NamePattern } from './name.ts';
import { text } from './text.ts';

export const TokenKind = z.enum(['join', 'viewer', 'operator', 'admin']);
export type TokenKind = z.infer<typeof TokenKind>;

/** The roles that a join token may register: a list, or `*` for all. */
export const TokenRoles = z.union([z.literal('*'), z.array(Name).min(1).max(64)]);
export type TokenRoles = z.infer<typeof TokenRoles>;

/** The names of agents that a join token may register. */
export const TokenNames = z.array(NamePattern).min(1).max(64);
export type TokenNames = z.infer<typeof TokenNames>;

export const CreateTokenInput = z
  .object({
    ...inNamespace,
    kind: TokenKind,
    /**
     * What the token is for, as an operator will read it in lists and logs. The name of an operator's token is unique in its
     * namespace, that of an admin's in all: it is the source of the events that they publish.
     */
    name: text(LIMITS.tokenNameLength, 1),
    /** Join tokens only; default `*`. */
    roles: TokenRoles.optional(),
    /**
     * Join tokens only: names of agents, such as `ci-*`; default: every name. A token with names, or with other roles than `*`,
     * registers only names that are free, and names that it has registered itself.
     */
    names: TokenNames.optional(),
    /** Lifetime in milliseconds; without it the token lives until it is revoked. */
    expiresInMs: z
      .number()
      .int()
      .min(1)
      .max(10 * 365 * 86_400_000)
      .optional(),
    /** Join tokens only: how many registrations it is good for. */
    maxUses: z.number().int().min(1).max(1_000_000_000).optional(),
  })
  .refine(
    ({ kind, roles, names, maxUses }) =>
      kind === 'join' || (roles === undefined && names === undefined && maxUses === undefined),
    { error: 'roles, names and maxUses are only allowed for join tokens', path: ['kind'] },
  )
  .meta({ id: 'CreateTokenInput' });
export type CreateTokenInput = z.output<typeof CreateTokenInput>;
export const CreateTokenResult = z.object({ id: z.uuid(), token: z.string() }).meta({ id: 'CreateTokenResult' });
export type CreateTokenResult = z.infer<typeof CreateTokenResult>;

export const TokenInfo = z
  .object({
    id: z.uuid(),
    kind: TokenKind,
    /** Null: every namespace, as for the tokens of admins. */
    namespace: z.string().nullable(),
    name: z.string(),
    roles: TokenRoles.nullable(),
    /** The names that a join token may register; null: every name, or a token of another kind. */
    names: TokenNames.nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    maxUses: z.number().int().nullable(),
    uses: z.number().int(),
    /** When it was last used, to about a minute; null: never, or not since this was noted. */
    lastUsedAt: z.iso.datetime().nullable(),
  })
  .meta({ id: 'TokenInfo' });
export type TokenInfo = z.infer<typeof TokenInfo>;
takesBack(CreateTokenInput, TokenInfo);

export const ListTokensInput = z.object({ ...inNamespace });
export type ListTokensInput = z.output<typeof ListTokensInput>;
export const ListTokensResult = z.object({ tokens: z.array(TokenInfo) }).meta({ id: 'ListTokensResult' });
export type ListTokensResult = z.infer<typeof ListTokensResult>;

export const RevokeTokenInput = z.object({ ...inNamespace, id: z.uuid() });
export type RevokeTokenInput = z.output<typeof RevokeTokenInput>;
export const RevokeTokenResult = z.object({ id: z.uuid() }).meta({ id: 'RevokeTokenResult' });
export type RevokeTokenResult = z.infer<typeof RevokeTokenResult>;

/** Topics on which the core reports that a token was created or revoked. */
export const TOKEN_TOPICS = {
  created: 'system.token.created',
  revoked: 'system.token.revoked',
} as const;
export type TokenChange = keyof typeof TOKEN_TOPICS;

/** Data of the events on `TOKEN_TOPICS`. It never has the token itself. */
export const TokenEventData = TokenInfo.pick({
  id: true,
  kind: true,
  namespace: true,
  name: true,
  roles: true,
  names: true,
  expiresAt: true,
}).extend({
  /** The source of the admin who did it, such as `/operators/admin`. */
  by: z.string(),
});
export type TokenEventData = z.infer<typeof TokenEventData>;
