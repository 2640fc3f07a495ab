// Who sends a request: recognised once, from its head, before anything of its body is read.
import { SESSION_HEADER, SESSION_PARAMETER, SwarmError } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import type { FastifyRequest, onRequestHookHandler } from 'fastify';
import type { IncomingHttpHeaders } from 'node:http';
import type { Core } from '../context.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Who sent the request, from its head until it is answered; null before, and where a route asks no one. */
    callerIdentity: Identity | null;
  }
}

/** What a caller is known by. A token counts before a session, and a cookie without the key of its session for nothing. */
export interface Credentials {
  readonly headers: IncomingHttpHeaders;
  /** tRPC's `connectionParams`, where headers can not be set. */
  readonly params?: Readonly<Record<string, unknown>> | null | undefined;
}

type Recognising = Pick<Core, 'registry' | 'browsers'>;

/**
 * Who is calling with these credentials. Every call of every transport begins here, so a call with an agent's token counts as its
 * heartbeat from here on, whatever becomes of the call. Throws UNAUTHENTICATED, FENCED or UNAVAILABLE, which count as nothing.
 */
export const recognise = async (core: Recognising, credentials: Credentials): Promise<Identity> =>
  recogniseSoon(core, credentials);

/** The same, at once where memory knows the token, as it does of nearly every call. */
function recogniseSoon(core: Recognising, { headers, params }: Credentials): Identity | Promise<Identity> {
  const { authorization } = headers;
  const token = authorization === undefined ? textIn(params, 'token') : bearerToken(authorization);
  if (token === undefined && authorization === undefined) {
    const key = textIn(params, SESSION_PARAMETER) ?? textIn(headers, SESSION_HEADER);
    if (key !== undefined) return core.browsers.recognise(headers, key);
  }
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

function textIn(fields: Readonly<Record<string, unknown>> | null | undefined, name: string): string | undefined {
  const value = fields?.[name];
  return typeof value === 'string' ? value : undefined;
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
      const found = recogniseSoon(core, { headers: request.headers });
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
