// The audit: what operators and admins did, as entries of a chain of hashes.
import { z } from 'zod';
import { ErrorCode } from './error-body.ts';
import { LIMITS } from './limits.ts';
import { inNamespace, Namespace } from './name.ts';
import { text } from './text.ts';

/** SHA-256, in hexadecimal. */
const Hash = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * How an act went. `begun`: it is about to be done; an act without another entry was interrupted, and its outcome is unknown. `done`:
 * it was done. An error code: it was refused, or ended with this error; after `UNAVAILABLE` and `INTERNAL` it may have been done.
 */
export const AuditOutcome = z.enum(['begun', 'done', ...ErrorCode.options]);
export type AuditOutcome = z.infer<typeof AuditOutcome>;

/** What is recorded in place of a value whose JSON is larger than 16 KiB. */
export const HashedValue = z.object({
  /** Of the value as canonical JSON (RFC 8785). */
  sha256: Hash,
  /** Of the canonical JSON. */
  bytes: z.number().int().nonnegative(),
});
export type HashedValue = z.infer<typeof HashedValue>;

/**
 * An act has two entries: one before it is done, with the outcome `begun`, and one with its outcome. No entry is changed later. `before` and
 * `after` never have a token.
 */
export const AuditEntry = z
  .object({
    namespace: Namespace,
    /** Counts the entries of a namespace, from 1. */
    seq: z.number().int().positive(),
    /** Never before that of the entry before it. */
    at: z.iso.datetime(),
    /** The source of the token, such as `/operators/admin`. */
    actor: z.string(),
    /** The procedure, such as `policy.put`. */
    action: z.string(),
    /** What it was done to, such as `agents/ada`. */
    target: z.string(),
    /** What the act changes, as it was before. Null: nothing, or not known. A `HashedValue` when it is larger than 16 KiB. */
    before: z.unknown(),
    /** The same, as the act left it; null in the entry that was written before the act. */
    after: z.unknown(),
    /** As the caller gave it. */
    reason: z.string().nullable(),
    outcome: AuditOutcome,
    /** Of the request, as its answer and the log have it. */
    requestId: z.string(),
    /** In an entry with an outcome: `seq` of the entry that was written before the act. */
    begun: z.number().int().positive().nullable(),
    /** `hash` of the entry with the `seq` before this one; zeros in the first entry of a namespace. */
    previous: Hash,
    /** Of this entry and of `previous`; see `auditHash`. */
    hash: Hash,
  })
  .meta({ id: 'AuditEntry' });
export type AuditEntry = z.infer<typeof AuditEntry>;

export const AuditListInput = z.object({
  ...inNamespace,
  actor: text(LIMITS.actorLength)
    .optional()
    .describe('Only acts of this actor: `actor` of an entry, or the name of a token.'),
  action: z.string().max(LIMITS.nameLength).optional().describe('Only this action, such as `policy.put`.'),
  limit: z.number().int().min(1).max(LIMITS.auditPage).default(50).describe('Maximum number of entries on a page.'),
  cursor: z.string().max(LIMITS.cursorLength).optional().describe('`nextCursor` of the previous page.'),
});
export type AuditListInput = z.output<typeof AuditListInput>;
export const AuditListResult = z
  .object({
    /** Newest first. */
    entries: z.array(AuditEntry),
    nextCursor: z.string().nullable(),
  })
  .meta({ id: 'AuditListResult' });
export type AuditListResult = z.infer<typeof AuditListResult>;
