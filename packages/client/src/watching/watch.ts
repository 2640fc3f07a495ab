// Watching the registry: a snapshot, then every change after it, in order, for as long as the reader goes on.
import type { AgentFilter, AgentView, WatchEvent, WatchEventIn } from '@hypercode/contracts';
import type { Connection } from '../transport/connection.ts';
import { isRecord } from '../transport/json.ts';
import { onAbort } from '../transport/on-abort.ts';
import { endable, resumableStream, type StreamOptions } from '../transport/resumable-stream.ts';
import { admitWatchEvent, watchStart } from './watch-order.ts';

export interface WatchOptions<View extends AgentView = 'full'> extends AgentFilter, StreamOptions {
  readonly namespace?: string | undefined;
  /** `summary`: of each capability its id and tags, and no topics. Default `full`. */
  readonly view?: View | undefined;
  /** Go on after this revision instead of beginning with a snapshot. */
  readonly since?: number | undefined;
}

export type Watch<View extends AgentView = 'full'> = AsyncIterableIterator<WatchEventIn<View>, undefined, undefined>;

export function watchAgents<View extends AgentView>(connection: Connection, options: WatchOptions<View>): Watch<View> {
  return endable((ended) => watch(connection, options, ended)) as Watch<View>;
}

async function* watch(
  connection: Connection,
  { signal, onInterruption, ...filter }: WatchOptions<AgentView>,
  ended: AbortSignal,
): AsyncGenerator<WatchEvent, undefined, undefined> {
  const input = { ...filter, namespace: filter.namespace ?? connection.namespace };
  const request = { path: 'registry.watch', input, decode: readWatchEvent, resumesAfter };
  const frames = resumableStream(connection, request, { signal, onInterruption });
  const release = onAbort(ended, () => void frames.return?.());
  let progress = watchStart(filter.since);
  try {
    for await (const { value, connection: number } of frames) {
      const step = admitWatchEvent(progress, value, number);
      progress = step.progress;
      if (step.event !== null) yield step.event;
    }
  } finally {
    release();
  }
}

/** The chunks of a snapshot have this id; a watch that is resumed within a snapshot begins it anew. */
const resumesAfter = (id: string): boolean => id !== 'snapshot';

/** Trusts the core for the inside of agents: checking each one again would cost more than reading them. */
function readWatchEvent(json: unknown): WatchEvent | undefined {
  if (!isRecord(json)) throw new TypeError('not a watch event');
  switch (json['type']) {
    case 'snapshot':
      if (!Array.isArray(json['agents'])) throw new TypeError('a snapshot without agents');
      break;
    case 'change':
      if (!isRecord(json['agent'])) throw new TypeError('a change without an agent');
      break;
    case 'synced':
    case 'bookmark':
      break;
    default:
      return undefined;
  }
  if (!Number.isSafeInteger(json['revision'])) throw new TypeError('a watch event without a revision');
  return json as WatchEvent;
}
