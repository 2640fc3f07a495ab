// A large swarm that changes: agents that are registered at once, then changes and events at a rate.
import { accepted, call, callBatch, type TestCore } from '@hypercode/core-runtime/testing';
import { setTimeout as sleep } from 'node:timers/promises';

const ROLES = ['analyst', 'builder', 'coder', 'reviewer', 'tester'];
/** Calls in one request, and requests under way. */
const BATCH = 100;
const LANES = 4;
/** No agent sends a sign of life, and none is judged while a test runs. */
const LEASE_MS = 3_600_000;

export const nameOf = (index: number): string => `agent-${String(index).padStart(6, '0')}`;

/** Gives the token of each agent, by its number. */
export async function registerMany(core: TestCore, namespace: string, count: number): Promise<readonly string[]> {
  const tokens: string[] = [];
  const registrations = Array.from({ length: count }, (_, index) => ({
    namespace,
    name: nameOf(index),
    role: ROLES[index % ROLES.length],
    version: `1.${index % 50}.0`,
    description: `Works on the storefront services of team ${index % 400}.`,
    capabilities: [{ id: `skill-${index % 40}` }, { id: `skill-${(index * 7) % 40}-more` }],
    labels: { region: `region-${index % 6}`, team: `team-${index % 400}` },
    leaseMs: LEASE_MS,
  }));
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < registrations.length) {
      const from = next;
      next += BATCH;
      const results = await callBatch(core, 'registry.register', registrations.slice(from, next));
      for (const [index, { token = '' }] of results.entries()) tokens[from + index] = token;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return tokens;
}

export interface Load {
  /** Ends it. Gives how many changes and events a second there were. */
  end(): Promise<{ readonly changes: number; readonly events: number }>;
}

export interface LoadOptions {
  readonly namespace: string;
  /** Of the agents, by number. */
  readonly tokens: readonly string[];
  /** Changes of agents a second. */
  readonly changes: number;
  /** Events a second. */
  readonly events: number;
}

const STEP_MS = 50;
const MOST_AT_ONCE = 500;

/** Changes agents one after another, and publishes events, until `end`. What was late is caught up with. */
export function startLoad(core: TestCore, { namespace, tokens, changes, events }: LoadOptions): Load {
  let isOver = false;
  const begun = performance.now();
  const done = { changes: 0, events: 0 };
  /** Calls `run` with how many are due, at most every `STEP_MS`. */
  const pace = async (perSecond: number, run: (from: number, to: number) => Promise<unknown>): Promise<number> => {
    let count = 0;
    while (!isOver) {
      const due = Math.min(count + MOST_AT_ONCE, Math.floor(((performance.now() - begun) / 1000) * perSecond));
      if (due > count) await run(count, due);
      count = due;
      await sleep(STEP_MS);
    }
    return count;
  };
  const range = (from: number, to: number): number[] => Array.from({ length: to - from }, (_, index) => from + index);
  const changing = pace(changes, async (from, to) => {
    const calls = range(from, to).map(async (index) => {
      // Spread over all names, so that what changes is not one part of the list.
      const agent = (index * 7919) % tokens.length;
      const set = { description: `Change ${index} of the storefront services.` };
      const input = { namespace, name: nameOf(agent), set };
      accepted(await call(core, 'registry.update', input, { token: tokens[agent] ?? '' }));
    });
    await Promise.all(calls);
    done.changes = to;
  });
  const publishing = pace(events, async (from, to) => {
    const json = range(from, to).map((index) => ({
      topic: `load.${index % 20}.step.${index % 200}`,
      data: { index, words: 'a step of a task was done, and the next one follows', share: (index % 100) / 100 },
    }));
    const answer = await core.fetch('/v1/events', { namespace, method: 'POST', json });
    if (!answer.ok) throw new Error(`events were refused: ${answer.status} ${await answer.text()}`);
    done.events = to;
  });
  const both = Promise.all([changing, publishing]);
  both.catch(() => {});
  return {
    async end() {
      isOver = true;
      await both;
      const seconds = (performance.now() - begun) / 1000;
      return { changes: done.changes / seconds, events: done.events / seconds };
    },
  };
}
