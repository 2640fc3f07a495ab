// Who sends a request: recognised once, from its head, before anything of its body is read.
import { SwarmError } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import type { FastifyRequest } from 'fastify';
import type { Core } from '../context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request, from its head until it is answered; null before, and where a route asks no one. */
    callerIdentity: Identity | null;
  }
}

/**
 * Who is calling with these credentials. Every call of every transport begins here, so a call with an agent's token counts as its
 * heartbeat from here on, whatever becomes of the call. Throws UNAUTHENTICATED, FENCED or UNAVAILABLE, which count as nothing.
 */
export async function recognise(
  core: Pick<Core, 'registry'>,
  authorization: string | undefined,
  connectionToken?: string,
): Promise<Identity> {
  const token = authorization === undefined ? connectionToken : bearerToken(authorization);
  if (token === undefined || token === '') {
    throw new SwarmError('UNAUTHENTICATED', 'a token is needed: Authorization: Bearer TOKEN');
  }
  const { identities, heartbeats } = core.registry;
  const identity = await identities.recognise(token);
  if (identity.principal.kind === 'agent') heartbeats.noteCall(identity.principal);
  return identity;
}

/** RFC 6750, section 2.1. */
function bearerToken(authorization: string): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1];
}

/** Recognises the caller by the header, and keeps it with the request. Throws as `recognise` does. */
export async function authenticate(core: Core, request: FastifyRequest): Promise<Identity> {
  request.callerIdentity = await recognise(core, request.headers.authorization);
  core.connections.markAuthenticated(request.raw.socket);
  return request.callerIdentity;
}

/** Who sent the request. Throws when the token has ended since the head was read. */
export function identityOf({ callerIdentity: identity }: FastifyRequest): Identity {
  if (identity === null) throw new Error('a call was made without authentication');
  if (identity.refusal !== null) throw identity.refusal;
  return identity;
}
