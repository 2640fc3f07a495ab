// An Architect, its workers and an observer in the test's process, on a core that runs there as well.
import type { SubmittedGoal } from '@hypercode/contracts';
import { startArchitect } from '../src/start-architect.ts';
import { parseConfig } from '../src/config/parse-config.ts';
import type { Logger } from '../src/logger.ts';
import { PlanLog } from './plan-log.ts';
import { startWorker, type TestWorker } from './workers.ts';

/** What undoes the steps of a test; the last one comes first. */
export type Stack = (() => Promise<unknown> | void)[];

export interface TestArchitect {
  readonly url: string;
  /** Messages of its warnings and errors, with their fields as JSON. */
  readonly lines: readonly string[];
  /** Messages at `info`, with their fields as JSON. */
  readonly infos: readonly string[];
  /** Calls a route, and returns its JSON. Rejects with the text of the problem. */
  call<T>(path: string, body?: unknown): Promise<T>;
  submit(goal: object): Promise<SubmittedGoal>;
}

interface Core {
  readonly url: string;
  readonly namespace: string;
  readonly adminToken: string;
  readonly joinToken: string;
}

export interface Stage<C extends Core> {
  readonly core: C;
  readonly log: PlanLog;
  architect(env?: Record<string, string>): Promise<TestArchitect>;
  worker(...args: Parameters<typeof startWorker> extends [unknown, ...infer Rest] ? Rest : never): Promise<TestWorker>;
}

/** `stack` closes all that the stage starts, and not the core. */
export function stageOn<C extends Core>(core: C, stack: Stack): Stage<C> {
  const { url, joinToken, namespace } = core;
  const log = new PlanLog(core);
  stack.push(() => log.close());
  return {
    core,
    log,
    architect: (env) =>
      startTestArchitect(
        { SWARM_URL: url, SWARM_JOIN_TOKEN: joinToken, ARCHITECT_NAMESPACE: namespace, ...env },
        stack,
      ),
    async worker(...args) {
      const worker = await startWorker(core, ...args);
      stack.push(() => worker.agent.stop());
      return worker;
    },
  };
}

/** An active Architect with the configuration of this environment, on a free port. `stack` closes it. */
export async function startTestArchitect(env: Record<string, string>, stack: Stack): Promise<TestArchitect> {
  const lines: string[] = [];
  const quiet = (): void => {};
  const infos: string[] = [];
  const keepIn =
    (kept: string[]): Logger['warn'] =>
    (fields, message) =>
      void kept.push(`${message} ${JSON.stringify(fields)}`);
  const keep = keepIn(lines);
  const logger: Logger = { debug: quiet, info: keepIn(infos), warn: keep, error: keep };
  const { url, close } = await startArchitect(parseConfig({ ARCHITECT_PORT: '0', ...env }), 'active', logger);
  stack.push(close);
  const call = async <T>(path: string, body?: unknown): Promise<T> => {
    const response = await fetch(`${url}${path}`, {
      ...(body === undefined
        ? {}
        : { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${response.status}: ${text}`);
    return JSON.parse(text);
  };
  return { url, lines, infos, call, submit: (goal) => call('/goals', goal) };
}
