// What the calling token is, and what it may do.
import { type Api, API_VERSION, type CallerKind, procedures } from '@hypercode/contracts';
import type { Handler } from './handler.ts';

export const whoami: Handler<Api['whoami']> = async ({ core, identity: { principal, expiresAtMs } }) => ({
  kind: principal.kind,
  name: principal.name,
  namespace: principal.kind === 'admin' ? null : principal.namespace,
  ...(principal.kind === 'agent' ? { agent: principal.name, role: principal.role } : {}),
  may: proceduresOf(principal.kind),
  expiresAt: expiresAtMs === null ? null : isoTime(expiresAtMs),
  core: { version: core.version, api: API_VERSION },
  now: isoTime(core.clock.epochMs()),
});

/** In the order of the declarations. */
const proceduresOf = (kind: CallerKind): string[] =>
  procedures.flatMap(([name, { rights }]) => (rights[kind] === undefined ? [] : [name]));

const isoTime = (epochMs: number): string => new Date(epochMs).toISOString();
