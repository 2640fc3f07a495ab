// Whether an event that must not be lost has a receiver.
import { SwarmError } from '@hypercode/contracts';
import type { EventLog, NewEvent } from '../store/event-log.ts';
import type { DeclaringAgent, Receivers } from './receivers.ts';

export interface MandatoryEventsOptions {
  readonly receivers: Pick<Receivers, 'groups' | 'hasCountedStream' | 'withoutStream'>;
  readonly log: Pick<EventLog, 'remembered'>;
  /** Agents that declare that they subscribe to a topic. UNAVAILABLE. */
  readonly declaring: (namespace: string, topic: string) => Promise<readonly DeclaringAgent[]>;
}

/** Silent agents that a refusal names. */
export const MAX_SILENT = 50;

export class MandatoryEvents {
  readonly #options: MandatoryEventsOptions;

  constructor(options: MandatoryEventsOptions) {
    this.#options = options;
  }

  /**
   * UNROUTABLE when no group and no live stream of another agent takes the event, unless it is in the log already and will be answered as
   * a duplicate. UNAVAILABLE.
   */
  async assertTaken(namespace: string, event: NewEvent): Promise<void> {
    const { receivers, log, declaring } = this.#options;
    const { topic, source } = event;
    if ((await receivers.groups(namespace, topic)).length > 0) return;
    if (await receivers.hasCountedStream(namespace, topic, source)) return;
    if ((await log.remembered(namespace, event)) !== null) return;
    const declared = await declaring(namespace, topic);
    const silent = (await receivers.withoutStream(namespace, topic, declared)).map(({ name }) => name);
    throw unroutable(topic, silent.toSorted().slice(0, MAX_SILENT));
  }
}

function unroutable(topic: string, silent: string[]): SwarmError<'UNROUTABLE'> {
  const who = silent.length === 1 ? `agent "${silent[0]}" declares` : `${silent.length} agents declare`;
  const hint = silent.length === 0 ? '' : `; ${who} the topic without listening`;
  return new SwarmError('UNROUTABLE', `no group and no live stream takes "${topic}"${hint}`, { details: { silent } });
}
