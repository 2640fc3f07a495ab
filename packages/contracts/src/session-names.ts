// The names by which a browser session travels. Without zod, since browsers load them.

/** `POST` signs in, `DELETE` signs out. */
export const SESSION_PATH = '/v1/session';

/** The header in which a page sends the key of its session. The cookie alone, and the key alone, are worth nothing. */
export const SESSION_HEADER = 'swarm-session';

/** The field of `connectionParams` in which a page sends the key of its session, where it can set no header. */
export const SESSION_PARAMETER = 'session';

/** Begins the fragment of an address that signs in: `/#code=CODE`. A fragment is sent to no server, so it reaches no log. */
export const SIGN_IN_FRAGMENT = 'code=';
