// What `#transport` is in Node.js: `node:http` with connections that are kept.
import { IGNORED_HEADER } from '@hypercode/contracts';
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  Agent as HttpAgent,
  type AgentOptions,
  type ClientRequest,
  globalAgent,
  type IncomingMessage,
  request as requestHttp,
} from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import type { AsyncContext } from './async-context.ts';
import { isTimeout } from './bounded.ts';
import { onAbort } from './on-abort.ts';
import type {
  AnswerHead,
  OpenAnswer,
  OpenRequest,
  SendRequest,
  Transport,
  TransportOptions,
  WholeAnswer,
} from './transport.ts';

export const atEndOfTurn = (run: () => void): void => void setImmediate(run);

export function asyncContext<T>(): AsyncContext<T> {
  const storage = new AsyncLocalStorage<T>();
  return { run: (value, call) => storage.run(value, call), current: () => storage.getStore() };
}

/**
 * After how long without a byte the system probes the connection of a stream (TCP keep-alive), in milliseconds. After ten probes
 * without an answer, a second apart, the connection has ended: long before the stream counts as silent.
 */
const STREAM_KEEP_ALIVE_MS = 5_000;

/** A process has as many connections as it needs, so no streams share one. */
export function openTransport(_options?: TransportOptions): Transport {
  // The proxies of the environment, where Node.js was told to use them (NODE_USE_ENV_PROXY).
  const { proxyEnv } = (globalAgent as HttpAgent & { readonly options: AgentOptions }).options;
  const proxy = proxyEnv === undefined ? {} : { proxyEnv };
  const settings = { ...proxy, keepAlive: true, scheduling: 'lifo' } as const;
  const http = new HttpAgent(settings);
  const https = new HttpsAgent(settings);
  let active = 0;
  let closing = false;
  const destroyWhenIdle = (): void => {
    if (!closing || active > 0) return;
    http.destroy();
    https.destroy();
  };
  /** After a time-out on one connection: the idle ones have the same path, and a network that dropped one dropped all. */
  const dropIdle = (): void => {
    for (const { freeSockets } of [http, https]) {
      for (const socket of Object.values(freeSockets).flatMap((sockets = []) => sockets)) socket.destroy();
    }
  };
  const start = ({ method, url, headers, body }: SendRequest): ClientRequest => {
    const isHttps = url.protocol === 'https:';
    const options = { method, agent: isHttps ? https : http, headers: headersOf(headers, body) };
    return isHttps ? requestHttps(url, options) : requestHttp(url, options);
  };
  return {
    async send(request) {
      active += 1;
      try {
        for (;;) {
          const sent = start(request);
          try {
            return await answerTo(sent, request);
          } catch (error) {
            if (isTimeout(request.signal)) dropIdle();
            // The core had closed a kept connection before the request came; no harm in another.
            const mayRepeat = request.isRepeatable && sent.reusedSocket && isReset(error);
            if (!mayRepeat || request.signal.aborted) throw error;
          }
        }
      } finally {
        active -= 1;
        destroyWhenIdle();
      }
    },
    openSocket: null,
    // A stream has a connection of its own: a kept one might be dead.
    open: (request) => openStream(request, proxy),
    dropIdle,
    close() {
      closing = true;
      destroyWhenIdle();
    },
  };
}

async function openStream({ url, headers, body, signal }: OpenRequest, settings: AgentOptions): Promise<OpenAnswer> {
  const isHttps = url.protocol === 'https:';
  const options = {
    method: body === undefined ? 'GET' : 'POST',
    headers: headersOf(headers, body),
    agent: isHttps ? new HttpsAgent(settings) : new HttpAgent(settings),
  };
  const sent = isHttps ? requestHttps(url, options) : requestHttp(url, options);
  const release = onAbort(signal, () => sent.destroy(new Error('aborted')));
  sent.on('close', release);
  sent.on('socket', (socket) => socket.setKeepAlive(true, STREAM_KEEP_ALIVE_MS));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    sent.on('response', resolve);
    sent.on('error', reject);
  });
  sent.end(body);
  const response = await answered;
  // What ends it is reported to the reader, who may not be reading at that moment.
  response.on('error', () => {});
  const chunks = response[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  return {
    ...headOf(response),
    async read() {
      const { done, value } = await chunks.next();
      return done === true ? null : value;
    },
  };
}

const headersOf = (headers: OpenRequest['headers'], body: string | undefined): Record<string, string | number> =>
  body === undefined
    ? headers
    : { ...headers, 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };

const headOf = ({ statusCode = 0, headers }: IncomingMessage): AnswerHead => ({
  status: statusCode,
  contentType: headers['content-type'] ?? null,
  retryAfter: headers['retry-after'] ?? null,
  date: headers.date ?? null,
  location: headers.location ?? null,
  ignored: ignoredIn(headers[IGNORED_HEADER]),
});

/** Node.js joins a header that is given twice. */
const ignoredIn = (header: string | string[] | undefined): string | null =>
  header === undefined ? null : String(header);

const isReset = (error: unknown): boolean =>
  error instanceof Error && 'code' in error && (error.code === 'ECONNRESET' || error.code === 'EPIPE');

function answerTo(sent: ClientRequest, { body, signal }: SendRequest): Promise<WholeAnswer> {
  const answer = new Promise<WholeAnswer>((resolve, reject) => {
    sent.on('error', reject);
    sent.on('response', (response: IncomingMessage) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => (text += chunk));
      response.on('error', reject);
      response.on('end', () => {
        if (!response.complete) return reject(new Error('the answer was cut off'));
        resolve({ ...headOf(response), text });
      });
    });
  });
  const release = onAbort(signal, () => sent.destroy(new Error('aborted')));
  // The whole body with the head: one write.
  sent.end(body);
  return answer.finally(release);
}
