// Where the routes of policies differ from their declarations: what was read can be sent back as it is.
import { api, LIMITS, Policy, RolePolicy } from '@hypercode/contracts';
import { z } from 'zod';
import { answer, servedProcedure } from '../procedures/procedures.ts';
import type { RestCall, Variation } from './declared-route.ts';
import { JSON_MEDIA_TYPE, jsonBody } from './json-body.ts';
import { isJsonObject, mergeInput } from './merge-input.ts';

const bodyOf = ({ request }: RestCall): unknown => jsonBody(request, LIMITS.policyBytes);
const declared = (schema: z.ZodType | undefined): z.ZodType => schema ?? z.never();

const PolicyToPut = Policy.partial({ version: true }).meta({ id: 'PolicyToPut' });

/** A policy by itself is replaced only if its version, unless that is left out, is in force. */
export const policy: Variation = {
  body: { [JSON_MEDIA_TYPE]: z.union([declared(api.policy.put.rest?.body), PolicyToPut]) },
  call: async (call) => {
    const body = bodyOf(call);
    const isBare = isJsonObject(body) && !('policy' in body) && ('roles' in body || 'default' in body);
    const { version, ...rules } = isBare ? body : {};
    const bare = { policy: rules, ...(version === undefined ? {} : { ifVersion: version }) };
    return answer(servedProcedure('policy.put'), call, mergeInput(isBare ? bare : body, call.fromUrl));
  },
};

export const role: Variation = {
  body: { [JSON_MEDIA_TYPE]: z.union([declared(api.policy.putRole.rest?.body), RolePolicy]) },
  call: async (call) => {
    const body = bodyOf(call);
    const isBare = isJsonObject(body) && !('rules' in body) && ('publish' in body || 'subscribe' in body);
    return answer(servedProcedure('policy.putRole'), call, mergeInput(isBare ? { rules: body } : body, call.fromUrl));
  },
};
