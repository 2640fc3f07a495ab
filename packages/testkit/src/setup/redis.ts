// Vitest's global setup for tests on Redis: without a server the run fails, so that nothing is skipped silently.
import type { TestProject } from 'vitest/node';
import { shareRedis } from '../shared-server.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, release } = await shareRedis();
  project.provide('redisUrl', server.url);
  return release;
}
