// A worker that takes the Architect's tasks. Run: SWARM_TOKEN=… AGENT_NAME=analyst pnpm exec tsx examples/task-worker.ts
import { connectAgent, type Json, serveTasks, type TaskAssigned } from '@hypercode/client';
import { serveHealth } from '@hypercode/client/node';

const { SWARM_URL, SWARM_TOKEN = '', AGENT_NAME = 'analyst', HEALTH_PORT, HEALTH_HOST, HEALTH_URL } = process.env;

const agent = await connectAgent({
  url: SWARM_URL ?? 'http://127.0.0.1:7700',
  token: SWARM_TOKEN,
  name: AGENT_NAME,
  role: 'worker',
  version: '1.0.0',
  healthUrl: HEALTH_URL,
  capabilities: [
    { id: 'outline', description: 'Lists the points of a text.', tags: ['points', 'structure'] },
    { id: 'summarize', description: 'Shortens a text to its first sentences.', tags: ['summary', 'summarise'] },
    { id: 'count-words', description: 'Counts the words of a text.', tags: ['length', 'statistics'] },
  ],
});

/** What a task is about: the results of the tasks before it, or else its own input. */
function textOf({ input, dependencies, title }: TaskAssigned): string {
  const results = Object.values(dependencies);
  return plain(results.length > 0 ? results : (input ?? title));
}
const plain = (value: Json): string =>
  typeof value === 'object' && value !== null ? Object.values(value).map(plain).join(' ') : String(value ?? '');
const sentencesOf = (text: string): string[] => text.split(/(?<=[.!?;])\s+/);

serveTasks(agent, {
  outline: (task) => ({ points: sentencesOf(textOf(task)) }),
  summarize: (task) => ({ summary: sentencesOf(textOf(task)).slice(0, 2).join(' ') }),
  'count-words': (task) => ({ words: textOf(task).split(/\s+/).length }),
});
if (HEALTH_PORT !== undefined) await serveHealth(agent, { port: Number(HEALTH_PORT), host: HEALTH_HOST });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void agent.stop());
console.log(`${AGENT_NAME} has joined and waits for tasks`);
