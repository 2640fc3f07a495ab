// The procedure that makes a link with which a browser signs in.
import { SessionCodeInput, SessionCodeResult } from '../session.ts';
import { mutation } from './procedure.ts';

export const sessionsApi = {
  code: mutation({
    input: SessionCodeInput,
    output: SessionCodeResult,
    summary: 'Make a link that signs a browser in with the rights of the calling token',
    description:
      'Every token may call it, for itself. The link works once, within two minutes. The session that it opens ends with the ' +
      'token. A session may not call it (FORBIDDEN), so none outlives its time; a token may make ten links a minute (RATE_LIMITED).',
    rights: { admin: 'everywhere', operator: 'token', viewer: 'token', agent: 'token', join: 'token' },
    audited: true,
    errors: ['RATE_LIMITED'],
    rest: {
      method: 'POST',
      path: '/v1/session/code',
      operationId: 'createSessionCode',
      tag: 'tokens',
      answers: { 201: 'The link.' },
    },
  }),
};
