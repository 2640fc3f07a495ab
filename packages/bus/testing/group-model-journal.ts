// What became of every event, as the model of a group has it: event by event, while a store keeps records and stretches of the log.
import { type GroupFate, matches } from '@hypercode/contracts';
import { formatPosition, type LogPosition } from '../src/store/position.ts';

/** How an event left the group. */
interface Settled {
  readonly how: 'acked' | 'discarded' | 'dropped';
  readonly attempt: number;
  readonly consumer: string | null;
  readonly by: string | null;
}

/** What the model knows of an event that the group holds. */
export interface HeldEvent {
  readonly state: 'in flight' | 'due' | 'delayed' | 'dead' | 'gone';
  readonly attempt: number;
  readonly consumer: string;
}

type Pass = 'before' | 'seek' | { readonly topics: readonly string[] };

const STATES = { 'in flight': 'in_flight', due: 'waiting', delayed: 'waiting', dead: 'dead' } as const;

const lastOf = ({ attempt, consumer }: HeldEvent): string | null => (attempt > 0 ? consumer : null);

export class ModelJournal {
  readonly #topic: string;
  #since: LogPosition;
  #settled = new Map<number, Settled>();
  /** How the cursor last went over each event up to it. */
  #passes = new Map<number, Pass>();

  /** Of a group that begins at `since`; `topic` is that of all events. */
  constructor(since: LogPosition, topic: string) {
    this.#since = since;
    this.#topic = topic;
    this.#pass(0, since.seq, 'before');
  }

  /** A group was made under the same name. */
  beginAnew(since: LogPosition): void {
    this.#since = since;
    this.#settled = new Map();
    this.#passes = new Map();
    this.#pass(0, since.seq, 'before');
  }

  read(after: number, upTo: number, topics: readonly string[]): void {
    this.#pass(after, upTo, { topics });
  }

  sought(from: number, to: number): void {
    this.#pass(from, to, 'seek');
    for (const seq of [...this.#passes.keys()].filter((passed) => passed > to)) this.#passes.delete(seq);
    for (const [seq, { how }] of this.#settled) {
      if (seq > to && how === 'dropped') this.#settled.delete(seq);
    }
  }

  acked(seq: number, event: HeldEvent): void {
    const { attempt } = event;
    this.#settled.set(seq, { how: 'acked', attempt, consumer: lastOf(event), by: lastOf(event) });
  }

  discarded(seq: number, { attempt }: HeldEvent, by: string): void {
    this.#settled.set(seq, { how: 'discarded', attempt, consumer: null, by });
  }

  dropped(seq: number, event: HeldEvent): void {
    const before = this.#settled.get(seq)?.how ?? 'dropped';
    if (before !== 'dropped') return;
    this.#settled.set(seq, { how: 'dropped', attempt: event.attempt, consumer: lastOf(event), by: null });
  }

  /** `held`: the event as the group took it, if it ever did. `topics`: those in force. */
  fateOf(seq: number, held: HeldEvent | undefined, topics: readonly string[]): Partial<GroupFate> {
    return {
      since: formatPosition(this.#since),
      attempt: null,
      consumer: null,
      settledBy: null,
      ...this.#of(seq, held, topics),
    };
  }

  #of(seq: number, held: HeldEvent | undefined, topics: readonly string[]): Partial<GroupFate> {
    if (held !== undefined && held.state !== 'gone') {
      return { state: STATES[held.state], attempt: held.attempt, consumer: lastOf(held) };
    }
    const settled = this.#settled.get(seq);
    if (settled !== undefined) {
      const { how, attempt, consumer, by } = settled;
      if (how === 'dropped') return { state: 'skipped', reason: 'seek', attempt, consumer };
      return { state: how, attempt, consumer, settledBy: by };
    }
    const pass = this.#passes.get(seq);
    if (pass === 'before') return { state: 'before_group' };
    if (pass === 'seek') return { state: 'skipped', reason: 'seek' };
    const isRead = (pass?.topics ?? topics).some((pattern) => matches(pattern, this.#topic));
    if (!isRead) return { state: 'not_matching' };
    return { state: pass === undefined ? 'unread' : 'unknown' };
  }

  #pass(after: number, upTo: number, pass: Pass): void {
    for (let seq = after + 1; seq <= upTo; seq += 1) this.#passes.set(seq, pass);
  }
}
