// The state of a swarm at a glance, followed live: groups, replicas, stores, counts.
import type { ClusterStatus, GroupInfo, NamespaceInfo, Overview } from '@hypercode/contracts';
import type { Connection } from '../transport/connection.ts';
import { isRecord } from '../transport/json.ts';
import { onAbort } from '../transport/on-abort.ts';
import { endable, resumableStream, type StreamOptions } from '../transport/resumable-stream.ts';

export interface OverviewOptions extends StreamOptions {
  readonly namespace?: string | undefined;
}

/** The whole state, as the core has sent it so far. */
export interface SwarmOverview {
  readonly cluster: ClusterStatus;
  readonly namespace: NamespaceInfo;
  /** Questions to people that have no answer yet. */
  readonly questions: { readonly open: number };
  /** By name; of a namespace with more than 1,000 groups, the first 1,000. */
  readonly groups: readonly GroupInfo[];
  /** When the core computed what changed last. ISO 8601. */
  readonly at: string;
}

export type OverviewStream = AsyncIterableIterator<SwarmOverview, undefined, undefined>;

export const followOverview = (connection: Connection, options: OverviewOptions = {}): OverviewStream =>
  endable((ended) => follow(connection, options, ended));

async function* follow(
  connection: Connection,
  { signal, onInterruption, namespace = connection.namespace }: OverviewOptions,
  ended: AbortSignal,
): AsyncGenerator<SwarmOverview, undefined, undefined> {
  // A stream that is opened again begins with the whole state.
  const request = {
    path: 'swarm.overview',
    input: { namespace },
    decode: readOverview,
    resumesAfter: () => false,
  };
  const frames = resumableStream(connection, request, { signal, onInterruption });
  const release = onAbort(ended, () => void frames.return?.());
  let state: SwarmOverview | null = null;
  try {
    for await (const { value } of frames) {
      state = applyOverview(state, value);
      if (state !== null) yield state;
    }
  } finally {
    release();
  }
}

/** The state after a value of the stream; null while no value had everything. */
export function applyOverview(state: SwarmOverview | null, value: Overview): SwarmOverview | null {
  const before = value.reset ? null : state;
  const cluster = value.cluster ?? before?.cluster;
  const namespace = value.namespace ?? before?.namespace;
  if (cluster === undefined || namespace === undefined) return before;
  const questions = value.questions ?? before?.questions ?? { open: 0 };
  return { cluster, namespace, questions, groups: groupsAfter(before?.groups ?? [], value), at: value.at };
}

function groupsAfter(
  before: readonly GroupInfo[],
  { groups = [], removedGroups = [] }: Overview,
): readonly GroupInfo[] {
  if (groups.length === 0 && removedGroups.length === 0) return before;
  const byName = new Map(before.map((group) => [group.group, group]));
  for (const name of removedGroups) byName.delete(name);
  for (const group of groups) byName.set(group.group, group);
  return [...byName.values()].toSorted((a, b) => (a.group < b.group ? -1 : 1));
}

/** Trusts the core for the inside of its parts. */
function readOverview(json: unknown): Overview | undefined {
  if (!isRecord(json)) throw new TypeError('not an overview');
  if (json['type'] !== 'overview') return undefined;
  if (typeof json['at'] !== 'string') throw new TypeError('an overview without a time');
  return json as Overview;
}
