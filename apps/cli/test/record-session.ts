// A session of `swarm` on a core, as README.md shows it: why an event did not arrive.
import { createSwarmClient } from '@hypercode/client';
import type { TestCore } from '@hypercode/core-runtime/testing';
import { fileURLToPath } from 'node:url';
import { runSwarm } from './run-swarm.ts';

export const README = fileURLToPath(new URL('../../../README.md', import.meta.url));
/** Where the session stands in README.md. */
export const SESSION = /(?<=<!-- node apps\/cli\/test\/write-session\.ts -->\n\n```console\n)[^]*?(?=```\n)/;

/** What differs in each session: ids, positions, times. */
function settled(text: string): string {
  const ids = [...new Set(text.match(/[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}/g))];
  return ids
    .reduce((so, id, index) => so.replaceAll(id, `0190f1d2-7c40-7000-8000-00000000000${index + 1}`), text)
    .replaceAll(/\b[\da-f]{12}-(\d+)-[\da-z]+\b/g, '4f0c7d21a9be-$1-5nwrx5')
    .replaceAll(/\d\d:\d\d:\d\d\.\d{3}Z/g, '12:30:00.000Z')
    .replaceAll(/(for|after) \d+(?:\.\d+)?m?s\b/g, '$1 40ms');
}

export async function recordSession(core: TestCore): Promise<string> {
  const namespace = core.freshNamespace();
  await using client = createSwarmClient({ url: core.url, token: core.adminToken, namespace, logger: false });
  /** Delivers the event to a worker, which settles it so. */
  const work = async (settle: (deliveryIds: string[]) => Promise<unknown>): Promise<void> => {
    const { deliveries } = await client.bus.claim({ group: 'builders', consumer: 'worker-1', waitMs: 10_000 });
    await settle(deliveries.map(({ deliveryId }) => deliveryId));
  };
  const lines: string[] = [];
  const run = async (words: string): Promise<string> => {
    const { stdout } = await runSwarm(words, {
      core: { url: core.url, token: core.adminToken, namespace },
      columns: 110,
      env: { NO_COLOR: '1' },
    });
    lines.push(`$ swarm ${words}`, stdout);
    return stdout;
  };
  await client.bus.claim({ group: 'builders', topics: ['build.requested'], maxDeliveries: 1, waitMs: 0 });
  const published = await run(`events pub build.requested '{"branch":"main"}'`);
  const [, id = ''] = /published: (\S+)/.exec(published) ?? [];
  await work((deliveryIds) => client.bus.nack({ group: 'builders', deliveryIds, reason: 'no space left on device' }));
  await run(`events trace ${id}`);
  await run('dead redrive builders --all');
  await work((deliveryIds) => client.bus.ack({ group: 'builders', deliveryIds }));
  await run(`events trace ${id}`);
  await run('events preview build.reqeusted');
  return settled(lines.join('\n'));
}
