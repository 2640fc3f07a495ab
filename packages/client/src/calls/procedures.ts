// The core's queries and mutations as plain async functions, typed by the API that contracts declares.
import {
  type AgentView,
  type Api,
  type ApiInput,
  type InferInput,
  type InferOutput,
  KINDS,
  type Procedure,
  type ProcedureKind,
  type QueryResultIn,
  SwarmError,
} from '@hypercode/contracts';
import {
  createTRPCUntypedClient,
  httpBatchLink,
  httpLink,
  type Operation,
  splitLink,
  type TRPCLink,
} from '@trpc/client';
import type { AnyTRPCRouter } from '@trpc/server';
import { bounded, isTimeout } from '../transport/bounded.ts';
import type { Connection } from '../transport/connection.ts';
import { carriesEvents, jsonText, parseExact } from '../transport/exact-json.ts';
import { isRecord, parseJson } from '../transport/json.ts';
import { onAbort } from '../transport/on-abort.ts';
import { refusalOfCall } from '../transport/refusal.ts';
import { MAX_URL_LENGTH, type WholeAnswer } from '../transport/transport.ts';

export interface CallOptions {
  /** Gives up; the outcome is then unknown. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the call gives up. Default: the client's, and for a claim its `waitMs` besides. */
  readonly timeoutMs?: number | undefined;
}

type Kind = 'query' | 'mutation';
/** Of a procedure, or of the procedures of a group. */
type Kinds = ProcedureKind | Readonly<Record<string, ProcedureKind>>;
type Callable = Pick<Procedure<Kind>, 'kind' | 'input' | 'output'>;

/** A call rejects with a SwarmError and nothing else. An input whose fields are all optional may be left out. */
type Call<Input, Output> =
  Partial<Input> extends Input
    ? (input?: Input, options?: CallOptions) => Promise<Output>
    : (input: Input, options?: CallOptions) => Promise<Output>;

type CallOf<Declared> = Declared extends Callable
  ? Call<InferInput<Declared['input']>, InferOutput<Declared['output']>>
  : never;

type CallsOf<Group> = {
  readonly [P in keyof Group as Group[P] extends Callable ? P : never]: CallOf<Group[P]>;
};

/** `registry.query`: what it answers follows from the view that it asks for. */
interface QueryAgents {
  <View extends AgentView>(
    input: Omit<ApiInput<'registry.query'>, 'view'> & { readonly view: View },
    options?: CallOptions,
  ): Promise<QueryResultIn<View>>;
  (
    input?: ApiInput<'registry.query'> & { readonly view?: 'full' | undefined },
    options?: CallOptions,
  ): Promise<QueryResultIn<'full'>>;
}

/** Every query and mutation of the API: in its group, or by its name alone. */
export type Procedures = {
  readonly [Entry in Exclude<keyof Api, 'registry'>]: Api[Entry] extends Procedure
    ? CallOf<Api[Entry]>
    : CallsOf<Api[Entry]>;
} & { readonly registry: Omit<CallsOf<Api['registry']>, 'query'> & { readonly query: QueryAgents } };

/** It waits for events, so it travels alone (the answers of a batch come together) and its wait is not the core's slowness. */
const WAITING = 'bus.claim';
/** Most calls in one request. */
const BATCH_ITEMS = 64;
/**
 * Longer inputs travel alone, so that no batch outgrows the core's limit on bodies because of its neighbours, and no batch of queries
 * the address. In characters as they are sent: those of a query are escaped.
 */
const BATCH_INPUT_LENGTH = 4_000;

export function createProcedures(connection: Connection): Procedures {
  const client = createTRPCUntypedClient<AnyTRPCRouter>({ links: [batching(connection)] });

  const call = async (kind: Kind, path: string, given: unknown, options: CallOptions = {}): Promise<unknown> => {
    const input = withNamespace(given, connection.namespace);
    const text = jsonText(input);
    const { length: inputLength } = kind === 'query' ? encodeURIComponent(text) : text;
    const context = { inputLength, token: '' } satisfies CallContext;
    const bounds = {
      timeoutMs: options.timeoutMs ?? connection.timeoutMs + (path === WAITING ? waitOf(input) : 0),
      signals: [connection.closed, options.signal],
    };
    return bounded(connection.clock, bounds, async (signal) => {
      const attempt = async (): Promise<unknown> => {
        try {
          return await client[kind](path, input, { signal, context });
        } catch (thrown) {
          // The signal of a batch that tRPC makes of its calls' does not know why it was aborted.
          if (isTimeout(signal)) connection.transport.dropIdle();
          throw refusalOfCall(thrown, connection);
        }
      };
      try {
        return await attempt();
      } catch (thrown) {
        const refusal = SwarmError.from(thrown);
        const mayRenew = refusal.is('UNAUTHENTICATED') && context.token !== '';
        if (!mayRenew || !(await connection.renewed(context.token, signal))) throw refusal;
      }
      return attempt();
    });
  };

  const callOf = (kind: Kind, path: string) => (input: unknown, options?: CallOptions) =>
    call(kind, path, input, options);
  const callsOf = (kinds: Readonly<Record<string, Kinds>>, prefix = ''): object =>
    Object.fromEntries(
      Object.entries(kinds)
        .filter(([, kind]) => kind !== 'subscription')
        .map(([name, kind]) => [
          name,
          typeof kind === 'string' ? callOf(kind as Kind, prefix + name) : callsOf(kind, `${name}.`),
        ]),
    );
  return callsOf(KINDS) as Procedures;
}

/** What travels with an operation through the links. */
interface CallContext extends Record<string, unknown> {
  inputLength: number;
  /** The token that the request was sent with. */
  token: string;
}

function batching(connection: Connection): TRPCLink<AnyTRPCRouter> {
  const url = connection.endpoint('trpc');
  const headers = async (operations: readonly Operation[]): Promise<Record<string, string>> => {
    const token = await connection.token(endOfAll(operations));
    for (const { context } of operations) context['token'] = token;
    return connection.headers(token);
  };
  const fetch = fetchAnswer(connection);
  // A browser names the origin of each POST, and of a GET only where the page came over https or from this machine.
  const override = connection.isSession ? { methodOverride: 'POST' as const } : {};
  return splitLink({
    condition: ({ context, path }) => path !== WAITING && (context as CallContext).inputLength <= BATCH_INPUT_LENGTH,
    true: httpBatchLink({
      url,
      fetch,
      headers: ({ opList }) => headers(opList),
      maxItems: BATCH_ITEMS,
      ...override,
      maxURLLength: MAX_URL_LENGTH,
    }),
    false: splitLink({
      condition: ({ type, context }) => type === 'query' && (context as CallContext).inputLength > BATCH_INPUT_LENGTH,
      // A query is a GET unless its input is long, which a core of the release before does not take.
      true: httpLink({
        url,
        fetch: fetchAnswer(connection, { isRepeatable: true }),
        headers: ({ op }) => headers([op]),
        methodOverride: 'POST',
      }),
      false: httpLink({ url, fetch, headers: ({ op }) => headers([op]) }),
    }),
  });
}

/** Aborted when every one of them is. */
function endOfAll(operations: readonly Operation[]): AbortSignal {
  const controller = new AbortController();
  let open = operations.length;
  for (const { signal } of operations) {
    if (!signal) continue;
    onAbort(signal, () => {
      open -= 1;
      if (open === 0) controller.abort();
    });
  }
  return controller.signal;
}

/** What tRPC's links give to their `fetch`. */
interface LinkRequest {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: unknown;
  readonly signal?: AbortSignal | null;
}

/** A `fetch` for tRPC's links whose answers are tRPC's; whatever else comes back is thrown as the SwarmError that it means. */
function fetchAnswer(connection: Connection, { isRepeatable = false } = {}) {
  const never = new AbortController().signal;
  return async (address: unknown, init?: object) => {
    const { method, headers = {}, body, signal } = (init ?? {}) as LinkRequest;
    const url = new URL(String(address));
    const isQuery = method === 'GET';
    let answer: WholeAnswer;
    const sentMs = connection.clock.epochMs();
    try {
      answer = await connection.transport.send({
        method: isQuery ? 'GET' : 'POST',
        url,
        headers,
        body: typeof body === 'string' ? body : undefined,
        signal: signal ?? never,
        isRepeatable: isRepeatable || isQuery,
      });
      connection.noteHead(answer, sentMs);
    } catch (cause) {
      throw connection.unreachable(cause);
    }
    const json = answersIn(answer.text, url);
    const isTrpc = Array.isArray(json) || (isRecord(json) && ('result' in json || isRecord(json['error'])));
    if (!isTrpc) throw connection.refusalOf({ ...answer, url }, json);
    connection.reachability.answered();
    return { ok: answer.status >= 200 && answer.status <= 299, json: async () => json };
  };
}

/**
 * The answers of the procedures that `url` names, with data of events as it came. In answers about agents, JSON Schemas have
 * numbers that a validator takes as numbers; there `JSON.parse` decides.
 */
function answersIn(text: string, url: URL): unknown {
  const json = parseJson(text);
  const paths = url.pathname.slice(url.pathname.lastIndexOf('/') + 1).split(',');
  if (json === undefined || !paths.some(carriesEvents)) return json;
  const exact = parseExact(text);
  if (!Array.isArray(json) || !Array.isArray(exact)) return exact;
  return json.map((one: unknown, index) => (carriesEvents(paths[index] ?? '') ? (exact[index] as unknown) : one));
}

function withNamespace(input: unknown, namespace: string | undefined): unknown {
  if (input === undefined) return namespace === undefined ? {} : { namespace };
  if (namespace === undefined || !isRecord(input) || input['namespace'] !== undefined) return input;
  return { ...input, namespace };
}

/** How long a claim waits for events, in milliseconds; the core decides whether that is a valid time. */
function waitOf(input: unknown): number {
  const waitMs = isRecord(input) ? input['waitMs'] : undefined;
  return typeof waitMs === 'number' && waitMs > 0 ? waitMs : 0;
}
