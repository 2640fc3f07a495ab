// Looking at what becomes of events: traces, previews, and whether a mandatory event has a receiver.
import type { Clock } from '@hypercode/clock';
import type { EventTrace, OtherStreams, PreviewResult, TraceInput } from '@hypercode/contracts';
import type { BusCaller } from '../admission/caller.ts';
import type { CallerAccess } from '../admission/caller-access.ts';
import type { GroupRights } from '../groups/group-rights.ts';
import type { Policies } from '../policies/policies.ts';
import type { BusStore } from '../store/bus-store.ts';
import type { NewEvent } from '../store/event-log.ts';
import type { EventReads } from '../subscriptions/event-reads.ts';
import type { EventSearch } from '../subscriptions/event-search.ts';
import type { LiveStreams } from '../subscriptions/live-streams.ts';
import { MandatoryEvents } from './mandatory-events.ts';
import { type PreviewRequest, Previews } from './previews.ts';
import { type DeclaringAgent, Receivers } from './receivers.ts';
import { Relations } from './relations.ts';
import { StreamSurvey } from './stream-survey.ts';
import { Traces } from './traces.ts';

/** What traces and previews need to know beside what the bus knows. Each rejects with UNAVAILABLE. */
export interface Surroundings {
  /** The id of this replica. */
  readonly replica: string;
  /** What the other replicas reported of their streams. */
  readonly otherStreams: (namespace: string) => Promise<readonly OtherStreams[]>;
  /** Agents that declare that they subscribe to a topic. */
  readonly declaring: (namespace: string, topic: string) => Promise<readonly DeclaringAgent[]>;
  /** The role that an agent had at a time (milliseconds since the epoch); null when that is not known any more. */
  readonly roleAt: (namespace: string, name: string, atMs: number) => Promise<string | null>;
}

export interface TracingOptions {
  readonly store: Pick<BusStore, 'log' | 'groups'>;
  readonly surroundings: Surroundings;
  /** The streams that are open on this replica. */
  readonly live: LiveStreams;
  readonly search: EventSearch;
  readonly reads: EventReads;
  readonly access: CallerAccess;
  readonly rights: GroupRights;
  readonly policies: Policies;
  readonly clock: Pick<Clock, 'epochMs' | 'monotonicMs'>;
}

export class Tracing {
  readonly #traces: Traces;
  readonly #previews: Previews;
  readonly #mandatory: MandatoryEvents;

  constructor({ store, surroundings, live, search, reads, access, rights, policies, clock }: TracingOptions) {
    const { replica, otherStreams, declaring, roleAt } = surroundings;
    const { log, groups } = store;
    const survey = new StreamSurvey({ live, replica, others: otherStreams, clock });
    const receivers = new Receivers({ groups: (namespace) => groups.list(namespace), survey, policies, clock });
    const relations = new Relations({ search, reads, clock });
    this.#mandatory = new MandatoryEvents({ receivers, log, declaring });
    this.#previews = new Previews({ receivers, rights, policies, log, declaring });
    this.#traces = new Traces({ store, search, relations, survey, access, rights, policies, roleAt });
  }

  /** See `Traces.trace`. */
  trace(caller: BusCaller, input: TraceInput): Promise<EventTrace> {
    return this.#traces.trace(caller, input);
  }

  /** See `Previews.preview`. */
  preview(caller: BusCaller, request: PreviewRequest): Promise<PreviewResult> {
    return this.#previews.preview(caller, request);
  }

  /** See `MandatoryEvents.assertTaken`. */
  assertTaken(namespace: string, event: NewEvent): Promise<void> {
    return this.#mandatory.assertTaken(namespace, event);
  }
}
