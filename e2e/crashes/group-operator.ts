// An operator who pauses, seeks and changes a consumer group, and redrives and discards its dead letters, without pause.
import type { SwarmClient } from '@hypercode/client';
import fc from 'fast-check';
import { setTimeout as delay } from 'node:timers/promises';
import { deliveryNamed, type GroupHistory, outcomeOf } from './group-history.ts';

/** Between two acts. */
const PACE_MS = 40;
/** Between a call without an answer and the next. */
const RETRY_MS = 250;
const ACTS = 997;
/** Events of which the operator picks one to seek to, the newest. */
const RECENT = 40;

const act = fc.record({
  what: fc.constantFrom('pause', 'seek', 'seek', 'topics', 'topics', 'deliveries', 'redrive', 'redrive all', 'discard'),
  to: fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom('earliest' as const, 'latest' as const) },
    { weight: 4, arbitrary: fc.nat({ max: RECENT - 1 }) },
    { weight: 1, arbitrary: fc.constant('time' as const) },
  ),
  dropOpen: fc.boolean(),
  number: fc.nat({ max: 1000 }),
});
type Act = ReturnType<typeof act.generate>['value'];

export interface GroupOperatorOptions {
  /** Clients of all replicas, taken in turn. */
  readonly clients: readonly SwarmClient[];
  readonly history: GroupHistory;
  /** What the group is given in turn; the first is that with which it was made. */
  readonly topics: readonly (readonly string[])[];
  readonly seed: number;
}

export class GroupOperator {
  readonly #options: GroupOperatorOptions;
  readonly #acts: readonly Act[];
  readonly #running: Promise<void>;
  #isStopped = false;
  #calls = 0;
  /** What the group reads since an answer. */
  #reading: { readonly from: number; readonly topics: readonly string[] } | null = null;
  /** Acts that were answered, by name. */
  readonly done = new Map<string, number>();

  constructor(options: GroupOperatorOptions) {
    this.#options = options;
    options.history.topics.push(options.topics[0] ?? []);
    this.#acts = fc.sample(act, { seed: options.seed, numRuns: ACTS });
    this.#running = this.#run().catch((error: unknown) => void options.history.failures.push(error));
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
    this.#endReading();
  }

  /** Goes on until there is an answer. */
  async insist<T>(call: (client: SwarmClient) => Promise<T>): Promise<T> {
    for (;;) {
      const answer = await this.#call(call);
      if (answer !== null) return answer;
      await delay(RETRY_MS);
    }
  }

  async #run(): Promise<void> {
    for (let next = 0; !this.#isStopped; next += 1) {
      const chosen = this.#acts[next % ACTS];
      if (chosen === undefined) return;
      const isDone = await this.#act(chosen);
      if (isDone) this.done.set(chosen.what, (this.done.get(chosen.what) ?? 0) + 1);
      await delay(isDone ? PACE_MS : RETRY_MS);
    }
  }

  #call<T>(call: (client: SwarmClient) => Promise<T>): Promise<T | null> {
    const { clients, history } = this.#options;
    const client = clients[this.#calls++ % clients.length];
    if (client === undefined) throw new Error('an operator needs a client');
    return history.answered(() => call(client));
  }

  #endReading(): void {
    if (this.#reading !== null) this.#options.history.readings.push({ ...this.#reading, to: Date.now() });
    this.#reading = null;
  }

  /** Whether there was an answer. */
  async #act({ what, to, dropOpen, number }: Act): Promise<boolean> {
    const { history, topics } = this.#options;
    const { group } = history;
    switch (what) {
      case 'pause':
        return this.#pause();
      case 'seek': {
        const target = this.#targetOf(to);
        const sought = await this.#call((client) => client.groups.seek({ group, to: target, dropOpen }));
        history.seeks.push({ dropOpen, sought });
        return sought !== null;
      }
      case 'topics': {
        const given = [...(topics[number % topics.length] ?? [])];
        history.topics.push(given);
        this.#endReading();
        const answer = await this.#call((client) => client.groups.update({ group, set: { topics: given } }));
        if (answer !== null) this.#reading = { from: Date.now(), topics: given };
        return answer !== null;
      }
      case 'deliveries': {
        const set = { maxDeliveries: 2 + (number % 3) };
        return (await this.#call((client) => client.groups.update({ group, set }))) !== null;
      }
      case 'redrive all':
        return (await this.#call((client) => client.bus.redrive({ group, all: true }))) !== null;
      case 'redrive':
      case 'discard':
        return this.#resolveOne(what, number);
    }
  }

  /** Paused for as long as two paces. */
  async #pause(): Promise<boolean> {
    const { history } = this.#options;
    const { group } = history;
    const paused = await this.#call((client) => client.groups.pause({ group }));
    const from = Date.now();
    await delay(2 * PACE_MS);
    const to = Date.now();
    await this.insist((client) => client.groups.resume({ group }));
    if (paused !== null) history.pauses.push({ from, to });
    return paused !== null;
  }

  async #resolveOne(what: 'redrive' | 'discard', number: number): Promise<boolean> {
    const { history } = this.#options;
    const { group } = history;
    const found = await this.#call((client) => client.bus.deadLetters({ group, limit: 10 }));
    const letters = found?.deadLetters ?? [];
    const { deliveryId } = letters[number % letters.length] ?? {};
    if (deliveryId === undefined) return false;
    const these = { group, deliveryIds: [deliveryId] };
    if (what === 'redrive') return (await this.#call((client) => client.bus.redrive(these))) !== null;
    const answer = await this.#call((client) => client.bus.discard(these));
    const name = deliveryNamed(deliveryId);
    const outcome = outcomeOf(1, answer?.count);
    history.of(name.position).discards.push({ ...name, outcome, answeredAt: Date.now() });
    return answer !== null;
  }

  #targetOf(to: Act['to']): 'earliest' | 'latest' | { after: string } | { time: string } {
    if (to === 'time') return { time: new Date(Date.now() - 500).toISOString() };
    if (typeof to === 'string') return to;
    const recent = [...this.#options.history.events.keys()].slice(-RECENT);
    const after = recent[to % recent.length];
    return after === undefined ? 'latest' : { after };
  }
}
