// A browser, as far as sessions are concerned: it keeps cookies, and names where a request comes from.
import { SESSION_HEADER } from '@hypercode/contracts';
import { on } from 'node:events';
import { type IncomingHttpHeaders, request } from 'node:http';
import { onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import type { TestCore } from '../../testing/core.ts';

export type Headers = Readonly<Record<string, string | undefined>>;

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Sent {
  readonly method?: string;
  readonly headers?: Headers;
  readonly json?: unknown;
  /** Address of the sender. Default: 127.0.0.1. */
  readonly from?: string;
  /** Whether the answer is a stream, of which the first event is read. */
  readonly isStream?: boolean;
}

/** One request, with exactly these headers. `fetch` would decide over some of them. */
export function send(
  core: Pick<TestCore, 'port'>,
  path: string,
  { method = 'GET', headers = {}, json, from, isStream = false }: Sent = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const body = json === undefined ? undefined : JSON.stringify(json);
    const given = {
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
      ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
    };
    const options = { host: '127.0.0.1', port: core.port, path, method, headers: given, agent: false } as const;
    const outgoing = request(from === undefined ? options : { ...options, localAddress: from }, (answer) => {
      let text = '';
      const settle = (): void => {
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text });
        outgoing.destroy();
      };
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => {
        text += part;
        if (isStream && /^(?:event: (?:synced|serialized-error|error)|id: )/m.test(text)) settle();
      });
      answer.on('end', settle).on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

export interface BrowserSession {
  /** Names the page of the core, and has the cookie. */
  readonly own: Headers;
  readonly key: string;
  readonly cookie: string;
  readonly setCookie: string;
  readonly expiresAt: string;
}

export const pageOf = (core: Pick<TestCore, 'port'>): Headers => ({
  host: `localhost:${core.port}`,
  origin: `http://localhost:${core.port}`,
  'sec-fetch-site': 'same-origin',
});

let addresses = 0;
/** An address that no other test sends from: attempts are counted by it. */
export const freshAddress = (): string => `127.77.${(addresses += 1) >> 8}.${addresses & 255}`;

/** Signs in on the page of the core. Throws with the answer when it is refused. */
export async function signIn(
  core: Pick<TestCore, 'port'>,
  proof: { token: string } | { code: string },
  headers: Headers = {},
): Promise<BrowserSession> {
  const page = { ...pageOf(core), ...headers };
  const answer = await send(core, '/v1/session', { method: 'POST', json: proof, headers: page, from: freshAddress() });
  if (answer.status !== 201) throw new Error(`${answer.status}: ${answer.text}`);
  const { key, expiresAt } = JSON.parse(answer.text) as { key: string; expiresAt: string };
  const [setCookie = ''] = answer.headers['set-cookie'] ?? [];
  const cookie = setCookie.split(';', 1)[0] ?? '';
  return { own: { ...page, cookie }, key, cookie, setCookie, expiresAt };
}

/** The headers of a request of the session. */
export const withKey = ({ own, key }: BrowserSession): Headers => ({ ...own, [SESSION_HEADER]: key });

/** A WebSocket whose first message has these `connectionParams`, and which then makes one call. */
export async function callOverWebSocket(
  core: Pick<TestCore, 'port'>,
  { headers, params, call }: { headers: Headers; params: object; call: object },
): Promise<string> {
  const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined));
  const socket = new WebSocket(`ws://127.0.0.1:${core.port}/trpc?connectionParams=1`, { headers: given as never });
  onTestFinished(() => socket.terminate());
  const refused = new Promise<string>((resolve) => {
    socket.on('unexpected-response', (_request, answer) => resolve(`HTTP ${answer.statusCode}`));
    socket.on('error', () => {});
  });
  const answered = (async () => {
    await new Promise((resolve) => socket.on('open', resolve));
    socket.send(JSON.stringify({ method: 'connectionParams', data: params }));
    socket.send(JSON.stringify({ id: 1, ...call }));
    for await (const [message] of on(socket, 'message')) {
      const text = String(message);
      if (text.includes('"id":1') && (text.includes('"data"') || text.includes('"error"'))) return text;
    }
    return '';
  })();
  return Promise.race([refused, answered]);
}
