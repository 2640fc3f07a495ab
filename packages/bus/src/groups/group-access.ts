// The one way to consumer groups for callers: no call passes that the policy in force does not allow.
import {
  type ClaimInput,
  type ClaimResult,
  type ConsumeInput,
  type CountResult,
  type DeadLetterChoice,
  type DeadLettersInput,
  type DeadLettersResult,
  invalidField,
  type NackInput,
} from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import { refusalOf } from '@hypercode/stores';
import type { BusCaller } from '../admission/caller.ts';
import type { CallerAccess } from '../admission/caller-access.ts';
import type { Policies } from '../policies/policies.ts';
import { groupSettings } from '../store/group-settings.ts';
import type { GroupItem } from './delivery.ts';
import type { Groups } from './groups.ts';

export interface GroupAccessOptions {
  groups: Groups;
  access: CallerAccess;
  policies: Pick<Policies, 'onChange'>;
}

interface Topics {
  readonly namespace: string;
  readonly topics: readonly string[];
}

/**
 * A group shares its events, so a member needs the right to all of its topics: to those that it names when it takes events, and to
 * those of the group as it exists for everything else. A stream or a waiting claim ends when the policy no longer allows it.
 */
export class GroupAccess {
  readonly #groups: Groups;
  readonly #access: CallerAccess;
  readonly #policies: Pick<Policies, 'onChange'>;

  constructor({ groups, access, policies }: GroupAccessOptions) {
    this.#groups = groups;
    this.#access = access;
    this.#policies = policies;
  }

  /** See `Groups.consume`. Ends with ACL_DENIED when the policy no longer allows it. */
  async *consume(
    caller: BusCaller,
    input: ConsumeInput,
    over: AbortController,
  ): AsyncGenerator<StreamBatch<GroupItem>, void, undefined> {
    const { namespace, group, topics, from, consumer, maxInFlight } = input;
    const release = this.#endWhenDenied(caller, { namespace, topics }, over);
    try {
      await this.#access.assertMayConsume(caller, namespace, topics);
      const request = { namespace, group, settings: groupSettings(input), from, consumer, maxInFlight };
      yield* this.#groups.consume(request, over.signal);
    } finally {
      release();
    }
  }

  /** See `Groups.claim`. Ends with ACL_DENIED when the policy no longer allows it, with the signal's reason if that is a refusal. */
  async claim(caller: BusCaller, input: ClaimInput, signal: AbortSignal): Promise<ClaimResult> {
    const { namespace, group, topics, from, max, waitMs, consumer = caller.name } = input;
    const over = new AbortController();
    const end = () => over.abort(signal.reason);
    const release = this.#endWhenDenied(caller, { namespace, topics }, over);
    signal.addEventListener('abort', end);
    if (signal.aborted) end();
    try {
      await this.#access.assertMayConsume(caller, namespace, topics);
      const settings = groupSettings(input);
      return await this.#groups.claim({ namespace, group, settings, from, consumer, max, waitMs }, over.signal);
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

  /** Dead letters hold events, so a caller needs the right to receive these. An operator that only reads may see them. */
  async deadLetters(caller: BusCaller, input: DeadLettersInput): Promise<DeadLettersResult> {
    const { namespace, group, limit, cursor } = input;
    const { topics } = await this.#groups.settingsOf(namespace, group);
    await this.#access.assertMayReceiveAll(caller, namespace, topics);
    const after = cursor === undefined ? null : ordinalIn(cursor);
    const { deadLetters, next } = await this.#groups.deadLetters(namespace, group, { after, limit });
    return { deadLetters, nextCursor: next === null ? null : String(next) };
  }

  async redrive(caller: BusCaller, { namespace, group, deliveryIds }: DeadLetterChoice): Promise<CountResult> {
    await this.#assertMember(caller, namespace, group);
    return { count: await this.#groups.redrive(namespace, group, deliveryIds ?? null) };
  }

  async discard(caller: BusCaller, { namespace, group, deliveryIds }: DeadLetterChoice): Promise<CountResult> {
    await this.#assertMember(caller, namespace, group);
    return { count: await this.#groups.discard(namespace, group, deliveryIds ?? null) };
  }

  /** NOT_FOUND when there is no such group. */
  async #assertMember(caller: BusCaller, namespace: string, group: string): Promise<void> {
    const { topics } = await this.#groups.settingsOf(namespace, group);
    await this.#access.assertMayConsume(caller, namespace, topics);
  }

  /** Aborts `over` with the refusal once the policy no longer allows it. Returns what ends that. */
  #endWhenDenied(caller: BusCaller, { namespace, topics }: Topics, over: AbortController): () => void {
    return this.#policies.onChange(namespace, () => {
      const checked = this.#access.assertMayConsume(caller, namespace, topics);
      checked.catch((error: unknown) => over.abort(refusalOf(error)));
    });
  }
}

function ordinalIn(cursor: string): number {
  if (/^\d{1,15}$/.test(cursor)) return Number(cursor);
  throw invalidField('cursor', 'was not returned by this query');
}
