// The procedures of policies.
import { LIMITS } from '../limits.ts';
import {
  ChangedPolicy,
  Policy,
  PolicyExplainInput,
  PolicyExplanation,
  PolicyGetInput,
  PolicyHistory,
  PolicyHistoryInput,
  PolicyPutInput,
  PolicyPutRoleInput,
  PolicyRemoveRoleInput,
} from '../policy.ts';
import { mutation, query } from './procedure.ts';
import { ADMINISTER, OVERSEE, READ } from './rights.ts';

/** A put as a body; the namespace is in the URL. */
const PolicyBody = PolicyPutInput.omit({ namespace: true }).meta({ id: 'PolicyBody' });
const PolicyRoleBody = PolicyPutRoleInput.omit({ namespace: true, role: true }).meta({ id: 'PolicyRoleBody' });

const CHANGE =
  'Needs an admin token. The change takes effect at once on the replica that answers, and within a second on the others. With ' +
  '`ifVersion`, it is made only if that version is in force. The answer names the agents and streams that lose something; with ' +
  '`dryRun`, nothing is stored.';

export const policyApi = {
  get: query({
    input: PolicyGetInput,
    output: Policy,
    maxAnswerBytes: LIMITS.policyBytes,
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
    output: ChangedPolicy,
    maxAnswerBytes: LIMITS.policyBytes,
    summary: 'Replace the policy',
    description: CHANGE,
    rights: ADMINISTER,
    audited: true,
    errors: ['CONFLICT'],
    maxInputBytes: LIMITS.policyBytes,
    rest: {
      method: 'PUT',
      path: '/v1/policy',
      operationId: 'putPolicy',
      tag: 'policy',
      description: `${CHANGE} A policy as \`GET\` answers it may be the body, too: its \`version\` then counts as \`ifVersion\`.`,
      body: PolicyBody,
      query: ['ifVersion', 'dryRun'],
      answers: { 200: 'The new policy.' },
    },
  }),

  putRole: mutation({
    input: PolicyPutRoleInput,
    output: ChangedPolicy,
    maxAnswerBytes: LIMITS.policyBytes,
    summary: 'Add or replace one role of the policy',
    description: CHANGE,
    rights: ADMINISTER,
    audited: true,
    errors: ['CONFLICT'],
    maxInputBytes: LIMITS.policyBytes,
    rest: {
      method: 'PUT',
      path: '/v1/policy/roles/{role}',
      operationId: 'putPolicyRole',
      tag: 'policy',
      description: `${CHANGE} The rules alone may be the body, too.`,
      body: PolicyRoleBody,
      query: ['ifVersion', 'dryRun'],
      answers: { 200: 'The new policy.' },
    },
  }),

  removeRole: mutation({
    input: PolicyRemoveRoleInput,
    output: ChangedPolicy,
    maxAnswerBytes: LIMITS.policyBytes,
    summary: 'Remove one role from the policy',
    description: `Agents of the role then have the rules of \`default\`. ${CHANGE}`,
    rights: ADMINISTER,
    audited: true,
    errors: ['NOT_FOUND', 'CONFLICT'],
    rest: {
      method: 'DELETE',
      path: '/v1/policy/roles/{role}',
      operationId: 'removePolicyRole',
      tag: 'policy',
      answers: { 200: 'The new policy.' },
    },
  }),

  history: query({
    input: PolicyHistoryInput,
    output: PolicyHistory,
    maxAnswerBytes: LIMITS.policyBytes,
    summary: 'List the versions of the policy, newest first',
    description: 'The last 100 versions, with who put each and when. The shipped policy, version 0, is not among them.',
    rights: OVERSEE,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/policy/history',
      operationId: 'listPolicyVersions',
      tag: 'policy',
      answers: { 200: 'A page of versions.' },
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
