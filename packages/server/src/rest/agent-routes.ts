// Where the routes of agents differ from their declarations.
import {
  type Agent,
  AgentName,
  api,
  DEFAULT_NAMESPACE,
  LIMITS,
  type RegisterResult,
  SwarmError,
} from '@hypercode/contracts';
import { z } from 'zod';
import { answer, servedProcedure } from '../procedures/procedures.ts';
import type { Variation } from './declared-route.ts';
import { isMergePatch, JSON_MEDIA_TYPE, jsonBody, MERGE_PATCH_MEDIA_TYPE } from './json-body.ts';
import { isJsonObject, mergeInput } from './merge-input.ts';
import { AgentMergePatch, patchAgent, patchOf } from './merge-patch.ts';

export const registration: Variation = {
  statusOf: ({ outcome }: RegisterResult) => (outcome === 'created' ? 201 : 200),
  headersOf: ({ agent }: RegisterResult) => ({ location: addressOf(agent) }),
};

/** An update is a merge patch, or has the form of the procedure's input. */
export const update: Variation = {
  body: {
    [JSON_MEDIA_TYPE]: z.union([api.registry.update.rest?.body ?? z.never(), AgentMergePatch]),
    [MERGE_PATCH_MEDIA_TYPE]: AgentMergePatch,
  },
  call: async (call) => {
    const body = jsonBody(call.request, LIMITS.registrationBytes);
    return isJsonObject(body) && 'set' in body && !isMergePatch(call.request)
      ? answer(servedProcedure('registry.update'), call, mergeInput(body, call.fromUrl))
      : patchAgent(call, patchOf(body, call.fromUrl));
  },
};

/** The path names the agent, which only repeats whose token it is. */
export const heartbeat: Variation = {
  pathParameters: { name: AgentName },
  call: async (call) => {
    const { principal } = call.identity;
    if (principal.kind === 'agent' && principal.name !== call.fromUrl['name']) {
      throw new SwarmError('FORBIDDEN', 'an agent can only send heartbeats for itself');
    }
    const merged = mergeInput(jsonBody(call.request, LIMITS.inputBytes) ?? {}, call.fromUrl);
    return answer(servedProcedure('registry.heartbeat'), call, isJsonObject(merged) ? withoutName(merged) : merged);
  },
};

/** The token names the agent. */
function withoutName({ name: _, ...input }: Record<string, unknown>): Record<string, unknown> {
  return input;
}

function addressOf({ namespace: home, name }: Agent): string {
  return `/v1/agents/${name}${home === DEFAULT_NAMESPACE ? '' : `?namespace=${home}`}`;
}
