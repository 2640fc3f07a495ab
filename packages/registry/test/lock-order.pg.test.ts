// Statements that write many agents lock them in one order, whatever order they are given in: two of them that overlap wait
// for each other, and are no deadlock.
import type { Agent, ChangeType } from '@hypercode/contracts';
import { migrate, openDatabase } from '@hypercode/stores';
import { freshDatabase } from '@hypercode/testkit';
import { type Kysely, sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { commitWrites } from '../src/agents/queries/commit-writes.ts';
import { touchAgents } from '../src/heartbeats/queries/touch-agents.ts';
import { freshMemory } from '../src/documents/liveness-memory.ts';
import { writeMemories } from '../src/liveness/queries/write-memories.ts';
import { registrySchema } from '../src/database-schema.ts';
import type { Schema } from '../src/schema.ts';
import { until } from './swarm.ts';

const NAMESPACE = 'default';
const COUNT = 500;

interface Stored {
  name: string;
  id: string;
  revision: number;
  doc: Agent;
}
type Writer = (db: Kysely<Schema>, agents: Stored[]) => Promise<unknown>;

const WRITERS = {
  heartbeats: (db, agents) =>
    touchAgents(
      db,
      agents.map(({ name, id }) => ({ namespace: NAMESPACE, name, agentId: id, agoMs: 0 })),
    ),
  memories: (db, agents) =>
    writeMemories(
      db,
      agents.map(({ name, id }) => {
        return { namespace: NAMESPACE, name, agentId: id, before: null, after: freshMemory(id, null) };
      }),
    ),
  changes: (db, agents) => commitChanges(db, agents, 'status'),
  removals: (db, agents) => commitChanges(db, agents, 'deregistered'),
} satisfies Record<string, Writer>;

const unowned = { registeredBy: null, ownOnly: false, claims: false };

const commitChanges = (db: Kysely<Schema>, agents: Stored[], change: ChangeType) =>
  commitWrites(
    db,
    NAMESPACE,
    agents.map(({ name, revision, doc }) => {
      const nothing = { tripped: false, memory: null, spec: false, seen: false, facets: [], words: [], tokens: [] };
      const more = { ...nothing, ...unowned };
      return { name, expected: revision, change, agent: doc, ...more };
    }),
  );

describe('agents that several statements write at once', () => {
  const opened: Awaited<ReturnType<typeof openDatabase>>[] = [];
  const open = async (url: string) => {
    const database = await openDatabase({ url });
    opened.push(database);
    return database.kysely.$extendTables<Schema>();
  };
  let holder: Kysely<Schema>;
  let one: Kysely<Schema>;
  let other: Kysely<Schema>;

  beforeAll(async () => {
    const url = await freshDatabase();
    [holder, one, other] = [await open(url), await open(url), await open(url)];
    await migrate(holder, [registrySchema]);
  });
  afterAll(async () => {
    for (const database of opened) await database.close();
  });

  /** As many agents as make the planner choose what it chooses for a fleet. */
  async function agentsAnew(): Promise<Stored[]> {
    await sql`delete from agents`.execute(holder);
    await sql`
      insert into agents (namespace, name, id, doc, revision, facets, search, last_seen_at)
      select ${NAMESPACE}, 'ada-' || i, id, jsonb_build_object('id', id, 'status', '{}'::jsonb), 1, '{}', '', now()
      from generate_series(1, ${COUNT}) i, lateral (select gen_random_uuid() as id where i > 0) ids`.execute(holder);
    await sql`vacuum analyze agents`.execute(holder);
    const { rows } = await sql<Stored>`select name, id, revision, doc from agents order by name`.execute(holder);
    return rows;
  }

  const waiting = async (): Promise<number> => {
    const { rows } = await sql<{ count: number }>`
      select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`.execute(holder);
    return rows[0]?.count ?? 0;
  };

  it.each([
    ['heartbeats', 'heartbeats'],
    ['heartbeats', 'memories'],
    ['memories', 'heartbeats'],
    ['heartbeats', 'changes'],
    ['changes', 'memories'],
    ['heartbeats', 'removals'],
    ['removals', 'heartbeats'],
  ] as const)('%s and %s: both are written', async (first, second) => {
    const agents = await agentsAnew();
    const middle = agents[COUNT / 2]?.name;
    const writing: Promise<unknown>[] = [];
    await holder.transaction().execute(async (held) => {
      await sql`select from agents where name = ${middle} for update`.execute(held);
      writing.push(WRITERS[first](one, agents));
      await until(async () => expect(await waiting()).toBe(1));
      writing.push(WRITERS[second](other, agents.toReversed()));
      await until(async () => expect(await waiting()).toBe(2));
    });
    await Promise.all(writing);
  });
});
