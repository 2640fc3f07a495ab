// The kind of each procedure without its schemas, for clients that carry no zod. The compiler holds it to the declaration.
import type { Api } from './api.ts';
import type { ProcedureKind } from './procedure.ts';

type KindOf<Declared> = Declared extends { kind: infer Kind extends ProcedureKind } ? Kind : never;
type KindsOf<Entry> = [KindOf<Entry>] extends [never]
  ? { readonly [Own in keyof Entry]: KindOf<Entry[Own]> }
  : KindOf<Entry>;

export const KINDS: { readonly [Entry in keyof Api]: KindsOf<Api[Entry]> } = {
  whoami: 'query',
  registry: {
    register: 'mutation',
    query: 'query',
    watch: 'subscription',
    get: 'query',
    update: 'mutation',
    deregister: 'mutation',
    history: 'query',
    heartbeat: 'mutation',
  },
  bus: {
    publish: 'mutation',
    publishMany: 'mutation',
    read: 'query',
    find: 'query',
    trace: 'query',
    preview: 'query',
    subscribe: 'subscription',
    consume: 'subscription',
    claim: 'mutation',
    ack: 'mutation',
    nack: 'mutation',
    extend: 'mutation',
    groups: 'query',
    deadLetters: 'query',
    redrive: 'mutation',
    discard: 'mutation',
    topics: 'query',
  },
  goals: { submit: 'mutation', cancel: 'mutation' },
  plans: { list: 'query', get: 'query', watch: 'subscription', retry: 'mutation' },
  questions: { list: 'query', answer: 'mutation' },
  groups: {
    get: 'query',
    pause: 'mutation',
    resume: 'mutation',
    seek: 'mutation',
    update: 'mutation',
    delete: 'mutation',
  },
  policy: {
    get: 'query',
    put: 'mutation',
    putRole: 'mutation',
    removeRole: 'mutation',
    history: 'query',
    explain: 'query',
  },
  circuit: { trip: 'mutation', reset: 'mutation' },
  tokens: { create: 'mutation', list: 'query', revoke: 'mutation' },
  sessions: { code: 'mutation' },
  audit: { list: 'query' },
  cluster: { status: 'query' },
  namespaces: { list: 'query' },
  stats: { series: 'query', traffic: 'query' },
  swarm: { overview: 'subscription' },
};
