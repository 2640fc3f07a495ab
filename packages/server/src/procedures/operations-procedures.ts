// The procedures with which people look at a swarm as a whole.
import type { Api } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import { whileAlive } from './call-life.ts';
import type { Handlers } from './handler.ts';

export const auditProcedures: Handlers<Api['audit']> = {
  list: ({ core }, input) => core.operations.audit.list(input),
};

export const clusterProcedures: Handlers<Api['cluster']> = {
  status: ({ core, identity }, { namespace }) => core.view.cluster(scopeOf(identity.principal) ?? namespace ?? null),
};

export const namespacesProcedures: Handlers<Api['namespaces']> = {
  list: ({ core, identity }, input) =>
    core.view.namespaces({ ...input, namespace: scopeOf(identity.principal) ?? input.namespace }),
};

export const statsProcedures: Handlers<Api['stats']> = {
  series: ({ core }, input) => core.operations.readSeries(input),
  traffic: ({ core }, input) => core.operations.readTraffic(input),
};

export const swarmProcedures: Handlers<Api['swarm']> = {
  async *overview(call, { namespace }) {
    yield* whileAlive(call, 0, ({ signal }) => call.core.overviews.follow(namespace, signal));
  },
};

/** The namespace that the token is limited to; null: none. */
const scopeOf = (principal: Principal): string | null => (principal.kind === 'admin' ? null : principal.namespace);
