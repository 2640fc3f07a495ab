// Updates as JSON merge patches (RFC 7396): what is named is set, null clears, what is left out stays.
import {
  type Agent,
  AgentUpdate,
  type ApiInput,
  invalidField,
  LIMITS,
  Name,
  SwarmError,
  type UpdateResult,
} from '@hypercode/contracts';
import { z } from 'zod';
import type { Call } from '../procedures/handler.ts';
import { callProcedure } from '../procedures/procedures.ts';
import { contradiction, isJsonObject } from './merge-input.ts';

const { version, description, healthUrl, topics, capabilities, leaseMs } = AgentUpdate.shape;

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
    leaseMs,
  })
  .meta({ id: 'AgentMergePatch' });

/** A patch, with the agent that it is for. */
interface AgentPatch {
  readonly address: Record<string, unknown>;
  readonly fields: Record<string, unknown>;
  readonly ifRevision: unknown;
}

/** Another writer wins now and then, not this often in a row. */
const MAX_TRIES = 5;

/** A body that is a patch. `ifRevision`, from the body or the URL, is no part of it. */
export function patchOf(body: unknown, fromUrl: Record<string, unknown>): AgentPatch {
  if (!isJsonObject(body)) throw invalidField('', 'must be an object');
  const { ifRevision: fromQuery, ...address } = fromUrl;
  const { ifRevision: fromBody, ...fields } = body;
  if (fromQuery !== undefined && fromBody !== undefined && fromQuery !== fromBody) throw contradiction('ifRevision');
  return { address, fields, ifRevision: fromQuery ?? fromBody };
}

/**
 * Updates an agent by a patch. Labels and topics are merged into those that the agent has; should its registration change
 * meanwhile, they are merged again, unless `ifRevision` forbids it: then it ends with CONFLICT.
 */
export async function patchAgent(call: Call, { address, fields, ifRevision }: AgentPatch): Promise<UpdateResult> {
  const update = (set: object, revision: unknown) => {
    const input = { ...address, set, ...(revision === undefined ? {} : { ifRevision: revision }) };
    // The procedure checks the input.
    return callProcedure('registry.update', call, input as ApiInput<'registry.update'>);
  };
  if (!isJsonObject(fields['labels']) && !isJsonObject(fields['topics']))
    return update(withCleared(fields), ifRevision);
  for (let tries = 1; ; tries += 1) {
    const agent = await callProcedure('registry.get', call, address as ApiInput<'registry.get'>);
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
