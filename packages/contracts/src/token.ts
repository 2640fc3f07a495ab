// Tokens that administrators create: for agents that join, for viewers, operators and administrators.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { inNamespace, Name } from './name.ts';
import { text } from './text.ts';

export const TokenKind = z.enum(['join', 'viewer', 'operator', 'admin']);
export type TokenKind = z.infer<typeof TokenKind>;

/** The roles that a join token may register: a list, or `*` for all. */
export const TokenRoles = z.union([z.literal('*'), z.array(Name).min(1).max(64)]);
export type TokenRoles = z.infer<typeof TokenRoles>;

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
  .refine(({ kind, roles, maxUses }) => kind === 'join' || (roles === undefined && maxUses === undefined), {
    error: 'roles and maxUses are only allowed for join tokens',
    path: ['kind'],
  })
  .meta({ id: 'CreateTokenInput' });
export type CreateTokenInput = z.output<typeof CreateTokenInput>;
export const CreateTokenResult = z.object({ id: z.uuid(), token: z.string() }).meta({ id: 'CreateTokenResult' });
export type CreateTokenResult = z.infer<typeof CreateTokenResult>;

export const TokenInfo = z
  .object({
    id: z.uuid(),
    kind: TokenKind,
    namespace: z.string(),
    name: z.string(),
    roles: TokenRoles.nullable(),
    createdAt: z.iso.datetime(),
    expiresAt: z.iso.datetime().nullable(),
    maxUses: z.number().int().nullable(),
    uses: z.number().int(),
  })
  .meta({ id: 'TokenInfo' });
export type TokenInfo = z.infer<typeof TokenInfo>;

export const ListTokensInput = z.object({ ...inNamespace });
export type ListTokensInput = z.output<typeof ListTokensInput>;
export const ListTokensResult = z.object({ tokens: z.array(TokenInfo) }).meta({ id: 'ListTokensResult' });
export type ListTokensResult = z.infer<typeof ListTokensResult>;

export const RevokeTokenInput = z.object({ ...inNamespace, id: z.uuid() });
export type RevokeTokenInput = z.output<typeof RevokeTokenInput>;
export const RevokeTokenResult = z.object({ id: z.uuid() }).meta({ id: 'RevokeTokenResult' });
export type RevokeTokenResult = z.infer<typeof RevokeTokenResult>;
