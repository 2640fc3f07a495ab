// The subscriptions that are open on this replica, and how far each has come.
import { LIMITS, type StreamAudience, type StreamReport } from '@hypercode/contracts';
import { formatPosition, type LogPosition } from '../store/position.ts';

/** Whose stream it is, and what it asks for. */
export interface StreamOwner {
  readonly kind: StreamAudience['kind'];
  /** The source of the caller. */
  readonly caller: string;
  /** Null for operators. */
  readonly role: string | null;
  readonly topics: readonly string[];
}

/** Where a stream stands: a position, or the last value that was handed out. */
type Cursor = LogPosition | { readonly id: string };

interface Attached {
  readonly since: LogPosition;
  cursor: Cursor;
}

/** Streams of one audience that are looked at for its callers. */
const MAX_LOOKED_AT = 200;

/**
 * One stream: opening (no report has it) → attached (`began`) → ended (`leave`). Its cursor costs an assignment for each batch, and becomes
 * text when it is reported.
 */
export class LiveStream {
  readonly owner: StreamOwner;
  readonly #attach: (stream: LiveStream) => () => void;
  #attached: Attached | null = null;
  #detach: () => void = () => undefined;

  constructor(owner: StreamOwner, attach: (stream: LiveStream) => () => void) {
    this.owner = owner;
    this.#attach = attach;
  }

  /** The stream goes on after `position`. */
  began(position: LogPosition): void {
    this.#attached = { since: position, cursor: position };
    this.#detach = this.#attach(this);
  }

  /** Everything up to there was handed to the connection. */
  reached(cursor: Cursor): void {
    if (this.#attached !== null) this.#attached.cursor = cursor;
  }

  leave(): void {
    this.#detach();
  }

  /** The texts of its positions. */
  get positions(): { since: string; cursor: string } {
    if (this.#attached === null) throw new Error('the stream is opening');
    const { since, cursor } = this.#attached;
    return { since: formatPosition(since), cursor: 'id' in cursor ? cursor.id : formatPosition(cursor) };
  }
}

/** Attached streams of callers of one kind and role that ask for the same topics. */
interface Audience extends Pick<StreamAudience, 'kind' | 'role' | 'topics'> {
  readonly streams: Set<LiveStream>;
}

export class LiveStreams {
  /** By namespace, and by what the streams of an audience have in common. */
  readonly #audiences = new Map<string, Map<string, Audience>>();

  /** The stream is kept from when it began until its `leave` is called. */
  open(namespace: string, owner: StreamOwner): LiveStream {
    return new LiveStream(owner, (stream) => this.#add(namespace, stream));
  }

  /** All audiences of one namespace. */
  of(namespace: string): StreamAudience[] {
    return Array.from(this.#audiences.get(namespace)?.values() ?? [], shown);
  }

  /** The audiences of each namespace; so many of all namespaces together, and the streams of the others counted. */
  report(maxAudiences: number = LIMITS.streamAudiences): Map<string, StreamReport> {
    let left = maxAudiences;
    const reports = new Map<string, StreamReport>();
    for (const [namespace, found] of this.#audiences) {
      const audiences = [...found.values()];
      const named = audiences.slice(0, left);
      left -= named.length;
      const omitted = audiences.slice(named.length).reduce((sum, { streams }) => sum + streams.size, 0);
      reports.set(namespace, { audiences: named.map(shown), omitted });
    }
    return reports;
  }

  #add(namespace: string, stream: LiveStream): () => void {
    const { kind, role, topics } = stream.owner;
    const sorted = [...new Set(topics)].toSorted();
    const key = JSON.stringify([kind, role, sorted]);
    const audiences = this.#audiences.get(namespace) ?? new Map<string, Audience>();
    this.#audiences.set(namespace, audiences);
    const audience = audiences.get(key) ?? { kind, role, topics: sorted, streams: new Set() };
    audiences.set(key, audience);
    audience.streams.add(stream);
    return () => {
      audience.streams.delete(stream);
      if (audience.streams.size > 0 || audiences.get(key) !== audience) return;
      audiences.delete(key);
      if (audiences.size === 0 && this.#audiences.get(namespace) === audiences) this.#audiences.delete(namespace);
    };
  }
}

/** With one stream of as many callers as may be named, and further ones of theirs when there are fewer callers. */
function shown({ streams, ...audience }: Audience): StreamAudience {
  const first = new Map<string, LiveStream>();
  const further: LiveStream[] = [];
  let lookedAt = 0;
  for (const stream of streams) {
    if (first.size === LIMITS.audienceCallers || lookedAt === MAX_LOOKED_AT) break;
    lookedAt += 1;
    if (!first.has(stream.owner.caller)) first.set(stream.owner.caller, stream);
    else if (further.length < LIMITS.audienceCallers) further.push(stream);
  }
  const named = [...first.values(), ...further].slice(0, LIMITS.audienceCallers);
  return {
    ...audience,
    streams: streams.size,
    callers: named.map(({ owner, positions }) => ({ caller: owner.caller, ...positions })),
  };
}
