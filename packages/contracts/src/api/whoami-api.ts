// The procedure with which the holder of a token learns what the token is.
import { WhoamiInput, WhoamiResult } from '../whoami.ts';
import { query } from './procedure.ts';

export const whoamiApi = query({
  input: WhoamiInput,
  output: WhoamiResult,
  summary: 'Describe the calling token',
  description: 'Every token may call it, without knowing its own namespace.',
  rights: { admin: 'everywhere', operator: 'token', viewer: 'token', agent: 'token', join: 'token' },
  errors: [],
  rest: {
    method: 'GET',
    path: '/v1/whoami',
    operationId: 'whoami',
    tag: 'tokens',
    answers: { 200: 'The token, and what it may do.' },
  },
});
