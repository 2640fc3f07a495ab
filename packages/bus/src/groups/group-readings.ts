// The groups that a replica reads: each has one reader, made at the first call, and released when no member has needed it for a while.
import { type Clock, repeat } from '@hypercode/clock';
import { SwarmError } from '@hypercode/contracts';
import type { Signal } from '@hypercode/feed';
import { unavailable } from '@hypercode/stores';
import type { EventLog } from '../store/event-log.ts';
import { assertSameSettings, type WantedSettings } from '../store/group-settings.ts';
import type { GroupLimits, GroupStore, OpenedGroup } from '../store/group-store.ts';
import type { LogPosition } from '../store/position.ts';
import type { EventFeeds } from '../subscriptions/event-feeds.ts';
import { GroupReader } from './group-reader.ts';
import type { GroupRequest } from './group-request.ts';
import type { KnownGroups } from './known-groups.ts';

export interface GroupReadingsOptions {
  store: GroupStore;
  log: Pick<EventLog, 'positionBefore'>;
  feeds: EventFeeds;
  signal: Signal;
  clock: Clock;
  onError: (error: unknown) => void;
  limits?: GroupLimits | undefined;
  known: KnownGroups;
}

/** How often cursors pass events that do not match their group, and idle readers are released, in milliseconds. */
const UPKEEP_INTERVAL_MS = 1000;
/** Upkeeps after which the reader of a group without members on this replica is released. */
const IDLE_UPKEEPS = 60;
/** Cursors that are moved at the same time. */
const ADVANCED_AT_ONCE = 4;
/** Refusals for what a call names: they say nothing of a call that waited for it. */
const OF_ITS_CALLER: ReadonlySet<string> = new Set(['CONFLICT', 'INVALID_INPUT', 'NOT_FOUND']);

interface Reading {
  readonly namespace: string;
  readonly reader: GroupReader;
  readonly unsubscribe: () => void;
  idleUpkeeps: number;
}

/** The reader of a group, and whether it was made for this caller. */
export interface Entered {
  readonly reader: GroupReader;
  readonly isNew: boolean;
}

export class GroupReadings {
  readonly #options: GroupReadingsOptions;
  readonly #readings = new Map<string, Promise<Reading>>();
  /** Readers of groups that were deleted, on their way out. */
  readonly #leaving = new Set<Promise<void>>();
  readonly #endUpkeep: () => void;
  #keepingUp: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: GroupReadingsOptions) {
    this.#options = options;
    this.#endUpkeep = repeat(options.clock, UPKEEP_INTERVAL_MS, () => {
      this.#keepingUp = this.#keepUp().catch(options.onError);
      return this.#keepingUp;
    });
  }

  /**
   * Takes note of what was settled through this replica. Returns whether all of it had been handed out here: then the other replicas need
   * not know.
   */
  async settled(namespace: string, group: string, positions: readonly LogPosition[]): Promise<boolean> {
    const reading = await this.#readings.get(keyOf(namespace, group))?.catch(() => undefined);
    return reading?.reader.settled(positions) === true;
  }

  /** Notifies the group's members, here and on the other replicas. */
  notify(namespace: string, group: string): void {
    this.#options.signal.notify(channelOf(namespace, group));
  }

  /** Its members have been notified; the next one that comes is of another group. */
  async forget({ namespace, group }: GroupRequest, reader: GroupReader): Promise<void> {
    const key = keyOf(namespace, group);
    const opening = this.#readings.get(key);
    const reading = await opening?.catch(() => undefined);
    if (reading?.reader !== reader || this.#readings.get(key) !== opening) return;
    this.#readings.delete(key);
    const left = shut(reading)
      .catch(this.#options.onError)
      .finally(() => this.#leaving.delete(left));
    this.#leaving.add(left);
  }

  /** The same as `enter`, for a stream: a reader without members may be of a group that was deleted since. */
  async enterAnew(request: GroupRequest): Promise<Entered> {
    const entered = await this.enter(request);
    const { reader, isNew } = entered;
    if (isNew || reader.size > 0) return entered;
    const found = await this.#options.store.find(request.namespace, request.group);
    if (found?.id === reader.state.id) return entered;
    await this.forget(request, reader);
    return this.enter(request);
  }

  /** The group's reader on this replica, made at the first call. */
  async enter(request: GroupRequest): Promise<Entered> {
    if (this.#closed) throw unavailable('the core is shutting down');
    const { namespace, group, settings, groupId } = request;
    const key = keyOf(namespace, group);
    let opening = this.#readings.get(key);
    const isOwn = opening === undefined;
    if (opening === undefined) {
      opening = this.#start(request);
      this.#readings.set(key, opening);
      opening.catch(() => this.#readings.delete(key));
    }
    const reading = await opening.catch((error: unknown) => {
      if (isOwn || !(error instanceof SwarmError) || !OF_ITS_CALLER.has(error.code)) throw error;
      return null;
    });
    // Another caller was refused, or the reader was released in this moment.
    if (reading === null || this.#readings.get(key) !== opening) return this.enter(request);
    reading.idleUpkeeps = 0;
    const { reader } = reading;
    // The caller comes back to another group than the one that is known here: the store knows whether that was deleted.
    if (groupId !== undefined && groupId !== reader.state.id) await this.#open(request);
    await this.#assertSameSettings(group, settings, { namespace, reader });
    return { reader, isNew: isOwn };
  }

  /** What is known here may be old. */
  async #assertSameSettings(
    group: string,
    settings: WantedSettings,
    { namespace, reader }: { namespace: string; reader: GroupReader },
  ): Promise<void> {
    try {
      assertSameSettings(group, reader.state, settings);
    } catch (error) {
      const found = await this.#options.store.find(namespace, group);
      if (found?.id !== reader.state.id || found.version === reader.state.version) throw error;
      reader.learn({ ...found, id: reader.state.id });
      assertSameSettings(group, found, settings);
    }
  }

  async #open({ namespace, group, settings, from, groupId, maker }: GroupRequest): Promise<OpenedGroup> {
    const { store, log, limits } = this.#options;
    const start = typeof from === 'string' ? from : await log.positionBefore(namespace, Date.parse(from.time));
    return store.open(namespace, group, settings, start, { groupId, maker, limits });
  }

  async #start(request: GroupRequest): Promise<Reading> {
    const { namespace, group } = request;
    const { store, feeds, signal, clock } = this.#options;
    const { followed, release } = await feeds.use(namespace);
    try {
      const { state, cursor } = await this.#open(request);
      this.#options.known.set(namespace, group, state);
      const { retention } = feeds;
      const reader = new GroupReader({ namespace, group, state, store, feeds, followed, retention, cursor, clock });
      const unsubscribe = signal.subscribe(channelOf(namespace, group), () => reader.tick());
      return { namespace, reader, unsubscribe, idleUpkeeps: 0 };
    } finally {
      release();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#endUpkeep();
    await this.#keepingUp;
    const readings = await Promise.allSettled(this.#readings.values());
    this.#readings.clear();
    const running = readings.filter((reading) => reading.status === 'fulfilled');
    await Promise.all(running.map(({ value }) => shut(value)));
    await Promise.all(this.#leaving);
  }

  async #keepUp(): Promise<void> {
    const kept: Reading[] = [];
    for (const [key, opening] of this.#readings) {
      const reading = await opening.catch(() => null);
      if (reading === null) continue;
      reading.idleUpkeeps = reading.reader.size > 0 ? 0 : reading.idleUpkeeps + 1;
      if (reading.idleUpkeeps > IDLE_UPKEEPS) {
        this.#readings.delete(key);
        await shut(reading);
      } else {
        kept.push(reading);
      }
    }
    // A store that does not answer takes two seconds for each that asks; on a Cluster it may be there for other namespaces.
    const unavailableIn = new Set<string>();
    const waiting = kept.values();
    const advance = async (): Promise<void> => {
      for (const { namespace, reader } of waiting) {
        if (unavailableIn.has(namespace)) continue;
        await reader.advance().catch((error: unknown) => {
          // The next member that joins makes it again, or waits for the store.
          if (!(error instanceof SwarmError)) throw error;
          if (error.code === 'UNAVAILABLE') unavailableIn.add(namespace);
        });
      }
    };
    await Promise.all(Array.from({ length: ADVANCED_AT_ONCE }, advance));
  }
}

const keyOf = (namespace: string, group: string): string => `${namespace}/${group}`;
const channelOf = (namespace: string, group: string): string => `bus-group:${namespace}/${group}`;

async function shut({ reader, unsubscribe }: Reading): Promise<void> {
  unsubscribe();
  await reader.close();
}
