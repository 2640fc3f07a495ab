// Policies over plain HTTP.
import { LIMITS, Policy, PolicyExplainInput, PolicyExplanation, PolicyPutInput } from '@hypercode/contracts';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { namespaceParameter, required, textParameter } from './parameters.ts';
import { procedureRoute, type Route } from './route.ts';

const tag = 'policy';
const query = { namespace: namespaceParameter };
const { name, action, topic } = PolicyExplainInput.shape;

/** A put as the procedure takes it; the namespace is in the URL. */
const PolicyBody = PolicyPutInput.omit({ namespace: true }).meta({ id: 'PolicyBody' });

export const policyRoutes: readonly Route[] = [
  procedureRoute({
    method: 'GET',
    path: '/v1/policy',
    operationId: 'getPolicy',
    tag,
    summary: 'Read the policy in force',
    query,
    answers: { 200: { description: 'The policy. Version 0 is the default policy.', schema: Policy } },
    call: (caller, input) => caller.policy.get(input),
  }),
  procedureRoute({
    method: 'PUT',
    path: '/v1/policy',
    operationId: 'putPolicy',
    tag,
    summary: 'Replace the policy',
    description:
      'Needs an admin token. The policy takes effect at once on the replica that answers, and within a second on the others. With ' +
      '`ifVersion`, the policy is replaced only if that version is in force.',
    query,
    body: { [JSON_MEDIA_TYPE]: PolicyBody },
    maxBodyBytes: LIMITS.policyBytes,
    answers: { 200: { description: 'The new policy.', schema: Policy } },
    refusals: ['CONFLICT', 'PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.policy.put(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/policy/explain',
    operationId: 'explainPolicy',
    tag,
    summary: 'Explain whether an agent may publish or subscribe',
    query: {
      ...query,
      name: required(textParameter(name, 'The name of the agent.')),
      action: required(textParameter(action, 'The action to check.')),
      topic: required(textParameter(topic, 'The topic. For `subscribe`, it may be a pattern.')),
    },
    answers: { 200: { description: 'The decision.', schema: PolicyExplanation } },
    refusals: ['NOT_FOUND'],
    call: (caller, input) => caller.policy.explain(input),
  }),
];
