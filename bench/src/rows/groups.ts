// Events worked off a second by one consumer group, against a BullMQ queue.
import { Queue, Worker } from 'bullmq';
import { joinBus } from '../bus-agent.ts';
import type { Figure } from '../figures.ts';
import { GROUP_CONCURRENCY as CONCURRENCY, workOffGroup } from '../group-work.ts';
import { Costs } from '../measure/costs.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds, familyCpuSeconds } from '../measure/process-usage.ts';
import { interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import { sampleData } from '../sample-events.ts';
import type { Findings, Row } from './row.ts';

/** Jobs in one `addBulk`; a queue is not meant to be given everything at once. */
const BULK = 1000;

export const groups: Row = {
  name: 'groups',
  title: `events worked off a second by one consumer group, ${CONCURRENCY} at a time`,
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const count = rig.size(20_000, 2000);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const redisPid = await rig.appendOnlyRedisPid();
  const ofRedis = redisPid === null ? [] : [() => familyCpuSeconds(redisPid)];
  const core = await rig.core(stack, { DATABASE_URL: await rig.database(), REDIS_URL: redisUrl });
  const { client } = await joinBus(stack, core);
  const costs = new Costs();
  const contenders = {
    core: (round: number) =>
      costs.metered({ name: 'core, Redis', count, servers: [() => cpuSeconds(core.pid), ...ofRedis] }, () =>
        workOffGroup(client, `round-${round + 1}`, count),
      ),
    bullmq: (round: number) =>
      costs.metered({ name: 'BullMQ: Redis', count, servers: ofRedis }, () =>
        workOffQueue(redisUrl, `round-${round + 1}`, count),
      ),
  };

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(-1);
  costs.clear();
  const rates = await interleave(contenders, rig.rounds);
  const figure: Figure = {
    what: `published, consumed and acked, ${CONCURRENCY} at a time`,
    value: median(rates.core),
    unit: '/s',
    reference: { what: 'BullMQ, addBulk', value: median(rates.bullmq) },
    ratio: medianRatio(rates.core, rates.bullmq),
  };
  return {
    figures: [figure],
    notes: [
      `${count} events, from the first publish until the last one is handled and acknowledged; the members wait before ` +
        `the first, and handlers do nothing; BullMQ's jobs have the same data, ${BULK} in an addBulk, and are removed ` +
        'when they are completed',
      `processor time for each event, in µs: ${costs.describe()}`,
    ],
    rounds: rates,
  };
}

async function workOffQueue(url: string, name: string, count: number): Promise<number> {
  const connection = { url, maxRetriesPerRequest: null };
  const queue = new Queue(name, { connection, defaultJobOptions: { removeOnComplete: true } });
  const worker = new Worker(name, async () => {}, { connection, concurrency: CONCURRENCY });
  let completed = 0;
  const all = Promise.withResolvers<void>();
  worker.on('completed', () => {
    completed += 1;
    if (completed === count) all.resolve();
  });
  worker.on('failed', (_, error) => all.reject(error));
  worker.on('error', all.reject);
  try {
    await Promise.all([queue.waitUntilReady(), worker.waitUntilReady()]);
    const started = performance.now();
    const jobs = Array.from({ length: count }, (_, index) => ({
      name: 'progress',
      data: sampleData(index, 'task-0001'),
    }));
    for (let from = 0; from < count; from += BULK) await queue.addBulk(jobs.slice(from, from + BULK));
    await all.promise;
    return count / ((performance.now() - started) / 1000);
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
  }
}
