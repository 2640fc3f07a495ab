// A program that handles no error of the client: it must live on, whatever the core does. Run by unattended.test.ts.
import { connectAgent, createSwarmClient } from '@hypercode/client';

const [url = '', joinToken = '', token = ''] = process.argv.slice(2);

const failing = (): never => {
  throw new Error('the handler has a fault');
};
const agent = await connectAgent({ url, token: joinToken, name: 'unattended', role: 'worker', version: '1.0.0' });
agent.client.on('task.unattended.noted', failing);
agent.client.consume({ group: 'unattended', topics: ['task.unattended.done'], from: 'earliest' }, failing);
agent.client.consume({ group: 'of-others', topics: ['anything'] }, failing);
agent.client.on('not.allowed', failing);
agent.client.directory();
const stranger = createSwarmClient({ url, token: 'nonsense' });
stranger.directory();
stranger.on('a', failing);
const admin = createSwarmClient({ url, token });
admin.on('>', failing);
void (async () => {
  for await (const _ of admin.watch()) continue;
})();
console.log('ready');
process.stdin.once('data', () => {
  console.log('alive');
  process.exit(0);
});
