// Publishing, as callers see it: who may publish what, and what the log answered for each event.
import type { Clock } from '@hypercode/clock';
import {
  CORE_SOURCE,
  type PublishInput,
  type PublishManyResult,
  type PublishResult,
  SwarmError,
} from '@hypercode/contracts';
import { refusalOf } from '@hypercode/stores';
import { admit, type PublishRate } from '../admission/admit.ts';
import type { CallerAccess } from '../admission/caller-access.ts';
import { type BusCaller, type CircuitOf, rateKeyOf, sourceOf } from '../admission/caller.ts';
import type { Appended, EventLog, LogEntry, NewEvent } from '../store/event-log.ts';
import { formatPosition, type LogPosition } from '../store/position.ts';
import { type Append, AppendLanes } from './append-lanes.ts';
import { checkEvent, givenId } from './check-events.ts';
import { encodeEvent, type Origin } from './encode-event.ts';

/** Is notified of what is published, for measurement. */
export interface PublishObserver {
  /** An append was done: how many events were new, how many were there already, and how long it took. */
  onAppend?(append: { namespace: string; published: number; duplicates: number; ms: number }): void;
  /** A call that published events was answered, in so many milliseconds. */
  onPublish?(namespace: string, ms: number): void;
  /** So many events were refused when they were published. */
  onRefused?(namespace: string, events: number): void;
}

/** Looks at the events of some topics before they are published, beside the policy. */
export interface EventIntake {
  /** Called for every event, so it costs next to nothing. */
  concerns(topic: string): boolean;
  /** Rejects with the refusal of an event that is not to be published. */
  check(namespace: string, event: { readonly topic: string; readonly data: unknown }): Promise<void>;
}

export interface PublishingOptions {
  log: Pick<EventLog, 'append'>;
  access: Pick<CallerAccess, 'of'>;
  circuitOf: CircuitOf;
  rate: PublishRate;
  byteRate: PublishRate;
  clock: Clock;
  observers: ReadonlySet<PublishObserver>;
  /** Throws UNROUTABLE for a mandatory event that has no receiver, UNAVAILABLE when that can not be known. */
  assertTaken: (namespace: string, event: NewEvent) => Promise<void>;
  /** See `EventIntake`. */
  intake: EventIntake | undefined;
  /** Called with what was added to a log, and where it was added. */
  onAppended: (namespace: string, entries: readonly LogEntry[], before: LogPosition | undefined) => void;
}

/** An event of a list that may be published. */
interface AdmittedEvent {
  readonly place: number;
  readonly event: NewEvent;
  readonly isMandatory: boolean;
  /** What the intake looks at; null: it is not concerned. */
  readonly looked: PublishInput | null;
}

export class Publishing {
  readonly #options: PublishingOptions;
  readonly #lanes: AppendLanes;

  constructor(options: PublishingOptions) {
    this.#options = options;
    this.#lanes = new AppendLanes({
      log: options.log,
      onAppended: (append) => this.#appended(append),
      monotonicNow: () => options.clock.monotonicMs(),
    });
  }

  /**
   * Publishes one event. Resolves when the store has it. FORBIDDEN, ACL_DENIED, CIRCUIT_OPEN, RATE_LIMITED, PAYLOAD_TOO_LARGE, UNROUTABLE;
   * UNAVAILABLE when the outcome is unknown: publishing again with the id in `details` can not make two of it.
   */
  async publish(caller: BusCaller, namespace: string, input: PublishInput): Promise<PublishResult> {
    const begunMs = this.#options.clock.monotonicMs();
    const access = await this.#options.access.of(caller, namespace);
    const event = this.#admitted(caller, access, { namespace, input });
    try {
      if (this.#options.intake?.concerns(input.topic) === true) await this.#takeIn(namespace, input);
      if (input.mandatory === true) await this.#assertTaken(namespace, event);
      const [appended] = await this.#lanes.append(namespace, [event]);
      if (appended === undefined) throw new Error('the append returned no result');
      this.#published(namespace, begunMs);
      return resultOf(event, appended);
    } catch (error) {
      throw withId(error, event.id);
    }
  }

  /**
   * Publishes events in their order, as one call. Each is admitted by itself, and one refusal spares the others. RATE_LIMITED
   * alone refuses the rest of the list, whatever it is, so that no event gets ahead of one that is to be published again. In place
   * of an event that was refused before, `given` has a `RefusedEvent`.
   */
  async publishMany(caller: BusCaller, namespace: string, given: readonly unknown[]): Promise<PublishManyResult> {
    const begunMs = this.#options.clock.monotonicMs();
    const access = await this.#options.access.of(caller, namespace);
    const now = this.#options.clock.epochMs();
    const gate = { caller, access, circuitOf: this.#options.circuitOf, rate: this.#options.rate, now };
    const origin = { namespace, source: sourceOf(caller), now: timeOf(now) };
    const results: PublishManyResult['results'] = Array.from({ length: given.length });
    const admitted: AdmittedEvent[] = [];
    let limit: SwarmError | undefined;
    for (const [place, one] of given.entries()) {
      try {
        if (limit !== undefined) throw limit;
        const input = checkEvent(one);
        if (input instanceof SwarmError) throw input;
        admit(gate, input.topic);
        const looked = this.#options.intake?.concerns(input.topic) === true ? input : null;
        const isMandatory = input.mandatory === true;
        admitted.push({ place, event: this.#encode(caller, input, origin), isMandatory, looked });
      } catch (error) {
        const refusal = SwarmError.from(error);
        if (refusal.is('RATE_LIMITED')) limit = refusal;
        results[place] = { id: givenId(one), error: refusal.toJSON() };
      }
    }
    if (admitted.length < given.length) this.#refused(namespace, given.length - admitted.length);
    const taken = await this.#taken(namespace, admitted, results);
    if (taken.length === 0) return { results };
    let appended: Appended[] | null = null;
    let refusal: SwarmError | null = null;
    try {
      appended = await this.#lanes.append(
        namespace,
        taken.map(({ event }) => event),
      );
      this.#published(namespace, begunMs);
    } catch (error) {
      refusal = refusalOf(error);
      if (refusal.code === 'INTERNAL') throw error;
    }
    for (const [index, { place, event }] of taken.entries()) {
      const answer = appended?.[index];
      if (answer !== undefined) results[place] = resultOf(event, answer);
      else results[place] = { id: event.id, error: withId(refusal, event.id).toJSON() };
    }
    return { results };
  }

  /** Publishes an event of the core itself. No policy is asked. */
  async publishSystem(namespace: string, input: PublishInput): Promise<PublishResult> {
    const event = encodeEvent(input, { namespace, source: CORE_SOURCE, now: timeOf(this.#options.clock.epochMs()) });
    const [appended] = await this.#lanes.append(namespace, [event]);
    if (appended === undefined) throw new Error('the append returned no result');
    return resultOf(event, appended);
  }

  /** The event of a caller that may publish it. Throws as `publish` does, and counts what is refused. */
  #admitted(
    caller: BusCaller,
    access: Awaited<ReturnType<CallerAccess['of']>>,
    { namespace, input }: { namespace: string; input: PublishInput },
  ): NewEvent {
    const now = this.#options.clock.epochMs();
    try {
      admit({ caller, access, circuitOf: this.#options.circuitOf, rate: this.#options.rate, now }, input.topic);
      return this.#encode(caller, input, { namespace, source: sourceOf(caller), now: timeOf(now) });
    } catch (error) {
      this.#refused(namespace, 1);
      throw error;
    }
  }

  /** Those that the intake takes, and that have a receiver or need none; the refusals of the others are put into `results`. */
  async #taken(
    namespace: string,
    admitted: readonly AdmittedEvent[],
    results: PublishManyResult['results'],
  ): Promise<readonly AdmittedEvent[]> {
    if (!admitted.some(({ isMandatory, looked }) => isMandatory || looked !== null)) return admitted;
    const checked = await Promise.all(
      admitted.map(async (one) => {
        if (!one.isMandatory && one.looked === null) return one;
        try {
          if (one.looked !== null) await this.#takeIn(namespace, one.looked);
          if (one.isMandatory) await this.#assertTaken(namespace, one.event);
          return one;
        } catch (error) {
          results[one.place] = { id: one.event.id, error: withId(error, one.event.id).toJSON() };
          return null;
        }
      }),
    );
    return checked.filter((one) => one !== null);
  }

  async #takeIn(namespace: string, input: PublishInput): Promise<void> {
    try {
      await this.#options.intake?.check(namespace, input);
    } catch (error) {
      this.#refused(namespace, 1);
      throw error;
    }
  }

  async #assertTaken(namespace: string, event: NewEvent): Promise<void> {
    try {
      await this.#options.assertTaken(namespace, event);
    } catch (error) {
      this.#refused(namespace, 1);
      throw error;
    }
  }

  #published(namespace: string, begunMs: number): void {
    const ms = this.#options.clock.monotonicMs() - begunMs;
    for (const observer of this.#options.observers) observer.onPublish?.(namespace, ms);
  }

  #refused(namespace: string, events: number): void {
    for (const observer of this.#options.observers) observer.onRefused?.(namespace, events);
  }

  /** PAYLOAD_TOO_LARGE, RATE_LIMITED. */
  #encode(caller: BusCaller, input: PublishInput, origin: Origin): NewEvent {
    const event = encodeEvent(input, origin);
    this.#options.byteRate.take(rateKeyOf(caller), Buffer.byteLength(event.text));
    return event;
  }

  #appended({ namespace, events, appended, ms }: Append): void {
    const entries: LogEntry[] = [];
    let before: LogPosition | undefined;
    for (const [index, { topic, text }] of events.entries()) {
      const answer = appended[index];
      if (answer === undefined || answer.duplicate) continue;
      before ??= answer.before;
      entries.push({ position: answer.position, appendedAtMs: answer.appendedAtMs ?? null, topic, text });
    }
    if (entries.length > 0) this.#options.onAppended(namespace, entries, before);
    const append = { namespace, published: entries.length, duplicates: events.length - entries.length, ms };
    for (const observer of this.#options.observers) observer.onAppend?.(append);
  }
}

const resultOf = ({ id }: NewEvent, { position, duplicate }: Appended): PublishResult => ({
  id,
  position: formatPosition(position),
  duplicate,
});

/** An unknown outcome, with the id to try again with. */
function withId(error: unknown, id: string): SwarmError {
  const refusal = refusalOf(error);
  if (refusal.code !== 'UNAVAILABLE') return refusal;
  const { message, retryAfterMs, cause } = refusal;
  return new SwarmError('UNAVAILABLE', message, {
    details: { id },
    cause,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

const timeOf = (ms: number): string => new Date(ms).toISOString();
