// The core's queries and mutations as plain async functions, typed by the API that contracts declares.
import {
  type Api,
  type InferInput,
  type InferOutput,
  KINDS,
  type Procedure,
  type ProcedureKind,
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
import { bounded } from '../transport/bounded.ts';
import type { Connection } from '../transport/connection.ts';
import { isRecord, parseJson } from '../transport/json.ts';
import { onAbort } from '../transport/on-abort.ts';
import { refusalOf, refusalOfCall, unreachable } from '../transport/refusal.ts';

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

/** Every query and mutation of the API: in its group, or by its name alone. */
export type Procedures = {
  readonly [Entry in keyof Api]: Api[Entry] extends Procedure ? CallOf<Api[Entry]> : CallsOf<Api[Entry]>;
};

/** It waits for events, so it travels alone (the answers of a batch come together) and its wait is not the core's slowness. */
const WAITING = 'bus.claim';
/** Most calls in one request. */
const BATCH_ITEMS = 64;
/** Longest address of a batch of queries; Node's parser takes 16 KiB of request line and headers. */
const BATCH_URL_LENGTH = 8_000;
/** Larger inputs travel alone, so that no batch outgrows the core's limit on bodies because of its neighbours. */
const BATCH_INPUT_LENGTH = 4_000;

export function createProcedures(connection: Connection): Procedures {
  const client = createTRPCUntypedClient<AnyTRPCRouter>({ links: [batching(connection)] });

  const call = async (kind: Kind, path: string, given: unknown, options: CallOptions = {}): Promise<unknown> => {
    const input = withNamespace(given, connection.namespace);
    const context = { inputLength: jsonLength(input), token: '' } satisfies CallContext;
    const bounds = {
      timeoutMs: options.timeoutMs ?? connection.timeoutMs + (path === WAITING ? waitOf(input) : 0),
      signals: [connection.closed, options.signal],
    };
    return bounded(connection.clock, bounds, async (signal) => {
      const attempt = (): Promise<unknown> => client[kind](path, input, { signal, context });
      try {
        return await attempt();
      } catch (thrown) {
        const refusal = refusalOfCall(thrown);
        const mayRenew = refusal.is('UNAUTHENTICATED') && context.token !== '';
        if (!mayRenew || !(await connection.renewed(context.token, signal))) throw refusal;
      }
      return attempt().catch((thrown: unknown) => {
        throw refusalOfCall(thrown);
      });
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
  return splitLink({
    condition: ({ context, path }) => path !== WAITING && (context as CallContext).inputLength <= BATCH_INPUT_LENGTH,
    true: httpBatchLink({
      url,
      fetch,
      headers: ({ opList }) => headers(opList),
      maxItems: BATCH_ITEMS,
      maxURLLength: BATCH_URL_LENGTH,
    }),
    false: httpLink({ url, fetch, headers: ({ op }) => headers([op]) }),
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

/** A fetch for tRPC's links whose answers are tRPC's; whatever else comes back is thrown as the SwarmError that it means. */
function fetchAnswer(connection: Connection) {
  const { fetch, clock } = connection;
  return async (url: Parameters<typeof fetch>[0], init?: object) => {
    let response: Response;
    let text: string;
    const sentMs = clock.epochMs();
    try {
      response = await fetch(url, init);
      connection.noteDate(response.headers.get('date'), sentMs);
      text = await response.text();
    } catch (cause) {
      throw unreachable(cause);
    }
    const answer = parseJson(text);
    const isTrpc = Array.isArray(answer) || (isRecord(answer) && ('result' in answer || isRecord(answer['error'])));
    if (!isTrpc) throw refusalOf(response.status, answer, response.headers.get('retry-after'));
    return { ok: response.ok, json: async () => answer };
  };
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

function jsonLength(input: unknown): number {
  try {
    return JSON.stringify(input)?.length ?? 0;
  } catch (cause) {
    throw new SwarmError('INVALID_INPUT', 'the input is not JSON', { cause });
  }
}
