// A process of its own that holds many SSE connections on raw sockets and counts what arrives: as little work for each
// byte as there can be, so that the servers are what is measured. Told what to do by `watchers.ts`.
import { connect, type Socket } from 'node:net';
import { MarkCounter } from './mark-counter.ts';

export type Order =
  | {
      order: 'open';
      host: string;
      port: number;
      path: string;
      headers: Record<string, string>;
      count: number;
      mark: string;
    }
  /** Counts begin at 0 again. */
  | { order: 'reset' }
  /** Answer once every connection has counted this many. */
  | { order: 'await'; each: number }
  | { order: 'count' };

export type Report =
  | { report: 'opened' }
  | { report: 'reset' }
  /** `atNs`: when the last one arrived, on the clock that all processes of the machine share. */
  | { report: 'arrived'; atNs: string; bytes: number; cpuSeconds: number }
  | { report: 'counted'; total: number; least: number; bytes: number }
  | { report: 'broken'; reason: string };

interface Watcher {
  counter: MarkCounter;
  hasOpened: boolean;
}

/** Connections opened at the same time; the servers' backlogs are short. */
const OPENING = 50;

const watchers: Watcher[] = [];
const sockets: Socket[] = [];
/** All sockets read into the same memory; each read is counted before the next. */
const buffer = Buffer.allocUnsafe(256 * 1024);
let bytes = 0;
let awaited = Infinity;
let behind = 0;
let cpuBefore = process.cpuUsage();

const tell = (report: Report) => process.send?.(report);

process.on('message', (order: Order) => {
  switch (order.order) {
    case 'open':
      open(order).then(
        () => tell({ report: 'opened' }),
        (error: unknown) => tell({ report: 'broken', reason: String(error) }),
      );
      return;
    case 'reset':
      for (const { counter } of watchers) counter.count = 0;
      bytes = 0;
      awaited = Infinity;
      cpuBefore = process.cpuUsage();
      tell({ report: 'reset' });
      return;
    case 'await':
      awaited = order.each;
      behind = watchers.filter(({ counter }) => counter.count < awaited).length;
      if (behind === 0) arrived();
      return;
    case 'count': {
      const counts = watchers.map(({ counter }) => counter.count);
      const total = counts.reduce((sum, each) => sum + each, 0);
      tell({ report: 'counted', total, least: Math.min(...counts), bytes });
    }
  }
});
process.on('disconnect', () => process.exit());

async function open(order: Extract<Order, { order: 'open' }>): Promise<void> {
  for (let opened = 0; opened < order.count; opened += OPENING) {
    await Promise.all(Array.from({ length: Math.min(OPENING, order.count - opened) }, () => openOne(order)));
  }
}

function openOne({ host, port, path, headers, mark }: Extract<Order, { order: 'open' }>): Promise<void> {
  return new Promise((resolve, reject) => {
    const watcher: Watcher = { counter: new MarkCounter(mark), hasOpened: false };
    const onread = {
      buffer,
      callback: (length: number) => {
        const chunk = buffer.subarray(0, length);
        if (!watcher.hasOpened) {
          const head = chunk.toString('latin1');
          if (!head.startsWith('HTTP/1.1 200')) reject(new Error(head.slice(0, 500)));
          watcher.hasOpened = true;
          resolve();
        }
        count(watcher, chunk);
        return true;
      },
    };
    const socket = connect({ host, port, onread }, () => {
      const lines = Object.entries({ host: `${host}:${port}`, accept: 'text/event-stream', ...headers });
      socket.write(`GET ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
    });
    const broken = (reason: string) => {
      reject(new Error(reason));
      if (watcher.hasOpened) tell({ report: 'broken', reason });
    };
    socket.on('error', (error) => broken(error.message));
    socket.on('end', () => broken('the server ended a stream'));
    watchers.push(watcher);
    sockets.push(socket);
  });
}

function count({ counter }: Watcher, chunk: Buffer): void {
  const before = counter.count;
  counter.read(chunk);
  bytes += chunk.length;
  if (before < awaited && counter.count >= awaited && --behind === 0) arrived();
}

function arrived(): void {
  awaited = Infinity;
  const { user, system } = process.cpuUsage(cpuBefore);
  tell({
    report: 'arrived',
    atNs: String(process.hrtime.bigint()),
    bytes,
    cpuSeconds: (user + system) / 1e6,
  });
}
