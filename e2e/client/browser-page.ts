// What the page of the browser test runs: a client with many live views, and queries beside them.
import { createSwarmClient, type SwarmClient } from '@hypercode/client';

const VIEWS = 20;
const QUERIES = 20;

export interface Measured {
  /** How long each query took, in milliseconds: before there was a view, and beside all of them. */
  readonly before: readonly number[];
  readonly beside: readonly number[];
  /** What each subscription received. */
  readonly received: readonly (readonly unknown[])[];
  /** What the directory has. */
  readonly agents: readonly string[];
}

async function timed(client: SwarmClient): Promise<number[]> {
  const took: number[] = [];
  for (let count = 0; count < QUERIES; count += 1) {
    const beganAt = performance.now();
    await client.registry.query({});
    took.push(performance.now() - beganAt);
  }
  return took;
}

export async function measure(url: string, token: string): Promise<Measured> {
  const client = createSwarmClient({ url, token });
  const before = await timed(client);
  const received = Array.from({ length: VIEWS }, (): unknown[] => []);
  const { promise: everything, resolve } = Promise.withResolvers<void>();
  const listeners = received.map((items, index) =>
    client.on([`a${index}.*`, 'all'], ({ data }) => {
      items.push(data);
      if (received.every(({ length }) => length === 2)) resolve();
    }),
  );
  const directory = client.directory();
  await Promise.all([directory.ready, ...listeners.map(({ attached }) => attached)]);
  const beside = await timed(client);
  await client.registry.register({ name: 'ada', role: 'worker', version: '1.0.0' });
  for (const index of received.keys()) await client.publish(`a${index}.x`, index);
  await client.publish('all', 'everyone');
  await Promise.all([everything, directory.waitFor(({ name }) => name === 'ada')]);
  const agents = directory.list().map(({ name }) => name);
  await client.close();
  return { before, beside, received, agents };
}

Object.assign(globalThis, { measure });
