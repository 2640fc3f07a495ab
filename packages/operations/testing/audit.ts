// The audit: acts become two entries each, of one chain that several replicas continue, and a check of it finds every change.
import { type AuditEntry, SwarmError, verifyAudit } from '@hypercode/contracts';
import { HeldClock } from '@hypercode/clock/testing';
import { sql } from 'kysely';
import { describe, expect, test, vi } from 'vitest';
import type { Act, AuditHead, AuditLog } from '../src/audit/audit-log.ts';
import { freshNamespace, type Replicas } from '../test/replicas.ts';

const actIn = (namespace: string, changes: Partial<Act> = {}): Act => ({
  namespace,
  by: 'olivia',
  action: 'circuit.trip',
  target: 'agents/ada',
  before: { circuit: 'closed' },
  reason: null,
  requestId: 'r-1',
  ...changes,
});

const doNothing = (audit: AuditLog, act: Act) =>
  audit.perform(
    act,
    async () => 1,
    (result) => ({ result }),
  );

/** All entries, newest first, a small page at a time. */
async function* entriesOf(audit: AuditLog, namespace: string, limit = 7): AsyncGenerator<AuditEntry> {
  let cursor: string | undefined;
  do {
    const page = await audit.list({ namespace, limit, cursor });
    yield* page.entries;
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
}

export function auditSuite(replicas: Replicas): void {
  describe('the audit', () => {
    test('an act has an entry before it is done, and one with its outcome', async () => {
      const audit = await replicas.audit();
      const namespace = freshNamespace();
      const during = vi.fn(async () => {
        const { entries } = await audit.list({ namespace, limit: 10 });
        expect(entries).toMatchObject([{ seq: 1, outcome: 'begun', after: null, begun: null }]);
        return 'opened';
      });
      const act = actIn(namespace, { reason: 'it loops' });
      expect(await audit.perform(act, during, (circuit) => ({ circuit }))).toBe('opened');
      const { entries, nextCursor } = await audit.list({ namespace, limit: 10 });
      expect(nextCursor).toBeNull();
      const what = { actor: '/operators/olivia', action: 'circuit.trip', target: 'agents/ada', reason: 'it loops' };
      expect(entries).toMatchObject([
        { ...what, seq: 2, outcome: 'done', before: { circuit: 'closed' }, after: { circuit: 'opened' }, begun: 1 },
        { ...what, seq: 1, outcome: 'begun', before: { circuit: 'closed' }, after: null, begun: null },
      ]);
      expect(await verifyAudit(entries)).toMatchObject({ fault: null, entries: 2 });
    });

    test('an act that is refused ends with the code of its refusal', async () => {
      const audit = await replicas.audit();
      const namespace = freshNamespace();
      const refusal = new SwarmError('CONFLICT', 'no');
      const refused = audit.perform(
        actIn(namespace),
        () => Promise.reject(refusal),
        () => null,
      );
      await expect(refused).rejects.toBe(refusal);
      const { entries } = await audit.list({ namespace, limit: 10 });
      expect(entries).toMatchObject([{ outcome: 'CONFLICT', after: null }, { outcome: 'begun' }]);
    });

    test('a value of more than 16 KiB is its hash, and a token is removed wherever it stands', async () => {
      const audit = await replicas.audit();
      const namespace = freshNamespace();
      const token = `swadm_${'a'.repeat(43)}`;
      const before = { large: 'x'.repeat(16 * 1024) };
      await audit.perform(
        actIn(namespace, { before, reason: `use ${token}` }),
        async () => 0,
        () => ({ [token]: [`Bearer ${token}`] }),
      );
      const { entries } = await audit.list({ namespace, limit: 1 });
      expect(entries[0]?.before).toEqual({ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), bytes: 16 * 1024 + 12 });
      expect(entries[0]).toMatchObject({ reason: 'use [token]', after: { '[token]': ['Bearer [token]'] } });
      const { rows } = await sql`select 1 from audit_entries e where e::text like ${`%${token}%`}`.execute(replicas.db);
      expect(rows).toEqual([]);
    });

    test('entries are found by the name or source of their actor, and by their action', async () => {
      const audit = await replicas.audit();
      const namespace = freshNamespace();
      await doNothing(audit, actIn(namespace, { by: 'olivia', action: 'policy.put' }));
      await doNothing(audit, actIn(namespace, { by: 'two words', action: 'policy.put' }));
      await doNothing(audit, actIn(namespace, { by: 'olivia', action: 'circuit.reset' }));
      const seqs = async (filter: { actor?: string; action?: string }) =>
        (await audit.list({ namespace, limit: 50, ...filter })).entries.map(({ seq }) => seq);
      expect(await seqs({ actor: 'olivia' })).toEqual([6, 5, 2, 1]);
      expect(await seqs({ actor: '/operators/two%20words' })).toEqual([4, 3]);
      expect(await seqs({ actor: 'two words' })).toEqual([4, 3]);
      expect(await seqs({ action: 'policy.put' })).toEqual([4, 3, 2, 1]);
      expect(await seqs({ actor: 'olivia', action: 'policy.put' })).toEqual([2, 1]);
      await expect(audit.list({ namespace, limit: 1, cursor: '-1' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    });

    test('acts on two replicas at once continue one chain', async () => {
      const [one, two] = [await replicas.audit(), await replicas.audit()];
      const namespaces = [freshNamespace(), freshNamespace()];
      const acts = Array.from({ length: 60 }, (_, index) =>
        doNothing(index % 2 === 0 ? one : two, actIn(namespaces[index % 3 === 0 ? 0 : 1] ?? '', { before: { index } })),
      );
      await Promise.all(acts);
      const checks = await Promise.all(namespaces.map((namespace) => verifyAudit(entriesOf(one, namespace))));
      expect(checks).toMatchObject([
        { fault: null, entries: 40, first: 1 },
        { fault: null, entries: 80, first: 1 },
      ]);
    });

    test('whatever values an act has, its hash can be computed again from the page', async () => {
      const audit = await replicas.audit();
      const namespace = freshNamespace();
      const values = [1e21, 1e-7, -0, 123456789012345680000, 'é\u2028"\\', [null, { b: 1, a: [] }], {}, false, ''];
      for (const before of values) await doNothing(audit, actIn(namespace, { before }));
      expect(await verifyAudit(entriesOf(audit, namespace))).toMatchObject({ fault: null, entries: 18 });
    });

    test('a changed row and a missing row are found and named', async () => {
      const audit = await replicas.audit();
      const namespace = freshNamespace();
      for (let acts = 0; acts < 5; acts += 1) await doNothing(audit, actIn(namespace));
      const head = (await audit.list({ namespace, limit: 1 })).entries[0]?.hash;
      const check = async () => (await verifyAudit(entriesOf(audit, namespace), { head })).fault;
      expect(await check()).toBeNull();
      const row = sql`namespace = ${namespace} and seq`;
      await sql`update audit_entries set actor = '/operators/eve' where ${row} = 7`.execute(replicas.db);
      expect(await check()).toEqual({ seq: 7, fault: 'changed' });
      await sql`update audit_entries set before = '{"circuit":"open"}' where ${row} = 4`.execute(replicas.db);
      expect(await check()).toEqual({ seq: 4, fault: 'changed' });
      await sql`delete from audit_entries where ${row} = 3`.execute(replicas.db);
      expect(await check()).toEqual({ seq: 3, fault: 'missing' });
      await sql`delete from audit_entries where ${row} > 2`.execute(replicas.db);
      expect(await check()).toEqual({ seq: null, fault: 'head' });
    });

    test('what retention leaves can be checked from its first entry, and is continued', async () => {
      const audit = await replicas.audit({ maxAgeMs: 3_600_000 });
      const namespace = freshNamespace();
      for (let acts = 0; acts < 3; acts += 1) await doNothing(audit, actIn(namespace));
      const { entries } = await audit.list({ namespace, limit: 10 });
      await sql`
        update audit_entries set at = at - interval '2 hours' where namespace = ${namespace} and seq <= 3`.execute(
        replicas.db,
      );
      await audit.applyRetention();
      await doNothing(audit, actIn(namespace));
      const check = await verifyAudit(entriesOf(audit, namespace), { head: entries[0]?.hash });
      expect(check).toMatchObject({ fault: null, entries: 5, first: 4, head: { seq: 8 } });
    });

    test('the heads of chains that grew are made known every hour', async () => {
      const clock = new HeldClock();
      const heads: AuditHead[] = [];
      const audit = await replicas.audit({ clock, onHead: (head) => void heads.push(head) });
      const namespace = freshNamespace();
      const seen = () => heads.filter((head) => head.namespace === namespace).map(({ seq }) => seq);
      await doNothing(audit, actIn(namespace));
      await clock.advanceThrough(3_600_000);
      expect(seen()).toEqual([2]);
      const [head] = [...audit.heads].filter((one) => one.namespace === namespace);
      expect((await verifyAudit(entriesOf(audit, namespace), { head: head?.hash })).fault).toBeNull();
      await clock.advanceThrough(3_600_000);
      expect(seen()).toEqual([2]);
      await doNothing(audit, actIn(namespace));
      await clock.advanceThrough(3_600_000);
      expect(seen()).toEqual([2, 4]);
    });
  });
}
