// The replicas, stores and namespaces of a swarm, put together from its parts.
import type { Bus } from '@hypercode/bus';
import type { Clock } from '@hypercode/clock';
import {
  type ClusterStatus,
  invalidField,
  Namespace,
  type NamespaceInfo,
  type NamespacesInput,
  type NamespacesResult,
  SwarmError,
} from '@hypercode/contracts';
import type { Operations } from '@hypercode/operations';
import type { Registry } from '@hypercode/registry';
import { refusalOf } from '@hypercode/stores';

export interface SwarmViewOptions {
  readonly registry: Registry;
  readonly bus: Bus;
  readonly operations: Operations;
  /** Asks the stores. Never rejects. */
  readonly stores: () => Promise<ClusterStatus['stores']>;
  readonly clock: Clock;
}

/** For how long an answer about the cluster is given again, in milliseconds: each asks every store. */
const CLUSTER_LASTS_MS = 1000;
/** Namespaces that are asked for at the same time. */
const AT_ONCE = 8;

export class SwarmView {
  readonly #options: SwarmViewOptions;
  #cluster: { status: Promise<ClusterStatus>; askedMs: number } | null = null;

  constructor(options: SwarmViewOptions) {
    this.#options = options;
  }

  /** `namespace`: the only one of which it is reported whether the guard holds; null: all. */
  async cluster(namespace: string | null): Promise<ClusterStatus> {
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#cluster === null || nowMs - this.#cluster.askedMs >= CLUSTER_LASTS_MS) {
      this.#cluster = { status: this.#readCluster(), askedMs: nowMs };
    }
    const { suspended, ...status } = await this.#cluster.status;
    return { ...status, suspended: suspended.filter((one) => namespace === null || one === namespace) };
  }

  /** `namespace`: that one alone. INVALID_INPUT for a cursor that this call did not return, UNAVAILABLE. */
  async namespaces({ namespace, limit, cursor }: NamespacesInput): Promise<NamespacesResult> {
    const { success, data: after = null } = Namespace.optional().safeParse(cursor);
    if (!success) throw invalidField('cursor', 'was not returned by this call');
    const names = namespace === undefined ? await this.#names(after, limit + 1) : [namespace];
    const shown = names.slice(0, limit);
    return {
      namespaces: await this.#describe(shown),
      nextCursor: names.length > limit ? (shown.at(-1) ?? null) : null,
    };
  }

  /** UNAVAILABLE. */
  async namespace(namespace: string): Promise<NamespaceInfo> {
    const [info] = await this.#describe([namespace]);
    if (info === undefined) throw new SwarmError('INTERNAL', 'the namespace was not described');
    return info;
  }

  async #readCluster(): Promise<ClusterStatus> {
    const { operations, stores } = this.#options;
    const [known, status] = await Promise.all([
      operations.replicas().catch((error: unknown) => {
        if (refusalOf(error).code !== 'UNAVAILABLE') throw error;
        const { replica, suspended } = operations.own();
        return { replicas: [replica], suspended: [...suspended] };
      }),
      stores(),
    ]);
    return { ...known, stores: status };
  }

  /** The registry knows namespaces with agents, the bus those with events. */
  async #names(after: string | null, limit: number): Promise<string[]> {
    const { registry, bus } = this.#options;
    const [ofAgents, ofEvents] = await Promise.all([registry.queries.namespaces({ after, limit }), bus.namespaces()]);
    const names = new Set([...ofAgents, ...ofEvents.filter((name) => after === null || name > after)]);
    return [...names].toSorted((a, b) => (a < b ? -1 : 1)).slice(0, limit);
  }

  async #describe(namespaces: readonly string[]): Promise<NamespaceInfo[]> {
    const { registry, bus } = this.#options;
    const described: NamespaceInfo[] = [];
    const waiting = (await registry.queries.count(namespaces)).values();
    const work = async (): Promise<void> => {
      for (const { namespace, revision, ...agents } of waiting) {
        const { groups, ...events } = await bus.sizeOf(namespace);
        described.push({ namespace, agents, revision, events, groups });
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    return described.toSorted((a, b) => (a.namespace < b.namespace ? -1 : 1));
  }
}
