import type {
  Agent,
  AgentSummary,
  AgentView,
  DeadLetter,
  Policy,
  PublishResult,
  QueryResultIn,
  RegisterOutcome,
  SwarmEvent,
  WatchEvent,
} from '@hypercode/contracts';
import { describe, expectTypeOf, test } from 'vitest';
import { type AgentDirectory, type ConnectedAgent, createSwarmClient, type Watch } from '../index.ts';

const client = createSwarmClient({ url: 'http://127.0.0.1:7700', token: 'token' });

describe('the procedures of a client', () => {
  test('take and give what the router says', () => {
    expectTypeOf(client.registry.register).toBeCallableWith({
      name: 'planner',
      role: 'planner',
      version: '1.0.0',
      capabilities: ['plan', { id: 'estimate', tags: ['slow'] }],
    });
    expectTypeOf(client.registry.register).returns.resolves.toHaveProperty('agent').toEqualTypeOf<Agent>();
    expectTypeOf(client.registry.register).returns.resolves.toHaveProperty('outcome').toEqualTypeOf<RegisterOutcome>();
    expectTypeOf(client.whoami).returns.resolves.toHaveProperty('may').toEqualTypeOf<string[]>();
    expectTypeOf(client.whoami).toBeCallableWith();
    expectTypeOf(client.registry.get).returns.resolves.toEqualTypeOf<Agent>();
    expectTypeOf(client.registry.query()).resolves.toHaveProperty('agents').toEqualTypeOf<Agent[]>();
    expectTypeOf(client.registry.query()).resolves.toHaveProperty('nextCursor').toEqualTypeOf<string | null>();
    expectTypeOf(client.registry.heartbeat).toBeCallableWith({ activity: 'busy' });
    expectTypeOf(client.bus.publish).returns.resolves.toEqualTypeOf<PublishResult>();
    expectTypeOf(client.bus.read)
      .returns.resolves.toHaveProperty('events')
      .items.toHaveProperty('event')
      .toEqualTypeOf<SwarmEvent>();
    expectTypeOf(client.bus.ack).toBeCallableWith({ group: 'g', deliveryIds: ['1'] });
    expectTypeOf(client.bus.deadLetters).returns.resolves.toHaveProperty('deadLetters').toEqualTypeOf<DeadLetter[]>();
    expectTypeOf(client.policy.get).returns.resolves.toEqualTypeOf<Policy>();
    expectTypeOf(client.tokens.create).returns.resolves.toHaveProperty('token').toEqualTypeOf<string>();
  });

  test('give agents of the view that is asked for', () => {
    const { registry, watch, directory } = client;
    const either: AgentView = Math.random() < 0.5 ? 'full' : 'summary';
    expectTypeOf(registry.query({ view: 'full' })).resolves.toEqualTypeOf<QueryResultIn<'full'>>();
    expectTypeOf(registry.query({ role: 'a', view: 'summary' })).resolves.toEqualTypeOf<QueryResultIn<'summary'>>();
    expectTypeOf(registry.query({ view: either })).resolves.toEqualTypeOf<QueryResultIn<AgentView>>();
    expectTypeOf(watch({ role: 'a' })).toEqualTypeOf<Watch>();
    expectTypeOf(watch({ view: 'summary' })).toEqualTypeOf<Watch<'summary'>>();
    expectTypeOf(directory({ role: 'a' }).get('a')).toEqualTypeOf<Agent | undefined>();
    expectTypeOf(directory({ view: 'summary' }).get('a')).toEqualTypeOf<AgentSummary | undefined>();
    expectTypeOf<AgentSummary>().not.toHaveProperty('topics');
  });

  test('need no input where the router needs none', () => {
    expectTypeOf(client.tokens.list).toBeCallableWith();
    expectTypeOf(client.registry.query).toBeCallableWith();
    expectTypeOf(client.registry.query).toBeCallableWith({ role: 'planner' }, { timeoutMs: 500 });
    expectTypeOf<Parameters<typeof client.registry.get>>().not.toExtend<[]>();
    // @ts-expect-error the name is missing
    void client.registry.get({});
  });

  test('are queries and mutations only', () => {
    expectTypeOf<keyof typeof client.registry>().toEqualTypeOf<
      'register' | 'update' | 'deregister' | 'heartbeat' | 'get' | 'query' | 'history'
    >();
    // @ts-expect-error there is no such procedure
    void client.registry.obliterate;
  });
});

test('a watch gives typed events', () => {
  const watch = client.watch({ role: 'planner', labels: { zone: 'a' }, since: 3 });
  expectTypeOf(watch).toExtend<AsyncIterable<WatchEvent>>();
  // @ts-expect-error health is one of a few words
  client.watch({ health: 'splendid' });
});

test('a directory notifies its listeners of what happened', () => {
  const directory = client.directory();
  expectTypeOf(directory).toEqualTypeOf<AgentDirectory>();
  directory.on('changed', (agent, previous) => {
    expectTypeOf(agent).toEqualTypeOf<Agent>();
    expectTypeOf(previous).toEqualTypeOf<Agent>();
  });
  // @ts-expect-error there is no such event
  directory.on('vanished', () => {});
});

test('an agent updates what may change', () => {
  const update = (agent: ConnectedAgent) => agent.update({ capabilities: ['plan'], description: null });
  expectTypeOf(update).returns.resolves.toEqualTypeOf<Agent>();
  // @ts-expect-error a name is for ever
  const rename = (agent: ConnectedAgent) => agent.update({ name: 'other' });
  expectTypeOf(rename).toBeFunction();
});
