// The overview of a namespace as a stream: everything first, then what changed, and nothing is computed for nobody.
import { GroupInfo, Overview } from '@hypercode/contracts';
import { beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { sharedCore, START_TIMEOUT_MS, type TestCore } from '../../testing/core.ts';
import { OPEN_POLICY } from '../sample-inputs.ts';

let core: TestCore;
beforeAll(async () => {
  core = await sharedCore();
}, START_TIMEOUT_MS);

const post = async (path: string, namespace: string, json: unknown, method = 'POST') => {
  const answer = await core.fetch(path, { method, namespace, json });
  expect(answer.ok).toBe(true);
};

/** The values of a stream, as they come. */
async function follow(namespace: string): Promise<Overview[]> {
  const left = new AbortController();
  onTestFinished(() => left.abort());
  const answer = await core.fetch('/v1/overview/stream', { namespace, signal: left.signal });
  expect(answer.status).toBe(200);
  const values: Overview[] = [];
  const reading = async () => {
    let text = '';
    for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      text += chunk;
      const frames = text.split('\n\n');
      text = frames.pop() ?? '';
      for (const frame of frames) {
        const data = /^data: (.*)$/m.exec(frame)?.[1];
        if (data !== undefined) values.push(Overview.parse(JSON.parse(data)));
      }
    }
  };
  reading().catch(() => undefined);
  return values;
}

const until = <T>(condition: () => T) => vi.waitFor(condition, { timeout: 15_000, interval: 20 });

test('the first value has everything, and later ones what changed', async () => {
  const namespace = core.freshNamespace();
  await post('/v1/policy', namespace, { policy: OPEN_POLICY }, 'PUT');
  await post('/v1/groups/crew/claim', namespace, { topics: ['a.*'] });
  await post('/v1/groups/idle/claim', namespace, { topics: ['b.*'] });
  const values = await follow(namespace);
  await until(() => expect(values.length).toBeGreaterThan(0));
  const [first] = values;
  expect(first).toMatchObject({
    type: 'overview',
    reset: true,
    questions: { open: 0 },
    namespace: { namespace, groups: 2 },
  });
  expect(first?.groups?.map(({ group }) => group)).toEqual(['crew', 'idle']);
  expect(first?.groups?.every((group) => GroupInfo.safeParse(group).success)).toBe(true);
  expect(first?.cluster?.replicas).toHaveLength(1);
  await post('/v1/events', namespace, { topic: 'a.b', data: 1 });
  await post('/v1/groups/crew/claim', namespace, { topics: ['a.*'] });
  const changed = await until(() => {
    const found = values
      .slice(1)
      .find(({ groups }) => groups?.some(({ group, inFlight }) => group === 'crew' && inFlight === 1));
    expect(found).toBeDefined();
    return found;
  });
  expect(changed).toMatchObject({ reset: false });
  expect(changed?.questions).toBeUndefined();
  for (const [index, { at }] of values.entries()) {
    const before = values[index - 1];
    if (before !== undefined) expect(Date.parse(at) - Date.parse(before.at)).toBeGreaterThanOrEqual(1_900);
  }
});

test('all followers of a namespace share one reading, and none is made when they have left', async () => {
  const namespace = core.freshNamespace();
  const groups = vi.spyOn(core.bus, 'groups');
  onTestFinished(() => groups.mockRestore());
  const readings = () => groups.mock.calls.filter(([, input]) => input.namespace === namespace).length;
  const followers = await Promise.all([follow(namespace), follow(namespace), follow(namespace)]);
  await until(() => expect(followers.map(({ length }) => length)).toEqual([1, 1, 1]));
  expect(readings()).toBe(1);
  expect(followers[1]).toEqual(followers[0]);
});
