// What stands between a WebSocket and the calls: it names a valid token first.
import { SwarmError } from '@hypercode/contracts';
import type { Identity } from '@hypercode/registry';
import type { IncomingHttpHeaders } from 'node:http';
import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { Core } from '../context.ts';
import { isJsonObject } from '../rest/merge-input.ts';
import { recognise } from './authenticate.ts';
import { LINGER_MS } from './end-connection.ts';

/** How long a connection may take to name its token, in milliseconds. */
const AUTHENTICATION_MS = 5000;
/** Most bytes that it may send before. */
const MAX_BYTES = 4096;
/** What frames add to their payloads (RFC 6455, section 5.2), and upgrades to the first of them. */
const FRAMING_BYTES = 64;
/** RFC 6455, section 7.4.1: the message violates the policy. */
const POLICY_VIOLATION = 1008;

export interface GateOptions {
  core: Core;
  client: WebSocket;
  socket: Socket;
  /** Of the upgrade. */
  headers: IncomingHttpHeaders;
  /** Hands the connection on to who serves its calls. The messages that have come are emitted again afterwards. */
  open: (identity: Identity) => void;
  /** The message that answers a call with a refusal. */
  refusalOf: (id: number | string, refusal: SwarmError) => string;
}

/**
 * Waits for `connectionParams` with a valid token, or with the key of a session whose cookie the upgrade had, as the first message, and then opens. Until then at most 4 KiB are read and no
 * call is made: calls are answered with the refusal. What arrives while the token is looked up waits in the connection.
 *
 * States: waiting → looking up → open, or refused → closed. Waiting and refused end after 5 s, or when more than 4 KiB have come.
 */
export function guardWebSocket({ core, client, socket, headers, open, refusalOf }: GateOptions): void {
  const held: [RawData, boolean][] = [];
  let state: 'waiting' | 'looking up' | 'refused' | 'open' = 'waiting';
  let refusal: SwarmError = new SwarmError(
    'UNAUTHENTICATED',
    'a token is needed: connectionParams { token } within 5 seconds',
  );
  let received = 0;

  const close = (): void => {
    leave();
    client.close(POLICY_VIOLATION, refusal.code);
    client.once(
      'close',
      core.clock.schedule(LINGER_MS, () => client.terminate()),
    );
  };
  const expire = (): void => {
    if (state === 'waiting') refuse(refusal);
    close();
  };
  const cancel = core.clock.schedule(AUTHENTICATION_MS, expire);
  const leave = (): void => {
    cancel();
    client.off('message', take).off('close', leave);
    socket.off('data', count);
  };
  const refuse = (reason: SwarmError): void => {
    refusal = reason;
    state = 'refused';
    core.onRefusal(refusal, { address: socket.remoteAddress });
  };
  // A frame is kept until it is whole, however large it is: so bytes are counted, not messages.
  const count = (part: Buffer): void => {
    received += part.length;
    if (state !== 'looking up' && received > MAX_BYTES + FRAMING_BYTES) close();
  };

  const take = (data: RawData, isBinary: boolean): void => {
    const text = textOf(data);
    if (text === 'PING' || text === 'PONG') return;
    if (state === 'looking up') held.push([data, isBinary]);
    else if (text === null) close();
    else if (state === 'refused') answer(text);
    else void lookUp(text, () => client.emit('message', data, isBinary));
  };
  const lookUp = async (text: string, emitFirst: () => void): Promise<void> => {
    state = 'looking up';
    client.pause();
    const recognised = await recognise(core, { headers, params: paramsIn(text) }).catch((error: unknown) =>
      SwarmError.from(error),
    );
    if (client.readyState !== client.OPEN) return;
    if (!(recognised instanceof SwarmError)) {
      state = 'open';
      leave();
      open(recognised);
      emitFirst();
      for (const [data, isBinary] of held) client.emit('message', data, isBinary);
    } else {
      received = 0;
      refuse(recognised);
      const [next] = held;
      if (next !== undefined) take(...next);
    }
    client.resume();
  };
  const answer = (text: string): void => {
    for (const id of idsIn(text)) client.send(refusalOf(id, refusal));
    close();
  };

  client.on('message', take).on('close', leave);
  socket.on('data', count);
}

/** Null for what is larger than any message may be here. */
const textOf = (data: RawData): string | null =>
  Buffer.isBuffer(data) && data.length <= MAX_BYTES ? data.toString('utf8') : null;

/** The parameters in tRPC's first message; null when it is none. */
function paramsIn(text: string): Record<string, unknown> | null {
  const message = parsed(text);
  if (!isJsonObject(message) || message['method'] !== 'connectionParams' || !isJsonObject(message['data'])) return null;
  return message['data'];
}

/** The ids of the calls of a message. */
function idsIn(text: string): (number | string)[] {
  return [parsed(text)].flat().flatMap((call) => {
    const id = isJsonObject(call) ? call['id'] : undefined;
    return typeof id === 'number' || typeof id === 'string' ? [id] : [];
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
