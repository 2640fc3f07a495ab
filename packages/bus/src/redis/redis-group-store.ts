// Consumer groups on Redis: one script for each call. Redis' own groups lose what is in flight when a stream is trimmed.
import { SwarmError } from '@hypercode/contracts';
import { assertSameSettings, type GroupSettings } from '../store/group-settings.ts';
import type {
  ClaimOutcome,
  ClaimRequest,
  DeadLetterPage,
  DeliveryRef,
  GroupDelivery,
  GroupPage,
  GroupStore,
  StoredAttempt,
  StoredDeadLetter,
  StoredGroup,
} from '../store/group-store.ts';
import type { LogPosition } from '../store/position.ts';
import type { RedisConnection } from '@hypercode/stores';
import { newEpoch } from './redis-event-log.ts';
import { groupKeys, groupNamesKey, memberOf, positionOfMember } from './redis-keys.ts';
import { loadScript, type RedisScript, runScript } from './redis-script.ts';

/** Most bytes of events in one answer that has more than one: the server does nothing else meanwhile, and an answer has its time. */
const CLAIM_BYTES = 4 * 1024 * 1024;
/** About the size of a page of dead letters. */
const LETTER_BYTES = 4 * 1024 * 1024;
/** Dead letters that one call of the script settles. */
const SETTLED_AT_ONCE = 1000;

const EVERY_GROUP: GroupPage = { after: null, limit: Infinity };

type Values = (string | number)[];

export interface RedisGroupStoreOptions {
  connection: RedisConnection;
  /** Begins every key. */
  prefix: string;
  /** Called with the namespace of a group that is made or worked on. */
  touch: (namespace: string) => void;
}

export class RedisGroupStore implements GroupStore {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #touch: (namespace: string) => void;
  readonly #openGroup = loadScript('open-group');
  readonly #claimDeliveries = loadScript('claim-deliveries');
  readonly #ackDeliveries = loadScript('ack-deliveries');
  readonly #nackDeliveries = loadScript('nack-deliveries');
  readonly #readDeadLetters = loadScript('read-dead-letters');
  readonly #settleDeadLetters = loadScript('settle-dead-letters');
  readonly #describeGroup = loadScript('describe-group');

  constructor({ connection, prefix, touch }: RedisGroupStoreOptions) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#touch = touch;
  }

  async open(
    namespace: string,
    group: string,
    settings: GroupSettings,
    from: 'latest' | 'earliest',
  ): Promise<{ cursor: LogPosition; created: boolean }> {
    const { topics, ackDeadlineMs, maxDeliveries } = settings;
    this.#touch(namespace);
    const args = [newEpoch(), group, JSON.stringify(topics), ackDeadlineMs, maxDeliveries, from];
    const [created, ...answer] = (await this.#run(this.#openGroup, { namespace, group }, args)) as Values;
    assertSameSettings(group, toSettings(answer), settings);
    return { cursor: toPosition(answer.slice(3)), created: created === 1 };
  }

  async find(namespace: string, group: string): Promise<GroupSettings | null> {
    const answer = (await this.#run(this.#describeGroup, { namespace, group }, [newEpoch()])) as Values | null;
    return answer === null ? null : toSettings(answer);
  }

  async claim(namespace: string, group: string, request: ClaimRequest): Promise<ClaimOutcome> {
    const { consumer, maxInFlight, max, offer } = request;
    const args: Values = [newEpoch(), consumer, maxInFlight, max, CLAIM_BYTES, offer === null ? 0 : 1];
    if (offer !== null) {
      const { after, entries, upTo, oddPlace = 'due' } = offer;
      args.push(after.epoch, after.seq, after.nonce, upTo.epoch, upTo.seq, upTo.nonce, oddPlace);
      for (const { position } of entries) args.push(position.seq, position.nonce);
    }
    const answer = await this.#ask(this.#claimDeliveries, { namespace, group }, args);
    this.#touch(namespace);
    const [, , , room, nextDueMs, gap, lost, taken] = answer;
    const deliveries: GroupDelivery[] = [];
    for (let at = 8; at < answer.length; at += 6) {
      const [, , , life, attempt, text] = answer.slice(at, at + 6);
      const position = toPosition(answer.slice(at));
      deliveries.push({ position, life: Number(life), attempt: Number(attempt), text: String(text) });
    }
    for (const { position, text } of offer?.entries.slice(0, Number(taken)) ?? []) {
      deliveries.push({ position, life: 0, attempt: 1, text });
    }
    return {
      deliveries,
      cursor: toPosition(answer),
      room: Number(room),
      nextDueMs: nextDueMs === -1 ? null : Number(nextDueMs),
      gap: gap === 'retention' || gap === 'log_lost' ? { lost: lost === -1 ? null : Number(lost), reason: gap } : null,
    };
  }

  async ack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number> {
    const members = deliveries.map(({ position }) => memberOf(position));
    return this.#ask(this.#ackDeliveries, { namespace, group }, members);
  }

  async nack(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    { delayMs, reason }: { delayMs: number; reason: string | null },
  ): Promise<number> {
    const refs = deliveries.flatMap(({ position, life, attempt }) => [memberOf(position), life, attempt]);
    return this.#ask(this.#nackDeliveries, { namespace, group }, [delayMs, JSON.stringify(reason), ...refs]);
  }

  async deadLetters(
    namespace: string,
    group: string,
    { after, limit }: { after: number | null; limit: number },
  ): Promise<DeadLetterPage> {
    const args = [after ?? -1, limit, LETTER_BYTES];
    const answer = await this.#ask(this.#readDeadLetters, { namespace, group }, args);
    const letters: StoredDeadLetter[] = [];
    for (let at = 1; at < answer.length; at += 7) letters.push(toDeadLetter(answer.slice(at, at + 7)));
    return { letters, next: answer[0] === 1 ? (letters.at(-1)?.ordinal ?? null) : null };
  }

  async redrive(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number> {
    return this.#settle('redrive', { namespace, group }, positions);
  }

  async discard(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number> {
    return this.#settle('discard', { namespace, group }, positions);
  }

  count(namespace: string): Promise<number> {
    return this.#connection.ask((client) => client.scard(groupNamesKey(namespace, this.#prefix)));
  }

  async list(namespace: string, { after, limit }: GroupPage = EVERY_GROUP): Promise<StoredGroup[]> {
    const found = await this.#connection.ask(async (client) => {
      const names = await client.smembers(groupNamesKey(namespace, this.#prefix));
      const wanted = names.filter((name) => after === null || name > after).toSorted();
      const described = wanted.slice(0, limit).map(async (group) => {
        const call = { keys: groupKeys(namespace, group, this.#prefix), args: [newEpoch()] };
        return { group, answer: (await runScript(client, this.#describeGroup, call)) as Values | null };
      });
      return Promise.all(described);
    });
    return found.flatMap(({ group, answer }) => {
      if (answer === null) return [];
      const [lag, inFlight, waiting, deadLetters] = answer.slice(6).map(Number);
      return [
        {
          group,
          ...toSettings(answer),
          cursor: toPosition(answer.slice(3)),
          lag: lag ?? 0,
          inFlight: inFlight ?? 0,
          waiting: waiting ?? 0,
          deadLetters: deadLetters ?? 0,
        },
      ];
    });
  }

  /** All are settled in pieces, up to the newest of when it began. */
  async #settle(
    how: 'redrive' | 'discard',
    place: GroupPlace,
    positions: readonly LogPosition[] | null,
  ): Promise<number> {
    if (positions !== null) {
      const [count] = await this.#ask<number[]>(this.#settleDeadLetters, place, [
        how,
        'these',
        ...positions.map(memberOf),
      ]);
      return count ?? 0;
    }
    let total = 0;
    for (let upTo = -1; ;) {
      const args = [how, 'all', upTo, SETTLED_AT_ONCE];
      const [count = 0, boundary = 0] = await this.#ask<number[]>(this.#settleDeadLetters, place, args);
      total += count;
      if (count < SETTLED_AT_ONCE) return total;
      upTo = boundary;
    }
  }

  /** NOT_FOUND when there is no such group. */
  async #ask<T = Values>(script: RedisScript, place: GroupPlace, args: Values): Promise<T> {
    const answer = await this.#run(script, place, args);
    if (answer === null) throw new SwarmError('NOT_FOUND', `there is no consumer group ${place.group}`);
    return answer as T;
  }

  #run(script: RedisScript, { namespace, group }: GroupPlace, args: Values): Promise<unknown> {
    const keys = groupKeys(namespace, group, this.#prefix);
    return this.#connection.ask((client) => runScript(client, script, { keys, args }));
  }
}

interface GroupPlace {
  readonly namespace: string;
  readonly group: string;
}

function toPosition([epoch, seq, nonce]: Values): LogPosition {
  return { epoch: String(epoch), seq: Number(seq), nonce: Number(nonce) };
}

function toSettings([topics, ackDeadlineMs, maxDeliveries]: Values): GroupSettings {
  return {
    topics: JSON.parse(String(topics)) as string[],
    ackDeadlineMs: Number(ackDeadlineMs),
    maxDeliveries: Number(maxDeliveries),
  };
}

function toDeadLetter([member, ordinal, life, attempt, deadAt, text, history]: Values): StoredDeadLetter {
  return {
    position: positionOfMember(String(member)),
    life: Number(life),
    attempt: Number(attempt),
    text: String(text),
    deadAt: Number(deadAt),
    history: JSON.parse(`[${String(history)}]`) as StoredAttempt[],
    ordinal: Number(ordinal),
  };
}
