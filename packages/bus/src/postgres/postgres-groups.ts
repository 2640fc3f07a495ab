// Consumer groups in PostgreSQL: a row for the group, which orders its operations, and a row for each event that it has taken.
import { groupLimit, groupNotFound, positionElsewhere } from '../store/group-refusals.ts';
import {
  assertSameSettings,
  newSettings,
  topicsNeeded,
  type WantedSettings,
  wantedSettings,
} from '../store/group-settings.ts';
import type {
  ClaimOutcome,
  ClaimRequest,
  DeadLetterPage,
  DeliveryRef,
  ExtendOutcome,
  GroupPage,
  GroupState,
  GroupStore,
  OpenedGroup,
  OpenOptions,
  OpenPlace,
  SoughtGroup,
  SteeredGroup,
  StoredGroup,
  StoredMember,
  StoredOpenDelivery,
} from '../store/group-store.ts';
import type { GroupFacts, HeldEventName, HeldEvents } from '../store/group-fates.ts';
import type { LogPosition } from '../store/position.ts';
import type { BoundedDatabase } from './bounded-database.ts';
import { ackDeliveries } from './queries/ack-deliveries.ts';
import { claimEvents } from './queries/claim-events.ts';
import { countDeaths } from './queries/count-deaths.ts';
import { countGroups } from './queries/count-groups.ts';
import { deleteGroup } from './queries/delete-group.ts';
import { extendDeliveries } from './queries/extend-deliveries.ts';
import { findFates } from './queries/find-fates.ts';
import { findGroup } from './queries/find-group.ts';
import { findHeld } from './queries/find-held.ts';
import { giveBackDeliveries } from './queries/give-back-deliveries.ts';
import { leaveGroup } from './queries/leave-group.ts';
import { listDeadLetters } from './queries/list-dead-letters.ts';
import { type GroupRow, listGroups } from './queries/list-groups.ts';
import { listMembers } from './queries/list-members.ts';
import { listOpenDeliveries } from './queries/list-open-deliveries.ts';
import { nackDeliveries } from './queries/nack-deliveries.ts';
import { openGroup } from './queries/open-group.ts';
import { removeIdleGroup } from './queries/remove-idle-group.ts';
import { resolveDeadLetters } from './queries/resolve-dead-letters.ts';
import { seekGroup } from './queries/seek-group.ts';
import { steerGroup, type Steering } from './queries/steer-group.ts';

export class PostgresGroups implements GroupStore {
  readonly #db: BoundedDatabase;

  constructor(db: BoundedDatabase) {
    this.#db = db;
  }

  async open(
    namespace: string,
    group: string,
    wanted: WantedSettings,
    from: 'latest' | 'earliest' | LogPosition,
    options: OpenOptions = {},
  ): Promise<OpenedGroup> {
    const opening = { group, settings: newSettings(wanted), from, ...options };
    const opened = await this.#db.ask((db) => openGroup(db, namespace, opening));
    // It was deleted between the statements of the call.
    if (opened === undefined) throw groupNotFound(group);
    const { refused, state, cursor_epoch: epoch, cursor_seq: seq, cursor_nonce: nonce, created } = opened;
    const { maker, limits } = options;
    if (refused === 'deleted') throw groupNotFound(group, { deleted: true });
    if (refused === 'absent') throw topicsNeeded(group);
    if (refused === 'namespace') throw groupLimit(limits?.inNamespace ?? 0, null);
    if (refused === 'agent') throw groupLimit(limits?.ofAgent ?? 0, maker?.agent ?? null);
    assertSameSettings(group, state, wanted);
    return { state, cursor: { epoch, seq, nonce }, created };
  }

  async find(namespace: string, group: string): Promise<GroupState | null> {
    return (await this.#db.ask((db) => findGroup(db, namespace, group))) ?? null;
  }

  pause(namespace: string, group: string, pause: { reason: string | null; by: string }): Promise<SteeredGroup> {
    return this.#steer(namespace, { group, how: 'pause', with: pause });
  }

  resume(namespace: string, group: string): Promise<SteeredGroup> {
    return this.#steer(namespace, { group, how: 'resume', with: {} });
  }

  update(namespace: string, group: string, set: WantedSettings): Promise<SteeredGroup> {
    return this.#steer(namespace, { group, how: 'update', with: wantedSettings(set) });
  }

  async #steer(namespace: string, steering: Steering): Promise<SteeredGroup> {
    const steered = await this.#db.ask((db) => steerGroup(db, namespace, steering));
    if (steered === undefined) throw groupNotFound(steering.group);
    return steered;
  }

  async seek(
    namespace: string,
    group: string,
    to: 'latest' | 'earliest' | LogPosition,
    { dropOpen }: { dropOpen: boolean },
  ): Promise<SoughtGroup> {
    for (let total = 0; ;) {
      const sought = await this.#db.ask((db) => seekGroup(db, namespace, { group, to, dropOpen }));
      if (sought === undefined) throw groupNotFound(group);
      if (sought.not_there) throw positionElsewhere();
      const { more, dropped, state, was: before, is: cursor } = sought;
      total += dropped;
      if (!more) return { state, before, cursor, dropped: total };
    }
  }

  async delete(namespace: string, group: string): Promise<GroupState> {
    for (;;) {
      const step = await this.#db.ask((db) => deleteGroup(db, namespace, group));
      if (step === undefined) throw groupNotFound(group);
      if (!step.more) return step.state;
    }
  }

  async owned(): Promise<(StoredGroup & { namespace: string })[]> {
    return (await this.#db.ask((db) => listGroups(db, null))).map(toStored);
  }

  removeIdle(namespace: string, group: string, id: string): Promise<boolean> {
    return this.#db.ask((db) => removeIdleGroup(db, namespace, { group, id }));
  }

  async claim(namespace: string, group: string, request: ClaimRequest): Promise<ClaimOutcome> {
    const claimed = await this.#db.ask((db) => claimEvents(db, namespace, { group, request }));
    if (claimed === undefined) throw groupNotFound(group);
    if (claimed.deleted) throw groupNotFound(group, { deleted: true });
    const { cursor_epoch, cursor_seq, cursor_nonce, room, next_due_ms, gap, lost, paused, changed } = claimed;
    const { passed, passed_over: passedOver, replay_up_to: replayUpTo, replay_life: replayLife } = claimed;
    const due = claimed.due ?? [];
    const dueAt = claimed.due_at_ms ?? 0;
    const isPassedOver = new Set(passedOver);
    const taken = (request.offer?.entries.slice(0, passed) ?? []).filter((_entry, place) => !isPassedOver.has(place));
    const lifeOf = ({ seq }: LogPosition) => (replayUpTo !== null && seq <= replayUpTo ? (replayLife ?? 0) : 0);
    return {
      deliveries: [
        ...due.map(([epoch, seq, nonce, life, attempt, uncounted, text]) => ({
          position: { epoch, seq, nonce },
          life,
          attempt,
          uncounted,
          dueAt,
          text,
        })),
        ...taken.map(({ position, text }) => ({
          position,
          life: lifeOf(position),
          attempt: 1,
          uncounted: 0,
          dueAt,
          text,
        })),
      ],
      cursor: { epoch: cursor_epoch, seq: cursor_seq, nonce: cursor_nonce },
      room,
      nextDueMs: next_due_ms,
      isSilent: claimed.is_silent,
      paused,
      changed,
      gap: gap === null ? null : { lost, reason: gap },
    };
  }

  async ack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number> {
    return ofGroup(group, await this.#db.ask((db) => ackDeliveries(db, namespace, { group, deliveries })));
  }

  async nack(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    how: { delayMs: number; reason: string | null },
  ): Promise<number> {
    return ofGroup(group, await this.#db.ask((db) => nackDeliveries(db, namespace, { group, deliveries, ...how })));
  }

  async giveBack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number> {
    return ofGroup(group, await this.#db.ask((db) => giveBackDeliveries(db, namespace, { group, deliveries })));
  }

  async extend(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    byMs: number,
  ): Promise<ExtendOutcome> {
    return ofGroup(group, await this.#db.ask((db) => extendDeliveries(db, namespace, { group, deliveries, byMs })));
  }

  async deadLetters(
    namespace: string,
    group: string,
    page: { after: number | null; limit: number },
  ): Promise<DeadLetterPage> {
    const { rows, isMore } = ofGroup(
      group,
      await this.#db.ask((db) => listDeadLetters(db, namespace, { group, ...page })),
    );
    const letters = rows.map(({ epoch, seq, nonce, ...letter }) => ({ position: { epoch, seq, nonce }, ...letter }));
    return { letters, next: isMore ? (letters.at(-1)?.ordinal ?? null) : null };
  }

  redrive(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number> {
    return this.#resolve(namespace, group, { positions, redrive: true });
  }

  discard(namespace: string, group: string, positions: readonly LogPosition[] | null): Promise<number> {
    return this.#resolve(namespace, group, { positions, redrive: false });
  }

  async leave(namespace: string, group: string, consumer: string): Promise<void> {
    await this.#db.ask((db) => leaveGroup(db, namespace, { group, consumer }));
  }

  async members(namespace: string, group: string): Promise<StoredMember[]> {
    return ofGroup(group, await this.#db.ask((db) => listMembers(db, namespace, group)));
  }

  count(namespace: string): Promise<number> {
    return this.#db.ask((db) => countGroups(db, namespace));
  }

  async get(namespace: string, group: string): Promise<StoredGroup | null> {
    const rows = await this.#db.ask((db) => listGroups(db, namespace, { after: null, limit: 1, only: group }));
    return rows.map(toStored).map(({ namespace: _, ...found }) => found)[0] ?? null;
  }

  async openDeliveries(
    namespace: string,
    group: string,
    page: { after: OpenPlace | null; limit: number },
  ): Promise<StoredOpenDelivery[]> {
    const rows = ofGroup(group, await this.#db.ask((db) => listOpenDeliveries(db, namespace, { group, ...page })));
    return rows.map(({ epoch, seq, nonce, ...delivery }) => ({ position: { epoch, seq, nonce }, ...delivery }));
  }

  async list(namespace: string, page?: GroupPage): Promise<StoredGroup[]> {
    const rows = await this.#db.ask((db) => listGroups(db, namespace, page));
    return rows.map(toStored).map(({ namespace: _, ...group }) => group);
  }

  fates(namespace: string, position: LogPosition): Promise<GroupFacts[]> {
    return this.#db.ask((db) => findFates(db, namespace, position));
  }

  holding(namespace: string, name: HeldEventName): Promise<HeldEvents> {
    return this.#db.ask((db) => findHeld(db, namespace, name));
  }

  async #resolve(
    namespace: string,
    group: string,
    how: { positions: readonly LogPosition[] | null; redrive: boolean },
  ): Promise<number> {
    // Of all, those that are dead by now: some may die again while the batches go on.
    const deaths = how.positions === null ? await this.#db.ask((db) => countDeaths(db, namespace, group)) : 0;
    const upTo = ofGroup(group, deaths);
    let total = 0;
    for (;;) {
      const step = await this.#db.ask((db) => resolveDeadLetters(db, namespace, { group, upTo, ...how }));
      const { resolved, more } = ofGroup(group, step);
      total += resolved;
      if (!more) return total;
    }
  }
}

const toStored = ({ epoch, seq, nonce, state, ...group }: GroupRow): StoredGroup & { namespace: string } => ({
  ...group,
  ...state,
  cursor: { epoch, seq, nonce },
});

/** The database answers null for a group that it does not have. */
function ofGroup<T>(group: string, answer: T | null): T {
  if (answer === null) throw groupNotFound(group);
  return answer;
}
