// An event on its way to the core: named for good, and as the JSON text that will travel.
import { LIMITS, SwarmError } from '@hypercode/contracts';
import { jsonText } from '../transport/exact-json.ts';

export interface PublishOptions {
  /** A UUID that names the event for good: publishing it again is no second event. Default: a new one. */
  readonly id?: string | undefined;
  /** When it happened (ISO 8601). Default: when the core took it. */
  readonly time?: string | undefined;
  /** What within the source it is about. */
  readonly subject?: string | undefined;
  /** The conversation that it belongs to. */
  readonly correlationId?: string | undefined;
  /** The event that led to it. */
  readonly causationId?: string | undefined;
  /** W3C Trace Context. */
  readonly traceparent?: string | undefined;
  /**
   * Rejects with UNROUTABLE, whose `details.silent` are agents that declare the topic and do not listen, when no group and no live stream of
   * another agent takes it. It is not repeated: publish it again when there is a receiver.
   */
  readonly mandatory?: boolean | undefined;
  /** Gives up; whether the event was published is then unknown. */
  readonly signal?: AbortSignal | undefined;
}

export interface OutgoingEvent {
  readonly id: string;
  /** JSON. Made at the call, so that later changes to the data change nothing. */
  readonly text: string;
  /** Of the text in UTF-8. */
  readonly bytes: number;
}

/** Throws INVALID_INPUT with the path of what JSON cannot express in `data`, PAYLOAD_TOO_LARGE when no event could hold it. */
export function outgoingEvent(
  topic: string,
  data: unknown,
  options: PublishOptions & { readonly id: string },
): OutgoingEvent {
  const { id, time, subject, correlationId, causationId, traceparent, mandatory } = options;
  const dataText = jsonText(data, 'data');
  const dataBytes = utf8Length(dataText);
  if (dataBytes > LIMITS.eventBytes) {
    throw new SwarmError('PAYLOAD_TOO_LARGE', `an event must have at most ${LIMITS.eventBytes} bytes of JSON`, {
      details: { limit: LIMITS.eventBytes },
    });
  }
  const head = JSON.stringify({ id, topic, time, subject, correlationId, causationId, traceparent, mandatory });
  return { id, text: `${head.slice(0, -1)},"data":${dataText}}`, bytes: utf8Length(head) + dataBytes + 8 };
}

const encoder = new TextEncoder();
// Most texts are ASCII, which is found out much faster than they are encoded.
const utf8Length = (text: string): number => (/[^\p{ASCII}]/u.test(text) ? encoder.encode(text).length : text.length);
