// Updates as JSON merge patches (RFC 7396): what is named is set, null clears, what is left out stays.
import {
  type Agent,
  AgentUpdate,
  invalidField,
  LIMITS,
  Name,
  SwarmError,
  type UpdateResult,
} from '@hypercode/contracts';
import { z } from 'zod';
import { type Caller, contradiction, isJsonObject } from './route.ts';

const { version, description, healthUrl, topics, capabilities } = AgentUpdate.shape;

/** A patch of the mutable fields, for the documentation; the procedure checks what comes of it. */
export const AgentMergePatch = z
  .object({
    version,
    description,
    healthUrl,
    topics: z
      .object({
        publishes: topics.unwrap().shape.publishes.unwrap().nullable(),
        subscribes: topics.unwrap().shape.subscribes.unwrap().nullable(),
      })
      .partial()
      .nullish(),
    capabilities: capabilities.unwrap().nullish(),
    labels: z.record(Name, z.string().max(LIMITS.labelValueLength).nullable()).nullish(),
  })
  .meta({ id: 'AgentMergePatch' });

interface AgentAddress {
  namespace?: string;
  name: string;
}

/** A patch on its way to the procedure. A class, so that no body can pass for one. */
export class AgentPatch {
  readonly address: AgentAddress;
  readonly fields: Record<string, unknown>;
  readonly ifRevision: number | undefined;

  constructor(address: AgentAddress, fields: Record<string, unknown>, ifRevision: number | undefined) {
    this.address = address;
    this.fields = fields;
    this.ifRevision = ifRevision;
  }
}

/** Another writer wins now and then, not this often in a row. */
const MAX_TRIES = 5;

/** A body that is a patch. `ifRevision`, from the body or the URL, is no part of it. */
export function patchInput(body: unknown, fromUrl: Record<string, unknown>): AgentPatch {
  if (!isJsonObject(body)) throw invalidField('', 'must be an object');
  const { ifRevision: fromQuery, ...address } = fromUrl;
  const { ifRevision: fromBody, ...fields } = body;
  if (fromQuery !== undefined && fromBody !== undefined && fromQuery !== fromBody) throw contradiction('ifRevision');
  const ifRevision = fromQuery ?? fromBody;
  return new AgentPatch(address as unknown as AgentAddress, fields, ifRevision as number | undefined);
}

/**
 * Updates an agent by a patch. Labels and topics are merged into what the agent has; should its registration change
 * meanwhile, they are merged again, unless `ifRevision` forbids it: then it ends in CONFLICT.
 */
export async function patchAgent(caller: Caller, { address, fields, ifRevision }: AgentPatch): Promise<UpdateResult> {
  const update = (set: object, revision: number | undefined) =>
    caller.registry.update({ ...address, set, ...(revision === undefined ? {} : { ifRevision: revision }) });
  if (!isJsonObject(fields['labels']) && !isJsonObject(fields['topics']))
    return update(withCleared(fields), ifRevision);
  for (let tries = 1; ; tries += 1) {
    const agent = await caller.registry.get(address);
    // Refuses by the procedure's own rule, and changes nothing.
    if (ifRevision !== undefined && ifRevision !== agent.specRevision) await update({}, ifRevision);
    try {
      return await update(withCleared(mergedInto(agent, fields)), agent.specRevision);
    } catch (error) {
      if (ifRevision !== undefined || tries === MAX_TRIES || !SwarmError.from(error).is('CONFLICT')) throw error;
    }
  }
}

function mergedInto(agent: Agent, fields: Record<string, unknown>): Record<string, unknown> {
  const merged = { ...fields };
  for (const field of ['labels', 'topics'] as const) {
    const change = fields[field];
    if (isJsonObject(change)) merged[field] = mergeFields(agent[field], change);
  }
  return merged;
}

/** One level is all that there is to merge: labels hold strings, topics hold lists. */
function mergeFields(into: object, change: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries({ ...into, ...change }).filter(([, value]) => value !== null));
}

/** What null makes of the fields that cannot be without a value. */
const EMPTY = new Map<string, unknown>([
  ['capabilities', []],
  ['labels', {}],
  ['topics', {}],
]);

const withCleared = (fields: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, value ?? EMPTY.get(field) ?? null]));
