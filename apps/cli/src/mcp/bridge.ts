// From lines of JSON-RPC to requests of `/mcp`, and back. Messages are handed on as they are; what is added is what HTTP needs.
//
//   request ──answered──> its answer is a line ──the core does not answer, or refuses──> an error is a line
//           ──notifications/cancelled names it──> its HTTP request is aborted, and no line is written
//   end of the input ──> all requests are aborted, and the bridge has ended
import { request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { Readable } from 'node:stream';

export interface McpBridgeOptions {
  /** Of the core. */
  readonly url: URL;
  readonly token: string;
  /** Writes one message, without a line feed in it. */
  readonly write: (line: string) => void;
  /** Is called with what no message says, in words. */
  readonly onError: (text: string) => void;
}

interface Message {
  readonly jsonrpc?: unknown;
  readonly id?: string | number | null;
  readonly method?: unknown;
  readonly params?: {
    readonly name?: unknown;
    readonly uri?: unknown;
    readonly requestId?: unknown;
    readonly _meta?: unknown;
  };
}

/** The longest message: an input as large as the core takes, with room to be refused by the core itself. */
const MAX_LINE_CHARACTERS = 4 * 1024 * 1024;
/** Most requests under way; one more gets an error that says to wait. */
const MAX_OPEN = 64;
/** Longer than the longest wait of a tool: then the core has died without closing the connection. In milliseconds. */
const SILENCE_MS = 60_000;

const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
/** Of the range that JSON-RPC 2.0 leaves to servers. */
const NO_ANSWER = -32_000;

const VERSION_KEY = 'io.modelcontextprotocol/protocolVersion';

export class McpBridge {
  readonly #options: McpBridgeOptions;
  readonly #open = new Map<string | number, AbortController>();
  readonly #closing = new AbortController();
  /** That the client and the core have agreed on by `initialize`. */
  #version: string | undefined;

  constructor(options: McpBridgeOptions) {
    this.#options = options;
  }

  /** Serves the messages of `input` until it ends. */
  async run(input: Readable): Promise<void> {
    input.setEncoding('utf8');
    const end = (): void => void input.destroy();
    this.#closing.signal.addEventListener('abort', end, { once: true });
    let rest = '';
    try {
      for await (const chunk of input) {
        const lines = (rest + String(chunk)).split('\n');
        rest = lines.pop() ?? '';
        for (const line of lines) this.#take(line);
        if (rest.length > MAX_LINE_CHARACTERS) {
          this.#fail(null, PARSE_ERROR, `a message has at most ${MAX_LINE_CHARACTERS} characters`);
          return;
        }
      }
      if (rest.trim() !== '') this.#take(rest);
    } catch (error) {
      if (!this.#closing.signal.aborted) throw error;
    } finally {
      this.close();
    }
  }

  /** Aborts what is open. */
  close(): void {
    this.#closing.abort();
    for (const controller of this.#open.values()) controller.abort();
    this.#open.clear();
  }

  #take(line: string): void {
    if (line.trim() === '') return;
    let message: Message;
    try {
      message = JSON.parse(line) as Message;
    } catch {
      return this.#fail(null, PARSE_ERROR, 'a line must be one JSON-RPC message');
    }
    if (typeof message !== 'object' || message === null || Array.isArray(message))
      return this.#fail(null, INVALID_REQUEST, 'a line must be one JSON-RPC message; batches are not served');
    if (message.method === 'notifications/cancelled') return this.#cancel(message);
    const { id } = message;
    // Notifications change nothing at a core without sessions, and answers are to nothing that it has asked.
    if (id === undefined || id === null || typeof message.method !== 'string') return;
    if (this.#open.size >= MAX_OPEN)
      return this.#fail(id, NO_ANSWER, `more than ${MAX_OPEN} requests at a time: wait for the answer to one of them`);
    if (this.#open.has(id)) return this.#fail(id, INVALID_REQUEST, 'a request with this id has no answer yet');
    const controller = new AbortController();
    this.#open.set(id, controller);
    void this.#ask(id, message, { line, signal: controller.signal }).finally(() => {
      if (this.#open.get(id) === controller) this.#open.delete(id);
    });
  }

  #cancel({ params }: Message): void {
    const id = params?.requestId;
    if (typeof id !== 'string' && typeof id !== 'number') return;
    this.#open.get(id)?.abort();
    this.#open.delete(id);
  }

  async #ask(id: string | number, message: Message, sent: { line: string; signal: AbortSignal }): Promise<void> {
    try {
      const answer = await this.#post(message, sent);
      if (sent.signal.aborted) return;
      const found = answerIn(answer.body, answer.contentType);
      if (found !== null) {
        if (message.method === 'initialize') this.#version = versionIn(found);
        return this.#options.write(JSON.stringify(found));
      }
      const { code, message: text } = problemIn(answer.body);
      this.#fail(id, NO_ANSWER, text ?? `the core answered with status ${answer.status}`, code);
    } catch (error) {
      if (sent.signal.aborted) return;
      const reason = error instanceof Error ? error.message : String(error);
      this.#fail(id, NO_ANSWER, `no core answers at ${this.#options.url.origin}: ${reason}. Try again.`, 'UNAVAILABLE');
    }
  }

  #post(
    message: Message,
    { line, signal }: { line: string; signal: AbortSignal },
  ): Promise<{ status: number; contentType: string; body: string }> {
    const { url, token } = this.#options;
    const post = url.protocol === 'https:' ? httpsRequest : httpRequest;
    return new Promise((resolve, reject) => {
      const outgoing = post(
        url,
        {
          method: 'POST',
          signal,
          timeout: SILENCE_MS,
          headers: {
            ...headersOf(message, this.#version),
            authorization: `Bearer ${token}`,
            'content-type': 'application/json',
            'content-length': Buffer.byteLength(line),
            accept: 'application/json, text/event-stream',
          },
        },
        (answer) => {
          let body = '';
          answer.setEncoding('utf8');
          answer.on('data', (part: string) => (body += part));
          answer.on('error', reject);
          answer.on('end', () =>
            resolve({ status: answer.statusCode ?? 0, contentType: answer.headers['content-type'] ?? '', body }),
          );
        },
      );
      outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${SILENCE_MS / 1000} s`)));
      outgoing.on('error', reject);
      outgoing.end(line);
    });
  }

  #fail(id: string | number | null, code: number, message: string, swarm?: string): void {
    if (id === null) this.#options.onError(message);
    const data = swarm === undefined ? {} : { data: { code: swarm } };
    this.#options.write(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message, ...data } }));
  }
}

/** What the protocol repeats in headers. */
function headersOf({ method, params }: Message, agreed: string | undefined): Record<string, string> {
  const stated = isRecord(params?._meta) ? params._meta[VERSION_KEY] : undefined;
  if (typeof stated !== 'string') return agreed === undefined ? {} : { 'mcp-protocol-version': agreed };
  const name = params?.name ?? params?.uri;
  return {
    'mcp-protocol-version': stated,
    'mcp-method': String(method),
    ...(typeof name === 'string' ? { 'mcp-name': name } : {}),
  };
}

/** The message in an answer: JSON, or the last event of a stream. Null for what is none of the protocol. */
function answerIn(body: string, contentType: string): Record<string, unknown> | null {
  const text = contentType.startsWith('text/event-stream') ? lastData(body) : body;
  const found = parsed(text);
  return isRecord(found) && found['jsonrpc'] === '2.0' && ('result' in found || 'error' in found) ? found : null;
}

function lastData(body: string): string {
  const events = body.split(/\r?\n\r?\n/).flatMap((event) => {
    const lines = event.split(/\r?\n/).filter((line) => line.startsWith('data:'));
    return lines.length === 0 ? [] : [lines.map((line) => line.slice(5).trimStart()).join('\n')];
  });
  return events.at(-1) ?? '';
}

/** RFC 9457, as the core refuses what is no message of the protocol: a token, a host, a size. */
function problemIn(body: string): { code?: string; message?: string } {
  const found = parsed(body);
  if (!isRecord(found) || typeof found['code'] !== 'string') return {};
  const detail = found['detail'] ?? found['message'] ?? found['title'];
  return { code: found['code'], message: `${found['code']}: ${typeof detail === 'string' ? detail : 'refused'}` };
}

function versionIn({ result }: Record<string, unknown>): string | undefined {
  const version = isRecord(result) ? result['protocolVersion'] : undefined;
  return typeof version === 'string' ? version : undefined;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
