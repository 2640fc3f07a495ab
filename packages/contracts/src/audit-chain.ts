// The chain of hashes of the audit: how an entry is hashed, and whether entries are those that were written. Runs in browsers, too.
import type { AuditEntry } from './audit.ts';
import { canonicalJson } from './canonical-json.ts';

/** What an entry says, without its place in the chain. */
export type AuditContent = Omit<AuditEntry, 'seq' | 'at' | 'previous' | 'hash'>;

/** `previous` of the first entry of a namespace. */
export const AUDIT_START = '0'.repeat(64);

/** SHA-256 of the content of an entry as canonical JSON (RFC 8785), in hexadecimal. */
export async function auditDigest(content: AuditContent): Promise<string> {
  const { namespace, actor, action, target, before, after, reason, outcome, requestId, begun } = content;
  const fields = { namespace, actor, action, target, before, after, reason, outcome, requestId, begun };
  return hex(await sha256(utf8.encode(canonicalJson(fields))));
}

/**
 * The hash of an entry: SHA-256 of the 32 bytes of `previous`, the text `SEQ MS ` (`seq`, and `at` in milliseconds since the epoch, in
 * decimal digits), and the 32 bytes of `auditDigest`. In hexadecimal.
 */
export async function auditHash(entry: Omit<AuditEntry, 'hash'>): Promise<string> {
  const place = utf8.encode(`${entry.seq} ${Date.parse(entry.at)} `);
  const parts = [bytesOf(entry.previous), place, bytesOf(await auditDigest(entry))];
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return hex(await sha256(whole));
}

export interface AuditFault {
  /** The first entry that is wrong. Null: `head` is not among the entries. */
  readonly seq: number | null;
  /**
   * - `changed`: the entry is not the one that was written.
   * - `missing`: there is no entry with this `seq`, or it is not in its place.
   * - `head`: no entry has the hash that was given. The chain was written anew, its newest entries are missing, or the hash is older than the
   *   oldest entry that is kept.
   */
  readonly fault: 'changed' | 'missing' | 'head';
}

export interface VerifiedAudit {
  /** The first fault, by `seq`; null: none. */
  readonly fault: AuditFault | null;
  /** Entries that were read. */
  readonly entries: number;
  /** The oldest entry, with which the check begins; null: there are no entries. */
  readonly first: number | null;
  /** The newest entry. Keep its hash outside of the database: it is what the next check compares with. */
  readonly head: { readonly seq: number; readonly hash: string } | null;
}

export interface VerifyAuditOptions {
  /** The hash of an entry that was noted earlier, for example from the log of a core. */
  readonly head?: string | undefined;
}

/**
 * Checks all entries of one namespace, newest first and without a filter, as the pages of `audit.list` give them. Reads them once and keeps
 * none. An entry that was cut by retention is no fault: the check begins with the oldest entry that is kept.
 */
export async function verifyAudit(
  entries: Iterable<AuditEntry> | AsyncIterable<AuditEntry>,
  { head: noted }: VerifyAuditOptions = {},
): Promise<VerifiedAudit> {
  let fault: AuditFault | null = null;
  let count = 0;
  let head: VerifiedAudit['head'] = null;
  let newer: AuditEntry | null = null;
  let isNoted = noted === undefined;
  for await (const entry of entries) {
    count += 1;
    head ??= { seq: entry.seq, hash: entry.hash };
    isNoted ||= entry.hash === noted?.toLowerCase();
    // Entries come newest first, so a fault that is found later is an earlier one.
    if (newer !== null && entry.seq !== newer.seq - 1) {
      fault = { seq: entry.seq < newer.seq ? entry.seq + 1 : newer.seq - 1, fault: 'missing' };
    } else if (newer !== null && entry.hash !== newer.previous) fault = { seq: entry.seq, fault: 'changed' };
    if ((await auditHash(entry)) !== entry.hash) fault = { seq: entry.seq, fault: 'changed' };
    newer = entry;
  }
  if (newer?.seq === 1 && newer.previous !== AUDIT_START) fault = { seq: 1, fault: 'changed' };
  if (fault === null && !isNoted) fault = { seq: null, fault: 'head' };
  return { fault, entries: count, first: newer?.seq ?? null, head };
}

const utf8 = new TextEncoder();

const sha256 = async (bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes));

const hex = (bytes: Uint8Array): string => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Zeros for what is no hexadecimal: the hash is then wrong, as it should be. */
const bytesOf = (digits: string): Uint8Array =>
  Uint8Array.from({ length: 32 }, (_, index) => Number.parseInt(digits.slice(2 * index, 2 * index + 2), 16) || 0);
