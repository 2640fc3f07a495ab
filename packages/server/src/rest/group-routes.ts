// Where the routes of consumer groups differ from their declarations.
import { LIMITS } from '@hypercode/contracts';
import { answer, servedProcedure } from '../procedures/procedures.ts';
import type { Variation } from './declared-route.ts';
import { jsonBody } from './json-body.ts';
import { isJsonObject, mergeInput } from './merge-input.ts';

/** The body has the fields themselves, or the form of the procedure's input. */
export const groupUpdate: Variation = {
  call: async (call) => {
    const body = jsonBody(call.request, LIMITS.registrationBytes);
    const input = isJsonObject(body) && !('set' in body) ? { set: body } : body;
    return answer(servedProcedure('groups.update'), call, mergeInput(input, call.fromUrl));
  },
};
