// Consumer groups on Redis: one script for each call. Redis' own groups lose what is in flight when a stream is trimmed.
import { randomBytes, randomUUID } from 'node:crypto';
import { groupLimit, groupNotFound, positionElsewhere } from '../store/group-refusals.ts';
import {
  assertSameSettings,
  newSettings,
  topicsNeeded,
  type WantedSettings,
  wantedSettings,
} from '../store/group-settings.ts';
import {
  type ClaimOutcome,
  type ClaimRequest,
  type DeadLetterPage,
  type DeliveryRef,
  type ExtendOutcome,
  type GroupPage,
  type GroupState,
  type GroupStore,
  type OpenPlace,
  type OpenedGroup,
  type OpenOptions,
  type SoughtGroup,
  type SteeredGroup,
  type StoredGroup,
  type StoredMember,
  type StoredOpenDelivery,
} from '../store/group-store.ts';
import { type DeathReport, DEATHS_INTERVAL_MS } from '../store/group-deaths.ts';
import type { GroupFacts, HeldEventName, HeldEvents } from '../store/group-fates.ts';
import type { LogPosition } from '../store/position.ts';
import type { RedisClient, RedisConnection } from '@hypercode/stores';
import { newEpoch } from './redis-event-log.ts';
import {
  type Claimed,
  type Cursor,
  type Described,
  toClaimOutcome,
  toDeadLetterPage,
  toMembers,
  toOpenDeliveries,
  toPosition,
  toStoredGroup,
  type Values,
} from './redis-group-answers.ts';
import { RedisGroupFates } from './redis-group-fates.ts';
import { type RawState, toState, toUsedGroup } from './redis-group-state.ts';
import { deathReportsKey, groupKeys, groupNamesKey, memberOf, ownedGroupsKey, signsKey } from './redis-keys.ts';
import { loadScript, type RedisScript, runScript, runScripts } from './redis-script.ts';

/** Most bytes of events in one answer that has more than one: the server does nothing else meanwhile, and an answer has its time. */
const CLAIM_BYTES = 4 * 1024 * 1024;
/** About the size of a page of dead letters. */
const LETTER_BYTES = 4 * 1024 * 1024;
/** Dead letters that one call of the script settles. */
const SETTLED_AT_ONCE = 1000;
/** Events in flight and waiting that one call of the script releases. */
const DROPPED_AT_ONCE = 1000;

const SECRET_BYTES = 32;
/** Groups of a namespace whose deaths one call reports. */
const REPORTED_AT_ONCE = 100;

const EVERY_GROUP: GroupPage = { after: null, limit: Infinity };

export interface RedisGroupStoreOptions {
  connection: RedisConnection;
  /** Begins every key. */
  prefix: string;
  /** Called with the namespace of a group that is made or worked on. */
  touch: (namespace: string) => void;
  /** Whether what is settled leaves a record. */
  journal: boolean;
  /** Those that have a log. */
  namespaces: () => Promise<Iterable<string>>;
}

export class RedisGroupStore implements GroupStore {
  readonly #connection: RedisConnection;
  readonly #prefix: string;
  readonly #touch: (namespace: string) => void;
  readonly #namespaces: () => Promise<Iterable<string>>;
  readonly #fates: RedisGroupFates;
  /** As the scripts have it. */
  readonly #journal: 0 | 1;
  readonly #listMembers = loadScript('list-members');
  readonly #openGroup = loadScript('open-group');
  readonly #claimDeliveries = loadScript('claim-deliveries');
  readonly #ackDeliveries = loadScript('ack-deliveries');
  readonly #nackDeliveries = loadScript('nack-deliveries');
  readonly #giveBackDeliveries = loadScript('give-back-deliveries');
  readonly #extendDeliveries = loadScript('extend-deliveries');
  readonly #readDeadLetters = loadScript('read-dead-letters');
  readonly #settleDeadLetters = loadScript('settle-dead-letters');
  readonly #describeGroup = loadScript('describe-group');
  readonly #listOpen = loadScript('list-open');
  readonly #steerGroup = loadScript('steer-group');
  readonly #seekGroup = loadScript('seek-group');
  readonly #deleteGroup = loadScript('delete-group');
  readonly #removeIdleGroup = loadScript('remove-idle-group');
  readonly #takeDeaths = loadScript('take-deaths');

  constructor({ connection, prefix, touch, namespaces, journal }: RedisGroupStoreOptions) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#touch = touch;
    this.#namespaces = namespaces;
    this.#journal = journal ? 1 : 0;
    this.#fates = new RedisGroupFates(connection, prefix);
  }

  async open(
    namespace: string,
    group: string,
    wanted: WantedSettings,
    from: 'latest' | 'earliest' | LogPosition,
    { groupId = '', maker, limits }: OpenOptions = {},
  ): Promise<OpenedGroup> {
    const settings = newSettings(wanted);
    const place = { namespace, group };
    this.#touch(namespace);
    const answer = await this.#run(this.#openGroup, place, [
      newEpoch(),
      group,
      settings === null ? '' : JSON.stringify(settings.topics),
      settings?.ackDeadlineMs ?? 0,
      settings?.maxDeliveries ?? 0,
      typeof from === 'string' ? from : 'position',
      randomUUID(),
      groupId,
      maker?.source ?? '',
      maker?.agent ?? '',
      maker?.owns === true ? (maker.agent ?? '') : '',
      limits?.inNamespace ?? 0,
      limits?.ofAgent ?? 0,
      ...(typeof from === 'string' ? ['', 0, 0] : [from.epoch, from.seq, from.nonce]),
      randomBytes(SECRET_BYTES).toString('base64url'),
    ]);
    if (answer === 'deleted') throw groupNotFound(group, { deleted: true });
    if (answer === 'absent') throw topicsNeeded(group);
    if (answer === 'namespace') throw groupLimit(limits?.inNamespace ?? 0, null);
    if (answer === 'agent') throw groupLimit(limits?.ofAgent ?? 0, maker?.agent ?? null);
    const [created, raw, ...cursor] = answer as [number, RawState, ...Cursor];
    const state = toUsedGroup(raw);
    assertSameSettings(group, state, wanted);
    return { state, cursor: toPosition(cursor), created: created === 1 };
  }

  async find(namespace: string, group: string): Promise<GroupState | null> {
    const answer = (await this.#run(this.#describeGroup, { namespace, group }, [newEpoch()])) as [RawState] | null;
    return answer === null ? null : toState(answer[0]);
  }

  pause(
    namespace: string,
    group: string,
    { reason, by }: { reason: string | null; by: string },
  ): Promise<SteeredGroup> {
    return this.#steer({ namespace, group }, ['pause', JSON.stringify(reason), JSON.stringify(by)]);
  }

  resume(namespace: string, group: string): Promise<SteeredGroup> {
    return this.#steer({ namespace, group }, ['resume']);
  }

  update(namespace: string, group: string, set: WantedSettings): Promise<SteeredGroup> {
    const { topics, ackDeadlineMs = '', maxDeliveries = '' } = wantedSettings(set);
    const asText = topics === undefined ? '' : JSON.stringify(topics);
    return this.#steer({ namespace, group }, ['update', asText, ackDeadlineMs, maxDeliveries]);
  }

  async #steer(place: GroupPlace, [how, ...args]: [string, ...Values]): Promise<SteeredGroup> {
    const answer = await this.#ask<[number, RawState]>(this.#steerGroup, place, [how, randomUUID(), ...args]);
    return { changed: answer[0] === 1, state: toUsedGroup(answer[1]) };
  }

  async seek(
    namespace: string,
    group: string,
    to: 'latest' | 'earliest' | LogPosition,
    { dropOpen }: { dropOpen: boolean },
  ): Promise<SoughtGroup> {
    const target: Values = typeof to === 'string' ? [to, '', 0, 0] : ['position', to.epoch, to.seq, to.nonce];
    const args = [newEpoch(), randomUUID(), ...target, dropOpen ? DROPPED_AT_ONCE : 0, this.#journal];
    for (let total = 0; ;) {
      const answer = await this.#ask<'not_there' | [number, number, RawState, ...Cursor, ...Cursor]>(
        this.#seekGroup,
        { namespace, group },
        args,
      );
      if (answer === 'not_there') throw positionElsewhere();
      const [more, dropped, raw, ...cursors] = answer;
      total += dropped;
      if (more === 1) continue;
      const [before, cursor] = [toPosition(cursors), toPosition(cursors.slice(3))];
      return { state: toUsedGroup(raw), before, cursor, dropped: total };
    }
  }

  async delete(namespace: string, group: string): Promise<GroupState> {
    return toState(await this.#ask<RawState>(this.#deleteGroup, { namespace, group }, [group]));
  }

  async claim(namespace: string, group: string, request: ClaimRequest): Promise<ClaimOutcome> {
    const { consumer, isSign = true, patienceMs = 0, maxInFlight, max, offer, groupId = '' } = request;
    const args: Values = [newEpoch(), consumer, maxInFlight, max, CLAIM_BYTES, isSign ? 1 : 0, patienceMs, groupId];
    args.push(offer?.version ?? 0, offer === null ? 0 : 1);
    if (offer !== null) {
      const { after, entries, upTo, oddPlace = 'due' } = offer;
      args.push(after.epoch, after.seq, after.nonce, upTo.epoch, upTo.seq, upTo.nonce, oddPlace);
      for (const { position } of entries) args.push(position.seq, position.nonce);
    }
    const answer = await this.#ask<Claimed | 'deleted'>(this.#claimDeliveries, { namespace, group }, args);
    if (answer === 'deleted') throw groupNotFound(group, { deleted: true });
    this.#touch(namespace);
    return toClaimOutcome(answer, offer);
  }

  async ack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number> {
    const refs = deliveries.flatMap(({ position, life }) => [memberOf(position), life]);
    return this.#ask(this.#ackDeliveries, { namespace, group }, [this.#journal, ...refs]);
  }

  async nack(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    { delayMs, reason }: { delayMs: number; reason: string | null },
  ): Promise<number> {
    const args = [delayMs, JSON.stringify(reason), ...deliveries.flatMap(attemptOf)];
    return this.#ask(this.#nackDeliveries, { namespace, group }, args);
  }

  async giveBack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number> {
    return this.#ask(this.#giveBackDeliveries, { namespace, group }, deliveries.flatMap(attemptOf));
  }

  async extend(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    byMs: number,
  ): Promise<ExtendOutcome> {
    const args = [byMs, ...deliveries.flatMap(attemptOf)];
    const [extended = 0, dueAt = -1] = await this.#ask<number[]>(this.#extendDeliveries, { namespace, group }, args);
    return { extended, dueAt: dueAt === -1 ? null : dueAt };
  }

  async deadLetters(
    namespace: string,
    group: string,
    { after, limit }: { after: number | null; limit: number },
  ): Promise<DeadLetterPage> {
    const args = [after ?? -1, limit, LETTER_BYTES];
    return toDeadLetterPage(await this.#ask(this.#readDeadLetters, { namespace, group }, args));
  }

  async redrive(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number> {
    return this.#settle(['redrive', this.#journal, ''], { namespace, group }, positions);
  }

  async discard(
    namespace: string,
    group: string,
    positions: readonly LogPosition[] | null,
    by: string,
  ): Promise<number> {
    return this.#settle(['discard', this.#journal, by], { namespace, group }, positions);
  }

  async leave(namespace: string, group: string, consumer: string): Promise<void> {
    await this.#connection.ask((client) => client.hdel(signsKey(namespace, group, this.#prefix), consumer));
  }

  async members(namespace: string, group: string): Promise<StoredMember[]> {
    return toMembers(await this.#ask(this.#listMembers, { namespace, group }, []));
  }

  async owned(): Promise<(StoredGroup & { namespace: string })[]> {
    const groups: (StoredGroup & { namespace: string })[] = [];
    for (const namespace of await this.#namespaces()) {
      const key = ownedGroupsKey(namespace, this.#prefix);
      const found = await this.#connection.ask(async (client) =>
        this.#describe(client, namespace, await client.smembers(key)),
      );
      for (const group of found) groups.push({ namespace, ...group });
    }
    return groups;
  }

  async removeIdle(namespace: string, group: string, id: string): Promise<boolean> {
    return (await this.#run(this.#removeIdleGroup, { namespace, group }, [group, id, newEpoch()])) === 1;
  }

  count(namespace: string): Promise<number> {
    return this.#connection.ask((client) => client.scard(groupNamesKey(namespace, this.#prefix)));
  }

  async get(namespace: string, group: string): Promise<StoredGroup | null> {
    const [found] = await this.#connection.ask((client) => this.#describe(client, namespace, [group]));
    return found ?? null;
  }

  async openDeliveries(
    namespace: string,
    group: string,
    { after, limit }: { after: OpenPlace | null; limit: number },
  ): Promise<StoredOpenDelivery[]> {
    const { state, dueAt, seq } = after ?? { state: 'in_flight', dueAt: -1, seq: -1 };
    const args = [state === 'in_flight' ? 'f' : 'w', dueAt, seq, limit];
    return toOpenDeliveries(await this.#ask(this.#listOpen, { namespace, group }, args));
  }

  async takeDeaths(): Promise<DeathReport[]> {
    const reports: DeathReport[] = [];
    for (const namespace of await this.#namespaces()) {
      const key = deathReportsKey(namespace, this.#prefix);
      const names = await this.#connection.ask((client) => client.zrange(key, '0', String(REPORTED_AT_ONCE - 1)));
      for (const group of names) {
        const taken = await this.#run(this.#takeDeaths, { namespace, group }, [DEATHS_INTERVAL_MS]);
        if (typeof taken === 'string') reports.push({ namespace, group, ...(JSON.parse(taken) as Deaths) });
      }
    }
    return reports;
  }

  async list(namespace: string, { after, limit }: GroupPage = EVERY_GROUP): Promise<StoredGroup[]> {
    return this.#connection.ask(async (client) => {
      const names = await client.smembers(groupNamesKey(namespace, this.#prefix));
      const wanted = names.filter((name) => after === null || name > after).toSorted();
      return this.#describe(client, namespace, wanted.slice(0, limit));
    });
  }

  fates(namespace: string, position: LogPosition): Promise<GroupFacts[]> {
    return this.#fates.fates(namespace, position);
  }

  holding(namespace: string, name: HeldEventName): Promise<HeldEvents> {
    return this.#fates.holding(namespace, name);
  }

  async #describe(client: RedisClient, namespace: string, names: readonly string[]): Promise<StoredGroup[]> {
    const calls = names.map((group) => ({ keys: groupKeys(namespace, group, this.#prefix), args: [newEpoch()] }));
    const answers = (await runScripts(client, this.#describeGroup, calls)) as (Described | null)[];
    return answers.flatMap((answer, index) => (answer === null ? [] : [toStoredGroup(names[index] ?? '', answer)]));
  }

  /** All are settled in pieces, up to the newest of when it began. */
  async #settle(
    [how, journal, by]: ['redrive' | 'discard', journal: 0 | 1, by: string],
    place: GroupPlace,
    positions: readonly LogPosition[] | null,
  ): Promise<number> {
    if (positions !== null) {
      const [count] = await this.#ask<number[]>(this.#settleDeadLetters, place, [
        how,
        'these',
        journal,
        by,
        ...positions.map(memberOf),
      ]);
      return count ?? 0;
    }
    let total = 0;
    for (let upTo = -1; ;) {
      const args = [how, 'all', journal, by, upTo, SETTLED_AT_ONCE];
      const [count = 0, boundary = 0] = await this.#ask<number[]>(this.#settleDeadLetters, place, args);
      total += count;
      if (count < SETTLED_AT_ONCE) return total;
      upTo = boundary;
    }
  }

  /** NOT_FOUND when there is no such group. */
  async #ask<T = Values>(script: RedisScript, place: GroupPlace, args: Values): Promise<T> {
    const answer = await this.#run(script, place, args);
    if (answer === null) throw groupNotFound(place.group);
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

/** What the script of a report returns. */
type Deaths = Pick<DeathReport, 'count' | 'dropped' | 'reasons'>;

/** How the scripts name an attempt. */
const attemptOf = ({ position, life, attempt, uncounted }: DeliveryRef): Values => [
  memberOf(position),
  life,
  attempt,
  uncounted,
];
