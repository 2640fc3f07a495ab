import { AgentRegistration } from '@hypercode/contracts';
import { expect, it } from 'vitest';
import { sampleAgent } from './sample-agents.ts';

it('makes valid registrations of about 1 KiB, the same ones every time', () => {
  for (const index of [0, 1, 99_999]) {
    const agent = sampleAgent(index, 100_000);
    expect(AgentRegistration.safeParse(agent).error).toBeUndefined();
    expect(JSON.stringify(agent).length).toBeGreaterThan(900);
    expect(JSON.stringify(agent).length).toBeLessThan(1200);
    expect(sampleAgent(index, 100_000)).toEqual(agent);
  }
});
