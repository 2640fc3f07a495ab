// The API: each procedure declared once. Router, REST routes, OpenAPI document and client are made from it.
import type { z } from 'zod';
import { auditApi } from './audit-api.ts';
import { busApi } from './bus-api.ts';
import { circuitApi } from './circuit-api.ts';
import { goalsApi } from './goals-api.ts';
import { plansApi } from './plans-api.ts';
import { groupsApi } from './groups-api.ts';
import { policyApi } from './policy-api.ts';
import { clusterApi, namespacesApi, statsApi, swarmApi } from './operations-api.ts';
import type { Procedure } from './procedure.ts';
import { questionsApi } from './questions-api.ts';
import { registryApi } from './registry-api.ts';
import { sessionsApi } from './sessions-api.ts';
import { tokensApi } from './tokens-api.ts';
import { whoamiApi } from './whoami-api.ts';

/** Procedures in groups, and procedures that are in none. */
export const api = {
  whoami: whoamiApi,
  registry: registryApi,
  bus: busApi,
  goals: goalsApi,
  plans: plansApi,
  questions: questionsApi,
  groups: groupsApi,
  policy: policyApi,
  circuit: circuitApi,
  tokens: tokensApi,
  sessions: sessionsApi,
  audit: auditApi,
  cluster: clusterApi,
  namespaces: namespacesApi,
  stats: statsApi,
  swarm: swarmApi,
};

export type Api = typeof api;

/** `group.procedure`, as tRPC's paths are; of a procedure in no group its name alone. */
export type ProcedureName = {
  [Entry in keyof Api]: Api[Entry] extends Procedure ? Entry : `${Entry}.${keyof Api[Entry] & string}`;
}[keyof Api];

type DeclarationOf<Name extends ProcedureName> = Name extends keyof Api
  ? Api[Name]
  : Name extends `${infer Group extends keyof Api}.${infer Own}`
    ? Own extends keyof Api[Group]
      ? Api[Group][Own]
      : never
    : never;

/** What a caller sends, as `ApiInput<'registry.query'>`. */
export type ApiInput<Name extends ProcedureName> =
  DeclarationOf<Name> extends { readonly input: infer Input } ? z.input<Input> : never;

/** What a caller receives; of a subscription, each of its values. */
export type ApiOutput<Name extends ProcedureName> =
  DeclarationOf<Name> extends { readonly output: infer Output } ? z.output<Output> : never;

/** Every procedure with its name. */
export const procedures: readonly (readonly [ProcedureName, Procedure])[] = Object.entries<Procedure | ProcedureGroup>(
  api,
).flatMap(([entry, declared]) =>
  isProcedure(declared)
    ? [[entry as ProcedureName, declared] as const]
    : Object.entries(declared).map(([own, procedure]) => [`${entry}.${own}` as ProcedureName, procedure] as const),
);

type ProcedureGroup = Readonly<Record<string, Procedure>>;

/** The kind of a procedure is a string; a procedure of a group that has this name is an object. */
function isProcedure(declared: Procedure | ProcedureGroup): declared is Procedure {
  return typeof declared.kind === 'string';
}
