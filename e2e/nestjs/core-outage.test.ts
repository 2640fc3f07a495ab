// Applications that start while their core is down.
import { createSwarmClient, type SwarmClient, type SwarmEvent } from '@hypercode/client';
import { OnSwarmEvent, SwarmModule, type SwarmModuleOptions } from '@hypercode/nestjs';
import { SwarmHealthIndicator } from '@hypercode/nestjs/terminus';
import { type SpawnedCore, waitFor } from '@hypercode/testkit';
import { Injectable, type INestApplication, Module, type ModuleMetadata } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { TerminusModule } from '@nestjs/terminus';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

let core: SpawnedCore;
let admin: SwarmClient;
const applications: INestApplication[] = [];

beforeAll(async () => {
  core = await spawnCore({ env: { SWARM_LEASE_MS: '600' } });
  admin = createSwarmClient({ url: core.url, token: core.adminToken });
});
afterEach(async () => {
  await Promise.all(applications.splice(0).map((application) => application.close()));
});
afterAll(async () => {
  await admin?.close();
  await core?.close();
});

@Injectable()
class Inbox {
  readonly received: unknown[] = [];

  @OnSwarmEvent('agent.{name}.inbox.>')
  receive({ data }: SwarmEvent) {
    this.received.push(data);
  }
}

const agentOf = (name: string, options: Partial<SwarmModuleOptions> = {}) => {
  const { url, joinToken: token } = core;
  // An agent that ends must not end the tests.
  return SwarmModule.forRoot({ url, token, name, role: 'guest', version: '1.0.0', onEnded: () => {}, ...options });
};

async function create(metadata: ModuleMetadata): Promise<INestApplication> {
  @Module(metadata)
  class Root {}
  const application = await NestFactory.create(Root, new ExpressAdapter(), { logger: false, abortOnError: false });
  applications.push(application);
  return application;
}

test('an application starts while the core is down, and becomes an agent, or learns that it never will', async () => {
  core.kill('SIGKILL');
  await core.exited;
  const ended: string[] = [];
  const welcome = await create({
    imports: [TerminusModule, agentOf('patient')],
    providers: [Inbox, SwarmHealthIndicator],
  });
  const unwelcome = await create({
    imports: [agentOf('stranger', { token: 'nonsense', onEnded: ({ code }) => ended.push(code) })],
  });
  const quitter = await create({ imports: [agentOf('quitter')], providers: [Inbox] });
  await Promise.all([welcome.init(), unwelcome.init(), quitter.init()]);
  const health = () => welcome.get(SwarmHealthIndicator).check('core');
  expect(health()).toEqual({ core: { status: 'down', agent: 'unregistered', activity: 'ready', circuit: 'closed' } });
  await quitter.close();

  await core.restart();
  await waitFor(() => health().core.status === 'up', { what: 'the registration', timeoutMs: 30_000 });
  await waitFor(() => ended.length > 0, { what: 'the refusal', timeoutMs: 30_000 });
  expect(ended).toEqual(['UNAUTHENTICATED']);
  const { received } = welcome.get(Inbox);
  await waitFor(
    async () => {
      await admin.publish('agent.patient.inbox.note', 'at last');
      return received.includes('at last');
    },
    { what: 'the handler to receive the event' },
  );
  await expect(admin.registry.get({ name: 'quitter' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
});
