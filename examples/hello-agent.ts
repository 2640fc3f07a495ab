// An agent that joins the swarm, lives until Ctrl+C, and leaves. Run: SWARM_TOKEN=… pnpm exec tsx examples/hello-agent.ts
import { connectAgent } from '@hypercode/client';

const agent = await connectAgent({
  url: process.env['SWARM_URL'] ?? 'http://127.0.0.1:7700',
  token: process.env['SWARM_TOKEN'] ?? '',
  name: 'hello',
  role: 'worker',
  version: '1.0.0',
  capabilities: ['greet'],
  onFenced: () => console.log('a newer process has taken over'),
});
console.log(`${agent.agent.name} has joined at revision ${agent.agent.revision}`);

for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void agent.stop());
