// Which of two Architects acts.
import { describe, expect, test } from 'vitest';
import { sampleAgent, sampleGoal, sampleStep } from '../../test/sample-swarm.ts';
import { Simulation } from '../../test/scheduling/simulation.ts';

describe('two Architects', () => {
  const architect = (name: string, rest: Parameters<typeof sampleAgent>[2] = {}) => {
    const topics = { publishes: [`architect.${name}.checkpoint`], subscribes: [] };
    return sampleAgent(name, [], { role: 'architect', topics, ...rest });
  };

  test.each([
    ['the first by name', architect('aaron'), false],
    ['not the first by name', architect('zoe'), true],
    ['unhealthy', architect('aaron', { status: { health: 'unhealthy' } }), true],
    ['paused, since it lacks a right', architect('aaron', { status: { activity: 'paused' } }), true],
    ['no Architect, but has the role', architect('aaron', { topics: { publishes: [], subscribes: [] } }), true],
  ])('whether an Architect plans goals beside another that is %s', (_, other, plans) => {
    const simulation = new Simulation([sampleAgent('ada', ['work']), architect('architect'), other]);
    const planId = simulation.submit(sampleGoal({ steps: [sampleStep('a')] }));
    expect(simulation.decide()).toMatchObject(plans ? [{ kind: 'plan', plan: { planId } }] : []);
  });
});
