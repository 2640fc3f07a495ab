// The audit: writes an entry before an act and one after it, reads them, and removes what is past its time.
import { type Clock, repeat } from '@hypercode/clock';
import {
  type AuditContent,
  type AuditEntry,
  type AuditListInput,
  type AuditListResult,
  invalidField,
  operatorSource,
} from '@hypercode/contracts';
import { BatchLanes, type Job } from '@hypercode/feed';
import { refusalOf } from '@hypercode/stores';
import type { Kysely } from 'kysely';
import type { AuditEntryTable, Schema } from '../schema.ts';
import { auditedValue, withoutTokens } from './audited-value.ts';
import { appendEntries } from './queries/append-entries.ts';
import { cutEntries } from './queries/cut-entries.ts';
import { listEntries } from './queries/list-entries.ts';
import { readHeads } from './queries/read-heads.ts';

/** What an operator or an admin is about to do. */
export interface Act {
  readonly namespace: string;
  /** Name of the token. */
  readonly by: string;
  /** The procedure. */
  readonly action: string;
  /** What it is done to, such as `agents/ada`. */
  readonly target: string;
  /** What it changes, as it is now; null: nothing, or not known. */
  readonly before: unknown;
  /** As the caller gave it. */
  readonly reason: string | null;
  readonly requestId: string;
}

/** The end of the chain of a namespace. */
export interface AuditHead {
  readonly namespace: string;
  readonly seq: number;
  /** In hexadecimal. */
  readonly hash: string;
}

export interface AuditLogOptions {
  db: Kysely<Schema>;
  clock: Clock;
  /** How long entries are kept, in milliseconds. */
  maxAgeMs: number;
  /** Called every hour for each namespace whose chain has grown since: what it is called with is worth keeping elsewhere. */
  onHead: (head: AuditHead) => void;
  /** Called with failures in the background; what failed is tried again. */
  onError: (error: unknown) => void;
}

/** Most entries written together, and about how many characters of them. */
const MAX_BATCH = { count: 200, length: 1024 * 1024 };
/** Most that waits in one namespace; more is refused at once. */
const MAX_WAITING = { count: 10_000, length: 64 * 1024 * 1024 };
const HEADS_INTERVAL_MS = 3_600_000;
const RETENTION_INTERVAL_MS = 600_000;
/** Namespaces whose heads are made known. */
const MAX_HEADS = 1000;
/** After how long an outcome that could not be written is tried again, in milliseconds, and how many wait for that. */
const RETRY_MS = 1000;
const MAX_UNWRITTEN = 1000;

interface Outcome {
  readonly namespace: string;
  readonly content: AuditContent;
}

/**
 * An act passes through three states: refused, when its first entry could not be written; begun; and ended, when its outcome is written. An
 * outcome that could not be written, because the database became unavailable during the act, is tried again every second until this process
 * ends. The act then remains begun: whether it was done is unknown.
 */
export class AuditLog {
  readonly #options: AuditLogOptions;
  readonly #lanes: BatchLanes<AuditContent, number>;
  /** Chains by namespace, as they were made known last. */
  readonly #heads = new Map<string, AuditHead>();
  readonly #ends: (() => void)[];
  #unwritten: Outcome[] = [];
  #working: Promise<void> = Promise.resolve();

  constructor(options: AuditLogOptions) {
    this.#options = options;
    const { db, clock } = options;
    this.#lanes = new BatchLanes({
      write: async (namespace, jobs: readonly Job<AuditContent, number>[]) => {
        const seqs = await appendEntries(
          db,
          namespace,
          jobs.map(({ item }) => item),
        );
        for (const [index, job] of jobs.entries()) job.settle(seqs[index] ?? 0);
        return [];
      },
      weigh: ({ before, after }) => ({ count: 1, length: lengthOf(before) + lengthOf(after) }),
      maxBatch: MAX_BATCH,
      maxWaiting: MAX_WAITING,
      // The chain of a namespace is written by one statement after the other.
      minOverlapping: Number.POSITIVE_INFINITY,
      scopeOf: (error) => (refusalOf(error).code === 'UNAVAILABLE' ? 'lane' : 'item'),
      meaningOf: refusalOf,
    });
    this.#ends = [
      repeat(clock, HEADS_INTERVAL_MS, () => this.#inBackground(() => this.#reportHeads())),
      repeat(clock, RETENTION_INTERVAL_MS, () => this.#inBackground(() => this.applyRetention())),
      repeat(clock, RETRY_MS, () => this.#inBackground(() => this.#writeOutcomes())),
    ];
  }

  /** The ends of the chains, as they were made known last: at most 1,000. */
  get heads(): Iterable<AuditHead> {
    return this.#heads.values();
  }

  /**
   * Does an act, with an entry before it and one after it. `afterOf` is what the act left, from its result. UNAVAILABLE when the first entry
   * could not be written: the act was then not begun. Otherwise what `work` gives or throws.
   */
  async perform<T>(act: Act, work: () => Promise<T>, afterOf: (result: T) => unknown): Promise<T> {
    const { namespace } = act;
    const content: AuditContent = {
      namespace,
      actor: operatorSource(act.by),
      action: act.action,
      target: act.target,
      before: auditedValue(act.before),
      after: null,
      reason: act.reason === null ? null : withoutTokens(act.reason),
      outcome: 'begun',
      requestId: act.requestId,
      begun: null,
    };
    const begun = await this.#lanes.submit(namespace, content);
    let result: T;
    try {
      result = await work();
    } catch (error) {
      await this.#end(namespace, { ...content, begun, outcome: refusalOf(error).code });
      throw error;
    }
    await this.#end(namespace, { ...content, begun, outcome: 'done', after: auditedValue(afterOf(result)) });
    return result;
  }

  /** INVALID_INPUT for a cursor that this call did not return, UNAVAILABLE. */
  async list({ namespace, actor, action, limit, cursor }: AuditListInput): Promise<AuditListResult> {
    const rows = await listEntries(this.#options.db, namespace, {
      actors: actor === undefined ? null : [actor, operatorSource(actor)],
      action: action ?? null,
      before: cursor === undefined ? null : seqIn(cursor),
      limit: limit + 1,
    });
    const shown = rows.slice(0, limit);
    const last = shown.at(-1);
    return {
      entries: shown.map(entryOf),
      nextCursor: rows.length > limit && last !== undefined ? String(last.seq) : null,
    };
  }

  /** Removes what is past its time. Rejects when the database does not answer. */
  applyRetention(): Promise<void> {
    const { db, maxAgeMs } = this.#options;
    return cutEntries(db, maxAgeMs);
  }

  /** Lets what is under way finish. Outcomes that could not be written are tried once more. */
  async close(): Promise<void> {
    for (const end of this.#ends) end();
    await this.#working;
    await this.#lanes.idle();
    await this.#writeOutcomes().catch(this.#options.onError);
  }

  async #end(namespace: string, content: AuditContent): Promise<void> {
    try {
      await this.#lanes.submit(namespace, content);
    } catch (error) {
      if (this.#unwritten.length < MAX_UNWRITTEN) this.#unwritten.push({ namespace, content });
      this.#options.onError(error);
    }
  }

  async #writeOutcomes(): Promise<void> {
    while (this.#unwritten.length > 0) {
      const [first] = this.#unwritten;
      if (first === undefined) return;
      await this.#lanes.submit(first.namespace, first.content);
      this.#unwritten.shift();
    }
  }

  async #reportHeads(): Promise<void> {
    const rows = await readHeads(this.#options.db, MAX_HEADS);
    const before = new Map(this.#heads);
    this.#heads.clear();
    for (const { namespace, seq, hash } of rows) {
      const head = { namespace, seq, hash: hash.toString('hex') };
      this.#heads.set(namespace, head);
      if (before.get(namespace)?.hash !== head.hash) this.#options.onHead(head);
    }
  }

  #inBackground(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(work).catch(this.#options.onError);
    return this.#working;
  }
}

const lengthOf = (value: unknown): number => (value === null ? 0 : JSON.stringify(value).length);

const entryOf = (row: AuditEntryTable): AuditEntry => ({
  namespace: row.namespace,
  seq: row.seq,
  at: row.at.toISOString(),
  actor: row.actor,
  action: row.action,
  target: row.target,
  before: row.before,
  after: row.after,
  reason: row.reason,
  outcome: row.outcome,
  requestId: row.request_id,
  begun: row.begun,
  previous: row.previous.toString('hex'),
  hash: row.hash.toString('hex'),
});

function seqIn(cursor: string): number {
  if (!/^[1-9]\d{0,14}$/.test(cursor)) throw invalidField('cursor', 'was not returned by this call');
  return Number(cursor);
}
