// The procedures of policies.
import { LIMITS } from '../limits.ts';
import { Policy, PolicyExplainInput, PolicyExplanation, PolicyGetInput, PolicyPutInput } from '../policy.ts';
import { mutation, query } from './procedure.ts';
import { ADMINISTER, READ } from './rights.ts';

/** A put as a body; the namespace is in the URL. */
const PolicyBody = PolicyPutInput.omit({ namespace: true }).meta({ id: 'PolicyBody' });

export const policyApi = {
  get: query({
    input: PolicyGetInput,
    output: Policy,
    summary: 'Read the policy in force',
    rights: READ,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/policy',
      operationId: 'getPolicy',
      tag: 'policy',
      answers: { 200: 'The policy. Version 0 is the default policy.' },
    },
  }),

  put: mutation({
    input: PolicyPutInput,
    output: Policy,
    summary: 'Replace the policy',
    description:
      'Needs an admin token. The policy takes effect at once on the replica that answers, and within a second on the others. With ' +
      '`ifVersion`, the policy is replaced only if that version is in force.',
    rights: ADMINISTER,
    errors: ['CONFLICT'],
    maxInputBytes: LIMITS.policyBytes,
    rest: {
      method: 'PUT',
      path: '/v1/policy',
      operationId: 'putPolicy',
      tag: 'policy',
      body: PolicyBody,
      answers: { 200: 'The new policy.' },
    },
  }),

  explain: query({
    input: PolicyExplainInput,
    output: PolicyExplanation,
    summary: 'Explain whether an agent may publish, subscribe or consume',
    rights: READ,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'GET',
      path: '/v1/policy/explain',
      operationId: 'explainPolicy',
      tag: 'policy',
      answers: { 200: 'The decision.' },
    },
  }),
};
