// The chain of the audit: what a check finds, whatever was changed and wherever.
import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import type { AuditEntry } from './audit.ts';
import { AUDIT_START, auditHash, verifyAudit } from './audit-chain.ts';
import { canonicalJson } from './canonical-json.ts';

/** Entries of one namespace, newest first. */
async function chainOf(length: number): Promise<AuditEntry[]> {
  const entries: AuditEntry[] = [];
  let previous = AUDIT_START;
  for (let seq = 1; seq <= length; seq += 1) {
    const entry = {
      namespace: 'default',
      seq,
      at: new Date(1_700_000_000_000 + seq).toISOString(),
      actor: '/operators/admin',
      action: 'policy.put',
      target: 'policy',
      before: { version: seq },
      after: null,
      reason: null,
      outcome: 'begun' as const,
      requestId: `r-${seq}`,
      begun: null,
      previous,
    };
    previous = await auditHash(entry);
    entries.unshift({ ...entry, hash: previous });
  }
  return entries;
}

const entryAt = (entries: readonly AuditEntry[], seq: number): AuditEntry => {
  const found = entries.find((entry) => entry.seq === seq);
  if (found === undefined) throw new Error(`there is no entry ${seq}`);
  return found;
};

test('the hash is the one that the documentation describes', async () => {
  const [entry] = await chainOf(1);
  const { seq, at, previous, hash, ...content } = entryAt(entry === undefined ? [] : [entry], 1);
  const digest = createHash('sha256').update(canonicalJson(content)).digest();
  const expected = createHash('sha256')
    .update(Buffer.from(previous, 'hex'))
    .update(`${seq} ${Date.parse(at)} `)
    .update(digest);
  expect(hash).toBe(expected.digest('hex'));
});

test('a chain that was left alone has no fault, whole or from any entry on', async () => {
  const entries = await chainOf(5);
  const head = { seq: 5, hash: entryAt(entries, 5).hash };
  for (let kept = 1; kept <= 5; kept += 1) {
    expect(await verifyAudit(entries.slice(0, kept))).toEqual({ fault: null, entries: kept, first: 6 - kept, head });
  }
  expect(await verifyAudit([])).toEqual({ fault: null, entries: 0, first: null, head: null });
});

test('any changed field of any entry is found, and named', async () => {
  const entries = await chainOf(6);
  const changes: Partial<AuditEntry>[] = [
    { namespace: 'other' },
    { at: '2026-01-01T00:00:00.000Z' },
    { actor: '/operators/eve' },
    { action: 'policy.get' },
    { target: 'x' },
    { before: { version: 99 } },
    { after: 1 },
    { reason: 'x' },
    { outcome: 'done' },
    { requestId: 'x' },
    { begun: 1 },
    { hash: 'a'.repeat(64) },
    { previous: 'b'.repeat(64) },
  ];
  for (const change of changes) {
    for (let seq = 1; seq <= 6; seq += 1) {
      const changed = entries.map((entry) => (entry.seq === seq ? { ...entry, ...change } : entry));
      const { fault } = await verifyAudit(changed);
      // A wrong `previous` does not show which of the two was changed.
      const first = change.previous === undefined || seq === 1 ? seq : seq - 1;
      expect(fault, `${JSON.stringify(change)} of ${seq}`).toEqual({ seq: first, fault: 'changed' });
    }
  }
});

test('an entry that was changed together with its hash is found', async () => {
  const entries = await chainOf(4);
  const changed = { ...entryAt(entries, 2), actor: '/operators/eve' };
  const rehashed = { ...changed, hash: await auditHash(changed) };
  const { fault } = await verifyAudit(entries.map((entry) => (entry.seq === 2 ? rehashed : entry)));
  expect(fault).toEqual({ seq: 2, fault: 'changed' });
});

test('missing entries are found, and the first one is named', async () => {
  const entries = await chainOf(8);
  const without = (...gone: number[]) => entries.filter(({ seq }) => !gone.includes(seq));
  expect((await verifyAudit(without(4))).fault).toEqual({ seq: 4, fault: 'missing' });
  expect((await verifyAudit(without(3, 4, 5))).fault).toEqual({ seq: 3, fault: 'missing' });
  expect((await verifyAudit(without(3, 6))).fault).toEqual({ seq: 3, fault: 'missing' });
});

test('a chain that was written anew, or whose end is missing, does not have the hash that was noted', async () => {
  const entries = await chainOf(4);
  const head = entryAt(entries, 4).hash;
  expect((await verifyAudit(entries, { head: entryAt(entries, 2).hash })).fault).toBeNull();
  expect((await verifyAudit(entries, { head: head.toUpperCase() })).fault).toBeNull();
  expect((await verifyAudit(entries.slice(1), { head })).fault).toEqual({ seq: null, fault: 'head' });
});

test('equal values have one canonical text, whatever the order of their members', () => {
  expect(canonicalJson({ b: [1, { d: 'é', c: null }], a: undefined, A: 1e21 })).toBe(
    '{"A":1e+21,"b":[1,{"c":null,"d":"é"}]}',
  );
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = canonicalJson(value);
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
