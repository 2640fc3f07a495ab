// A member of a consumer group that works as its verdicts say: it acknowledges, refuses, extends, comes too late or forgets.
import type { SwarmClient } from '@hypercode/client';
import fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { type DeliveryName, deliveryNamed, type GroupHistory, type HandedOut, outcomeOf } from './group-history.ts';

/** What a member does with a delivery. */
const verdict = fc.oneof(
  { weight: 10, arbitrary: fc.constant('acknowledge' as const) },
  { weight: 3, arbitrary: fc.constant('refuse' as const) },
  { weight: 2, arbitrary: fc.constant('extend' as const) },
  { weight: 1, arbitrary: fc.constant('come too late' as const) },
  { weight: 1, arbitrary: fc.constant('forget' as const) },
);
/** Verdicts are taken in turn. */
const VERDICTS = 997;
/** Between a call without an answer and the next. */
const RETRY_MS = 200;
const MAX_EXTENSION_MS = 2000;
const MAX_DELAY_MS = 400;

export interface GroupMemberOptions {
  readonly client: SwarmClient;
  readonly history: GroupHistory;
  readonly consumer: string;
  /** Deliveries come by a stream, or are claimed. */
  readonly by: 'stream' | 'claim';
  readonly settings: { readonly topics: string[]; readonly ackDeadlineMs: number; readonly maxDeliveries: number };
  /** It acknowledges everything. */
  readonly isDiligent: boolean;
  readonly seed: number;
}

export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #verdicts: readonly ReturnType<typeof verdict.generate>['value'][];
  readonly #stopping = new AbortController();
  readonly #working = new Set<Promise<void>>();
  readonly #running: Promise<void>;
  #taken = 0;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
    this.#verdicts = fc.sample(verdict, { seed: options.seed, numRuns: VERDICTS });
    this.#running = (options.by === 'stream' ? this.#follow() : this.#claim()).catch((error: unknown) => {
      options.history.failures.push(error);
    });
  }

  /** Resolves when all of its calls have ended. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#running;
    await Promise.all(this.#working);
  }

  async #follow(): Promise<void> {
    const { client, history, consumer, settings } = this.#options;
    const { group } = history;
    const options = { group, consumer, ...settings, from: 'earliest' as const, maxInFlight: 32 };
    for await (const value of client.deliveries({ ...options, signal: this.#stopping.signal })) {
      if (value.type === 'gap') history.failures.push(value);
      if (value.type === 'delivery') this.#take([value]);
    }
  }

  async #claim(): Promise<void> {
    const { client, history, consumer, settings } = this.#options;
    const input = {
      group: history.group,
      consumer,
      ...settings,
      from: 'earliest' as const,
      maxInFlight: 32,
      max: 4,
      waitMs: 200,
    };
    while (!this.#stopping.signal.aborted) {
      const claimed = await history.answered(() => client.bus.claim(input));
      if (claimed?.gap !== undefined) history.failures.push(claimed.gap);
      this.#take(claimed?.deliveries ?? []);
      if (claimed === null || claimed.deliveries.length === 0) await delay(RETRY_MS);
    }
  }

  #take(deliveries: readonly { deliveryId: string; dueAt: string; event: { topic: string } }[]): void {
    const { history, consumer, isDiligent, settings } = this.#options;
    const done: HandedOut[] = [];
    for (const { deliveryId, dueAt: due, event } of deliveries) {
      const dueAt = Date.parse(due);
      const handedOutAt = dueAt - settings.ackDeadlineMs;
      const handed = { ...deliveryNamed(deliveryId), deliveryId, consumer, topic: event.topic, handedOutAt, dueAt };
      history.of(handed.position).handedOut.push(handed);
      const next = isDiligent ? 'acknowledge' : this.#verdicts[this.#taken++ % VERDICTS];
      if (next === 'acknowledge') done.push(handed);
      else if (next === 'refuse') this.#work(this.#refuse(handed));
      else if (next === 'extend') this.#work(this.#extend(handed));
      else if (next === 'come too late') this.#work(this.#comeTooLate(handed));
    }
    if (done.length > 0) this.#work(this.#acknowledge(done));
  }

  #work(working: Promise<void>): void {
    const work = working.finally(() => this.#working.delete(work));
    this.#working.add(work);
  }

  /** Again and again until there is an answer, as the client's own consumers do. */
  async #acknowledge(handed: readonly HandedOut[]): Promise<void> {
    const { client, history, consumer } = this.#options;
    const deliveryIds = handed.map(({ deliveryId }) => deliveryId);
    for (;;) {
      const answer = await history.answered(() => client.bus.ack({ group: history.group, deliveryIds }));
      const outcome = outcomeOf(handed.length, answer?.settled);
      const answeredAt = Date.now();
      for (const one of handed) {
        const inTime = answeredAt < one.dueAt;
        history.noteAck({ ...nameOf(one), consumer, outcome, answeredAt, inTime });
      }
      if (answer !== null || this.#stopping.signal.aborted) return;
      await delay(RETRY_MS);
    }
  }

  async #refuse(handed: HandedOut): Promise<void> {
    const { deliveryId, position, attempt } = handed;
    const { client, history } = this.#options;
    const reason = history.newReason();
    const delayMs = attempt % 2 === 0 ? MAX_DELAY_MS : 0;
    const nack = { group: history.group, deliveryIds: [deliveryId], delayMs, reason };
    const answer = await history.answered(() => client.bus.nack(nack));
    const outcome = outcomeOf(1, answer?.settled);
    history.of(position).nacks.push({ ...nameOf(handed), reason, outcome, answeredAt: Date.now() });
  }

  async #extend(handed: HandedOut): Promise<void> {
    const { client, history } = this.#options;
    const extension = { group: history.group, deliveryIds: [handed.deliveryId], byMs: MAX_EXTENSION_MS };
    const answer = await history.answered(() => client.bus.extend(extension));
    if (answer !== null && answer.dueAt !== null) handed.dueAt = Date.parse(answer.dueAt);
    await this.#acknowledge([handed]);
  }

  async #comeTooLate(handed: HandedOut): Promise<void> {
    const { signal } = this.#stopping;
    await delay(Math.max(0, handed.dueAt - Date.now()) + RETRY_MS, undefined, { signal }).catch(() => undefined);
    await this.#acknowledge([handed]);
  }
}

const nameOf = ({ position, life, attempt, uncounted }: HandedOut): DeliveryName => ({
  position,
  life,
  attempt,
  uncounted,
});
