// The registry's procedures: each calls the registry and maps the result.
import type { Api } from '@hypercode/contracts';
import type { Principal } from '@hypercode/registry';
import { whileAlive } from './call-life.ts';
import type { Handlers } from './handler.ts';
import { heartbeat } from './heartbeat.ts';

export const registryProcedures: Handlers<Api['registry']> = {
  async register({ core, identity: { principal } }, input) {
    const { namespace, role, capabilities } = input;
    core.registrationRates.register(principal, input, capabilities);
    if (capabilities.length > 0) await core.bus.assertMayOffer(namespace, role, capabilities);
    const result = await core.registry.registrations.register(input, principal);
    core.metrics.registered(result.outcome);
    return result;
  },

  async update({ core, identity: { principal } }, input) {
    const { namespace, name, set } = input;
    core.registrationRates.update(input, set.capabilities);
    if (set.capabilities !== undefined && set.capabilities.length > 0) {
      const { role } =
        principal.kind === 'agent'
          ? principal
          : await core.registry.queries.get({ namespace, name }, { details: false });
      await core.bus.assertMayOffer(namespace, role, set.capabilities);
    }
    return { agent: await core.registry.registrations.update(input) };
  },

  deregister: async ({ core }, input) => ({ agent: await core.registry.registrations.deregister(input) }),

  heartbeat,

  get: ({ core, identity: { principal } }, input) => core.registry.queries.get(input, readerOf(principal)),

  query: ({ core, identity: { principal } }, input) => core.registry.queries.query(input, readerOf(principal)),

  history: ({ core }, input) => core.registry.queries.history(input),

  async *watch(call, { namespace, view, since, lastEventId, ...filter }) {
    const request = { namespace, filter, view, cursor: lastEventId ?? since };
    yield* whileAlive(call, filter.topic === undefined ? 0 : 1, ({ signal }) =>
      call.core.registry.watches.open(request, signal),
    );
  },
};

/** Why a probe failed shows what the network of the core is like, so agents do not read it. */
const readerOf = ({ kind }: Principal) => ({ details: kind !== 'agent' });
