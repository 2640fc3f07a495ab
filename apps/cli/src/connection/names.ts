// Shortened names: the beginning of a name stands for the one that begins so.
import { SwarmError, type SwarmClient } from '@hypercode/client';
import type { QuestionView } from '@hypercode/contracts';
import { refused, wrongUsage } from '../program/exit-codes.ts';

/** Most names that an ambiguous one is answered with. */
const SHOWN = 5;

interface NamedThings {
  /** What they are: `agent`. */
  readonly kind: string;
  /** All names that may begin with `given`, page by page. */
  readonly names: AsyncIterable<readonly string[]>;
}

/** The one name that is `given` or begins with it. */
async function complete(given: string, { kind, names }: NamedThings): Promise<string> {
  const found = new Set<string>();
  for await (const page of names) {
    for (const name of page) {
      if (name === given) return name;
      if (name.startsWith(given)) found.add(name);
    }
  }
  const [only, ...others] = found;
  if (only === undefined) throw refused(`no ${kind} is called "${given}" or begins with it`);
  if (others.length > 0) {
    const some = [...found].slice(0, SHOWN).join(', ');
    throw wrongUsage(
      `"${given}" is the beginning of ${found.size} ${kind}s: ${some}${found.size > SHOWN ? ' …' : ''}`,
      'give more of the name',
    );
  }
  return only;
}

/** The agent that is called `given`, or the only one whose name begins with it. */
export async function agentName(client: SwarmClient, given: string): Promise<string> {
  try {
    return (await client.registry.get({ name: given })).name;
  } catch (error) {
    if (!SwarmError.from(error).is('NOT_FOUND')) throw error;
  }
  return complete(given, { kind: 'agent', names: agentNames(client, given) });
}

async function* agentNames(client: SwarmClient, text: string): AsyncGenerator<readonly string[]> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.registry.query({ text, view: 'summary', limit: 500, ...(cursor && { cursor }) });
    yield page.agents.map(({ name }) => name);
    cursor = page.nextCursor;
  }
}

/** The consumer group that is called `given`, or the only one whose name begins with it. */
export const groupName = (client: SwarmClient, given: string): Promise<string> =>
  complete(given, { kind: 'group', names: groupNames(client) });

async function* groupNames(client: SwarmClient): AsyncGenerator<readonly string[]> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.bus.groups({ limit: 250, ...(cursor && { cursor }) });
    yield page.groups.map(({ group }) => group);
    cursor = page.nextCursor;
  }
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The plan with this id, or the only one whose id begins so. */
export const planId = async (client: SwarmClient, given: string): Promise<string> =>
  UUID.test(given) ? given : complete(given.toLowerCase(), { kind: 'plan', names: plans(client, 'planId') });

/** The goal with this id, or the only one whose id begins so. */
export const goalId = async (client: SwarmClient, given: string): Promise<string> =>
  UUID.test(given) ? given : complete(given.toLowerCase(), { kind: 'goal', names: plans(client, 'goalId') });

/** The open question of the agent with this id, or the only one whose id begins so. */
export async function questionId(client: SwarmClient, agent: string, given: string): Promise<QuestionView> {
  const open = new Map<string, QuestionView>();
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.questions.list({ agent, limit: 100, ...(cursor && { cursor }) });
    for (const question of page.questions) open.set(question.questionId, question);
    cursor = page.nextCursor;
  }
  // One that has ended is answered with what became of it.
  if (UUID.test(given) && !open.has(given.toLowerCase())) {
    for (const state of ['answered', 'withdrawn'] as const) {
      const { questions } = await client.questions.list({ agent, state, limit: 100 });
      const found = questions.find((question) => question.questionId === given.toLowerCase());
      if (found !== undefined) return found;
    }
  }
  const names = (async function* () {
    yield [...open.keys()];
  })();
  const id = await complete(given.toLowerCase(), { kind: 'open question', names });
  const question = open.get(id);
  if (question === undefined) throw refused(`there is no open question ${given}`);
  return question;
}

async function* plans(client: SwarmClient, id: 'planId' | 'goalId'): AsyncGenerator<readonly string[]> {
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page = await client.plans.list({ limit: 500, ...(cursor && { cursor }) });
    yield page.plans.map((plan) => plan[id]);
    cursor = page.nextCursor;
  }
}
