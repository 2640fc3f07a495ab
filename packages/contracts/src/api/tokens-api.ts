// The procedures of tokens.
import {
  CreateTokenInput,
  CreateTokenResult,
  ListTokensInput,
  ListTokensResult,
  RevokeTokenInput,
  RevokeTokenResult,
} from '../token.ts';
import { LIMITS } from '../limits.ts';
import { mutation, query } from './procedure.ts';
import { ADMINISTER } from './rights.ts';

export const tokensApi = {
  create: mutation({
    input: CreateTokenInput,
    output: CreateTokenResult,
    summary: 'Create a token',
    description:
      'Needs an admin token. The new token is shown only in this answer. The name of an operator or admin token must not be that of ' +
      'another one, or of one that ended within the deduplication window (CONFLICT). The core publishes `system.token.created`, ' +
      'without the token.',
    rights: ADMINISTER,
    audited: true,
    errors: ['CONFLICT'],
    rest: {
      method: 'POST',
      path: '/v1/tokens',
      operationId: 'createToken',
      tag: 'tokens',
      body: CreateTokenInput,
      answers: { 201: 'The token.' },
    },
  }),

  list: query({
    input: ListTokensInput,
    output: ListTokensResult,
    maxAnswerBytes: LIMITS.pageBytes,
    summary: 'List the created tokens, without their secrets',
    description: 'Needs an admin token. Tokens of admins belong to no namespace, so they are in the list of each.',
    rights: ADMINISTER,
    errors: [],
    rest: {
      method: 'GET',
      path: '/v1/tokens',
      operationId: 'listTokens',
      tag: 'tokens',
      answers: { 200: 'The tokens of the namespace, and those of all namespaces.' },
    },
  }),

  revoke: mutation({
    input: RevokeTokenInput,
    output: RevokeTokenResult,
    summary: 'Revoke a token',
    description:
      'Needs an admin token. The token stops working on every replica within a second. The token of an admin can be revoked in ' +
      'any namespace. The core publishes `system.token.revoked`.',
    rights: ADMINISTER,
    audited: true,
    errors: ['NOT_FOUND'],
    rest: {
      method: 'DELETE',
      path: '/v1/tokens/{id}',
      operationId: 'revokeToken',
      tag: 'tokens',
      answers: { 200: 'The token is revoked.' },
    },
  }),
};
