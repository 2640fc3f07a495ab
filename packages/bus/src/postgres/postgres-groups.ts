// Consumer groups in PostgreSQL: a row for the group, which orders its operations, and a row for each event that it has taken.
import { SwarmError } from '@hypercode/contracts';
import { assertSameSettings, type GroupSettings } from '../store/group-settings.ts';
import type {
  ClaimOutcome,
  ClaimRequest,
  DeadLetterPage,
  DeliveryRef,
  GroupPage,
  GroupStore,
  StoredGroup,
} from '../store/group-store.ts';
import type { LogPosition } from '../store/position.ts';
import type { BoundedDatabase } from './bounded-database.ts';
import { ackDeliveries } from './queries/ack-deliveries.ts';
import { claimEvents } from './queries/claim-events.ts';
import { countDeaths } from './queries/count-deaths.ts';
import { countGroups } from './queries/count-groups.ts';
import { findGroup } from './queries/find-group.ts';
import { listDeadLetters } from './queries/list-dead-letters.ts';
import { listGroups } from './queries/list-groups.ts';
import { nackDeliveries } from './queries/nack-deliveries.ts';
import { openGroup } from './queries/open-group.ts';
import { resolveDeadLetters } from './queries/resolve-dead-letters.ts';

export class PostgresGroups implements GroupStore {
  readonly #db: BoundedDatabase;

  constructor(db: BoundedDatabase) {
    this.#db = db;
  }

  async open(
    namespace: string,
    group: string,
    settings: GroupSettings,
    from: 'latest' | 'earliest',
  ): Promise<{ cursor: LogPosition; created: boolean }> {
    const latest = from === 'latest';
    const opened = await this.#db.ask((db) => openGroup(db, namespace, { group, settings, latest }));
    if (opened === undefined) throw notFound(group);
    const existing: GroupSettings = {
      topics: opened.topics,
      ackDeadlineMs: opened.ack_deadline_ms,
      maxDeliveries: opened.max_deliveries,
    };
    assertSameSettings(group, existing, settings);
    const { cursor_epoch: epoch, cursor_seq: seq, cursor_nonce: nonce, created } = opened;
    return { cursor: { epoch, seq, nonce }, created };
  }

  async find(namespace: string, group: string): Promise<GroupSettings | null> {
    return (await this.#db.ask((db) => findGroup(db, namespace, group))) ?? null;
  }

  async claim(namespace: string, group: string, request: ClaimRequest): Promise<ClaimOutcome> {
    const claimed = await this.#db.ask((db) => claimEvents(db, namespace, { group, request }));
    if (claimed === undefined) throw notFound(group);
    const { cursor_epoch, cursor_seq, cursor_nonce, room, next_due_ms, gap, lost } = claimed;
    const due = claimed.due ?? [];
    const taken = request.offer?.entries.slice(0, claimed.taken) ?? [];
    return {
      deliveries: [
        ...due.map(([epoch, seq, nonce, life, attempt, text]) => ({
          position: { epoch, seq, nonce },
          life,
          attempt,
          text,
        })),
        ...taken.map(({ position, text }) => ({ position, life: 0, attempt: 1, text })),
      ],
      cursor: { epoch: cursor_epoch, seq: cursor_seq, nonce: cursor_nonce },
      room,
      nextDueMs: next_due_ms,
      gap: gap === null ? null : { lost, reason: gap },
    };
  }

  async ack(namespace: string, group: string, deliveries: readonly DeliveryRef[]): Promise<number> {
    const positions = deliveries.map(({ position }) => position);
    return ofGroup(group, await this.#db.ask((db) => ackDeliveries(db, namespace, { group, positions })));
  }

  async nack(
    namespace: string,
    group: string,
    deliveries: readonly DeliveryRef[],
    how: { delayMs: number; reason: string | null },
  ): Promise<number> {
    return ofGroup(group, await this.#db.ask((db) => nackDeliveries(db, namespace, { group, deliveries, ...how })));
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

  count(namespace: string): Promise<number> {
    return this.#db.ask((db) => countGroups(db, namespace));
  }

  async list(namespace: string, page?: GroupPage): Promise<StoredGroup[]> {
    const rows = await this.#db.ask((db) => listGroups(db, namespace, page));
    return rows.map(({ epoch, seq, nonce, ...group }) => ({ ...group, cursor: { epoch, seq, nonce } }));
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

const notFound = (group: string) => new SwarmError('NOT_FOUND', `no consumer group "${group}"`);

/** The database answers null for a group that it does not have. */
function ofGroup<T>(group: string, answer: T | null): T {
  if (answer === null) throw notFound(group);
  return answer;
}
