// The three ways to watch, each as its client sees it on the wire: tRPC over SSE, REST over SSE, tRPC over WebSocket.
import type { AgentFilter, WatchEvent } from '@hypercode/contracts';
import { randomBytes } from 'node:crypto';
import { type IncomingMessage, request } from 'node:http';
import type { Socket } from 'node:net';
import type { Core } from './call.ts';

export const TRANSPORTS = ['trpc-sse', 'rest-sse', 'websocket'] as const;
export type Transport = (typeof TRANSPORTS)[number];

export interface WatchOptions {
  core: Core;
  namespace: string;
  filter: AgentFilter;
  /** Goes on after this revision, without a snapshot. */
  since?: number | undefined;
  /** The id of the last value seen; beats `since`. */
  lastEventId?: string | undefined;
}

/** One connection. `value` comes any number of times; `refused` at most once; `ended` once, at last. */
export interface Listener {
  value(id: string, event: WatchEvent): void;
  /** The core ended the stream with a refusal. */
  refused(code: string): void;
  /** tRPC's word for a subscription that is over for good; a client does not come back after it. */
  returned(): void;
  ended(): void;
}

export interface Connection {
  /** Stops reading; what arrives stays in the kernel's buffers until these are full. */
  pause(): void;
  resume(): void;
  close(): void;
}

export function connect(transport: Transport, options: WatchOptions, listener: Listener): Connection {
  switch (transport) {
    case 'trpc-sse':
      return connectTrpcSse(options, listener);
    case 'rest-sse':
      return connectRestSse(options, listener);
    case 'websocket':
      return connectWebSocket(options, listener);
  }
}

interface Swarm {
  code: string;
}

/** The token goes where a browser's EventSource has to put it: into the URL. */
function connectTrpcSse({ core, namespace, filter, since, lastEventId }: WatchOptions, listener: Listener): Connection {
  const url = new URL('/trpc/registry.watch', core.url);
  url.searchParams.set('input', JSON.stringify({ namespace, since, ...filter }));
  url.searchParams.set('connectionParams', JSON.stringify({ token: core.adminToken }));
  const headers = {
    accept: 'text/event-stream',
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
  return openSse(url, headers, {
    ended: listener.ended,
    frame: ({ event, id, data }) => {
      if (event === 'serialized-error')
        listener.refused((JSON.parse(data) as { data: { swarm: Swarm } }).data.swarm.code);
      else if (event === 'return') listener.returned();
      else if (event === '') listener.value(id ?? '', JSON.parse(data) as WatchEvent);
    },
    answered: (status) => listener.refused(`HTTP ${status}`),
  });
}

function connectRestSse({ core, namespace, filter, since, lastEventId }: WatchOptions, listener: Listener): Connection {
  const url = new URL('/v1/agents/watch', core.url);
  const { labels = {}, ...plain } = filter;
  for (const [key, value] of Object.entries({ namespace, ...plain })) {
    if (value !== undefined) url.searchParams.set(key, value);
  }
  for (const [key, value] of Object.entries(labels)) url.searchParams.append('labels', `${key}=${value}`);
  if (since !== undefined) url.searchParams.set('since', String(since));
  const headers = {
    accept: 'text/event-stream',
    authorization: `Bearer ${core.adminToken}`,
    ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }),
  };
  return openSse(url, headers, {
    ended: listener.ended,
    frame: ({ event, id, data }) => {
      if (event === 'error') listener.refused((JSON.parse(data) as Swarm).code);
      else if (event !== '') listener.value(id ?? '', JSON.parse(data) as WatchEvent);
    },
    answered: (status, body) => listener.refused(codeOf(body) ?? `HTTP ${status}`),
  });
}

function codeOf(body: string): string | undefined {
  try {
    return (JSON.parse(body) as Partial<Swarm>).code;
  } catch {
    return undefined;
  }
}

interface Frame {
  /** Empty where the stream names none. */
  event: string;
  id: string | undefined;
  data: string;
}

interface SseListener {
  frame(frame: Frame): void;
  /** The answer was not a stream. */
  answered(status: number, body: string): void;
  ended(): void;
}

function openSse(url: URL, headers: Record<string, string>, listener: SseListener): Connection {
  let response: IncomingMessage | undefined;
  let paused = false;
  const end = once(listener.ended);
  const outgoing = request(url, { headers, agent: false }, (incoming) => {
    response = incoming;
    incoming.setEncoding('utf8');
    incoming.on('error', end);
    incoming.on('close', end);
    let text = '';
    if (incoming.statusCode === 200 && incoming.headers['content-type']?.startsWith('text/event-stream') === true) {
      incoming.on('data', (part: string) => {
        const frames = (text + part).split('\n\n');
        text = frames.pop() ?? '';
        for (const frame of frames) if (frame.trim() !== '') listener.frame(parseFrame(frame));
      });
    } else {
      incoming.on('data', (part: string) => (text += part));
      incoming.on('end', () => listener.answered(incoming.statusCode ?? 0, text));
    }
    if (paused) incoming.pause();
  });
  outgoing.on('error', end);
  outgoing.end();
  return {
    pause: () => {
      paused = true;
      response?.pause();
    },
    resume: () => {
      paused = false;
      response?.resume();
    },
    close: () => outgoing.destroy(),
  };
}

/** WHATWG HTML, section 9.2.6, as far as a core's streams need it. */
function parseFrame(text: string): Frame {
  const frame: Frame = { event: '', id: undefined, data: '' };
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).replace(/^ /, '');
    const field = line.slice(0, colon);
    if (field === 'event') frame.event = value;
    else if (field === 'id') frame.id = value;
    else if (field === 'data') frame.data = frame.data === '' ? value : `${frame.data}\n${value}`;
  }
  return frame;
}

const once = (listener: () => void): (() => void) => {
  let done = false;
  return () => {
    if (!done) listener();
    done = true;
  };
};

/** tRPC's messages, as its wsLink exchanges them. */
interface TrpcMessage {
  method?: string;
  error?: { data: { swarm: Swarm } };
  result?: { type: 'started' | 'stopped' | 'data'; data?: { id: string; data: WatchEvent } };
}

const OPCODES = { continuation: 0, text: 1, close: 8, ping: 9, pong: 10 } as const;

/** WebSocket by hand (RFC 6455), because reading has to stop at will and no client in Node.js lets it. */
function connectWebSocket(
  { core, namespace, filter, since, lastEventId }: WatchOptions,
  listener: Listener,
): Connection {
  let socket: Socket | undefined;
  let paused = false;
  const end = once(listener.ended);
  const outgoing = request(new URL('/trpc?connectionParams=1', core.url), {
    agent: false,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': randomBytes(16).toString('base64'),
    },
  });
  const say = (message: unknown) => socket?.write(clientFrame(OPCODES.text, Buffer.from(JSON.stringify(message))));

  function receiveFrame(opcode: number, payload: Buffer): void {
    if (opcode === OPCODES.ping) socket?.write(clientFrame(OPCODES.pong, payload));
    else if (opcode === OPCODES.close) socket?.end();
    else if (opcode === OPCODES.text) hearText(payload.toString());
  }

  function hearText(text: string): void {
    if (text === 'PING') socket?.write(clientFrame(OPCODES.text, Buffer.from('PONG')));
    if (!text.startsWith('{')) return;
    const { method, error, result } = JSON.parse(text) as TrpcMessage;
    if (method === 'reconnect') socket?.end();
    else if (error !== undefined) listener.refused(error.data.swarm.code);
    else if (result?.type === 'stopped') listener.returned();
    else if (result?.type === 'data' && result.data !== undefined) listener.value(result.data.id, result.data.data);
    if (error !== undefined || result?.type === 'stopped') socket?.end();
  }

  outgoing.on('upgrade', (_response, upgraded: Socket, head) => {
    socket = upgraded;
    let waiting: Buffer = Buffer.alloc(0);
    const receive = (part: Buffer) => {
      waiting = waiting.length === 0 ? part : Buffer.concat([waiting, part]);
      waiting = takeFrames(waiting, receiveFrame);
    };
    socket.on('data', receive);
    socket.on('error', end);
    socket.on('close', end);
    if (head.length > 0) receive(head);
    if (paused) socket.pause();
    say({ method: 'connectionParams', data: { token: core.adminToken } });
    const input = { namespace, since, ...filter };
    say({ id: 1, method: 'subscription', params: { path: 'registry.watch', input, lastEventId } });
  });
  outgoing.on('response', (response) => {
    listener.refused(`HTTP ${response.statusCode}`);
    response.resume();
    response.on('close', end);
  });
  outgoing.on('error', end);
  outgoing.end();
  return {
    pause: () => {
      paused = true;
      socket?.pause();
    },
    resume: () => {
      paused = false;
      socket?.resume();
    },
    close: () => {
      socket?.destroy();
      outgoing.destroy();
    },
  };
}

/** Hands over the whole frames at the front of `bytes`; returns what is left. Servers neither mask nor split theirs. */
function takeFrames(bytes: Buffer, receive: (opcode: number, payload: Buffer) => void): Buffer {
  let rest = bytes;
  while (rest.length >= 2) {
    const opcode = rest.readUInt8(0) & 0x0f;
    const short = rest.readUInt8(1) & 0x7f;
    const header = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (rest.length < header) return rest;
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short;
    if (rest.length < header + length) return rest;
    receive(opcode, rest.subarray(header, header + length));
    rest = rest.subarray(header + length);
  }
  return rest;
}

/** A client masks what it sends. */
function clientFrame(opcode: number, payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const head = Buffer.alloc(payload.length < 126 ? 2 : 4);
  head.writeUInt8(0x80 | opcode, 0);
  if (payload.length < 126) head.writeUInt8(0x80 | payload.length, 1);
  else {
    head.writeUInt8(0x80 | 126, 1);
    head.writeUInt16BE(payload.length, 2);
  }
  const masked = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([head, mask, masked]);
}
