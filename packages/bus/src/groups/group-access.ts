// The one way to consumer groups for callers: no call passes that the policy in force does not allow.
import {
  type ClaimInput,
  type ClaimResult,
  type ConsumeInput,
  type CountResult,
  type DeadLetterChoice,
  type DeadLettersInput,
  type DeadLettersResult,
  type ExtendInput,
  type ExtendResult,
  type GetGroupInput,
  type GetGroupResult,
  invalidField,
  type NackInput,
  SwarmError,
} from '@hypercode/contracts';
import type { Clock } from '@hypercode/clock';
import { Recheck, type StreamBatch } from '@hypercode/feed';
import { refusalOf } from '@hypercode/stores';
import { type BusCaller, sourceOf } from '../admission/caller.ts';
import type { CallerAccess } from '../admission/caller-access.ts';
import type { Policies } from '../policies/policies.ts';
import type { GroupMaker, OpenPlace } from '../store/group-store.ts';
import type { GroupItem } from './delivery.ts';
import type { GroupRights } from './group-rights.ts';
import type { GroupRequest } from './group-request.ts';
import type { ClaimRoom, Groups } from './groups.ts';

export interface GroupAccessOptions {
  groups: Groups;
  access: CallerAccess;
  rights: GroupRights;
  policies: Pick<Policies, 'onChange'>;
  clock: Pick<Clock, 'schedule'>;
  onError: (error: unknown) => void;
}

/** What a member takes part in. */
interface Membership {
  readonly namespace: string;
  readonly group: string;
  /** Those that the caller names, and those of the group once these are known. */
  topics: readonly string[];
}

/** How often members are asked again whether an agent has come that their group is named after, in milliseconds. */
const CHECK_INTERVAL_MS = 1000;

/**
 * A member needs the right to the group, and, since a group shares its events, to all of its topics: to those that it names when it
 * takes events, and to those of the group as it exists. A stream or a waiting claim ends when the policy no longer allows it, when the
 * topics of the group are changed to some that it does not allow, and when the group becomes that of an agent.
 */
export class GroupAccess {
  readonly #groups: Groups;
  readonly #access: CallerAccess;
  readonly #rights: GroupRights;
  readonly #policies: Pick<Policies, 'onChange'>;
  /** Of the members of groups that may become those of an agent. */
  readonly #checks = new Set<() => Promise<void>>();
  readonly #recheck: Recheck;

  constructor({ groups, access, rights, policies, clock, onError }: GroupAccessOptions) {
    this.#groups = groups;
    this.#access = access;
    this.#rights = rights;
    this.#policies = policies;
    this.#recheck = new Recheck({
      clock,
      intervalMs: CHECK_INTERVAL_MS,
      check: async () => void (await Promise.all([...this.#checks].map((check) => check()))),
      onError,
    });
  }

  /** See `Groups.consume`. Ends with ACL_DENIED when the policy no longer allows it. */
  async *consume(
    caller: BusCaller,
    input: ConsumeInput,
    over: AbortController,
  ): AsyncGenerator<StreamBatch<GroupItem>, void, undefined> {
    const { namespace, group, topics = [], consumer, maxInFlight } = input;
    const membership: Membership = { namespace, group, topics };
    const release = this.#endWhenDenied(caller, membership, over);
    try {
      await this.#assertMayConsume(caller, membership);
      const request = { ...this.#requestOf(caller, membership, input), consumer, maxInFlight };
      yield* this.#groups.consume(request, over.signal);
    } finally {
      release();
    }
  }

  /** See `Groups.claim`. Ends with ACL_DENIED when the policy no longer allows it, with the signal's reason if that is a refusal. */
  async claim(caller: BusCaller, input: ClaimInput, signal: AbortSignal, room?: ClaimRoom): Promise<ClaimResult> {
    const { namespace, group, topics = [], max, maxInFlight, waitMs, consumer = caller.name } = input;
    const membership: Membership = { namespace, group, topics };
    const over = new AbortController();
    const end = () => over.abort(signal.reason);
    const release = this.#endWhenDenied(caller, membership, over);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      await this.#assertMayConsume(caller, membership);
      const request = { ...this.#requestOf(caller, membership, input), consumer, max, maxInFlight, waitMs, room };
      return await this.#groups.claim(request, over.signal);
    } finally {
      signal.removeEventListener('abort', end);
      release();
    }
  }

  async ack(caller: BusCaller, namespace: string, group: string, deliveryIds: readonly string[]): Promise<number> {
    await this.#assertMember(caller, namespace, group);
    return this.#groups.ack(namespace, group, deliveryIds);
  }

  async nack(caller: BusCaller, { namespace, group, deliveryIds, delayMs, reason }: NackInput): Promise<number> {
    await this.#assertMember(caller, namespace, group);
    return this.#groups.nack(namespace, group, { deliveryIds, delayMs, reason });
  }

  async extend(caller: BusCaller, { namespace, group, deliveryIds, byMs }: ExtendInput): Promise<ExtendResult> {
    await this.#assertMember(caller, namespace, group);
    return this.#groups.extend(namespace, group, { deliveryIds, byMs });
  }

  /** Dead letters hold events, so a caller needs the right to receive these, too. An operator that only reads may see them. */
  async deadLetters(caller: BusCaller, input: DeadLettersInput): Promise<DeadLettersResult> {
    const { namespace, group, limit, cursor } = input;
    await this.#rights.assertOwn(caller, namespace, group);
    const { topics } = await this.#groups.settingsOf(namespace, group);
    await this.#access.assertMayReceiveAll(caller, namespace, topics);
    const after = cursor === undefined ? null : ordinalIn(cursor);
    const { deadLetters, next } = await this.#groups.deadLetters(namespace, group, { after, limit });
    return { deadLetters, nextCursor: next === null ? null : String(next) };
  }

  /** The group with its members and what it has under way. */
  async view(caller: BusCaller, { namespace, group, limit, cursor }: GetGroupInput): Promise<GetGroupResult> {
    await this.#rights.assertOwn(caller, namespace, group);
    const after = cursor === undefined ? null : placeIn(cursor);
    const { next, ...view } = await this.#groups.view(namespace, group, { after, limit });
    return { ...view, nextCursor: next === null ? null : `${next.state}-${next.dueAt}-${next.seq}` };
  }

  async redrive(caller: BusCaller, { namespace, group, deliveryIds }: DeadLetterChoice): Promise<CountResult> {
    await this.#assertMember(caller, namespace, group);
    return { count: await this.#groups.redrive(namespace, group, deliveryIds ?? null) };
  }

  async discard(caller: BusCaller, { namespace, group, deliveryIds }: DeadLetterChoice): Promise<CountResult> {
    await this.#assertMember(caller, namespace, group);
    return { count: await this.#groups.discard(namespace, group, deliveryIds ?? null, sourceOf(caller)) };
  }

  async close(): Promise<void> {
    await this.#recheck.close();
  }

  /** The right to the group comes first, so that nobody else learns whether it is there. NOT_FOUND when it is not. */
  async #assertMember(caller: BusCaller, namespace: string, group: string): Promise<void> {
    assertMayTake(caller);
    await this.#rights.assertOwn(caller, namespace, group);
    const { topics } = await this.#groups.settingsOf(namespace, group);
    await this.#access.assertMayReceiveAll(caller, namespace, topics);
  }

  #requestOf(
    caller: BusCaller,
    membership: Membership,
    { namespace, group, groupId, topics, ackDeadlineMs, maxDeliveries, from, ownedBy }: ConsumeInput | ClaimInput,
  ): Omit<GroupRequest, 'consumer'> {
    const settings = { topics, ackDeadlineMs, maxDeliveries };
    const admit = async (those: readonly string[]): Promise<void> => {
      membership.topics = [...new Set([...(topics ?? []), ...those])];
      await this.#access.assertMayReceiveAll(caller, namespace, membership.topics);
    };
    return { namespace, group, groupId, settings, from, maker: makerOf(caller, ownedBy === 'self'), admit };
  }

  async #assertMayConsume(caller: BusCaller, { namespace, group, topics }: Membership): Promise<void> {
    assertMayTake(caller);
    await this.#rights.assertOwn(caller, namespace, group);
    await this.#access.assertMayReceiveAll(caller, namespace, topics);
  }

  /** Aborts `over` with the refusal once the caller may no longer consume. Returns what ends that. */
  #endWhenDenied(caller: BusCaller, membership: Membership, over: AbortController): () => void {
    const { namespace, group } = membership;
    const release = this.#policies.onChange(namespace, () => {
      const checked = this.#assertMayConsume(caller, membership);
      checked.catch((error: unknown) => over.abort(refusalOf(error)));
    });
    // An agent's own group stays its own, and operators may consume every group.
    if (caller.kind === 'operator' || group === caller.name) return release;
    const check = async () => {
      try {
        await this.#rights.assertOwn(caller, namespace, group);
      } catch (error) {
        // What is not known ends nothing.
        if (error instanceof SwarmError && error.code === 'ACL_DENIED') over.abort(error);
        else if (!(error instanceof SwarmError)) throw error;
      }
    };
    this.#checks.add(check);
    return () => {
      this.#checks.delete(check);
      release();
    };
  }
}

/** INVALID_INPUT for an operator that asks to own a group. */
function makerOf(caller: BusCaller, owns: boolean): GroupMaker {
  const agent = caller.kind === 'agent' ? caller.name : null;
  if (owns && agent === null)
    throw invalidField('ownedBy', 'is for agents: a group of an operator would never be removed');
  return { source: sourceOf(caller), agent, owns };
}

/** FORBIDDEN for an operator that only reads. */
function assertMayTake(caller: BusCaller): void {
  if (caller.kind === 'operator' && caller.readOnly) {
    throw new SwarmError('FORBIDDEN', 'a viewer token cannot consume from groups');
  }
}

function placeIn(cursor: string): OpenPlace {
  const [, state, dueAt, seq] = /^(in_flight|waiting)-(\d{1,15})-(\d{1,15})$/.exec(cursor) ?? [];
  if (state === 'in_flight' || state === 'waiting') return { state, dueAt: Number(dueAt), seq: Number(seq) };
  throw invalidField('cursor', 'was not returned by this query');
}

function ordinalIn(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw invalidField('cursor', 'was not returned by this query');
}
