// Whole applications on a whole core: on both platforms, through their starts and ends.
import {
  type AgentDirectory,
  connectAgent,
  type ConnectedAgent,
  createSwarmClient,
  defineEvents,
  type Delivery,
  type SwarmClient,
  type SwarmEvent,
  type TypedEvent,
} from '@hypercode/client';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '@hypercode/core-runtime/testing';
import { trackLeaks, waitFor } from '@hypercode/testkit';
import {
  Controller,
  Get,
  Inject,
  Injectable,
  type INestApplication,
  type LoggerService,
  Module,
  type ModuleMetadata,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type OnModuleInit,
  Scope,
} from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { HealthCheck, HealthCheckService, TerminusModule } from '@nestjs/terminus';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import {
  InjectSwarmAgent,
  InjectSwarmClient,
  InjectSwarmDirectory,
  OnSwarmEvent,
  SWARM_AGENT,
  SWARM_DIRECTORY,
  swarmEvents,
  SwarmModule,
  type SwarmModuleOptions,
  SwarmTask,
} from '../src/index.ts';
import { SwarmHealthIndicator } from '../src/terminus.ts';

let core: TestCore;
let admin: SwarmClient;

beforeAll(async () => {
  core = await startTestCore({ leaseMs: 600 });
  admin = createSwarmClient({ url: core.url, token: core.adminToken });
  const { version, ...policy } = await admin.policy.get();
  const consume = ['packers-*', 'cashiers'];
  const shop = { publish: ['order.>'], subscribe: ['order.>', 'task.{name}.>'], consume };
  await admin.policy.put({ policy: { ...policy, roles: { ...policy.roles, shop } }, ifVersion: version });
}, START_TIMEOUT_MS);

afterAll(async () => {
  await admin?.close();
  await core?.close();
});

const applications: INestApplication[] = [];
afterEach(async () => {
  await Promise.all(applications.splice(0).map((application) => application.close()));
});

/** What the applications have logged. */
const lines: string[] = [];
const keep = (message: unknown): void => void lines.push(String(message));
const logger: LoggerService = { log: () => {}, warn: keep, error: keep };

function optionsFor(name: string, options: Partial<SwarmModuleOptions> = {}): SwarmModuleOptions {
  const { url, joinToken: token } = core;
  // An end of the agent must not end the tests.
  return { url, token, name, role: 'shop', version: '1.0.0', onEnded: () => {}, ...options };
}

async function create(metadata: ModuleMetadata, adapter: AbstractHttpAdapter = new ExpressAdapter()) {
  @Module(metadata)
  class Root {}
  const application = await NestFactory.create(Root, adapter, { logger, abortOnError: false });
  applications.push(application);
  return application;
}

const isGone = (name: string) =>
  admin.registry.get({ name }).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'NOT_FOUND',
  );

/** A group begins with what comes after it was made. */
const isGroup = (name: string) =>
  waitFor(async () => (await admin.bus.groups()).groups.some(({ group }) => group === name), { what: `group ${name}` });

const catalogue = defineEvents({
  'order.placed': z.object({ number: z.number(), by: z.string().default('nobody') }),
  'task.*.assigned': z.object({ taskId: z.string() }),
});
const events = swarmEvents(catalogue);

@Injectable()
class Orders {
  readonly received: unknown[] = [];
  readonly own: string[] = [];
  readonly tasks: [unknown, number][] = [];

  @OnSwarmEvent(['order.>'])
  any({ topic, data }: SwarmEvent) {
    this.received.push([topic, data]);
  }

  @events.OnSwarmEvent('order.placed')
  typed({ data }: TypedEvent<typeof catalogue, 'order.placed'>) {
    if (data.number === 13) throw new Error('I do not count that far');
    this.received.push(data.by);
  }

  @events.OnSwarmEvent('task.{name}.assigned')
  assigned({ data }: TypedEvent<typeof catalogue, 'task.*.assigned'>) {
    this.own.push(data.taskId);
  }
}

describe.each<[string, () => AbstractHttpAdapter]>([
  ['Express', () => new ExpressAdapter()],
  ['Fastify', () => new FastifyAdapter()],
])('an application on %s', (platform, makeAdapter) => {
  @Injectable()
  class Workers {
    readonly attempts: [unknown, number][] = [];

    @SwarmTask(`packers-${platform.toLowerCase()}`, { topics: ['order.placed'], from: 'latest' })
    pack({ data }: SwarmEvent, { attempt }: Delivery) {
      this.attempts.push([data, attempt]);
      if (attempt === 1) throw new Error('the tape is empty');
    }
  }

  @Controller('health')
  class Health {
    readonly #health: HealthCheckService;
    readonly #swarm: SwarmHealthIndicator;

    constructor(
      @Inject(HealthCheckService) health: HealthCheckService,
      @Inject(SwarmHealthIndicator) swarm: SwarmHealthIndicator,
    ) {
      this.#health = health;
      this.#swarm = swarm;
    }

    @Get()
    @HealthCheck()
    check() {
      return this.#health.check([() => this.#swarm.check()]);
    }
  }

  test('is an agent from its start to its end', async () => {
    // The core runs in this process, so its end of the connection that `fetch` keeps counts, too.
    await (await fetch(`${core.url}/healthz`)).text();
    const leaks = trackLeaks();
    const name = `shop-${platform.toLowerCase()}`;
    const application = await create(
      {
        imports: [TerminusModule, SwarmModule.forRoot(optionsFor(name, { capabilities: ['sell'] }))],
        controllers: [Health],
        providers: [Orders, { provide: 'ALIAS', useExisting: Orders }, Workers, SwarmHealthIndicator],
      },
      makeAdapter(),
    );
    expect(await isGone(name)).toBe(true);
    await application.listen(0, '127.0.0.1');

    const answer = await fetch(`${core.url}/v1/agents/${name}`, {
      headers: { authorization: `Bearer ${core.adminToken}` },
    });
    expect(await answer.json()).toMatchObject({ name, role: 'shop', capabilities: [{ id: 'sell' }] });

    const health = await fetch(`${await application.getUrl()}/health`);
    expect([health.status, await health.json()]).toMatchObject([
      200,
      { status: 'ok', details: { swarm: { status: 'up', agent: 'ok', activity: 'ready', circuit: 'closed' } } },
    ]);

    const { received, own } = application.get(Orders);
    const { attempts } = application.get(Workers);
    await isGroup(`packers-${platform.toLowerCase()}`);
    await admin.publish('order.placed', { number: 1 });
    await admin.publish('order.placed', { number: 13, by: 'ada' });
    await admin.publish('order.placed', { number: 'many' });
    await admin.publish('order.lost', null);
    await admin.publish(`task.${name}.assigned`, { taskId: 'mine' });
    await admin.publish('task.another.assigned', { taskId: 'not mine' });
    await waitFor(() => received.length >= 5 && own.length > 0, { what: 'the events' });
    expect(received.filter((entry) => typeof entry === 'string')).toEqual(['nobody']);
    expect(received.filter((entry) => Array.isArray(entry))).toEqual([
      ['order.placed', { number: 1 }],
      ['order.placed', { number: 13, by: 'ada' }],
      ['order.placed', { number: 'many' }],
      ['order.lost', null],
    ]);
    expect(own).toEqual(['mine']);
    expect(
      lines.some((line) => line.includes('Orders.typed failed to handle') && line.includes('count that far')),
    ).toBe(true);
    expect(lines.some((line) => line.includes('Orders.typed skips'))).toBe(true);
    expect(lines.some((line) => line.includes('Workers.pack failed to handle'))).toBe(true);
    await waitFor(() => attempts.length >= 6, { what: 'the tasks, twice' });
    expect(attempts.filter(([, attempt]) => attempt === 1)).toHaveLength(3);
    expect(attempts.filter(([, attempt]) => attempt === 2)).toHaveLength(3);
    await application.close();
    expect(await isGone(name)).toBe(true);
    const { groups } = await admin.bus.groups();
    expect(groups.find(({ group }) => group.endsWith(platform.toLowerCase()))).toMatchObject({
      inFlight: 0,
      waiting: 0,
    });
    await leaks.check();
  });
});

describe('the start', () => {
  test('registers the agent first of all, and lets handlers begin last', async () => {
    await admin.publish('order.placed', { number: 0 });
    const order: string[] = [];

    @Injectable()
    class Warehouse implements OnModuleInit, OnApplicationBootstrap {
      readonly #agent: ConnectedAgent;
      readonly #client: SwarmClient;
      readonly #directory: AgentDirectory;

      constructor(
        @InjectSwarmAgent() agent: ConnectedAgent,
        @InjectSwarmClient() client: SwarmClient,
        @InjectSwarmDirectory() directory: AgentDirectory,
      ) {
        this.#agent = agent;
        this.#client = client;
        this.#directory = directory;
        order.push(`made ${agent.health().status}`);
      }

      async onModuleInit() {
        await this.#directory.ready;
        order.push(`${this.#agent.agent.name} ${this.#directory.get('warehouse')?.name}`);
      }

      async onApplicationBootstrap() {
        const { agents } = await this.#client.registry.query({ role: 'shop' });
        order.push(`filled by ${agents.length}`);
      }

      @OnSwarmEvent('order.placed', { from: 'earliest' })
      receive() {
        order.push('received');
      }
    }
    const application = await create({
      imports: [SwarmModule.forRoot(optionsFor('warehouse', { directory: { role: 'shop' } }))],
      providers: [Warehouse],
    });
    expect(await isGone('warehouse')).toBe(true);
    await application.init();
    await waitFor(() => order.includes('received'), { what: 'the event' });
    expect(order.slice(0, 4)).toEqual(['made unregistered', 'warehouse warehouse', 'filled by 1', 'received']);
  });

  test('takes options from a factory, and needs no server and no directory', async () => {
    @Module({ providers: [{ provide: 'NAME', useValue: 'configured' }], exports: ['NAME'] })
    class Configuration {}
    @Module({
      imports: [
        SwarmModule.forRootAsync({
          imports: [Configuration],
          inject: ['NAME'],
          useFactory: async (name: string) => optionsFor(name, { directory: false }),
        }),
      ],
    })
    class Root {}
    const context = await NestFactory.createApplicationContext(Root, { logger, abortOnError: false });
    expect(context.get<ConnectedAgent>(SWARM_AGENT).agent.name).toBe('configured');
    expect(context.get(SWARM_DIRECTORY)).toBeNull();
    await context.close();
    expect(await isGone('configured')).toBe(true);
  });

  test('fails where the core refuses the agent for good', async () => {
    const leaks = trackLeaks();
    const application = await create({ imports: [SwarmModule.forRoot(optionsFor('stranger', { token: 'nonsense' }))] });
    await expect(application.init()).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    expect(lines.at(-1)).toMatch(/The agent "stranger" of 127.0.0.1:\d+ was refused: UNAUTHENTICATED/);
    await application.close();
    await leaks.check();
  });

  test('starts where the policy denies handlers, says so once for each, and goes on when it allows them', async () => {
    const leaks = trackLeaks();

    @Injectable()
    class Curious {
      readonly received: unknown[] = [];

      @OnSwarmEvent('secret.>')
      receive({ data }: SwarmEvent) {
        this.received.push(['heard', data]);
      }

      @SwarmTask('{name}', { topics: ['secret.*'] })
      work({ data }: SwarmEvent) {
        this.received.push(['worked', data]);
      }
    }
    const application = await create({
      imports: [TerminusModule, SwarmModule.forRoot(optionsFor('curious', { role: 'spy' }))],
      providers: [Curious, SwarmHealthIndicator],
    });
    lines.length = 0;
    await application.init();
    const health = () => application.get(SwarmHealthIndicator).check('swarm').swarm;
    await waitFor(() => JSON.stringify(health()).split('secret').length > 4, { what: 'both to be denied' });
    expect(health()).toMatchObject({
      status: 'down',
      agent: 'denied',
      denied: expect.arrayContaining([
        expect.objectContaining({ topics: ['secret.>'], group: null, reason: expect.stringContaining('role "spy"') }),
        expect.objectContaining({
          topics: ['secret.*'],
          group: 'curious',
          reason: expect.stringContaining('role "spy"'),
        }),
      ]),
    });
    for (const [method, topic] of [
      ['receive', 'secret.>'],
      ['work', 'secret.*'],
    ]) {
      expect(lines.filter((line) => line.includes(`Curious.${method}`))).toEqual([
        `Curious.${method} is denied by the policy: ACL_DENIED: role "spy" may not subscribe "${topic}": no subscribe rule ` +
          'allows it; it will be tried again until the policy allows it',
      ]);
    }
    const { version, ...policy } = await admin.policy.get();
    const roles = { ...policy.roles, spy: { publish: ['secret.>'], subscribe: ['secret.>'] } };
    await admin.policy.put({ policy: { ...policy, roles }, ifVersion: version });
    await waitFor(() => health()?.status === 'up', { what: 'both to be allowed' });
    await admin.publish('secret.told', 1);
    const { received } = application.get(Curious);
    await waitFor(() => received.length === 2, { what: 'the event, twice' });
    expect(received).toEqual(
      expect.arrayContaining([
        ['heard', 1],
        ['worked', 1],
      ]),
    );
    await application.close();
    await leaks.check();
  });

  test('that another provider fails deregisters its agent when the application is closed', async () => {
    const leaks = trackLeaks();

    @Injectable()
    class Broken implements OnModuleInit {
      onModuleInit() {
        throw new Error('no database');
      }
    }
    const application = await create({
      imports: [SwarmModule.forRoot(optionsFor('unlucky'))],
      providers: [Broken, Orders],
    });
    await expect(application.init()).rejects.toThrow('no database');
    expect(await isGone('unlucky')).toBe(false);
    await application.close();
    expect(await isGone('unlucky')).toBe(true);
    await leaks.check();
  });

  test('fails where a handler has no single instance', async () => {
    @Injectable({ scope: Scope.REQUEST })
    class PerRequest {
      @OnSwarmEvent('order.placed')
      receive() {}
    }
    const application = await create({
      imports: [SwarmModule.forRoot(optionsFor('scattered'))],
      providers: [PerRequest],
    });
    await expect(application.init()).rejects.toThrow('PerRequest.receive cannot handle events');
    expect(await isGone('scattered')).toBe(true);
  });
});

describe('the end', () => {
  test('reports draining while handlers finish with all that they need, and then deregisters', async () => {
    const leaks = trackLeaks();
    const order: string[] = [];
    const gate = Promise.withResolvers<void>();

    @Injectable()
    class Database implements OnModuleDestroy {
      onModuleDestroy() {
        order.push('database closed');
      }
    }

    @Injectable()
    class Cashier {
      readonly #client: SwarmClient;
      begun = 0;

      constructor(@InjectSwarmClient() client: SwarmClient) {
        this.#client = client;
      }

      @OnSwarmEvent('order.paid')
      async receive() {
        await this.#finish('received');
      }

      @SwarmTask('cashiers', { topics: ['order.paid'] })
      async work() {
        await this.#finish('worked');
      }

      async #finish(what: string) {
        this.begun += 1;
        await gate.promise;
        await this.#client.publish('order.closed', what);
        order.push(what);
      }
    }

    const watch = admin.watch({ role: 'shop' });
    const watching = (async () => {
      for await (const event of watch) {
        if (event.type !== 'change' || event.agent.name !== 'till') continue;
        order.push(event.change === 'status' ? event.agent.status.activity : event.change);
      }
    })();
    const application = await create({
      imports: [SwarmModule.forRoot(optionsFor('till'))],
      providers: [Database, Cashier],
    });
    await application.init();
    await isGroup('cashiers');
    await admin.publish('order.paid', null);
    const cashier = application.get(Cashier);
    await waitFor(() => cashier.begun === 2, { what: 'both handlers to run' });

    const closing = application.close();
    await waitFor(() => order.includes('draining'), { what: 'the watcher to receive it' });
    await admin.publish('order.paid', 'too late');
    expect(order).not.toContain('database closed');
    gate.resolve();
    await closing;
    await waitFor(() => order.includes('deregistered'), { what: 'the watcher to receive the end' });
    expect(cashier.begun).toBe(2);
    expect(order.filter((entry) => entry !== 'ready' && entry !== 'received')).toEqual([
      'registered',
      'draining',
      'worked',
      'database closed',
      'deregistered',
    ]);
    expect(order.indexOf('received')).toBeLessThan(order.indexOf('database closed'));
    const { events: published } = await admin.bus.read({ topics: ['order.closed'] });
    expect(new Set(published.map(({ event }) => event.data))).toEqual(new Set(['received', 'worked']));
    expect(published).toHaveLength(2);
    await watch.return?.();
    await watching;
    await leaks.check();
  });

  test('does not wait for ever', async () => {
    const forever = Promise.withResolvers<void>();

    @Injectable()
    class Sleeper {
      isAsleep = false;

      @OnSwarmEvent('order.slow')
      async sleep() {
        this.isAsleep = true;
        await forever.promise;
      }
    }
    const application = await create({
      imports: [SwarmModule.forRoot(optionsFor('sleeper', { drainTimeoutMs: 50 }))],
      providers: [Sleeper],
    });
    await application.init();
    await admin.publish('order.slow', null);
    await waitFor(() => application.get(Sleeper).isAsleep, { what: 'the handler to run' });
    await application.close();
    expect(lines.at(-1)).toContain('Handlers are still running after 50 ms');
    expect(await isGone('sleeper')).toBe(true);
    forever.resolve();
  });

  test('of an agent whose name is taken can be the end of the application', async () => {
    const closed = Promise.withResolvers<string>();
    const application = await create({
      imports: [
        SwarmModule.forRoot(
          optionsFor('highlander', {
            onEnded: async ({ code }) => {
              await application.close();
              closed.resolve(code);
            },
          }),
        ),
      ],
      providers: [Orders],
    });
    await application.listen(0, '127.0.0.1');
    const url = await application.getUrl();
    const { onEnded: _, ...options } = optionsFor('highlander');
    const later = await connectAgent(options);
    expect(await closed.promise).toBe('FENCED');
    await expect(fetch(url)).rejects.toThrow();
    expect((await admin.registry.get({ name: 'highlander' })).incarnation).toBe(later.incarnation);
    await later.stop();
  });
});
