// Values delivered to many SSE connections, and what that cost.
import { get } from 'node:http';
import { HttpCalls } from './http-calls.ts';
import { median } from './measure/percentiles.ts';
import { cpuSeconds } from './measure/process-usage.ts';
import type { Measured } from './rig.ts';
import { Watchers, type WatchTarget } from './watchers/watchers.ts';

export interface Delivery {
  perSecond: number;
  /** Of each value, HTTP's framing included. */
  bytes: number;
  /** Processor time for each delivery, in microseconds. */
  serverMicros: number;
  watcherMicros: number;
}

export const costOf = (name: string, deliveries: readonly Delivery[]): string => {
  const of = (pick: (delivery: Delivery) => number) => median(deliveries.map(pick));
  return (
    `${name}: ${Math.round(of(({ bytes }) => bytes))} bytes a value; processor time for each delivery in µs: server ` +
    `${of(({ serverMicros }) => serverMicros).toFixed(2)}, watchers ${of(({ watcherMicros }) => watcherMicros).toFixed(2)}`
  );
};

export interface Course {
  server: Measured;
  target: WatchTarget;
  watcherCount: number;
  count: number;
}

/** Opens the watchers, lets `send` send `count` values, and waits until every watcher has them all. */
export async function deliver(
  { server, target, watcherCount, count }: Course,
  send: () => Promise<unknown>,
): Promise<Delivery> {
  await using watchers = await Watchers.open(target, watcherCount);
  await watchers.reset();
  const cpuBefore = await cpuSeconds(server.pid);
  const startedNs = process.hrtime.bigint();
  const [arrival] = await Promise.all([watchers.arrival(count), send()]);
  const seconds = Number(arrival.atNs - startedNs) / 1e9;
  const deliveries = count * watcherCount;
  return {
    perSecond: deliveries / seconds,
    bytes: arrival.bytes / deliveries,
    serverMicros: (((await cpuSeconds(server.pid)) - cpuBefore) * 1e6) / deliveries,
    watcherMicros: (arrival.cpuSeconds * 1e6) / deliveries,
  };
}

export interface Emission {
  watcherCount: number;
  /** What is sent, in the place of what the core would send. */
  value: unknown;
  count: number;
  /** Values in one write, where the server can choose. */
  group: number;
}

/** The same from one of the programs of `servers/` that send what they are told to. */
export async function deliverFrom(
  server: Measured,
  { path, mark }: Pick<WatchTarget, 'path' | 'mark'>,
  { watcherCount, value, count, group }: Emission,
): Promise<Delivery> {
  const target = { url: server.url, path, headers: {}, mark };
  const http = new HttpCalls(server.url);
  try {
    return await deliver({ server, target, watcherCount, count }, () => http.post('/emit', { value, count, group }));
  } finally {
    http.close();
  }
}

/** The first value that a stream is sent when `provoke` has it sent one; for others to send the same. */
export async function captureValue(
  { url, path, headers, mark }: WatchTarget,
  provoke: () => Promise<unknown>,
): Promise<unknown> {
  const request = get(`${url}${path}`, { headers });
  const text = new Promise<string>((resolve, reject) => {
    let received = '';
    request.on('error', reject);
    request.on('response', (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        received += chunk;
        const line = received
          .split('\n')
          .slice(0, -1)
          .find((one) => one.startsWith(mark));
        if (line !== undefined) resolve(line.slice('data: '.length));
      });
      provoke().catch(reject);
    });
  });
  try {
    return JSON.parse(await text);
  } finally {
    request.destroy();
  }
}
