// The bus through crashes: two cores are killed, and the store once, under publishers that retry. Every acknowledged event is in the
// log once, every subscriber sees the log as it is, and every group works through all of it.
import type { SwarmClient } from '@hypercode/client';
import { storesOfRun, waitFor } from '@hypercode/testkit';
import { afterEach, expect, test } from 'vitest';
import { EVENT_STORES, startCrashSwarm } from './crash-swarm.ts';
import {
  differenceFrom,
  disorderIn,
  falseAttemptIn,
  readLog,
  repeatedIn,
  type SeenDelivery,
  type SeenEvent,
} from './event-record.ts';
import { Publisher } from './publisher.ts';

const KILLS = process.env['SWARM_TEST_ALL'] === '1' ? 20 : 4;
/** Events that some publishers have under way together. */
const AT_A_TIME = 32;
/** Acknowledged between one kill and the next, at least. */
const ENOUGH = 200;
const PATIENCE = { timeoutMs: 120_000 };

const stack: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const undo of stack.splice(0).toReversed()) await undo();
});

/** Sees everything from the beginning. */
class Subscriber {
  readonly seen: SeenEvent[] = [];
  readonly gaps: unknown[] = [];
  failure: unknown = null;

  constructor(client: SwarmClient) {
    this.#run(client).catch((error: unknown) => {
      this.failure = error;
    });
  }

  async #run(client: SwarmClient): Promise<void> {
    for await (const value of client.subscribe({ topics: ['crash.>'], from: 'earliest' })) {
      if (value.type === 'event') this.seen.push({ id: value.event.id, position: value.position });
      else if (value.type === 'gap') this.gaps.push(value);
    }
  }
}

test.each(storesOfRun(EVENT_STORES))(
  'on $stores nothing acknowledged is lost or doubled',
  { timeout: 600_000 },
  async (stores) => {
    const { cores, postgres, redis, clientOf } = await startCrashSwarm(stores, (undo) => stack.push(undo));

    const subscribers = [...cores, ...cores].map((core) => new Subscriber(clientOf(core)));
    const deliveries: SeenDelivery[] = [];
    const worked = new Set<string>();
    for (const core of cores) {
      const consumer = clientOf(core).consume(
        {
          group: 'crew',
          topics: ['crash.>'],
          from: 'earliest',
          ackDeadlineMs: 3000,
          maxDeliveries: 1000,
          maxInFlight: 50,
        },
        ({ id }, { attempt }) => {
          deliveries.push({ id, attempt });
          worked.add(id);
        },
      );
      stack.push(() => consumer.stop({ timeoutMs: 1000 }));
    }
    // Those that publish one event after the other see them in order; the others bring the load, and batches to be cut off.
    const publishers = [...cores, ...cores, ...cores].map(
      (core, who) =>
        new Publisher(clientOf(core), { who, topics: [`crash.p${who}`], atATime: who < 4 ? 1 : AT_A_TIME }),
    );
    for (const publisher of publishers) stack.push(() => publisher.stop());
    const total = () => publishers.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    const untilMore = async () => {
      const enough = total() + ENOUGH;
      await waitFor(() => total() >= enough, { what: `${enough} acknowledged events`, ...PATIENCE });
    };

    for (let kill = 0; kill < KILLS; kill += 1) {
      await untilMore();
      const core = kill % 2 === 0 ? cores[0] : cores[1];
      core.kill('SIGKILL');
      await core.exited;
      if (kill === KILLS / 2) {
        const store = redis ?? postgres;
        await store.kill();
        await store.start();
      }
      await core.restart();
    }
    await untilMore();
    for (const publisher of publishers) await publisher.stop();

    const [core] = cores;
    const log = await readLog(clientOf(core), 'crash.>');
    const inLog: SeenEvent[] = log.map(({ position, event }) => ({ position, id: event.id }));
    expect(publishers.flatMap(({ failures }) => failures)).toEqual([]);
    expect(repeatedIn(inLog)).toBeNull();
    const positions = new Map(inLog.map(({ id, position }) => [id, position]));
    for (const { id, position } of publishers.flatMap(({ acknowledged }) => acknowledged)) {
      expect(positions.get(id)).toBe(position);
    }
    const events = log.map(({ event }) => event);
    for (const { who, atATime } of publishers) if (atATime === 1) expect(disorderIn(events, who)).toBeNull();
    for (const subscriber of subscribers) {
      await waitFor(() => subscriber.seen.length >= inLog.length || subscriber.failure !== null, {
        what: 'a subscriber to see the end of the log',
        ...PATIENCE,
      });
      expect(subscriber.failure).toBeNull();
      expect(subscriber.gaps).toEqual([]);
      expect(differenceFrom(inLog, subscriber.seen)).toBeNull();
    }
    await waitFor(() => inLog.every(({ id }) => worked.has(id)), {
      what: 'the group to work through the log',
      ...PATIENCE,
    });
    expect(falseAttemptIn(deliveries)).toBeNull();
    const groups = async () => (await clientOf(core).bus.groups({})).groups;
    await waitFor(async () => (await groups()).every(({ lag, inFlight, waiting }) => lag + inFlight + waiting === 0), {
      what: 'the group to have nothing open',
      ...PATIENCE,
    });
    expect(await groups()).toMatchObject([{ group: 'crew', deadLetters: 0 }]);
  },
);
