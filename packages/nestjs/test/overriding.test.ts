// How applications are tested: against a swarm of the test, with providers of the module overridden, or without a core.
import type { SwarmClient } from '@hypercode/client';
import { startSwarm, type Swarm } from '@hypercode/testing';
import { Injectable, Module } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { InjectSwarmClient, SWARM_CLIENT, SWARM_OPTIONS, SwarmModule, type SwarmModuleOptions } from '../src/index.ts';

@Injectable()
class Greeter {
  readonly #client: SwarmClient;

  constructor(@InjectSwarmClient() client: SwarmClient) {
    this.#client = client;
  }

  greet() {
    return this.#client.publish('agent.greeter.inbox.hello', {});
  }
}

const production: SwarmModuleOptions = {
  url: 'http://core.invalid:7700',
  token: 'the token of production',
  name: 'greeter',
  role: 'worker',
  version: '1.0.0',
};

@Module({ imports: [SwarmModule.forRoot(production)], providers: [Greeter] })
class AppModule {}

let swarm: Swarm;

beforeAll(async () => {
  swarm = await startSwarm();
});

afterAll(() => swarm?.close());

const optionsFor = (name: string): SwarmModuleOptions => ({
  ...production,
  url: swarm.url,
  token: swarm.joinToken,
  name,
  onEnded: () => {},
});

/** Keeps the topics, and publishes nothing. */
function recordingClient() {
  const topics: string[] = [];
  const client: Pick<SwarmClient, 'publish'> = {
    publish: (topic) => {
      topics.push(topic);
      return Promise.resolve({ id: crypto.randomUUID(), position: '1', duplicate: false });
    },
  };
  return { topics, client };
}

test('an application with overridden options is an agent of the swarm of the test', async () => {
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(SWARM_OPTIONS)
    .useValue(optionsFor('greeter'))
    .compile();
  const application = await module.init();
  const { agents } = await swarm.admin.registry.query();
  expect(agents.map(({ name }) => name)).toEqual(['greeter']);
  await module.get(Greeter).greet();
  const { events } = await swarm.admin.bus.read({ topics: ['agent.greeter.>'] });
  expect(events.map(({ event }) => event.source)).toEqual(['/agents/default/greeter']);
  await application.close();
  expect((await swarm.admin.registry.query()).agents).toEqual([]);
});

test('a provider gets the client that overrides that of the module', async () => {
  const { topics, client } = recordingClient();
  const module = await Test.createTestingModule({ imports: [AppModule] })
    .overrideProvider(SWARM_OPTIONS)
    .useValue({ ...optionsFor('quiet-greeter'), directory: false })
    .overrideProvider(SWARM_CLIENT)
    .useValue(client)
    .compile();
  const application = await module.init();
  await module.get(Greeter).greet();
  expect(topics).toEqual(['agent.greeter.inbox.hello']);
  expect((await swarm.admin.registry.query()).agents.map(({ name }) => name)).toEqual(['quiet-greeter']);
  await application.close();
});

test('a provider is tested without the module and without a core', async () => {
  const { topics, client } = recordingClient();
  const module = await Test.createTestingModule({
    providers: [Greeter, { provide: SWARM_CLIENT, useValue: client }],
  }).compile();
  await module.get(Greeter).greet();
  expect(topics).toEqual(['agent.greeter.inbox.hello']);
});
