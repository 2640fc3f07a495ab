// Traces through crashes: cores and stores are killed while events are published, claimed, acknowledged, refused and extended, and groups are
// paused, sought, changed and relieved of their dead letters. Afterwards the trace of every event agrees with what the clients saw.
// `SWARM_TEST_CRASH_SEED` is the seed of all choices (default: made of the commit).
import type { SwarmClient } from '@hypercode/client';
import type { GroupInfo, LoggedEvent } from '@hypercode/contracts';
import { commitSeed, type ServerControl, storesOfRun, waitFor } from '@hypercode/testkit';
import fc from 'fast-check';
import { afterEach, expect, onTestFailed, test } from 'vitest';
import { type CrashSwarm, EVENT_STORES, startCrashSwarm } from './crash-swarm.ts';
import { readLog } from './event-record.ts';
import { GroupHistory } from './group-history.ts';
import { GroupMember } from './group-member.ts';
import { GroupOperator } from './group-operator.ts';
import { viewOf } from './group-view.ts';
import { Publisher } from './publisher.ts';
import { contradictionIn, faultsOf } from './trace-check.ts';

const SEED = Number(process.env['SWARM_TEST_CRASH_SEED'] ?? commitSeed()) % 2 ** 31;
const ROUNDS = process.env['SWARM_TEST_ALL'] === '1' ? 6 : 1;
/** What is killed in a round, in an order that the seed decides. */
const KILLS = ['first core', 'both cores', 'events and second core', 'database'] as const;
type Kill = (typeof KILLS)[number];
/** Acknowledged by each group between one kill and the next, at least. */
const ENOUGH = 30;
/** Events that each publisher publishes at once just before a kill, so that many calls are under way, and how many are acknowledged first. */
const BURST = 60;
const FIRST = 10;
const PATIENCE = { timeoutMs: 120_000 };
const TOPICS = ['kill.a', 'kill.b'];
const SETTINGS = { topics: ['kill.*'], ackDeadlineMs: 1500, maxDeliveries: 3 };
/** Traces that are read together. */
const AT_A_TIME = 4;

const stack: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

const killsOf = (seed: number): Kill[] =>
  fc.sample(fc.shuffledSubarray([...KILLS], { minLength: KILLS.length }), { seed, numRuns: ROUNDS }).flat();

/** Kills, and starts again what was killed; a store stays away until a call went without an answer. */
async function strike(kill: Kill, { cores, postgres, redis }: CrashSwarm, lost: () => number): Promise<void> {
  const killed = cores.filter((_, index) => kill.includes(index === 0 ? 'first' : 'second') || kill === 'both cores');
  for (const core of killed) core.kill('SIGKILL');
  if (kill === 'database') await killStore(postgres, lost);
  if (kill.startsWith('events')) await killStore(redis ?? postgres, lost);
  await Promise.all(killed.map(({ exited }) => exited));
  await Promise.all(killed.map((core) => core.restart()));
}

async function killStore(store: ServerControl, lost: () => number): Promise<void> {
  const before = lost();
  await store.kill();
  await waitFor(() => lost() > before, { what: 'a call without an answer', ...PATIENCE });
  await store.start();
}

/** Contradictions between the traces of all events and the histories, at most ten. */
async function contradictions(
  clients: readonly SwarmClient[],
  log: readonly LoggedEvent[],
  histories: readonly GroupHistory[],
): Promise<string[]> {
  const [reader] = clients;
  if (reader === undefined) throw new Error('a reader needs a client');
  const seen = new Map(
    await Promise.all(
      histories.map(
        async (history) => [history.group, { history, view: await viewOf(reader, history.group) }] as const,
      ),
    ),
  );
  const found: string[] = [];
  const events = log.entries();
  const readTraces = async (): Promise<void> => {
    for (const [index, event] of events) {
      const { groups } = (await clients[index % clients.length]?.bus.trace({ position: event.position })) ?? {
        groups: [],
      };
      const names = groups.map(({ group }) => group);
      if (names.join() !== [...seen.keys()].toSorted().join())
        found.push(`${event.position}: has the groups ${names.join()}`);
      for (const fate of groups) {
        const group = seen.get(fate.group);
        const contradiction = group === undefined ? null : contradictionIn(fate, event, group);
        if (contradiction !== null) found.push(contradiction);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, readTraces));
  return found.slice(0, 10);
}

test.each(storesOfRun(EVENT_STORES))(
  'on $stores every trace agrees with what the clients saw',
  { timeout: 900_000 },
  async (stores) => {
    onTestFailed(() => console.error(`SWARM_TEST_CRASH_SEED=${SEED}`));
    const swarm = await startCrashSwarm(stores, (undo) => stack.push(undo));
    const { cores, clientOf } = swarm;
    const clients = [clientOf(cores[0]), clientOf(cores[1])] as const;
    const [client] = clients;
    const plain = new GroupHistory('plain', { isSteered: false });
    const steered = new GroupHistory('steered', { isSteered: true });
    const histories = [plain, steered];
    plain.topics.push(SETTINGS.topics);
    let seeds = SEED;
    /** A stream and a claiming member of each group on each core. */
    const startMembers = ({ isDiligent }: { isDiligent: boolean }): GroupMember[] =>
      histories.flatMap((history) =>
        cores.flatMap((core, index) =>
          (['stream', 'claim'] as const).map((by) => {
            const place = { client: clientOf(core), history, consumer: `${by}-${index}`, by };
            const member = new GroupMember({ ...place, settings: SETTINGS, isDiligent, seed: seeds++ });
            stack.push(() => member.stop());
            return member;
          }),
        ),
      );
    const untilAll = (what: string, holds: (group: GroupInfo) => boolean): Promise<unknown> =>
      waitFor(
        async () => {
          const { groups } = await client.bus.groups({});
          return groups.length === histories.length && groups.every(holds);
        },
        { what, ...PATIENCE },
      );
    const untilMore = async (count: number): Promise<void> => {
      const enough = histories.map(({ acknowledged }) => acknowledged + count);
      await waitFor(() => histories.every(({ acknowledged }, index) => acknowledged >= (enough[index] ?? 0)), {
        what: `${count} more acknowledgements in each group`,
        intervalMs: 2,
        ...PATIENCE,
      });
    };

    const members = startMembers({ isDiligent: false });
    await untilAll('the groups', () => true);
    const operator = new GroupOperator({
      clients,
      history: steered,
      topics: [SETTINGS.topics, ['kill.a']],
      seed: seeds++,
    });
    stack.push(() => operator.stop());

    const publishers = cores.map((core, who) => new Publisher(clientOf(core), { who, topics: TOPICS, paceMs: 30 }));
    for (const publisher of publishers) stack.push(() => publisher.stop());
    for (const kill of killsOf(SEED)) {
      await untilMore(ENOUGH);
      for (const publisher of publishers) publisher.burst(BURST);
      await untilMore(FIRST);
      await strike(kill, swarm, () => histories.reduce((sum, { lost }) => sum + lost, 0));
    }
    await untilMore(ENOUGH);
    for (const publisher of publishers) await publisher.stop();
    await operator.stop();

    // Nothing is handed out any more, and what is in flight passes its deadline.
    for (const { group } of histories) await operator.insist((each) => each.groups.pause({ group }));
    for (const member of members) await member.stop();
    await untilAll('nothing to be in flight', ({ inFlight }) => inFlight === 0);
    const log = await readLog(client, 'kill.>');
    expect(publishers.flatMap(({ failures }) => failures)).toEqual([]);
    expect(histories.flatMap(faultsOf)).toEqual([]);
    expect(await contradictions(clients, log, histories)).toEqual([]);

    // Everything that is left is delivered and acknowledged.
    for (const { group } of histories) await client.groups.resume({ group });
    const last = startMembers({ isDiligent: true });
    await untilAll('the groups to have nothing open', ({ lag, inFlight, waiting }) => lag + inFlight + waiting === 0);
    for (const member of last) await member.stop();
    expect(histories.flatMap(faultsOf)).toEqual([]);
    expect(await contradictions(clients, log, histories)).toEqual([]);
    expect(await client.bus.groups({})).toMatchObject({
      groups: [
        { inFlight: 0, waiting: 0 },
        { inFlight: 0, waiting: 0 },
      ],
    });
  },
);
