// What it costs that one can ask later what became of an event: the journal of groups, and the index of ids.
import { joinBus } from '../bus-agent.ts';
import type { Figure } from '../figures.ts';
import { workOffGroup } from '../group-work.ts';
import { Costs, type Meter } from '../measure/costs.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds, familyCpuSeconds } from '../measure/process-usage.ts';
import { inFlight, interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import { sampleEvent } from '../sample-events.ts';
import type { Findings, Row } from './row.ts';

const IN_FLIGHT = 500;
const STORES = ['Redis', 'PostgreSQL'] as const;
type Store = (typeof STORES)[number];

export const records: Row = {
  name: 'records',
  title: 'what the journal costs a group, and the index of ids a publish',
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const count = rig.size(20_000, 4000);
  const { url: redisUrl } = await rig.appendOnlyRedis();
  const pids = { Redis: await rig.appendOnlyRedisPid(), PostgreSQL: await rig.postgresPid() };
  const costs = new Costs();
  const contenders: Record<string, (round: number) => Promise<number>> = {};

  const add = async (store: Store, isKept: boolean): Promise<void> => {
    const core = await rig.core(stack, {
      DATABASE_URL: await rig.database(),
      ...(store === 'Redis' ? { REDIS_URL: redisUrl, SWARM_REDIS_PREFIX: `records-${isKept}` } : {}),
      ...(isKept ? {} : { SWARM_JOURNAL_MAX_BYTES: '0', SWARM_EVENT_INDEX: 'false' }),
    });
    const { client } = await joinBus(stack, core);
    const pid = pids[store];
    const servers: Meter[] = [() => cpuSeconds(core.pid), ...(pid === null ? [] : [() => familyCpuSeconds(pid)])];
    const suffix = `${store}, ${isKept ? 'with' : 'without'}`;
    contenders[`publish ${suffix}`] = () =>
      costs.metered({ name: `publish: ${suffix}`, count, servers }, async () => {
        const seconds = await inFlight(IN_FLIGHT, count, (index) => {
          const { topic, data } = sampleEvent(index);
          return client.publish(topic, data);
        });
        return count / seconds;
      });
    contenders[`group ${suffix}`] = (round) =>
      costs.metered({ name: `group: ${suffix}`, count, servers }, () =>
        workOffGroup(client, `round-${round + 1}`, count),
      );
  };
  for (const store of STORES) for (const isKept of [true, false]) await add(store, isKept);

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(-1);
  costs.clear();
  const rates = await interleave(contenders, rig.rounds);
  const figure = (work: 'publish' | 'group', store: Store): Figure => {
    const [kept = [], without = []] = ['with', 'without'].map((how) => rates[`${work} ${store}, ${how}`]);
    return {
      what:
        work === 'publish' ? `published, with the index of ids, ${store}` : `worked off, with the journal, ${store}`,
      value: median(kept),
      unit: '/s',
      reference: { what: 'without', value: median(without) },
      ratio: medianRatio(kept, without),
      goal: { of: 'ratio', atLeast: work === 'publish' ? 0.95 : 0.9 },
    };
  };
  return {
    figures: STORES.flatMap((store) => [figure('group', store), figure('publish', store)]),
    notes: [
      'the reference is another core on the same servers, with SWARM_JOURNAL_MAX_BYTES=0 and SWARM_EVENT_INDEX=false; a ' +
        'group works off what is published meanwhile, so its rate has the index in it, too',
      `processor time for each event of core, store and client, in µs: ${costs.describe()}`,
    ],
    rounds: rates,
  };
}
