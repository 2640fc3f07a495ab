// A question whose agent and whose core are killed: the agent that asks it again gets its answer.
import { createSwarmClient } from '@hypercode/client';
import { waitFor } from '@hypercode/testkit';
import { guardProcess } from '@hypercode/testkit/death-guard';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { spawnCore } from '../fixtures/spawn-core.ts';

const QUESTION_ID = '33333333-3333-4333-8333-333333333333';
const PROGRAM = `
  import { connectAgent } from '@hypercode/client';
  const { URL: url, TOKEN: token, QUESTION: questionId } = process.env;
  const agent = await connectAgent({ url, token, name: 'asker', role: 'worker', version: '1.0.0' });
  const { answer, by } = await agent.ask({ text: 'Which colour?', questionId });
  console.log(JSON.stringify({ answer, by }));
`;

test('an answer reaches an agent that was killed while it waited, although the core was killed, too', async () => {
  const core = await spawnCore();
  onTestFinished(() => core.close());
  const operator = createSwarmClient({ url: core.url, token: core.adminToken });
  onTestFinished(() => operator.close());
  const asker = () => {
    const args = ['--conditions=built', '--input-type=module', '--eval', PROGRAM];
    const env = { PATH: process.env['PATH'], URL: core.url, TOKEN: core.joinToken, QUESTION: QUESTION_ID };
    const child = spawn(process.execPath, args, {
      cwd: import.meta.dirname,
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const release = guardProcess(child.pid ?? 0);
    const exited = once(child, 'exit').then(release);
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => void (output += chunk.toString()));
    const kill = async (): Promise<void> => {
      child.kill('SIGKILL');
      await exited;
    };
    onTestFinished(kill);
    return { output: () => output, kill };
  };
  const isOpen = async () =>
    (await operator.questions.list({}).catch(() => ({ questions: [] }))).questions.length === 1;

  const first = asker();
  await waitFor(isOpen, { what: 'the question', timeoutMs: 30_000 });
  await first.kill();
  core.kill('SIGKILL');
  await core.exited;
  await core.restart();
  await waitFor(isOpen, { what: 'the question after the restart of the core', timeoutMs: 30_000 });
  await operator.questions.answer({ agent: 'asker', questionId: QUESTION_ID, answer: 'blue' });
  core.kill('SIGKILL');
  await core.exited;
  await core.restart();
  const second = asker();
  await waitFor(() => second.output() !== '', { what: 'the answer', timeoutMs: 30_000 });
  expect(JSON.parse(second.output())).toEqual({ answer: 'blue', by: '/operators/admin' });
  expect((await operator.questions.list({ state: 'answered' })).questions).toHaveLength(1);
});
