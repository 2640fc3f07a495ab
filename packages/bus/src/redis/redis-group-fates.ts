// What groups know of one event, on Redis: a script for each group, none of which writes.
import type { GapReason } from '@hypercode/contracts';
import type { RedisClient, RedisConnection } from '@hypercode/stores';
import {
  type CursorPass,
  type GroupFacts,
  type GroupFates,
  type HeldEvent,
  type HeldEventName,
  type HeldEvents,
  type HeldState,
  MAX_HELD_EVENTS,
  MAX_HELD_SCANNED,
  type SettledRecord,
} from '../store/group-fates.ts';
import type { StoredAttempt } from '../store/group-store.ts';
import { isOfSource, textPrefixOf } from '../store/held-event-name.ts';
import type { LogPosition } from '../store/position.ts';
import { groupKeys, groupNamesKey, memberOf, positionOfMember, textsKey } from './redis-keys.ts';
import { loadScript, runScript, runScripts } from './redis-script.ts';

/** Texts that one call looks at: a script stops the server. */
const SCANNED_AT_ONCE = 200;

const SETTLED = { a: 'acked', x: 'discarded', d: 'dropped' } as const;
const STATES = { f: 'in_flight', w: 'waiting', d: 'dead' } as const;

/** What the script of a fate returns. */
type RawFacts = [
  topics: string,
  began: string,
  missing: '' | GapReason,
  held: [
    state: '' | keyof typeof STATES,
    attempt: number,
    consumer: string,
    deliveredAt: number,
    dueAt: number,
    history: string,
  ],
  record: [
    how: '' | keyof typeof SETTLED,
    life: number,
    attempt: number,
    deliveredAt: number,
    settledAt: number,
    by: string,
  ],
  pass: [how: '' | CursorPass['how'], topics: string, life: number],
];

export class RedisGroupFates implements GroupFates {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #readFate = loadScript('read-fate');
  readonly #scanHeld = loadScript('scan-held');

  constructor(connection: RedisConnection, prefix: string) {
    this.#connection = connection;
    this.#prefix = prefix;
  }

  fates(namespace: string, { epoch, seq, nonce }: LogPosition): Promise<GroupFacts[]> {
    return this.#connection.ask(async (client) => {
      const names = await client.smembers(groupNamesKey(namespace, this.#prefix));
      const calls = names.map((group) => ({
        keys: groupKeys(namespace, group, this.#prefix),
        args: [epoch, seq, nonce],
      }));
      const answers = (await runScripts(client, this.#readFate, calls)) as (RawFacts | null)[];
      return answers.flatMap((raw, index) => (raw === null ? [] : [toFacts(names[index] ?? '', raw)]));
    });
  }

  async holding(namespace: string, name: HeldEventName): Promise<HeldEvents> {
    const names = await this.#connection.ask((client) => client.smembers(groupNamesKey(namespace, this.#prefix)));
    return 'id' in name ? this.#scan(namespace, names, name) : this.#find(namespace, names, name);
  }

  async #find(namespace: string, groups: readonly string[], position: LogPosition): Promise<HeldEvents> {
    const texts = await this.#connection.ask((client) =>
      Promise.all(groups.map((group) => client.hget(textsKey(namespace, group, this.#prefix), memberOf(position)))),
    );
    const text = texts.find((found) => found !== null) ?? null;
    return { events: text === null ? [] : [{ position, text }], complete: true };
  }

  async #scan(
    namespace: string,
    groups: readonly string[],
    { id, source }: { id: string; source?: string | undefined },
  ): Promise<HeldEvents> {
    const found = new Map<string, HeldEvent>();
    let left = MAX_HELD_SCANNED;
    for (const group of groups) {
      for (let cursor = '0'; left > 0 && found.size < MAX_HELD_EVENTS;) {
        const page = await this.#connection.ask((client) => this.#scanPage(client, { namespace, group, cursor, id }));
        left -= page.scanned;
        for (const event of page.events) {
          if (isOfSource(event, source)) found.set(memberOf(event.position), event);
        }
        cursor = page.cursor;
        if (cursor === '0') break;
      }
    }
    return { events: [...found.values()].slice(0, MAX_HELD_EVENTS), complete: left > 0 };
  }

  async #scanPage(
    client: RedisClient,
    { namespace, group, cursor, id }: { namespace: string; group: string; cursor: string; id: string },
  ): Promise<{ cursor: string; scanned: number; events: HeldEvent[] }> {
    const args = [cursor, textPrefixOf(id), SCANNED_AT_ONCE];
    const keys = groupKeys(namespace, group, this.#prefix);
    const [next, scanned, ...rest] = (await runScript(client, this.#scanHeld, { keys, args })) as [
      string,
      number,
      ...string[],
    ];
    const events: HeldEvent[] = [];
    for (let at = 0; at < rest.length; at += 2) {
      events.push({ position: positionOfMember(rest[at] ?? ''), text: rest[at + 1] ?? '' });
    }
    return { cursor: next, scanned, events };
  }
}

function toFacts(group: string, [topics, began, missing, held, record, pass]: RawFacts): GroupFacts {
  return {
    group,
    began: toBeginning(began),
    topics: JSON.parse(topics) as string[],
    held: toHeld(held),
    record: toRecord(record),
    pass: toPass(pass),
    missing: missing === '' ? null : missing,
  };
}

function toBeginning(text: string): LogPosition | null {
  if (text === '') return null;
  const [epoch = '', seq, nonce] = text.split(' ');
  return { epoch, seq: Number(seq), nonce: Number(nonce) };
}

function toHeld([state, attempt, consumer, deliveredAt, dueAt, history]: RawFacts[3]): HeldState | null {
  if (state === '') return null;
  const isAnew = attempt === 0;
  return {
    state: STATES[state],
    attempt,
    consumer: isAnew ? null : consumer,
    deliveredAt: isAnew ? null : deliveredAt,
    dueAt: dueAt === -1 ? null : dueAt,
    history: JSON.parse(`[${history}]`) as StoredAttempt[],
  };
}

function toRecord([how, life, attempt, deliveredAt, settledAt, by]: RawFacts[4]): SettledRecord | null {
  if (how === '') return null;
  return {
    how: SETTLED[how],
    life,
    attempt,
    deliveredAt: deliveredAt === 0 ? null : deliveredAt,
    settledAt,
    by: by === '' ? null : by,
  };
}

const toPass = ([how, topics, life]: RawFacts[5]): CursorPass | null =>
  how === '' ? null : { how, topics: topics === '' ? null : (JSON.parse(topics) as string[]), life };
