// An agent that does everything once. Run by forward-proxy.test.ts, with the proxy in its environment.
import { connectAgent } from '@hypercode/client';

const [url = '', token = ''] = process.argv.slice(2);
const agent = await connectAgent({ url, token, name: 'behind', role: 'worker', version: '1.0.0', heartbeatMs: 100 });
const { client } = agent;
const delivered = Promise.withResolvers<void>();
const listener = client.on('task.behind.noted', () => delivered.resolve());
await listener.attached;
await client.publish('task.behind.noted', 1);
await delivered.promise;
const directory = client.directory();
await directory.ready;
await client.registry.query();
await directory.stop();
await agent.stop();
console.log('done');
