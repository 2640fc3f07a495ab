// What led to an event, and what it led to, by `causationId`.
import type { Clock } from '@hypercode/clock';
import { LIMITS, type LoggedEvent, SwarmError } from '@hypercode/contracts';
import type { EventReads } from '../subscriptions/event-reads.ts';
import type { EventSearch } from '../subscriptions/event-search.ts';
import { within } from './within.ts';
import { comparePositions, type LogPosition, parsePosition } from '../store/position.ts';

export interface RelationsOptions {
  readonly search: Pick<EventSearch, 'find'>;
  readonly reads: Pick<EventReads, 'read'>;
  readonly clock: Pick<Clock, 'monotonicMs'>;
}

/** Whether the caller may read a topic. */
type Passes = (topic: string) => boolean;

/** For how long causes are looked for, in milliseconds: without an index, each is a search of the log. */
const MAX_CAUSES_MS = 1000;
/** After how long no further part of the log is searched for effects, in milliseconds: who wants more reads on by `causationId`. */
const MAX_EFFECTS_MS = 10;
/** Causes in a trace, in bytes of JSON. */
const MAX_CAUSES_BYTES = 1024 * 1024;
const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export class Relations {
  readonly #options: RelationsOptions;

  constructor(options: RelationsOptions) {
    this.#options = options;
  }

  /**
   * The event that led to this one, the event that led to that one, and so on. The cause is the newest event with the id that was appended
   * before its effect; so a chain always ends. Events that do not pass end it, too: what they name is not the caller's to see.
   */
  async causes(namespace: string, effect: LoggedEvent, passes: Passes): Promise<LoggedEvent[]> {
    const causes: LoggedEvent[] = [];
    const untilMs = this.#options.clock.monotonicMs() + MAX_CAUSES_MS;
    let latest = effect;
    while (causes.length < LIMITS.traceCauses && this.#options.clock.monotonicMs() <= untilMs) {
      const { causationId } = latest.event;
      if (causationId === undefined || !UUID.test(causationId)) break;
      const before = positionOf(latest);
      const found = await this.#eventsWith(namespace, causationId, passes);
      const cause = found.find((event) => comparePositions(positionOf(event), before) < 0);
      if (cause === undefined) break;
      causes.push(cause);
      latest = cause;
    }
    return within(causes, MAX_CAUSES_BYTES);
  }

  /** Events that name `cause` as theirs, oldest first, from a bounded part of the log; `complete` is whether that was all of it. */
  async effects(
    namespace: string,
    cause: LoggedEvent,
    passes: Passes,
  ): Promise<{ effects: LoggedEvent[]; complete: boolean }> {
    const page = { namespace, causationId: cause.event.id, limit: LIMITS.traceEffects } as const;
    const { reads, clock } = this.#options;
    const untilMs = clock.monotonicMs() + MAX_EFFECTS_MS;
    const goesOn = (): boolean => clock.monotonicMs() <= untilMs;
    try {
      const { events, end } = await reads.read({ ...page, after: cause.position }, passes, goesOn);
      return { effects: events, complete: end };
    } catch (error) {
      if (!(error instanceof SwarmError && error.is('COMPACTED'))) throw error;
      // The log no longer has the event: everything that it has comes later.
      const { events, end } = await reads.read(page, passes, goesOn);
      return { effects: events, complete: end };
    }
  }

  async #eventsWith(namespace: string, id: string, passes: Passes): Promise<readonly LoggedEvent[]> {
    try {
      return (await this.#options.search.find({ namespace, id }, passes)).events;
    } catch (error) {
      if (error instanceof SwarmError && error.is('NOT_FOUND')) return [];
      throw error;
    }
  }
}

function positionOf({ position }: LoggedEvent): LogPosition {
  const parsed = parsePosition(position);
  if (parsed === null) throw new Error('an event has a position that is none');
  return parsed;
}
