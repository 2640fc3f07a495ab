// A whole story: a coding agent joins by MCP, takes a task, asks a person, finishes, and the plan is completed, although the core is killed.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { spawnArchitect, type SpawnedCore, waitFor } from '@hypercode/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { swarm } from '../cli/swarm-process.ts';
import { killAndRestart } from '../fixtures/kill-and-restart.ts';
import { spawnCore } from '../fixtures/spawn-core.ts';

// oxlint-disable-next-line typescript/no-explicit-any -- any JSON: the test compares its fields
type Data = any;

/** Five processes start in turns, and each may take long on a busy machine. */
const STORY_LIMIT_MS = 300_000;

/** Calls tools as a client does whose user restarts it: each call is one request, and nothing is kept between two. */
async function connect(core: SpawnedCore, token: string): Promise<(name: string, args?: object) => Promise<Data>> {
  const client = new Client(
    { name: 'story', version: '1.0.0' },
    { versionNegotiation: { mode: { pin: '2026-07-28' } } },
  );
  const requestInit = { headers: { authorization: `Bearer ${token}` } };
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', core.url), { requestInit }));
  onTestFinished(() => client.close());
  return async (name, args = {}) => {
    const { isError, content, structuredContent } = await client.callTool({ name, arguments: { ...args } });
    expect(isError, JSON.stringify({ name, content, structuredContent })).not.toBe(true);
    return structuredContent;
  };
}

test(
  'a plan is completed by an agent that joined by MCP, with the answer of a person and a core that was killed',
  { timeout: STORY_LIMIT_MS },
  async () => {
    const core = await spawnCore();
    onTestFinished(() => core.close());
    const architect = await spawnArchitect({ SWARM_URL: core.url, SWARM_JOIN_TOKEN: core.joinToken });
    onTestFinished(() => architect.close());
    const cli = { SWARM_URL: core.url, SWARM_TOKEN: core.adminToken };

    const [agent, operator] = [await connect(core, core.joinToken), await connect(core, core.adminToken)];
    const as = 'storyteller';
    await agent('join', { name: as, role: 'worker', capabilities: ['story.write'] });
    const found = await agent('find_agents', { as, role: 'architect' });
    expect(found.untrusted.agents).toMatchObject([{ role: 'architect' }]);

    const steps = [{ id: 'write', title: 'Write a story', capability: 'story.write', input: { about: 'swarms' } }];
    const { planId } = await operator('submit_goal', { title: 'A story', steps });
    const claimed = await waitFor(
      async () => {
        const answer = await agent('claim_work', { as });
        return answer.count > 0 ? answer : null;
      },
      { what: 'the task', timeoutMs: 60_000 },
    );
    const [{ deliveryId, task, event }] = claimed.untrusted.work;
    expect(task).toEqual({ planId, taskId: 'write', attempt: 1 });
    expect(event.data.input).toEqual({ about: 'swarms' });

    const question = {
      as,
      text: 'Sad or happy?',
      options: ['sad', 'happy'].map((id) => ({ id, label: id })),
      about: task,
    };
    const { state, questionId } = await agent('ask_person', { ...question, waitMs: 0 }).then((asked) =>
      asked.state === 'open' ? asked : agent('ask_person', { ...question, waitMs: 500 }),
    );
    expect(state).toBe('open');
    const isAsked = async () => {
      const { stdout } = await swarm(['questions', 'ls', '--json'], cli);
      return stdout.includes(questionId);
    };
    await waitFor(isAsked, { what: 'the question on the command line', timeoutMs: 30_000 });

    await killAndRestart(core);

    const answered = await swarm(['questions', 'answer', as, questionId, 'happy'], cli);
    expect(answered, answered.stderr).toMatchObject({ code: 0 });
    const heard = await agent('ask_person', { ...question, questionId, waitMs: 25_000 });
    expect(heard).toMatchObject({ state: 'answered', untrusted: { answered: { answer: 'happy' } } });

    expect(await agent('extend_work', { as, deliveryId, byMs: 600_000, task, progress: 0.9 })).toMatchObject({
      extended: true,
    });
    expect(await agent('ack_work', { as, deliveryId, task, output: 'They lived happily.' })).toEqual({
      settled: true,
      reported: true,
    });
    const plan = await waitFor(
      async () => {
        const answer = await operator('get_plan', { planId, waitMs: 25_000 });
        return answer.status === 'completed' ? answer : null;
      },
      { what: 'the plan', timeoutMs: 60_000 },
    );
    expect(plan.untrusted.plan.outputs).toEqual({ write: 'They lived happily.' });
    expect(await agent('leave', { as })).toEqual({ left: true });
  },
);
