// What of a `traceparent` can be read: https://www.w3.org/TR/trace-context/, sections 3.2 and 4.

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;

/**
 * The trace in the form of version 00; undefined for a text that cannot be read, which begins a new trace. A later version is read as
 * far as version 00 goes.
 */
export function readTraceparent(text: string): string | undefined {
  const [, version, traceId = '', parentId = '', flags = '', rest] = TRACEPARENT.exec(text) ?? [];
  if (version === undefined || version === 'ff' || /^0*$/.test(traceId) || /^0*$/.test(parentId)) return undefined;
  if (version === '00') return rest === undefined ? text : undefined;
  return `00-${traceId}-${parentId}-0${Number.parseInt(flags, 16) & 1}`;
}
