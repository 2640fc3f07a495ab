// Two agents that talk: a coder says that builds are finished, and a group of testers works through them, each build once.
// Run: SWARM_TOKEN=… pnpm exec tsx examples/build-and-test.ts
import { connectAgent, defineEvents } from '@hypercode/client';
import { z } from 'zod';

const events = defineEvents({
  'build.finished': z.object({ build: z.number().int(), ok: z.boolean() }),
  'test.finished': z.object({ build: z.number().int(), passed: z.boolean() }),
});
const core = { url: process.env['SWARM_URL'] ?? 'http://127.0.0.1:7700', token: process.env['SWARM_TOKEN'] ?? '' };

const tester = await connectAgent({ ...core, name: 'tester-1', role: 'qa', version: '1.0.0' });
const testing = tester.client.events(events);
const work = testing.consume({ group: 'qa-testers', topics: ['build.finished'] }, async ({ data }, { attempt }) => {
  console.log(`testing build ${data.build}, attempt ${attempt}`);
  await testing.publish('test.finished', { build: data.build, passed: data.ok });
});

const coder = await connectAgent({ ...core, name: 'coder-1', role: 'coder', version: '1.0.0' });
const building = coder.client.events(events);
const results = building.subscribe({ topics: ['test.finished'] });
for await (const value of results) {
  // The first value says where the subscription begins; what is published from here on is heard.
  if (value.type === 'bookmark') {
    for (const build of [1, 2, 3]) await building.publish('build.finished', { build, ok: build !== 2 });
  }
  if (value.type !== 'event') continue;
  console.log(`build ${value.event.data.build} ${value.event.data.passed ? 'passed' : 'failed'}`);
  if (value.event.data.build === 3) break;
}

await work.stop();
await Promise.all([coder.stop(), tester.stop()]);
