// The options that tRPC's clients receive for streams of server-sent events.

/**
 * A client that receives nothing for this long reconnects, in milliseconds: more than two bookmarks, so that one may be
 * late.
 */
const RECONNECT_AFTER_INACTIVITY_MS = 40_000;

/** The data of the first frame of a stream. */
export const SSE_CLIENT_OPTIONS = { reconnectAfterInactivityMs: RECONNECT_AFTER_INACTIVITY_MS };
