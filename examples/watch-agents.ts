// Prints every agent that comes, changes or goes. Run: SWARM_TOKEN=… pnpm exec tsx examples/watch-agents.ts
import { createSwarmClient } from '@hypercode/client';

const client = createSwarmClient({
  url: process.env['SWARM_URL'] ?? 'http://127.0.0.1:7700',
  token: process.env['SWARM_TOKEN'] ?? '',
});

for await (const event of client.watch()) {
  if (event.type === 'snapshot') for (const agent of event.agents) console.log('here', agent.name, agent.role);
  if (event.type === 'change') console.log(event.change, event.agent.name, 'at revision', event.revision);
}
