// What the tests of the scheduler share: how a plan begins, and what became of it.
import type { Json } from '@hypercode/contracts';
import { sampleStep, sampleGoal } from '../sample-swarm.ts';
import type { Simulation } from './simulation.ts';

export const started = (simulation: Simulation, steps = [sampleStep('a')], goal = {}): string => {
  const planId = simulation.submit(sampleGoal({ steps, ...goal }));
  simulation.settle();
  return planId;
};
export const assignmentOf = (simulation: Simulation, planId: string, taskId = 'a') =>
  simulation.plan(planId).tasks.get(taskId)?.assignment ?? null;
export const published = (simulation: Simulation, topic: string): unknown[] =>
  simulation.log.filter((event) => event.topic === topic).map(({ data }) => data);
/** JSON of so many levels. */
export const nested = (levels: number): Json => (levels === 0 ? null : [nested(levels - 1)]);
export const TIME = '2026-01-02T00:00:00Z';
