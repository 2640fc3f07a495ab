// What policies promise: versions, explanations, their effect on every replica.
import { putPolicy } from '../policy-change.ts';
import { OPEN, codeOf, type BusFixture } from './bus-fixture.ts';
import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';

export function policiesSuite(t: BusFixture): void {
  const { replica } = t;
  test('a namespace begins with the shipped policy, and a put with the current version replaces it', async () => {
    const bus = await replica();
    t.namespace = `n${randomUUID().slice(0, 12)}`;
    expect(await bus.getPolicy(t.namespace)).toMatchObject({
      version: 0,
      default: { publish: ['question.{name}.asked', 'question.{name}.withdrawn'] },
    });
    expect(await putPolicy(bus, t.namespace, OPEN, 0)).toMatchObject({ version: 1, ...OPEN });
    expect(await codeOf(putPolicy(bus, t.namespace, OPEN, 0))).toBe('CONFLICT');
    expect(await codeOf(putPolicy(bus, t.namespace, OPEN, 2))).toBe('CONFLICT');
    expect(await putPolicy(bus, t.namespace, OPEN, 1)).toMatchObject({ version: 2 });
    const racing = [bus, await replica()].map((one) => codeOf(putPolicy(one, t.namespace, OPEN, 2)));
    expect((await Promise.all(racing)).toSorted()).toEqual(['CONFLICT', 'no refusal']);
  });

  test('an explanation names the rule that decided', async () => {
    const bus = await replica();
    t.namespace = `n${randomUUID().slice(0, 12)}`;
    const ada = { name: 'ada', role: 'worker', circuit: 'closed' as const };
    const explain = (topic: string, who: Parameters<typeof bus.explainPolicy>[1] = ada) =>
      bus.explainPolicy(t.namespace, who, { action: 'publish', topic });
    expect(await explain('task.ada.done')).toMatchObject({ allowed: true, rule: 'task.{name}.>' });
    expect(await explain('task.ada.assigned')).toMatchObject({ allowed: false, rule: 'task.{name}.assigned' });
    expect(await explain('other')).toMatchObject({ allowed: false, rule: null });
    const before = await bus.getPolicy(t.namespace);
    await putPolicy(bus, t.namespace, OPEN, undefined);
    expect(await explain('system.x')).toMatchObject({ allowed: false, rule: 'system.>' });
    await putPolicy(bus, t.namespace, before, undefined);
    expect(await explain('task.ada.done', { ...ada, circuit: 'open' })).toMatchObject({
      allowed: false,
      rule: 'task.{name}.>',
      circuit: 'open',
    });
  });

  test('an explanation of a group names its owner, or the pattern that decided', async () => {
    const bus = await replica({ isAgent: async (_namespace, name) => name === 'worker-1' || name === 'ada' });
    t.namespace = `n${randomUUID().slice(0, 12)}`;
    const ada = { name: 'ada', role: 'worker', circuit: 'closed' as const };
    const explain = (group: string) => bus.explainPolicy(t.namespace, ada, { action: 'consume', group });
    expect(await explain('ada')).toMatchObject({ allowed: true, rule: 'group of agent "ada"' });
    expect(await explain('worker')).toMatchObject({ allowed: true, rule: 'group of role "worker"' });
    expect(await explain('worker-night')).toMatchObject({ allowed: true, rule: '{role}-*' });
    expect(await explain('worker-1')).toMatchObject({ allowed: false, rule: 'group of agent "worker-1"' });
    expect(await explain('coder')).toMatchObject({ allowed: false, rule: 'group of role "coder"' });
    expect(await explain('ops')).toMatchObject({ allowed: false, rule: null, circuit: 'closed' });
    expect(await codeOf(bus.explainPolicy(t.namespace, ada, { action: 'consume', topic: 'a' }))).toBe('INVALID_INPUT');
    expect(await codeOf(bus.explainPolicy(t.namespace, ada, { action: 'publish', group: 'a' }))).toBe('INVALID_INPUT');
  });
}
