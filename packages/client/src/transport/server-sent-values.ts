// A subscription of the core as a request of its own: tRPC's server-sent events.
import { SwarmError } from '@hypercode/contracts';
import type { Connection } from './connection.ts';
import { type EventStream, openEventStream } from './event-stream.ts';
import { parserOf } from './exact-json.ts';
import { isRecord, parseJson } from './json.ts';
import type { LiveRequest, LiveStream, LiveValue } from './live-stream.ts';
import { unreadable } from './refusal.ts';
import { MAX_URL_LENGTH } from './transport.ts';

/** How long a stream may bring nothing at all, in milliseconds, unless the core gives another limit. The core sends a sign every 15 s. */
export const SILENCE_LIMIT_MS = 40_000;

export async function openServerSentValues(connection: Connection, request: LiveRequest): Promise<LiveStream> {
  const { path, input, token, lastEventId, signal } = request;
  const { url, body } = requestOf(connection, path, input);
  const headers = connection.headers(token);
  if (lastEventId !== undefined) headers['last-event-id'] = lastEventId;
  const stream = await openEventStream(connection, url, { headers, body, signal });
  const parse = parserOf(path);
  return { next: () => nextValue(connection, stream, parse), close: () => stream.close() };
}

/** The input goes into the address, or into a body: when the address would be too long, and of a session. */
function requestOf(connection: Connection, path: string, input: string): { url: URL; body: string | undefined } {
  const url = connection.endpoint(`trpc/${path}`);
  url.searchParams.set('input', input);
  if (url.href.length <= MAX_URL_LENGTH && !connection.isSession) return { url, body: undefined };
  url.searchParams.delete('input');
  return { url, body: input };
}

/** Reads on to the next value, or to the end of the stream. The names of the events are tRPC's. */
async function nextValue(
  connection: Connection,
  stream: EventStream,
  parse: (text: string) => unknown,
): Promise<LiveValue | null> {
  for (;;) {
    const message = await stream.next();
    if (message === null) throw new SwarmError('UNAVAILABLE', 'the core ended the stream');
    switch (message.event) {
      case undefined:
      case 'message':
        try {
          return { id: message.id === '' ? undefined : message.id, json: parse(message.data) };
        } catch (cause) {
          throw unreadable(cause);
        }
      case 'connected':
        stream.limitSilence(silenceLimit(parseJson(message.data)));
        break;
      case 'serialized-error': {
        const shape = parseJson(message.data);
        const data = isRecord(shape) ? shape['data'] : undefined;
        const status = isRecord(data) && typeof data['httpStatus'] === 'number' ? data['httpStatus'] : 500;
        throw connection.refusalOf({ status }, shape);
      }
      case 'return':
        return null;
    }
  }
}

function silenceLimit(connected: unknown): number {
  const limit = isRecord(connected) ? connected['reconnectAfterInactivityMs'] : undefined;
  return typeof limit === 'number' && limit > 0 ? limit : SILENCE_LIMIT_MS;
}
