// How the servers that the core is compared with are told what to send.
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface EmitOrder {
  /** The value to send; its revision is replaced by a running number. */
  value: { revision: number };
  count: number;
  /** Values in one write, where the server can choose. */
  group: number;
}

/** Answers POST /emit by `emit`. Returns whether the request was one. */
export function takeOrder(
  request: IncomingMessage,
  response: ServerResponse,
  emit: (order: EmitOrder) => Promise<void>,
): boolean {
  if (request.method !== 'POST' || request.url !== '/emit') return false;
  let text = '';
  request.setEncoding('utf8');
  request.on('data', (chunk: string) => (text += chunk));
  request.on('end', () => {
    emit(JSON.parse(text) as EmitOrder).then(
      () => response.end('{}'),
      (error: unknown) => {
        response.statusCode = 500;
        response.end(String(error));
      },
    );
  });
  return true;
}
