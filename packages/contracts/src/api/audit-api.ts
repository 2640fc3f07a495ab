// The procedures of the audit.
import { AuditListInput, AuditListResult } from '../audit.ts';
import { LIMITS } from '../limits.ts';
import { query } from './procedure.ts';
import { ADMINISTER } from './rights.ts';

export const auditApi = {
  list: query({
    input: AuditListInput,
    output: AuditListResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List what operators and admins did, newest first',
    description:
      'Needs an admin token. Every act with the token of an operator or an admin that changes something is recorded before it is ' +
      'done (`outcome: "begun"`) and again with its outcome; publishing and processing events is in the log of events instead. The ' +
      'entries of a namespace are a chain of hashes: with a hash that was noted earlier, a check finds every change of an entry up to it.',
    rights: ADMINISTER,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/audit',
      operationId: 'listAudit',
      tag: 'operations',
      answers: { 200: 'A page of entries.' },
    },
  }),
};
