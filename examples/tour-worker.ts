// A worker for the tour (docs/tour.md): it translates tasks and reads letters. With BREAKS=1 it loses each letter, and its process hangs in its
// first task. Run: SWARM_TOKEN=… AGENT_NAME=ada BREAKS=1 pnpm exec tsx examples/tour-worker.ts
import { connectAgent, serveTasks } from '@hypercode/client';

const { SWARM_URL: url = 'http://127.0.0.1:7700', SWARM_TOKEN: token = '', AGENT_NAME: name = 'ada' } = process.env;
const breaks = process.env['BREAKS'] === '1';

const agent = await connectAgent({
  url,
  token,
  name,
  role: 'worker',
  version: '1.0.0',
  capabilities: [{ id: 'translate', description: 'Translates a text to English.' }],
  // Short, so that the core misses it soon.
  leaseMs: 5_000,
  logger: false,
});

const letters = {
  group: `worker-letters-${name}`,
  topics: [`agent.${name}.inbox.letter`],
  maxDeliveries: 2,
  from: 'earliest' as const,
};
agent.client.consume({ ...letters, retryDelayMs: { firstMs: 500, maxMs: 500 } }, ({ data }) => {
  if (breaks) {
    console.log(`${name} cannot read a letter`);
    throw new Error('the letterbox is locked');
  }
  console.log(`${name} has read`, data);
});

serveTasks(agent, {
  translate: ({ title }) => {
    console.log(`${name} works on "${title}"`);
    // As a call that never returns: no heartbeat is sent any more.
    if (breaks) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
    return { text: 'Good morning' };
  },
});
console.log(`${name} has joined`);
