// Operators' tokens over plain HTTP.
import { CreateTokenInput, CreateTokenResult, ListTokensResult, RevokeTokenResult } from '@hypercode/contracts';
import { JSON_MEDIA_TYPE } from './json-body.ts';
import { namespaceParameter } from './parameters.ts';
import { procedureRoute, type Route } from './route.ts';

const tag = 'tokens';
const query = { namespace: namespaceParameter };

export const tokenRoutes: readonly Route[] = [
  procedureRoute({
    method: 'POST',
    path: '/v1/tokens',
    operationId: 'createToken',
    tag,
    summary: 'Create a token',
    description: 'Needs an admin token. The new token is shown only in this answer.',
    query,
    body: { [JSON_MEDIA_TYPE]: CreateTokenInput },
    answers: { 201: { description: 'The token.', schema: CreateTokenResult } },
    refusals: ['PAYLOAD_TOO_LARGE'],
    call: (caller, input) => caller.tokens.create(input),
  }),
  procedureRoute({
    method: 'GET',
    path: '/v1/tokens',
    operationId: 'listTokens',
    tag,
    summary: 'List the created tokens, without their secrets',
    description: 'Needs an admin token.',
    query,
    answers: { 200: { description: 'The tokens of the namespace.', schema: ListTokensResult } },
    call: (caller, input) => caller.tokens.list(input),
  }),
  procedureRoute({
    method: 'DELETE',
    path: '/v1/tokens/{id}',
    operationId: 'revokeToken',
    tag,
    summary: 'Revoke a token',
    description: 'Needs an admin token. The token stops working on every replica within a second.',
    pathParameters: { id: RevokeTokenResult.shape.id },
    query,
    answers: { 200: { description: 'The token is revoked.', schema: RevokeTokenResult } },
    refusals: ['NOT_FOUND'],
    call: (caller, input) => caller.tokens.revoke(input),
  }),
];
