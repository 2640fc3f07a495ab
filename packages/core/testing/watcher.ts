// A watcher that lasts: it comes back with the id of the last value whenever its stream ends, and keeps what it received.
import type { AgentFilter, WatchChangeType, WatchEvent } from '@hypercode/contracts';
import { createHash } from 'node:crypto';
import { connect, type Connection, type Transport } from './connections.ts';
import type { Core } from './call.ts';

export interface WatcherOptions {
  core: Core;
  transport: Transport;
  namespace?: string;
  filter?: AgentFilter;
  since?: number;
}

/** One change as it was received; small, since tests keep hundreds of thousands of them. */
export interface ReceivedChange {
  revision: number;
  change: WatchChangeType;
  name: string;
  /** Stands for the whole value, byte by byte. */
  digest: string;
}

const FIRST_RETRY_MS = 50;
const LAST_RETRY_MS = 500;

/**
 * - connecting: the stream has not said anything yet.
 * - reading: values arrive. The stream ends, whatever the cause → waiting.
 * - waiting: 50 ms, doubling up to 500 ms while nothing but ends arrives. Then → connecting.
 * - closed: from everywhere, by `close`.
 */
export class Watcher {
  /** Names the watcher in messages. */
  readonly title: string;
  readonly changes: ReceivedChange[] = [];
  readonly snapshots: { revision: number; reset: boolean; names: string[] }[] = [];
  /** Codes of the refusals that ended its streams. */
  readonly refusals: string[] = [];
  /** How often the core said that the subscription is over for good. */
  returned = 0;
  /** How often a stream ended. */
  ends = 0;
  /** How many `synced` values it has received. */
  synced = 0;
  /** The newest revision that it knows to have everything up to. */
  position = -1;
  readonly #options: Required<Omit<WatcherOptions, 'since'>> & Pick<WatcherOptions, 'since'>;
  #connection: Connection | null = null;
  #lastEventId: string | undefined;
  #retryMs = FIRST_RETRY_MS;
  #timer: NodeJS.Timeout | null = null;
  #closed = false;
  #paused = false;

  constructor({ core, transport, namespace = 'default', filter = {}, since }: WatcherOptions) {
    this.#options = { core, transport, namespace, filter, ...(since === undefined ? {} : { since }) };
    this.title = `${transport} ${JSON.stringify(filter)} at ${core.url}`;
    this.#connect();
  }

  /** Where it would go on. */
  get lastEventId(): string | undefined {
    return this.#lastEventId;
  }

  /** Stops reading. */
  pause(): void {
    this.#paused = true;
    this.#connection?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#connection?.resume();
  }

  close(): void {
    this.#closed = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#connection?.close();
  }

  #connect(): void {
    const { core, transport, namespace, filter, since } = this.#options;
    const target = { core, namespace, filter, since, lastEventId: this.#lastEventId };
    this.#connection = connect(transport, target, {
      value: (id, event) => this.#receive(id, event),
      refused: (code) => this.refusals.push(code),
      returned: () => (this.returned += 1),
      ended: () => this.#ended(),
    });
    if (this.#paused) this.#connection.pause();
  }

  #ended(): void {
    if (this.#closed) return;
    this.ends += 1;
    this.#timer = setTimeout(() => this.#connect(), this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, LAST_RETRY_MS);
  }

  #receive(id: string, event: WatchEvent): void {
    this.#retryMs = FIRST_RETRY_MS;
    this.#lastEventId = id;
    switch (event.type) {
      case 'snapshot': {
        const names = event.agents.map(({ name }) => name);
        this.snapshots.push({ revision: event.revision, reset: event.reset, names });
        return;
      }
      case 'change': {
        const { revision, change, agent } = event;
        this.changes.push({ revision, change, name: agent.name, digest: digestOf(event) });
        break;
      }
      case 'synced':
        this.synced += 1;
        break;
      case 'bookmark':
        break;
    }
    this.position = Math.max(this.position, event.revision);
  }
}

export const digestOf = (event: WatchEvent): string =>
  createHash('sha1').update(JSON.stringify(event)).digest('base64').slice(0, 12);
