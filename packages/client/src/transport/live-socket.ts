// The WebSocket that all live streams of a client share, in tRPC's protocol for WebSockets.
//
//   connecting ──> introducing ──> open ──> ended     when it broke, fell silent or was closed, the core drains, or no view has
//        │              │                             used it for a second
//        └──────────────┴──> ended
//
// An introduction is the token and a call that every token may make. The core reads little from a connection before it knows the
// token, and reports a refusal only in the answer to a call; so the views begin after that answer.
import { SwarmError } from '@hypercode/contracts';
import type { Connection } from './connection.ts';
import { isRecord, parseJson } from './json.ts';
import type { LiveRequest } from './live-stream.ts';
import { onAbort } from './on-abort.ts';
import { asUnanswered } from './refusal.ts';
import { SILENCE_LIMIT_MS } from './server-sent-values.ts';
import { SocketView, type ViewSocket } from './socket-view.ts';

/** How long the core may take until the connection is open, in milliseconds. */
const OPENING_LIMIT_MS = 5_000;
/** How long a connection without a view is kept, in milliseconds: a page that leaves one view often opens another. */
const IDLE_MS = 1_000;
const INTRODUCTION_ID = 0;

export interface LiveSocketOptions {
  readonly open: (url: URL) => WebSocket;
  readonly token: string;
}

export class LiveSocket implements ViewSocket {
  readonly token: string;
  /** False when no WebSocket could be opened; true when one was, whatever became of it. Never rejects. */
  readonly connected: Promise<boolean>;
  readonly #connection: Connection;
  readonly #socket: WebSocket | null = null;
  readonly #releases: (() => void)[];
  readonly #views = new Set<SocketView>();
  /** By the id of their messages. */
  readonly #begun = new Map<number, SocketView>();
  #state: 'connecting' | 'introducing' | 'open' | 'ended' = 'connecting';
  #nextId = INTRODUCTION_ID + 1;
  #arrivedAtMs: number;
  #settleConnected: (isConnected: boolean) => void = () => {};
  #cancelLimit: () => void = () => {};
  #cancelIdle: () => void = () => {};

  constructor(connection: Connection, { open, token }: LiveSocketOptions) {
    this.#connection = connection;
    this.token = token;
    this.connected = new Promise((resolve) => (this.#settleConnected = resolve));
    this.#arrivedAtMs = connection.clock.monotonicMs();
    this.#releases = [
      onAbort(connection.closed, () => this.#lose('the client is closed')),
      connection.onRevival((sinceMs) => {
        if (this.#arrivedAtMs < sinceMs)
          this.#lose('the core answers on new connections, and has sent nothing on this one');
      }),
    ];
    try {
      const socket = (this.#socket = open(socketAddress(connection)));
      socket.addEventListener('open', () => this.#introduce());
      socket.addEventListener('message', ({ data }: MessageEvent<unknown>) => this.#receive(data));
      socket.addEventListener('error', () => {});
      socket.addEventListener('close', ({ code }) => this.#break(`the WebSocket was closed (code ${code})`));
    } catch {
      // A page that came over https may open no ws: address.
      this.#break('no WebSocket may be opened');
    }
    this.#limitSilence(OPENING_LIMIT_MS);
  }

  get hasEnded(): boolean {
    return this.#state === 'ended';
  }

  /** A view for the request, which begins as soon as the connection is open. */
  add(request: LiveRequest): SocketView {
    this.#cancelIdle();
    const view = new SocketView(this, request);
    this.#views.add(view);
    if (this.#state === 'open') view.begin();
    return view;
  }

  begin(view: SocketView, lastEventId: string | undefined): number {
    const id = this.#nextId;
    this.#nextId += 1;
    this.#begun.set(id, view);
    const { path, input } = view.request;
    const resumed = lastEventId === undefined ? '' : `,"lastEventId":${JSON.stringify(lastEventId)}`;
    this.#send(`{"id":${id},"method":"subscription","params":{"path":"${path}","input":${input}${resumed}}}`);
    return id;
  }

  stop(id: number): void {
    if (this.#begun.delete(id)) this.#send(JSON.stringify({ id, method: 'subscription.stop' }));
  }

  leave(view: SocketView): void {
    if (!this.#views.delete(view) || this.#views.size > 0 || this.#state === 'ended') return;
    this.#cancelIdle();
    this.#cancelIdle = this.#connection.clock.schedule(IDLE_MS, () => this.#lose('no view uses the connection'));
  }

  #introduce(): void {
    this.#settleConnected(true);
    this.#state = 'introducing';
    const data = this.#connection.connectionParams(this.token);
    this.#send(JSON.stringify({ method: 'connectionParams', data }));
    this.#send(JSON.stringify({ id: INTRODUCTION_ID, method: 'query', params: { path: 'whoami', input: {} } }));
  }

  #receive(data: unknown): void {
    if (this.#state === 'ended' || typeof data !== 'string') return;
    this.#arrivedAtMs = this.#connection.clock.monotonicMs();
    if (data === 'PONG') return;
    if (data === 'PING') return this.#send('PONG');
    const message = parseJson(data);
    if (!isRecord(message)) return this.#lose('the core sent a message that cannot be read');
    if (message['method'] === 'reconnect') return this.#lose('the core asks to connect again');
    const { id } = message;
    if (id === INTRODUCTION_ID && this.#state === 'introducing') return this.#introduced(message);
    const view = typeof id === 'number' ? this.#begun.get(id) : undefined;
    if (view === undefined) return;
    const result = isRecord(message['result']) ? message['result'] : {};
    if ('error' in message || result['type'] === 'stopped') {
      this.#begun.delete(id as number);
      view.fail('error' in message ? this.#refusalIn(message) : lost('the core ended the stream'));
    } else if (result['type'] === 'data') view.take(message, data);
  }

  #introduced(message: Record<string, unknown>): void {
    if ('error' in message) return this.#end(this.#refusalIn(message));
    this.#state = 'open';
    this.#limitSilence(SILENCE_LIMIT_MS);
    for (const view of this.#views) view.begin();
  }

  #refusalIn(message: Record<string, unknown>): SwarmError {
    const { error } = message;
    const data = isRecord(error) ? error['data'] : undefined;
    const status = isRecord(data) && typeof data['httpStatus'] === 'number' ? data['httpStatus'] : 500;
    return this.#connection.refusalOf({ status }, error);
  }

  #send(text: string): void {
    if (this.#state !== 'ended') this.#socket?.send(text);
  }

  /** Ends the connection when nothing has arrived for so many milliseconds; the core sends a sign every 15 s. */
  #limitSilence(limitMs: number): void {
    if (this.#state === 'ended') return;
    const { clock } = this.#connection;
    this.#cancelLimit();
    const restMs = this.#arrivedAtMs + limitMs - clock.monotonicMs();
    this.#cancelLimit = clock.schedule(restMs, () => {
      if (this.#arrivedAtMs + limitMs > clock.monotonicMs()) return this.#limitSilence(limitMs);
      this.#end(asUnanswered(lost(`the core sent nothing for ${limitMs} ms`)));
    });
  }

  #break(reason: string): void {
    this.#end(this.#connection.unreachable(new Error(reason)));
  }

  #lose(reason: string): void {
    this.#end(lost(reason));
  }

  #end(error: SwarmError): void {
    if (this.#state === 'ended') return;
    this.#state = 'ended';
    this.#settleConnected(false);
    this.#cancelLimit();
    this.#cancelIdle();
    for (const release of this.#releases) release();
    this.#begun.clear();
    for (const view of this.#views) view.fail(error);
    this.#socket?.close();
  }
}

const lost = (reason: string): SwarmError => new SwarmError('UNAVAILABLE', reason);

function socketAddress(connection: Connection): URL {
  const url = connection.endpoint('trpc');
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.searchParams.set('connectionParams', '1');
  return url;
}
