// Changes delivered a second to 1,000 tRPC SSE watchers, against tRPC's own subscription path and a bare broadcast.
import { CHANGE_MARK, CoreCalls } from '../core-calls.ts';
import { captureValue, deliver } from '../delivery.ts';
import { inFlight } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import { compareDelivery, GROUP } from './compare-delivery.ts';
import type { Findings, Row } from './row.ts';

const WATCHERS = 1000;

export const fanOut: Row = {
  name: 'fan-out',
  title: `changes delivered a second to ${WATCHERS} tRPC SSE watchers`,
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database() });
  const calls = new CoreCalls(core);
  stack.defer(() => calls.close());
  const agents = Array.from({ length: GROUP * 4 }, (_, index) => sampleAgent(index, 1000));
  const names = (await calls.registerAll(agents)).map(({ agent }) => agent.name);
  const value = await captureValue(await calls.watchTarget(), () => calls.relabel(names.slice(0, 1), 'captured'));

  /** The names of group `index`: neighbours differ, so that no change waits for one before it. */
  const groupOf = (index: number) => names.slice((index % 4) * GROUP, ((index % 4) + 1) * GROUP);
  let label = 0;
  return await compareDelivery(rig, stack, {
    watcherCount: WATCHERS,
    mark: CHANGE_MARK,
    value,
    fromCore: (count, group) => async () => {
      const target = await calls.watchTarget();
      return deliver({ server: core, target, watcherCount: WATCHERS, count }, () =>
        inFlight(group === 1 ? 1 : 2, count / group, (index) =>
          calls.relabel(groupOf(index).slice(0, group), `t-${++label}`),
        ),
      );
    },
    many: `delivered to ${WATCHERS}, ${GROUP} changes a commit`,
    one: `delivered to ${WATCHERS}, 1 change a commit`,
    span: 'from the first call that changes something to the last value at the last watcher, commits included',
  });
}
