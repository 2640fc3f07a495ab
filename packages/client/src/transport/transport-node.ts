// What `#transport` is in Node.js: `node:http` with connections that are kept.
import { Agent as HttpAgent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { onAbort } from './on-abort.ts';
import type { PostAnswer, PostRequest, Transport } from './transport.ts';

export const atEndOfTurn = (run: () => void): void => void setImmediate(run);

export function openTransport(): Transport {
  const settings = { keepAlive: true, scheduling: 'lifo' } as const;
  const http = new HttpAgent(settings);
  const https = new HttpsAgent(settings);
  let active = 0;
  let closing = false;
  const destroyWhenIdle = (): void => {
    if (!closing || active > 0) return;
    http.destroy();
    https.destroy();
  };
  const start = (request: PostRequest): ClientRequest => {
    const { url, headers, body } = request;
    const isHttps = url.protocol === 'https:';
    const options = {
      method: 'POST',
      agent: isHttps ? https : http,
      headers: { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
    };
    return isHttps ? requestHttps(url, options) : requestHttp(url, options);
  };
  return {
    async post(request) {
      active += 1;
      try {
        for (;;) {
          const sent = start(request);
          try {
            return await answerTo(sent, request);
          } catch (error) {
            // The core had closed a kept connection before the request came; no harm in another.
            if (!(sent.reusedSocket && isReset(error)) || request.signal.aborted) throw error;
          }
        }
      } finally {
        active -= 1;
        destroyWhenIdle();
      }
    },
    close() {
      closing = true;
      destroyWhenIdle();
    },
  };
}

const isReset = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

function answerTo(sent: ClientRequest, { body, signal }: PostRequest): Promise<PostAnswer> {
  const answer = new Promise<PostAnswer>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the answer was cut off'));
        const { statusCode = 0, headers } = response;
        resolve({ status: statusCode, text, retryAfter: headers['retry-after'] ?? null });
      });
    });
  });
  const release = onAbort(signal, () => sent.destroy(new Error('aborted')));
  // The whole body with the head: one write.
  sent.end(body);
  return answer.finally(release);
}
