// A worker that takes the Architect's tasks. Run: SWARM_TOKEN=… AGENT_NAME=analyst pnpm exec tsx examples/task-worker.ts
import { connectAgent, type Json, serveTasks, type TaskAssigned, TaskError } from '@hypercode/client';
import { serveHealth } from '@hypercode/client/node';
import { readFileSync } from 'node:fs';

const { SWARM_URL: url = 'http://127.0.0.1:7700', SWARM_TOKEN = '', SWARM_TOKEN_FILE: file } = process.env;
const { AGENT_NAME: name = 'analyst', HEALTH_URL: healthUrl, HEALTH_PORT, HEALTH_HOST: host } = process.env;

const token = file === undefined ? SWARM_TOKEN : readFileSync(file, 'utf8').trim();
const capabilities = [
  { id: 'outline', description: 'Lists the points of a text.', tags: ['points', 'structure'] },
  { id: 'summarize', description: 'Shortens a text to its first sentences.', tags: ['summary', 'summarise'] },
  { id: 'count-words', description: 'Counts the words of a text.', tags: ['length', 'statistics'] },
];
const agent = await connectAgent({ url, token, name, role: 'worker', version: '1.0.0', capabilities, healthUrl });

/** What a task is about: the results of the tasks before it, or else its own input. */
function textOf({ input, dependencies, title }: TaskAssigned): string {
  const results = Object.values(dependencies);
  const text = plain(results.length > 0 ? results : (input ?? title)).trim();
  if (text === '') throw new TaskError('the task has no text to work on', { retryable: false });
  return text;
}
const plain = (value: Json): string =>
  typeof value === 'object' && value !== null ? Object.values(value).map(plain).join(' ') : String(value ?? '');
const sentencesOf = (text: string): string[] => text.split(/(?<=[.!?;])\s+/);

const tasks = serveTasks(agent, {
  outline: (task) => ({ points: sentencesOf(textOf(task)) }),
  summarize: (task) => ({ summary: sentencesOf(textOf(task)).slice(0, 2).join(' ') }),
  'count-words': (task) => ({ words: textOf(task).split(/\s+/).length }),
});
if (HEALTH_PORT !== undefined) await serveHealth(agent, { port: Number(HEALTH_PORT), host });
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void agent.stop());
console.log(`${name} has joined and waits for tasks`);
await tasks.closed;
