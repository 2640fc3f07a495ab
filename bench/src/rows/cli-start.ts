// How long the command line takes to start: beside an empty Node.js, in turns.
import { BUILT_CLI } from '@hypercode/testkit';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Figure } from '../figures.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import type { Findings, Row } from './row.ts';

export const cliStart: Row = {
  name: 'cli-start',
  title: 'from the start of `swarm` to its end',
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const core = await rig.core(stack, { DATABASE_URL: await rig.database() });
  const env = { PATH: process.env['PATH'], SWARM_URL: core.url, SWARM_TOKEN: core.adminToken };
  const node =
    (...words: string[]) =>
    async (): Promise<number> => {
      const started = performance.now();
      await promisify(execFile)(process.execPath, words, { env });
      return performance.now() - started;
    };
  const call = `const answer = await fetch('${core.url}/v1/agents', { headers: { authorization: 'Bearer ${core.adminToken}' } });
    await answer.json();`;
  const contenders = {
    empty: node('-e', '0'),
    call: node('--input-type=module', '-e', call),
    version: node(BUILT_CLI, '--version'),
    agents: node(BUILT_CLI, 'agents', 'ls'),
  };
  // Node.js compiles it once, and then takes it from its cache.
  await contenders.agents();
  const rounds = await interleave(contenders, Math.max(10, rig.rounds));
  const of = (name: keyof typeof contenders): number[] => rounds[name] ?? [];
  const figure = (what: string, name: 'version' | 'agents', beside: 'empty' | 'call'): Figure => ({
    what,
    value: median(of(name)) - median(of(beside)),
    unit: 'ms',
    reference: { what: beside === 'empty' ? 'node -e 0' : 'the call by fetch', value: median(of(beside)) },
    ratio: medianRatio(of(name), of(beside)),
    goal: { of: 'value', atMost: 250 },
  });
  return {
    figures: [
      figure('swarm --version, more than node', 'version', 'empty'),
      figure('swarm agents ls, more than the call itself', 'agents', 'call'),
    ],
    notes: [
      `the call itself: a script of one line for node, which fetches the same page; it takes ${(median(of('call')) - median(of('empty'))).toFixed(0)} ms more than \`node -e 0\``,
    ],
    rounds,
  };
}
