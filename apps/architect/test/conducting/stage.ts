// The parts of an Architect that follow the bus, conduct plans and publish checkpoints, on a core.
import { connectAgent, createSwarmClient, type SwarmClient } from '@hypercode/client';
import { systemClock } from '@hypercode/clock';
import { HeldClock } from '@hypercode/clock/testing';
import { agentSource, type Goal, type Policy } from '@hypercode/contracts';
import { waitFor, type WaitOptions } from '@hypercode/testkit';
import type { CheckpointPart } from '@hypercode/plans';
import { Checkpointer } from '../../src/conducting/checkpointer.ts';
import { Conductor } from '../../src/conducting/conductor.ts';
import { Follower, type FollowerEvents } from '../../src/conducting/follower.ts';
import { OfferingAgents } from '../../src/conducting/offering-agents.ts';
import { PlanReport } from '../../src/conducting/plan-report.ts';
import { CoreLink } from '../../src/core-link.ts';
import type { Logger } from '../../src/logger.ts';
import { ArchitectMetrics } from '../../src/metrics.ts';
import { explicitPlanner } from '../../src/planning/explicit-planner.ts';
import type { Planner } from '../../src/planning/planner.ts';
import type { Stack } from '../stage.ts';

/** How much time passes with each check of a condition. */
const STEP_MS = 250;

interface Core {
  readonly url: string;
  readonly adminToken: string;
  readonly joinToken: string;
  /** Default: `default`. */
  readonly namespace?: string;
}

export interface ConductingStage {
  /** The Architect's, as an agent. */
  readonly client: SwarmClient;
  readonly operator: SwarmClient;
  /** Warnings. */
  readonly lines: { fields: Record<string, unknown>; message: string }[];
  /** The Architect's. Its time passes only as the test says. */
  readonly clock: HeldClock;
  /** Waits for the condition while the time of the Architect passes. */
  waitFor<T>(condition: () => T | Promise<T>, options: WaitOptions): Promise<NonNullable<T>>;
  follow(events?: FollowerEvents): Promise<Follower>;
  /** `planners`. Default: the one of goals with steps. `policy`. Default: the one in force. */
  conduct(planners?: readonly Planner[], options?: { policy?: Promise<Policy> }): Promise<Follower>;
  /** Publishes checkpoints of what `follower` knows. */
  write(follower: Follower, client?: Pick<SwarmClient, 'bus' | 'publish'>): Checkpointer;
  /** Plans whose checkpoints are on the bus, in their order. */
  checkpoints(): Promise<string[]>;
}

/** The parts of an Architect that is connected to `core` as an agent. `stack` closes them, and not the core. */
export async function conductingStage(
  { url, adminToken, joinToken, namespace = 'default' }: Core,
  stack: Stack,
): Promise<ConductingStage> {
  const self = agentSource(namespace, 'architect');
  const agent = await connectAgent({
    url,
    token: joinToken,
    namespace,
    name: 'architect',
    role: 'architect',
    version: '1.0.0',
  });
  const { client } = agent;
  const operator = createSwarmClient({ url, namespace, token: adminToken });
  stack.push(
    () => operator.close(),
    () => agent.stop(),
  );
  const lines: ConductingStage['lines'] = [];
  const quiet = (): void => {};
  const warn: Logger['warn'] = (fields, message) => void lines.push({ fields, message });
  const logger: Logger = { debug: quiet, info: quiet, error: quiet, warn };
  const core = new CoreLink({ url, logger });
  const report = new PlanReport({ logger, metrics: new ArchitectMetrics() });
  const clock = new HeldClock();
  // The core beside it keeps the system's time.
  clock.jump(systemClock.epochMs() - clock.epochMs());
  const it: ConductingStage = {
    client,
    operator,
    lines,
    clock,
    waitFor: (condition, options) =>
      waitFor(() => {
        clock.advance(STEP_MS);
        return condition();
      }, options),
    async follow(events = {}) {
      const follower = new Follower({ self, client, clock, logger, core });
      stack.push(() => follower.stop());
      follower.start(events);
      await waitFor(() => follower.isCaughtUp, { what: 'the past to be read' });
      return follower;
    },
    async conduct(planners: readonly Planner[] = [explicitPlanner], { policy } = {}) {
      const follower = new Follower({ self, client, clock, logger, core });
      const directory = client.directory();
      stack.push(() => directory.stop());
      const agents = new OfferingAgents(directory);
      if (policy === undefined) agents.enforce(await client.policy.get());
      else void policy.then((answered) => agents.enforce(answered));
      const patience = {
        ...{ patienceMs: 600_000, taskDeadlineMs: 600_000, acceptMs: 600_000 },
        ...{ stallMs: 600_000, questionPatienceMs: 600_000 },
      };
      const settings = { maxAttempts: 1, maxTasksPerAgent: 1, retryDelayMs: 0, ...patience };
      const conductor = new Conductor({
        ...{ name: 'architect', self, agent, directory, agents, follower, planners },
        ...{ settings, clock, logger, core, report },
      });
      stack.push(() => conductor.stop());
      conductor.start();
      await waitFor(() => follower.isCaughtUp, { what: 'the past to be read' });
      return follower;
    },
    write(follower, through = client) {
      const checkpointer = new Checkpointer({
        client: through,
        name: 'architect',
        self,
        follower,
        clock,
        logger,
        core,
      });
      stack.push(() => checkpointer.stop());
      checkpointer.start();
      return checkpointer;
    },
    async checkpoints() {
      const { events } = await operator.bus.read({ topics: ['architect.*.checkpoint'], limit: 500 });
      const parts = events.map(({ event }) => event.data as CheckpointPart);
      return parts.filter(({ part, parts: all }) => part === all).map(({ planId }) => planId);
    },
  };
  return it;
}

/** A goal that no agent can work on. */
export const goalOf = (title: string): Goal => ({
  goalId: crypto.randomUUID(),
  title,
  steps: [{ id: 'a', title: 'do it', capability: 'nobody-offers-it', dependsOn: [] }],
});
