// Vitest's global setup for tests on PostgreSQL: without a server the run fails, so that nothing is skipped silently.
import type { TestProject } from 'vitest/node';
import { sharePostgres } from '../shared-server.ts';

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { server, release } = await sharePostgres();
  project.provide('postgresUrl', server.postgres.url);
  project.provide('postgresDatabasePrefix', server.prefix);
  return release;
}
