// Reads namespaces without any write, through every procedure that only reads, and asks what is left of it.
import { type ProcedureName, procedures } from '@hypercode/contracts';
import { sql, type Kysely } from 'kysely';
import { expect, vi } from 'vitest';
import type { TestCore } from '../testing/core.ts';
import { INPUTS } from './sample-inputs.ts';

/** What queries, and subscriptions that a viewer may open: the others make a group. */
const QUERIES = procedures.filter(([, { kind }]) => kind === 'query').map(([name]) => name);
const STREAMS = procedures
  .filter(([, { kind, rights }]) => kind === 'subscription' && rights.viewer !== undefined)
  .map(([name]) => name);

/** Calls at the same time. */
const CONCURRENCY = 8;

const inputOf = (name: ProcedureName, namespace: string) => ({ ...INPUTS[name]('absent'), namespace });

/** All queries in one request; each is answered, or finds nothing. */
async function query(core: TestCore, namespace: string): Promise<void> {
  const input = Object.fromEntries(QUERIES.map((name, index) => [index, inputOf(name, namespace)]));
  const path = `/trpc/${QUERIES.join(',')}?batch=1&input=${encodeURIComponent(JSON.stringify(input))}`;
  const answers = (await (await core.fetch(path)).json()) as { error?: { data: { swarm: { code: string } } } }[];
  expect(answers).toHaveLength(QUERIES.length);
  for (const { error } of answers) expect(error?.data.swarm.code ?? 'NOT_FOUND').toBe('NOT_FOUND');
}

/** Opens the stream, and leaves it after its first value. */
async function open(core: TestCore, name: ProcedureName, namespace: string): Promise<void> {
  const left = new AbortController();
  const input = encodeURIComponent(JSON.stringify(inputOf(name, namespace)));
  const answer = await core.fetch(`/trpc/${name}?input=${input}`, { signal: left.signal });
  let text = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    if (/^id: /m.test(text)) break;
  }
  expect(text).toMatch(/^id: /m);
  left.abort();
}

export async function readNamespaces(core: TestCore, namespaces: readonly string[]): Promise<void> {
  const waiting = namespaces.values();
  const work = async (): Promise<void> => {
    for (const namespace of waiting) {
      await query(core, namespace);
      for (const name of STREAMS) await open(core, name, namespace);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, work));
}

/** Waits until the process holds nothing for streams that have ended. */
export async function expectNothingFollowed(core: TestCore): Promise<void> {
  await vi.waitFor(
    async () => {
      const metrics = await (await core.fetch('/metrics')).text();
      for (const name of ['swarm_followed_changes', 'swarm_followed_events', 'swarm_policies']) {
        expect(metrics).toMatch(new RegExp(`^${name} 0$`, 'm'));
      }
    },
    { timeout: 10_000, interval: 50 },
  );
}

/** Rows of every table but those of duties and of replicas, which replicas write at any time. */
export async function rowsOf(db: Kysely<never>): Promise<Record<string, number>> {
  const tables = await sql<{ name: string }>`
    select table_name as name from information_schema.tables
    where table_schema = current_schema() and table_type = 'BASE TABLE' and table_name not in ('duties', 'question_duty', 'replicas', 'replica_streams')
    order by table_name`.execute(db);
  const counted: Record<string, number> = {};
  for (const { name } of tables.rows) {
    const { rows } = await sql<{ count: number }>`select count(*)::int as count from ${sql.table(name)}`.execute(db);
    counted[name] = rows[0]?.count ?? 0;
  }
  return counted;
}
