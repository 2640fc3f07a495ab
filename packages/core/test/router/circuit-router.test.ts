// Circuits through tRPC on a whole core: an operator trips and resets, publishing is refused meanwhile, and each subscriber receives why.
import { type Agent, CircuitEventData, type PublishResult, RegisterResult, SwarmErrorBody } from '@hypercode/contracts';
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

async function call<T>(path: string, input: object, token = core.adminToken): Promise<T> {
  const json = { namespace: core.namespace, ...input };
  const answer = await core.fetch(`/trpc/${path}`, { method: 'POST', token, json });
  const body = (await answer.json()) as { result?: { data: T }; error?: { data: { swarm: unknown } } };
  if (body.result !== undefined) return body.result.data;
  throw Object.assign(new Error(path), SwarmErrorBody.parse(body.error?.data.swarm));
}

async function joined(name: string, more: object = {}): Promise<string> {
  const input = { name, role: 'worker', version: '1.0.0', ...more };
  const { token } = RegisterResult.parse(await call('registry.register', input));
  return token ?? '';
}

const publish = (name: string, token: string) =>
  call<PublishResult>('bus.publish', { topic: `task.${name}.done`, data: 1 }, token);

/** What the core itself says. */
function systemEvents(): { topic: string; source: string; data: unknown }[] {
  const received: { topic: string; source: string; data: unknown }[] = [];
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const caller = { kind: 'operator', name: 'eye', id: 'eye', readOnly: true } as const;
  const input = { namespace: core.namespace, topics: ['system.>'], from: 'latest' as const, lastEventId: undefined };
  void (async () => {
    for await (const batch of core.bus.subscribe(caller, input, over.signal)) {
      for (const { event } of batch) if (event.type === 'event') received.push(event.event);
    }
  })();
  return received;
}

describe('a circuit', () => {
  test('that is tripped refuses publishes until it is reset, and the core says so', async () => {
    const token = await joined('ada');
    await publish('ada', token);
    const received = systemEvents();
    const tripped = await call<Agent>('circuit.trip', { name: 'ada', reason: 'runaway' });
    expect(tripped.status).toMatchObject({ circuit: 'open', reason: 'runaway' });
    await expect(publish('ada', token)).rejects.toMatchObject({
      code: 'CIRCUIT_OPEN',
      retryable: true,
      retryAfterMs: expect.any(Number),
      message: expect.stringContaining('runaway'),
    });
    const explained = await core.fetch(`/v1/policy/explain?name=ada&action=publish&topic=task.ada.done`, {
      token: core.viewerToken,
    });
    expect(await explained.json()).toMatchObject({ allowed: false, circuit: 'open', rule: 'task.{name}.>' });
    const reset = await call<Agent>('circuit.reset', { name: 'ada' });
    expect(reset.status).toMatchObject({ circuit: 'closed', consecutiveFailures: 0 });
    await publish('ada', token);
    await vi.waitFor(() =>
      expect(received.map(({ topic }) => topic)).toEqual(['system.circuit.opened', 'system.circuit.closed']),
    );
    expect(received.map(({ source }) => source)).toEqual(['/core', '/core']);
    expect(CircuitEventData.parse(received[0]?.data)).toEqual({
      agent: 'ada',
      role: 'worker',
      circuit: 'open',
      reason: 'runaway',
      revision: tripped.revision,
    });
  });

  test('that is tripped stays so for a new process, and for an agent that is created again, until it is reset', async () => {
    const first = await joined('rogue');
    await publish('rogue', first);
    await call('circuit.trip', { name: 'rogue', reason: 'held by an operator' });
    const refused = { code: 'CIRCUIT_OPEN', message: expect.stringContaining('held by an operator') };
    const second = await joined('rogue', { incarnation: crypto.randomUUID() });
    await expect(publish('rogue', second)).rejects.toMatchObject(refused);
    await call('registry.deregister', { name: 'rogue' }, second);
    const third = await joined('rogue');
    await expect(publish('rogue', third)).rejects.toMatchObject(refused);
    await call('registry.deregister', { name: 'rogue' }, third);
    const reset = await call<Agent>('circuit.reset', { name: 'rogue' });
    expect(reset).toMatchObject({ name: 'rogue', status: { circuit: 'closed' } });
    await publish('rogue', await joined('rogue'));
  });

  test('is an operator’s to handle', async () => {
    const token = await joined('eve');
    for (const path of ['circuit.trip', 'circuit.reset']) {
      await expect(call(path, { name: 'eve' }, token)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(call(path, { name: 'eve' }, core.viewerToken)).rejects.toMatchObject({ code: 'FORBIDDEN' });
      await expect(call(path, { name: 'nobody' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
      await expect(call(path, { name: 'Not A Name' })).rejects.toMatchObject({ code: 'INVALID_INPUT' });
    }
  });
});
