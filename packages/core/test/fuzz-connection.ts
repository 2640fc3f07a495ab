// For the fuzz test: raw requests on kept connections, and what comes back.
import { createConnection, type Socket } from 'node:net';
import { bytesOf, isWellFramed, type Request } from './fuzz-mutations.ts';

/** A mutated length can promise more than is sent: then the core waits, and the test does not. */
const PATIENCE_MS = 1000;
/** The answer to a well-framed request comes, however busy the machine is. */
const ANSWER_TIMEOUT_MS = 20_000;

export interface Outcome {
  /** Null: the core waits for more, or closed the connection. */
  readonly status: number | null;
  readonly text: string;
}

/** Sends one request after another. One that is not well-framed has a connection of its own, which the core is asked to close. */
export class FuzzConnection {
  readonly #port: number;
  #kept: Socket | null = null;

  constructor(port: number) {
    this.#port = port;
  }

  /** Reads the whole answer; of a stream only the beginning. */
  async send(request: Request): Promise<Outcome> {
    if (!isWellFramed(request)) {
      const closing: Request = { ...request, headers: [['connection', 'close'], ...request.headers] };
      return exchange(createConnection(this.#port, '127.0.0.1'), closing, PATIENCE_MS, () => false);
    }
    if (this.#kept === null || this.#kept.destroyed) this.#kept = createConnection(this.#port, '127.0.0.1');
    return exchange(this.#kept, request, ANSWER_TIMEOUT_MS, (text) => isWholeAnswer(text, request.method));
  }

  close(): void {
    this.#kept?.destroy();
  }
}

/** Keeps the connection when `isWhole` ended the exchange, and the core did not announce that it closes it. */
function exchange(
  socket: Socket,
  request: Request,
  timeoutMs: number,
  isWhole: (text: string) => boolean,
): Promise<Outcome> {
  return new Promise((resolve) => {
    let text = '';
    const end = (keeps: boolean) => {
      socket.removeAllListeners().setTimeout(0);
      socket.on('error', () => undefined);
      if (!keeps) socket.destroy();
      const status = /^HTTP\/1\.1 (\d{3}) /.exec(text)?.[1];
      resolve({ status: status === undefined ? null : Number(status), text });
    };
    socket.setTimeout(timeoutMs, () => end(false));
    socket.on('error', () => end(false));
    socket.on('close', () => end(false));
    socket.on('data', (bytes) => {
      text += bytes.toString('latin1');
      if (/^content-type: text\/event-stream/im.test(text)) end(false);
      else if (isWhole(text)) end(!/^connection: close\r$/im.test(text));
    });
    socket.write(bytesOf(request));
  });
}

/** RFC 9112, section 6.3, for answers to requests that are well-framed. */
function isWholeAnswer(text: string, method: string): boolean {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd === -1) return false;
  const [head, body] = [text.slice(0, headEnd), text.slice(headEnd + 4)];
  if (method === 'HEAD' || /^HTTP\/1\.1 (?:204|304) /.test(head)) return true;
  const length = /^content-length: (\d+)$/im.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length);
  return /^transfer-encoding: chunked$/im.test(head) && /(?:^|\r\n)0\r\n\r\n$/.test(body);
}
