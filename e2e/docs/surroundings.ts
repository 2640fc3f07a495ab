// What the samples run in: `pnpm dev` in a clone, and what a reader of the pages has besides.
import { connectAgent, type ConnectedAgent, createSwarmClient, serveTasks, type SwarmClient } from '@hypercode/client';
import { freePort, temporaryFolder } from '@hypercode/testkit';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { type DevSwarm, startDevSwarm } from '../fixtures/dev-swarm.ts';
import { ROOT } from './blocks.ts';

const CREDENTIALS = z.object({ adminToken: z.string(), joinToken: z.string(), viewerToken: z.string() });

export interface Surroundings extends z.infer<typeof CREDENTIALS> {
  readonly swarm: DevSwarm;
  /** The folder in which the shell samples run. */
  readonly clone: string;
  readonly admin: SwarmClient;
  /** Requests to the build server of the samples so far. */
  builds(): number;
  /** A worker that translates. A sample may take its name. */
  translate(name: string): Promise<ConnectedAgent>;
  /** Whether the application of the NestJS samples does everything that they promise. */
  application(output: string): Promise<boolean>;
  /** A sample with the addresses and tokens of these surroundings, as its reader puts in. */
  withOwn(code: string): string;
  close(): Promise<void>;
}

/** What a reader finds in a clone, without the data of another swarm. */
function makeClone(folder: string): void {
  for (const name of readdirSync(ROOT))
    if (name !== '.swarm' && name !== '.git') symlinkSync(join(ROOT, name), join(folder, name));
}

export async function makeSurroundings(): Promise<Surroundings> {
  await using started = new AsyncDisposableStack();
  const folder = temporaryFolder('samples');
  started.defer(() => folder.remove());
  makeClone(folder.path);
  const swarm = await startDevSwarm(join(folder.path, '.swarm'), { SWARM_UI: 'false' });
  started.defer(() => swarm.close());
  const { core, architect } = swarm;
  const tokens = CREDENTIALS.parse(JSON.parse(readFileSync(join(folder.path, '.swarm/credentials.json'), 'utf8')));
  const { adminToken, joinToken } = tokens;
  const admin = createSwarmClient({ url: core, token: adminToken });
  started.defer(() => admin.close());

  let builds = 0;
  const builder = createServer((_, response) => {
    builds += 1;
    response.end();
  });
  await new Promise<void>((resolve) => builder.listen(0, '127.0.0.1', resolve));
  started.defer(() => void builder.close());
  const address = builder.address();
  const buildPort = typeof address === 'object' && address !== null ? address.port : 0;
  const [applicationPort, healthPort] = await Promise.all([freePort(), freePort()]);

  const worker = { url: core, token: joinToken, role: 'worker', version: '1.0.0', capabilities: ['translate'] };
  /** Addresses, ports and tokens of the pages, and what they are here. */
  const own: readonly [RegExp, string][] = [
    [/http:\/\/127\.0\.0\.1:7700/g, core],
    [/http:\/\/127\.0\.0\.1:7710/g, architect],
    [/127\.0\.0\.1:9000/g, `127.0.0.1:${buildPort}`],
    [/\b9001\b/g, String(healthPort)],
    [/listen\(3000\)/g, `listen(${applicationPort}, '127.0.0.1')`],
    [/'a join token'/g, `'${joinToken}'`],
    [/'(?:a|an [\w, ]+) token'/g, `'${adminToken}'`],
  ];

  const at = `http://127.0.0.1:${applicationPort}`;
  const application = async (output: string): Promise<boolean> => {
    const health = await fetch(`${at}/health`).catch(() => null);
    if (health?.status !== 200) return false;
    const before = builds;
    await admin.publish('build.requested', { branch: 'main' });
    await admin.publish('build.finished', { ok: true, tookMs: 7 });
    await admin.publish('task.builder.assigned', { taskId: 'sample-task' });
    const stranger = { method: 'POST', headers: { 'sec-fetch-site': 'cross-site' } };
    const { status: refused } = await fetch(`${at}/builds`, stranger);
    const { status: taken } = await fetch(`${at}/builds`, { method: 'POST' });
    const has = ['builder is one of', 'build.finished', 'true 7', 'sample-task', 'attempt 1'].every((text) =>
      output.includes(text),
    );
    return refused === 403 && taken === 201 && has && before > 0;
  };

  const parts = started.move();
  return {
    ...tokens,
    swarm,
    clone: folder.path,
    admin,
    builds: () => builds,
    async translate(name) {
      const agent = await connectAgent({ ...worker, name, logger: false });
      serveTasks(agent, { translate: () => ({ text: 'hallo' }) });
      return agent;
    },
    application,
    withOwn: (code) => own.reduce((text, [what, by]) => text.replaceAll(what, by), code),
    close: () => parts.disposeAsync(),
  };
}
