// Who sends a request: recognised once, from its head, before anything of its body is read.
import { SwarmError } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
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
export const recognise = async (...credentials: Parameters<typeof recogniseSoon>): Promise<Identity> =>
  recogniseSoon(...credentials);

/** The same, at once where memory knows the token, as it does of nearly every call. */
function recogniseSoon(
  core: Pick<Core, 'registry'>,
  authorization: string | undefined,
  connectionToken?: string,
): Identity | Promise<Identity> {
  const token = authorization === undefined ? connectionToken : bearerToken(authorization);
  if (token === undefined || token === '') {
    throw new SwarmError('UNAUTHENTICATED', 'a token is needed: Authorization: Bearer TOKEN');
  }
  const { identities } = core.registry;
  const known = identities.recogniseKnown(token);
  if (known !== null) return alive(core, known);
  return identities.recognise(token).then((identity) => alive(core, identity));
}

function alive({ registry }: Pick<Core, 'registry'>, identity: Identity): Identity {
  if (identity.principal.kind === 'agent') registry.heartbeats.noteCall(identity.principal);
  return identity;
}

/** RFC 6750, section 2.1. */
function bearerToken(authorization: string): string | undefined {
  return /^Bearer +([\x21-\x7e]+) *$/i.exec(authorization)?.[1];
}

/**
 * A hook that recognises the caller by the header, and keeps it with the request. It ends as `recognise` does, or with what `admit`
 * throws. With a callback, since each promise of a hook costs every call two turns.
 */
export const authenticateBy =
  (core: Core, admit: (identity: Identity) => void = () => {}): onRequestHookHandler =>
  (request, _reply, done) => {
    const keep = (identity: Identity): void => {
      request.callerIdentity = identity;
      core.connections.markAuthenticated(request.raw.socket);
      admit(identity);
    };
    try {
      const found = recogniseSoon(core, request.headers.authorization);
      if (found instanceof Promise) {
        found.then(keep).then(
          () => done(),
          (refusal: unknown) => done(refusal as Error),
        );
        return;
      }
      keep(found);
    } catch (refusal) {
      return done(refusal as Error);
    }
    done();
  };

/** Who sent the request. Throws when the token has ended since the head was read. */
export function identityOf({ callerIdentity: identity }: FastifyRequest): Identity {
  if (identity === null) throw new Error('a call was made without authentication');
  if (identity.refusal !== null) throw identity.refusal;
  return identity;
}
