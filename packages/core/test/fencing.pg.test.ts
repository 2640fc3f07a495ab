// Two processes with the same name on two cores: the later one wins, and the earlier one stays out. The cores keep few
// changes, so that fencing has to outlast the change log, and so that its retention shows.
import { freshDatabase, type RedisServer, startRedis, waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accepted, call, callBatch, refusalCode, registration } from '../testing/call.ts';
import { holeIn } from '../testing/change-record.ts';
import { TRANSPORTS } from '../testing/connections.ts';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../testing/core.ts';
import { Watcher } from '../testing/watcher.ts';

const KEPT_CHANGES = 100;

let redis: RedisServer;
let a: TestCore;
let b: TestCore;

beforeAll(async () => {
  redis = await startRedis();
  const configuration = {
    databaseUrl: await freshDatabase(),
    redisUrl: redis.url,
    adminToken: 'the-same-admin-token-on-both',
    changelogMax: KEPT_CHANGES,
  };
  [a, b] = await Promise.all([startTestCore(configuration), startTestCore(configuration)]);
}, START_TIMEOUT_MS);
afterAll(async () => {
  await Promise.all([a?.close(), b?.close()]);
  await redis?.close();
});

const register = (core: TestCore, name: string, incarnation?: string) =>
  call(core, 'registry.register', registration(name, incarnation === undefined ? {} : { incarnation }));

async function tokenOf(core: TestCore, name: string, incarnation: string): Promise<string> {
  return accepted(await register(core, name, incarnation)).token ?? '';
}

const beat = async (core: TestCore, token: string) =>
  refusalCode(await call(core, 'registry.heartbeat', {}, { token }));

/** The same answer on both cores, the other one included once it has received. */
async function untilBothSay(token: string, code: string | null): Promise<void> {
  for (const core of [a, b]) {
    await waitFor(async () => (await beat(core, token)) === code, { what: code ?? 'an answer', timeoutMs: 5_000 });
  }
}

describe('two incarnations', () => {
  test('the later one wins on both cores, also after its removal', async () => {
    const [early, late] = [randomUUID(), randomUUID()];
    const earlyToken = await tokenOf(a, 'contested', early);
    await untilBothSay(earlyToken, null);

    const taken = accepted(await register(b, 'contested', late));
    expect(taken.outcome).toBe('updated');
    const lateToken = taken.token ?? '';
    expect(await beat(b, earlyToken)).toBe('FENCED');
    await untilBothSay(earlyToken, 'FENCED');
    await untilBothSay(lateToken, null);

    for (const core of [a, b]) {
      for (let tries = 0; tries < 3; tries += 1)
        expect(refusalCode(await register(core, 'contested', early))).toBe('FENCED');
      const update = { name: 'contested', set: { version: '9.9.9' } };
      expect(refusalCode(await call(core, 'registry.update', update, { token: earlyToken }))).toBe('FENCED');
      expect(refusalCode(await call(core, 'registry.deregister', { name: 'contested' }, { token: earlyToken }))).toBe(
        'FENCED',
      );
      const current = accepted(await call(core, 'registry.get', { name: 'contested' }));
      expect(current).toMatchObject({ incarnation: late, specRevision: taken.agent.specRevision });
    }

    accepted(await call(a, 'registry.deregister', { name: 'contested' }, { token: lateToken }));
    await untilBothSay(lateToken, 'UNAUTHENTICATED');
    for (const core of [a, b]) {
      expect(await beat(core, earlyToken)).toBe('FENCED');
      expect(refusalCode(await register(core, 'contested', early))).toBe('FENCED');
      expect(refusalCode(await call(core, 'registry.get', { name: 'contested' }))).toBe('NOT_FOUND');
    }

    const third = await tokenOf(b, 'contested', randomUUID());
    for (const core of [a, b]) {
      expect(refusalCode(await register(core, 'contested', late))).toBe('FENCED');
      expect(refusalCode(await register(core, 'contested', early))).toBe('FENCED');
    }
    await untilBothSay(third, null);
  });

  test('registering again with the same or no incarnation fences no process', async () => {
    const incarnation = randomUUID();
    const first = await tokenOf(a, 'repeated', incarnation);
    const again = accepted(await register(b, 'repeated', incarnation));
    const without = accepted(await register(a, 'repeated'));
    expect([again.outcome, without.outcome]).toEqual(['unchanged', 'unchanged']);
    expect(without.agent.incarnation).toBe(incarnation);
    for (const token of [first, again.token ?? '', without.token ?? '']) await untilBothSay(token, null);
  });

  test('two processes that both insist do not take the name from each other for ever', async () => {
    const contenders = [
      { core: a, incarnation: randomUUID() },
      { core: b, incarnation: randomUUID() },
    ];
    const ends = await Promise.all(
      contenders.map(async ({ core, incarnation }) => {
        for (let tries = 0; tries < 50; tries += 1) {
          const outcome = await register(core, 'insisted', incarnation);
          if (!outcome.ok) return outcome.code;
        }
        return 'stays';
      }),
    );
    expect(ends.toSorted()).toEqual(['FENCED', 'stays']);
    const { changes } = accepted(await call(a, 'registry.history', { name: 'insisted' }));
    expect(changes.map(({ change }) => change)).toEqual(['updated', 'registered']);
    expect(changes[0]?.agent.incarnation).toBe(contenders[ends.indexOf('stays')]?.incarnation);
  });
});

test('the change log is kept short, and a cursor behind it gets a reset instead of silence', async () => {
  const namespace = 'retention';
  for (let version = 0; version < 10; version += 1) {
    const names = Array.from({ length: 50 }, (_, i) => `agent-${i}`);
    await callBatch(
      a,
      'registry.register',
      names.map((name) => registration(name, { namespace, version: `1.${version}.0` })),
    );
  }
  const head = 500;
  const { nextCursor } = accepted(await call(a, 'registry.history', { namespace, name: 'agent-0', limit: 5 }));

  // As every half minute.
  await a.registry.retention.apply();
  const watchers: Watcher[] = [];
  try {
    await waitFor(
      async () => {
        const watcher = new Watcher({ core: b, transport: 'trpc-sse', namespace, since: 1 });
        watchers.push(watcher);
        await waitFor(() => watcher.synced > 0, { what: 'the watcher in step' });
        watcher.close();
        return watcher.snapshots.length > 0;
      },
      { what: 'the other core to see what retention removed', timeoutMs: 20_000 },
    );
    for (const core of [a, b]) {
      for (const transport of TRANSPORTS) {
        const behind = new Watcher({ core, transport, namespace, since: 1 });
        const ahead = new Watcher({ core, transport, namespace, since: head + 1 });
        const within = new Watcher({ core, transport, namespace, since: head - KEPT_CHANGES });
        watchers.push(behind, ahead, within);
        const all = [behind, ahead, within];
        await waitFor(() => all.every(({ synced }) => synced > 0), { what: 'all in step', timeoutMs: 30_000 });
        for (const { snapshots, changes } of [behind, ahead]) {
          expect(snapshots).toMatchObject([{ reset: true, revision: head }]);
          expect(snapshots[0]?.names).toHaveLength(50);
          expect(changes).toEqual([]);
        }
        expect(within.snapshots).toEqual([]);
        expect(holeIn(within.changes, head - KEPT_CHANGES)).toBeNull();
        expect(within.changes).toHaveLength(KEPT_CHANGES);
      }
    }
    const outdated = { namespace, name: 'agent-0', cursor: nextCursor };
    expect(refusalCode(await call(b, 'registry.history', outdated))).toBe('COMPACTED');
  } finally {
    for (const watcher of watchers) watcher.close();
  }
});
