// A language model behind an OpenAI-compatible API, of which there are many, each with its own habits. What it answers is
// read wherever it stands, and never trusted.
import { createOpenAICompatible } from '@ai-sdk/openai-compatible';
import { type Clock, sleep } from '@hypercode/clock';
import { APICallError } from 'ai';
import { z } from 'zod';
import { boundedFetch, NoAnswer } from './bounded-fetch.ts';

export interface ChatModelOptions {
  /** Base address of the API: `/chat/completions` is appended. */
  readonly url: string;
  readonly model: string;
  /** Sent as bearer token, and shown nowhere. */
  readonly key?: string | undefined;
  /** What the answer is. Sent as JSON Schema where the server takes one. */
  readonly schema: z.ZodType;
  readonly clock: Clock;
  readonly fetch: typeof globalThis.fetch;
}

export interface ChatMessage {
  readonly role: 'user' | 'assistant';
  readonly text: string;
}

export interface ChatAnswer {
  /** Where the answer may stand, the likeliest first: in the words of the model, in the arguments of tool calls, in its thoughts. */
  readonly texts: readonly string[];
  /** Why the answer may be incomplete; null when the model reports no reason. */
  readonly flaw: 'cut off' | 'refused' | 'filtered' | null;
}

export interface AskOptions {
  readonly signal: AbortSignal;
  /** No try begins later, in milliseconds of the clock's monotonic time. */
  readonly endsAtMs: number;
}

type Model = ReturnType<ReturnType<typeof createOpenAICompatible>['chatModel']>;
type CallOptions = Parameters<Model['doGenerate']>[0];
type ResponseFormat = NonNullable<CallOptions['responseFormat']>;

/** Largest answer that is read, in bytes. A hundred tasks take far less. */
const MAX_ANSWER_BYTES = 2 * 1024 * 1024;
/** Statuses with which a server asks to come later. */
const BUSY = new Set([429, 502, 503, 504, 529]);
/** Statuses with which servers refuse what they do not know. */
const REFUSED = new Set([400, 404, 415, 422, 501]);
/** The first pause between two tries and the longest, in milliseconds. */
const BASE_PAUSE_MS = 500;
const MAX_PAUSE_MS = 10_000;

/**
 * Asks for JSON of a schema. A server that refuses the schema is asked for any JSON, and then for plain text; the form that
 * it has answered is the one that it is asked in from then on. A busy server is asked again while there is time.
 */
export class ChatModel {
  readonly #model: Model;
  readonly #clock: Clock;
  /** From the strictest to the loosest. */
  readonly #formats: readonly ResponseFormat[];
  /** Which of them the server has taken. */
  #taken = 0;

  constructor({ url, model, key, schema, clock, fetch }: ChatModelOptions) {
    const provider = createOpenAICompatible({
      name: 'architect-model',
      baseURL: url,
      supportsStructuredOutputs: true,
      fetch: boundedFetch(fetch, MAX_ANSWER_BYTES),
      ...(key === undefined ? {} : { apiKey: key }),
    });
    this.#model = provider.chatModel(model);
    this.#clock = clock;
    const jsonSchema = z.toJSONSchema(schema, { target: 'draft-7' }) as NonNullable<
      Extract<ResponseFormat, { type: 'json' }>['schema']
    >;
    this.#formats = [{ type: 'json', schema: jsonSchema, name: 'plan' }, { type: 'json' }, { type: 'text' }];
  }

  /** Rejects when there is no answer; `reasonOf` tells why. */
  async ask(instructions: string, messages: readonly ChatMessage[], options: AskOptions): Promise<ChatAnswer> {
    const prompt: CallOptions['prompt'] = [
      { role: 'system', content: instructions },
      ...messages.map(({ role, text }) => ({ role, content: [{ type: 'text' as const, text }] })),
    ];
    let refusal: unknown;
    for (const [index, format] of this.#formats.entries()) {
      if (index < this.#taken) continue;
      try {
        const answer = await this.#insist({ prompt, responseFormat: format }, options);
        this.#taken = index;
        return answer;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusal ??= error;
      }
    }
    throw refusal;
  }

  async #insist(
    { prompt, responseFormat }: Pick<CallOptions, 'prompt'> & { readonly responseFormat: ResponseFormat },
    { signal, endsAtMs }: AskOptions,
  ): Promise<ChatAnswer> {
    for (let failures = 1; ; failures += 1) {
      try {
        const { content, finishReason } = await this.#model.doGenerate({
          prompt,
          responseFormat,
          abortSignal: signal,
        });
        return { texts: textsOf(content), flaw: flawOf(finishReason) };
      } catch (error) {
        signal.throwIfAborted();
        const pauseMs = pauseAfter(error, failures, this.#clock);
        if (pauseMs === null || this.#clock.monotonicMs() + pauseMs >= endsAtMs) throw error;
        await sleep(this.#clock, pauseMs, signal);
        signal.throwIfAborted();
      }
    }
  }
}

type Generated = Awaited<ReturnType<Model['doGenerate']>>;

function textsOf(content: Generated['content']): string[] {
  const words = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const calls = content.flatMap((part) => (part.type === 'tool-call' ? [part.input] : []));
  const thoughts = content.flatMap((part) => (part.type === 'reasoning' ? [part.text] : []));
  return [words.join(''), ...calls, thoughts.join('')].filter((text) => text !== '');
}

function flawOf({ unified, raw }: Generated['finishReason']): ChatAnswer['flaw'] {
  if (unified === 'length') return 'cut off';
  if (unified !== 'content-filter') return null;
  return raw === 'content_filter' ? 'filtered' : 'refused';
}

/** Whether the server may take the request in another form. */
function isRefusal(error: unknown): boolean {
  if (!APICallError.isInstance(error)) return false;
  const status = statusOf(error);
  return status === null ? errorIn(error.responseBody) !== undefined : REFUSED.has(status);
}

/** How long to wait before the next try, in milliseconds; null when a try cannot help. */
function pauseAfter(error: unknown, failures: number, clock: Clock): number | null {
  if (!APICallError.isInstance(error) || !BUSY.has(statusOf(error) ?? 0)) return null;
  const spanMs = Math.min(MAX_PAUSE_MS, BASE_PAUSE_MS * 2 ** (failures - 1)) / 2;
  return (retryAfterMs(error.responseHeaders ?? {}, clock.epochMs()) ?? spanMs) + clock.random() * spanMs;
}

/** What the server asks to wait (RFC 9110, section 10.2.3; or in milliseconds, as some do). */
function retryAfterMs(headers: Readonly<Record<string, string>>, now: number): number | undefined {
  const inMs = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (inMs >= 0) return inMs;
  const given = headers['retry-after'];
  if (given === undefined) return undefined;
  const waitMs = /^\s*\d+(?:\.\d+)?\s*$/.test(given) ? Number(given) * 1000 : Date.parse(given) - now;
  return Number.isNaN(waitMs) ? undefined : Math.max(0, waitMs);
}

/** The status of a failure, also of one that an answer with status 200 reports in its body; null when it has none. */
function statusOf({ statusCode, responseBody }: APICallError): number | null {
  if (statusCode !== undefined && (statusCode < 200 || statusCode > 299)) return statusCode;
  const error = errorIn(responseBody);
  const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
  return /^[45]\d\d$/.test(code) ? Number(code) : null;
}

/** What the body of an answer reports as an error; undefined when it reports none. */
function errorIn(body: string | undefined): unknown {
  try {
    return (JSON.parse(body ?? 'null') as { readonly error?: unknown } | null)?.error ?? undefined;
  } catch {
    return undefined;
  }
}

/** Why there was no answer. Nothing of the answer is repeated, because the server knows the key. */
export function reasonOf(error: unknown): string {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; cause = cause.cause, depth += 1) {
    if (cause instanceof NoAnswer) return cause.message;
    if (APICallError.isInstance(cause)) {
      const status = statusOf(cause);
      if (status !== null) return `the model answered with status ${status}`;
      if (errorIn(cause.responseBody) !== undefined) return 'the model answered with an error';
    }
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z_]{1,40}$/.test(cause.code))
      return `the connection failed: ${cause.code}`;
  }
  if (!APICallError.isInstance(error)) return 'the model did not answer';
  const isStream = error.responseHeaders?.['content-type']?.startsWith('text/event-stream') === true;
  return isStream
    ? 'the model answered with a stream of events, which was not asked for'
    : 'the answer is not a chat completion';
}
