// Policies over plain HTTP.
import { LIMITS, Policy, PolicyExplainInput, PolicyExplanation, PolicyPutInput } from '@hypercode/contracts';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { namespaceParameter, required, textParameter } from './parameters.ts';
import { procedureRoute, type Route } from './route.ts';

const tag = 'policy';
const query = { namespace: namespaceParameter };
const { name, action, topic } = PolicyExplainInput.shape;

/** A put as the procedure takes it; the namespace is in the URL. */
export const PolicyBody = PolicyPutInput.omit({ namespace: true });

export const policyRoutes: readonly Route[] = [
  procedureRoute({
    method: 'GET',
    path: '/v1/policy',
    operationId: 'getPolicy',
    tag,
    summary: 'Read the policy in force',
    query,
    answers: { 200: { description: 'The policy; version 0 is the one that ships with the product.', schema: Policy } },
    call: (caller, input) => caller.policy.get(input),
  }),
  procedureRoute({
    method: 'PUT',
    path: '/v1/policy',
    operationId: 'putPolicy',
    tag,
    summary: 'Replace the policy',
    description:
      'Takes an admin token. It is in force at once on the replica that answers, and within a second on the others. With ' +
      '`ifVersion`, only if that is the version in force.',
    query,
    body: { [JSON_MEDIA_TYPE]: PolicyBody },
    maxBodyBytes: LIMITS.policyBytes,
    answers: { 200: { description: 'The policy as it is now.', schema: Policy } },
    refusals: ['CONFLICT', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.policy.put(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/policy/explain',
    operationId: 'explainPolicy',
    tag,
    summary: 'Ask whether an agent may publish or subscribe, and why',
    query: {
      ...query,
      name: required(textParameter(name, 'The name of the agent.')),
      action: required(textParameter(action, 'What it would do.')),
      topic: required(textParameter(topic, 'The topic; to subscribe, it may be a pattern.')),
    },
    answers: { 200: { description: 'The verdict.', schema: PolicyExplanation } },
    refusals: ['NOT_FOUND'],
    call: (caller, input) => caller.policy.explain(input),
  }),
];
