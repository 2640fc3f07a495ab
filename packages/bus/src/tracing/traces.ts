// What became of one event: how it came in, what each group did with it, which streams receive it, its causes and effects.
import { type EventTrace, type LoggedEvent, SwarmError, type SwarmEvent, type TraceInput } from '@hypercode/contracts';
import type { BusCaller } from '../admission/caller.ts';
import type { CallerAccess } from '../admission/caller-access.ts';
import type { GroupRights } from '../groups/group-rights.ts';
import type { Policies } from '../policies/policies.ts';
import type { BusStore } from '../store/bus-store.ts';
import type { HeldEvent, HeldEventName } from '../store/group-fates.ts';
import { comparePositions, formatPosition, type LogPosition, parsePosition, positionIn } from '../store/position.ts';
import type { EventSearch } from '../subscriptions/event-search.ts';
import { loggedEventOf } from '../subscriptions/read-filter.ts';
import { passing } from '../subscriptions/topic-filter.ts';
import { type AdmissionsOptions, admittedBy } from './admitted-by.ts';
import { readFates } from './group-fate.ts';
import type { Relations } from './relations.ts';
import { streamTraces } from './stream-traces.ts';
import type { StreamSurvey } from './stream-survey.ts';

export interface TracesOptions {
  readonly store: Pick<BusStore, 'log' | 'groups'>;
  readonly search: Pick<EventSearch, 'find'>;
  readonly relations: Relations;
  readonly survey: StreamSurvey;
  readonly access: Pick<CallerAccess, 'readableTopics'>;
  readonly rights: Pick<GroupRights, 'visible'>;
  readonly policies: Pick<Policies, 'accessOf' | 'inForceAt'>;
  readonly roleAt: AdmissionsOptions['roleAt'];
}

interface Found {
  readonly logged: LoggedEvent;
  readonly position: LogPosition;
  /** Whether the log has it. */
  readonly kept: boolean;
}

export class Traces {
  readonly #options: TracesOptions;

  constructor(options: TracesOptions) {
    this.#options = options;
  }

  /** What the caller may not read is left out, or counted. NOT_FOUND when neither the log nor a group has the event; UNAVAILABLE. */
  async trace(caller: BusCaller, input: TraceInput): Promise<EventTrace> {
    const { store, relations, survey, access, rights, policies, roleAt } = this.#options;
    const { namespace } = input;
    const passes = passing(await access.readableTopics(caller, namespace));
    const found = await this.#find(input, passes);
    const { logged, position, kept } = found;
    const { id, source, topic } = logged.event;
    const appendedAtMs = logged.appendedAt === null ? null : Date.parse(logged.appendedAt);
    const [remembered, admission, fates, streams, causes, effects] = await Promise.all([
      store.log.remembered(namespace, { id, source }),
      admittedBy({ policies, roleAt }, namespace, { source, topic, appendedAtMs }),
      readFates(store.groups, namespace, { position, topic }),
      survey
        .everywhere(namespace)
        .then((surveyed) => streamTraces(surveyed, { position, topic }, { caller, namespace, policies })),
      relations.causes(namespace, logged, passes),
      relations.effects(namespace, logged, passes),
    ]);
    const groups = await rights.visible(caller, namespace, fates);
    return {
      event: logged,
      kept,
      // The id may have been used again after the window.
      duplicates: remembered !== null && isAt(remembered.position, position) ? remembered.duplicates : 0,
      admittedBy: admission,
      groups,
      otherGroups: fates.length - groups.length,
      streams,
      causes,
      effects: effects.effects,
      effectsComplete: effects.complete,
    };
  }

  async #find(input: TraceInput, passes: (topic: string) => boolean): Promise<Found> {
    const found = input.position === undefined ? await this.#byId(input, passes) : await this.#byPosition(input);
    const id = input.id?.toLowerCase();
    const isIt =
      found !== null &&
      passes(found.logged.event.topic) &&
      (id === undefined || found.logged.event.id === id) &&
      (input.source === undefined || found.logged.event.source === input.source);
    if (isIt) return found;
    throw new SwarmError('NOT_FOUND', 'neither the log nor a group has this event');
  }

  async #byId({ namespace, id = '', source }: TraceInput, passes: (topic: string) => boolean): Promise<Found | null> {
    try {
      const { events } = await this.#options.search.find({ namespace, id, source }, passes);
      const [logged] = events;
      const position = logged === undefined ? null : parsePosition(logged.position);
      if (logged !== undefined && position !== null) return { logged, position, kept: true };
    } catch (error) {
      if (!(error instanceof SwarmError && error.is('NOT_FOUND'))) throw error;
    }
    return this.#held(namespace, { id: id.toLowerCase(), source }, passes);
  }

  async #byPosition({ namespace, position: text = '' }: TraceInput): Promise<Found | null> {
    const position = positionIn(text, 'position');
    const entry = await this.#options.store.log.event(namespace, position);
    if ('gap' in entry) return this.#held(namespace, position, () => true);
    return { logged: loggedEventOf(entry, JSON.parse(entry.text) as SwarmEvent), position, kept: true };
  }

  /** The newest event of this name that a group holds. */
  async #held(namespace: string, name: HeldEventName, passes: (topic: string) => boolean): Promise<Found | null> {
    const { events } = await this.#options.store.groups.holding(namespace, name);
    const readable = events
      .map(({ position, text }: HeldEvent) => ({ position, event: JSON.parse(text) as SwarmEvent }))
      .filter(({ event }) => passes(event.topic))
      .toSorted((a, b) => comparePositions(b.position, a.position));
    const [newest] = readable;
    if (newest === undefined) return null;
    const { position, event } = newest;
    return { logged: { position: formatPosition(position), appendedAt: null, event }, position, kept: false };
  }
}

const isAt = (a: LogPosition, b: LogPosition): boolean => comparePositions(a, b) === 0;
