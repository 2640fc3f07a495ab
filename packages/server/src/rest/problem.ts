// A refusal as problem+json: as an answer, and as the bytes of one where there is no request.
import { problemHeaders, problemOf, type SwarmError } from '@hypercode/contracts';
import { STATUS_CODES } from 'node:http';

export const problemAnswer = (refusal: SwarmError) => ({
  status: refusal.httpStatus,
  headers: problemHeaders(refusal),
  body: JSON.stringify(problemOf(refusal)),
});

/** A whole answer, after which the connection ends. */
export function rawProblem(refusal: SwarmError, status: number = refusal.httpStatus): string {
  const body = JSON.stringify({ ...problemOf(refusal), status });
  const lines = { ...problemHeaders(refusal), connection: 'close', 'content-length': Buffer.byteLength(body) };
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    ...Object.entries(lines).map(([name, value]) => `${name}: ${value}`),
    '',
    body,
  ].join('\r\n');
}
