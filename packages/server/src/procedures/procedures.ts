// Every procedure of the API with its handler. All transports call these handlers.
import {
  type Api,
  type ApiInput,
  type ApiOutput,
  invalidInput,
  type KnownFields,
  knownFieldsOf,
  type Procedure,
  type ProcedureName,
  procedures,
} from '@hypercode/contracts';
import type { StreamBatch } from '@hypercode/feed';
import { audited } from '../audit/audited.ts';
import { assertMayCall, assertReaches } from './authorise.ts';
import { busProcedures } from './bus-procedures.ts';
import { circuitProcedures } from './circuit-procedures.ts';
import { groupsProcedures } from './groups-procedures.ts';
import type { Answerer, Call, Handler, Handlers, Streamer } from './handler.ts';
import { goalsProcedures } from './goals-procedures.ts';
import { plansProcedures } from './plans-procedures.ts';
import {
  auditProcedures,
  clusterProcedures,
  namespacesProcedures,
  statsProcedures,
  swarmProcedures,
} from './operations-procedures.ts';
import { policyProcedures } from './policy-procedures.ts';
import { questionsProcedures } from './questions-procedures.ts';
import { registryProcedures } from './registry-procedures.ts';
import { sessionsProcedures } from './sessions-procedures.ts';
import { tokensProcedures } from './tokens-procedures.ts';
import { issuesOfUnknown } from './unknown-fields.ts';
import { whoami } from './whoami.ts';

const handlers: {
  readonly [Entry in keyof Api]: Api[Entry] extends Procedure ? Handler<Api[Entry]> : Handlers<Api[Entry]>;
} = {
  audit: auditProcedures,
  bus: busProcedures,
  circuit: circuitProcedures,
  cluster: clusterProcedures,
  goals: goalsProcedures,
  groups: groupsProcedures,
  namespaces: namespacesProcedures,
  plans: plansProcedures,
  policy: policyProcedures,
  questions: questionsProcedures,
  registry: registryProcedures,
  sessions: sessionsProcedures,
  stats: statsProcedures,
  swarm: swarmProcedures,
  tokens: tokensProcedures,
  whoami,
};

export interface ServedProcedure {
  readonly name: ProcedureName;
  readonly declared: Procedure;
  readonly handler: Answerer | Streamer;
  readonly known: KnownFields | null;
}

const served: ReadonlyMap<string, ServedProcedure> = new Map(
  procedures.map(([name, declared]) => [
    name,
    { name, declared, handler: audited(name, declared, handlerOf(name)), known: knownFieldsOf(declared.input) },
  ]),
);

/** The types of `handlers` say that there is one for each declaration. */
function handlerOf(name: ProcedureName): Answerer | Streamer {
  const [entry, own] = name.split('.') as [keyof Api, string | undefined];
  const handler = handlers[entry] as Answerer | Readonly<Record<string, Answerer | Streamer>>;
  if (typeof handler === 'function') return handler;
  const found = own === undefined ? undefined : handler[own];
  if (found === undefined) throw new Error(`the procedure ${name} has no handler`);
  return found;
}

export const servedProcedures: readonly ServedProcedure[] = [...served.values()];

export function servedProcedure(name: ProcedureName): ServedProcedure {
  const procedure = served.get(name);
  if (procedure === undefined) throw new Error(`there is no procedure ${name}`);
  return procedure;
}

/** What is declared under this name; undefined when there is no such procedure. */
export const declaredProcedure = (name: string): Procedure | undefined => served.get(name)?.declared;

/** The checked input of a call that is allowed. FORBIDDEN, INVALID_INPUT. No input is one without fields. */
export function admit(
  { declared: { rights, input }, known }: ServedProcedure,
  { identity: { principal }, ignoredNames }: Pick<Call, 'identity' | 'ignoredNames'>,
  given: unknown,
): never {
  assertMayCall(principal, rights);
  const unknown = issuesOfUnknown(given, known, ignoredNames);
  const { success, data, error } = input.safeParse(given === undefined ? {} : given);
  // A mistyped name is often why another one is missing.
  if (!success || unknown.length > 0) throw invalidInput({ issues: [...unknown, ...(error?.issues ?? [])] });
  assertReaches(principal, rights, data);
  return data as never;
}

/** Makes a call of a query or a mutation. */
export function callProcedure<Name extends ProcedureName>(
  name: Name,
  call: Call,
  given: ApiInput<Name>,
): Promise<ApiOutput<Name>> {
  return answer(servedProcedure(name), call, given) as Promise<ApiOutput<Name>>;
}

/** The same for an input of which nothing is known. */
export async function answer(procedure: ServedProcedure, call: Call, given: unknown): Promise<unknown> {
  return (procedure.handler as Answerer)(call, admit(procedure, call, given));
}

/** Opens the stream of a subscription. */
export async function* openStream(
  procedure: ServedProcedure,
  call: Call,
  given: unknown,
): AsyncGenerator<StreamBatch, void> {
  yield* (procedure.handler as Streamer)(call, admit(procedure, call, given));
}
