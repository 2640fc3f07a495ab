// tRPC calls as a program without any of our code would make them: JSON over HTTP, and every outcome as a value.
import type {
  Agent,
  AgentRegistrationInput,
  HeartbeatResult,
  HistoryResult,
  PublishResult,
  QueryResult,
  RegisterResult,
} from '@hypercode/contracts';
import { Agent as HttpAgent, request } from 'node:http';

/** A core that tests reach over the network. */
export interface Core {
  readonly url: string;
  readonly adminToken: string;
}

/** What the procedures that the tests call answer. */
interface Answers {
  'bus.publish': PublishResult;
  'circuit.trip': Agent;
  'circuit.reset': Agent;
  'registry.register': RegisterResult;
  'registry.update': { agent: Agent };
  'registry.deregister': { agent: Agent };
  'registry.heartbeat': HeartbeatResult;
  'registry.get': Agent;
  'registry.query': QueryResult;
  'registry.history': HistoryResult;
  'tokens.create': { id: string; token: string };
}
export type Procedure = keyof Answers;

const MUTATIONS: ReadonlySet<Procedure> = new Set([
  'bus.publish',
  'circuit.trip',
  'circuit.reset',
  'registry.register',
  'registry.update',
  'registry.deregister',
  'registry.heartbeat',
  'tokens.create',
]);

/** `code` is one of the closed list, `BROKEN` when there was no answer, or `HTTP <status>` for an answer that is not ours. */
export interface Refusal {
  ok: false;
  code: string;
  message: string;
  details?: unknown;
}
export type Outcome<T> = { ok: true; data: T } | Refusal;

/** As many connections as calls are under way, kept open for the next ones. */
const connections = new HttpAgent({ keepAlive: true });

export interface CallOptions {
  /** Default: the core's admin token. */
  token?: string;
}

/** One call in a request of its own. Never rejects. */
export async function call<P extends Procedure>(
  core: Core,
  procedure: P,
  input: unknown,
  { token = core.adminToken }: CallOptions = {},
): Promise<Outcome<Answers[P]>> {
  const json = JSON.stringify(input);
  const answer = MUTATIONS.has(procedure)
    ? await send(core, { method: 'POST', path: `/trpc/${procedure}`, token, body: json })
    : await send(core, { method: 'GET', path: `/trpc/${procedure}?input=${encodeURIComponent(json)}`, token });
  return answer.ok ? outcomeOf<Answers[P]>(answer.body, answer.status) : answer;
}

/** Many calls of one mutation in one request, as tRPC's batching clients send them. Rejects unless all were accepted. */
export async function callBatch<P extends Procedure>(
  core: Core,
  procedure: P,
  inputs: unknown[],
): Promise<Answers[P][]> {
  const path = `/trpc/${inputs.map(() => procedure).join(',')}?batch=1`;
  const body = JSON.stringify(Object.fromEntries(inputs.entries()));
  const answer = await send(core, { method: 'POST', path, token: core.adminToken, body });
  if (!answer.ok) throw new Error(`${procedure}: ${answer.code} ${answer.message}`);
  const parsed: unknown = JSON.parse(answer.body);
  if (!Array.isArray(parsed)) throw new Error(`${procedure}: ${answer.body.slice(0, 500)}`);
  return parsed.map((item) => accepted(readEnvelope<Answers[P]>(item, answer.status)));
}

/** What was accepted. Throws what was refused. */
export function accepted<T>(outcome: Outcome<T>): T {
  if (outcome.ok) return outcome.data;
  throw new Error(`${outcome.code}: ${outcome.message}`);
}

export const refusalCode = <T>(outcome: Outcome<T>): string | null => (outcome.ok ? null : outcome.code);

/** All agents of a namespace, page by page. */
export async function allAgents(core: Core, namespace: string): Promise<Agent[]> {
  const agents: Agent[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const input = { namespace, limit: 500, ...(cursor === '' ? {} : { cursor }) };
    const page: QueryResult = accepted(await call(core, 'registry.query', input));
    agents.push(...page.agents);
    cursor = page.nextCursor;
  }
  return agents;
}

/** A registration with what a test does not care for filled in. */
export const registration = (name: string, fields: Partial<AgentRegistrationInput> = {}): AgentRegistrationInput => ({
  name,
  role: 'worker',
  version: '1.0.0',
  ...fields,
});

export interface PlainAnswer {
  ok: true;
  status: number;
  body: string;
}

export interface PlainRequest {
  method: 'GET' | 'POST';
  /** With its query. */
  path: string;
  token?: string;
  /** JSON. */
  body?: string;
}

/** One request. `BROKEN` when it did not get a whole answer. */
export function send(
  core: Pick<Core, 'url'>,
  { method, path, token, body }: PlainRequest,
): Promise<PlainAnswer | Refusal> {
  return new Promise((resolve) => {
    const broken = (error: Error) => resolve({ ok: false, code: 'BROKEN', message: error.message });
    const headers = {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
    };
    const outgoing = request(core.url + path, { method, headers, agent: connections }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', broken);
      response.on('end', () => {
        resolve({ ok: true, status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() });
      });
    });
    outgoing.on('error', broken);
    outgoing.end(body);
  });
}

function outcomeOf<T>(body: string, status: number): Outcome<T> {
  try {
    return readEnvelope<T>(JSON.parse(body), status);
  } catch {
    return { ok: false, code: `HTTP ${status}`, message: body.slice(0, 500) };
  }
}

/** tRPC's envelope: `{ result: { data } }` or `{ error: { data: { swarm } } }`. */
function readEnvelope<T>(envelope: unknown, status: number): Outcome<T> {
  const { result, error } = envelope as {
    result?: { data: T };
    error?: { data?: { swarm?: { code: string; message: string; details?: unknown } } };
  };
  if (result !== undefined) return { ok: true, data: result.data };
  const swarm = error?.data?.swarm;
  if (swarm === undefined)
    return { ok: false, code: `HTTP ${status}`, message: JSON.stringify(envelope).slice(0, 500) };
  const { code, message, details } = swarm;
  return { ok: false, code, message, ...(details === undefined ? {} : { details }) };
}
