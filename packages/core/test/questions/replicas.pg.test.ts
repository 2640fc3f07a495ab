// Questions on two cores of one PostgreSQL and one Redis: answered once, and published although the core that took the answer is gone.
import { freshDatabase, startRedis, waitFor } from '@hypercode/testkit';
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { START_TIMEOUT_MS, startTestCore, type TestCore } from '../../testing/core.ts';

const NAMED = { namespace: 'default', agent: 'asker' };

test(
  'one of two answers counts on both cores, and one that was claimed and not published is published by the replica on duty',
  async () => {
    const [databaseUrl, redis] = await Promise.all([freshDatabase(), startRedis()]);
    onTestFinished(() => redis.close());
    const settings = { databaseUrl, redisUrl: redis.url, adminToken: 'the-admin-token' };
    const cores = await Promise.all([startTestCore(settings), startTestCore(settings)]);
    onTestFinished(async () => void (await Promise.all(cores.map((core) => core.close()))));
    const [here, there] = cores;
    const call = async (core: TestCore, path: string, json?: unknown, token?: string) => {
      const answer = await core.fetch(
        path,
        json === undefined ? {} : { method: 'POST', json, ...(token && { token }) },
      );
      // oxlint-disable-next-line typescript/no-explicit-any -- any JSON: the test compares the fields of each answer
      return { status: answer.status, body: (await answer.json()) as any };
    };
    const { body } = await call(here, '/v1/agents', { name: 'asker', role: 'worker', version: '1.0.0' });
    const ask = async (): Promise<string> => {
      const questionId = randomUUID();
      await call(
        there,
        '/v1/events',
        { topic: 'question.asker.asked', data: { questionId, text: 'Which?' } },
        body.token,
      );
      const isOpen = async () => (await call(there, '/v1/questions')).body.questions as { questionId: string }[];
      await waitFor(async () => (await isOpen()).some((one) => one.questionId === questionId), {
        what: 'the question',
      });
      return questionId;
    };
    const answered = async (questionId: string) => {
      const { events } = (await call(here, '/v1/events?topics=question.asker.answered')).body as {
        events: { event: { source: string; data: { questionId: string; answer: unknown } } }[];
      };
      return events.filter(({ event }) => event.data.questionId === questionId).map(({ event }) => event);
    };

    const first = await ask();
    const path = `/v1/questions/asker/${first}/answer`;
    const both = await Promise.all(cores.map((core, index) => call(core, path, { answer: index })));
    expect(new Set(both.map(({ status }) => status))).toEqual(new Set([200, 409]));
    const events = await waitFor(async () => ((await answered(first)).length > 0 ? answered(first) : null), {
      what: 'the answer',
    });
    expect(events).toMatchObject([
      { source: '/core', data: { answer: both.findIndex(({ status }) => status === 200), by: '/operators/admin' } },
    ]);

    // As a core does that is killed before it publishes.
    const second = await ask();
    const outcome = { answer: 'later', comment: null, by: '/operators/admin' };
    await here.operations.questions.claim({ ...NAMED, questionId: second, outcome, eventId: randomUUID() });
    const late = await waitFor(async () => ((await answered(second)).length > 0 ? answered(second) : null), {
      what: 'the answer that was not published',
      timeoutMs: 20_000,
    });
    expect(late).toMatchObject([{ source: '/core', data: { answer: 'later' } }]);
    expect((await call(there, `/v1/questions/asker/${second}/answer`, { answer: 1 })).status).toBe(409);
  },
  START_TIMEOUT_MS,
);
