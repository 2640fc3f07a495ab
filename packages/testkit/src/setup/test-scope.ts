// How much this run of the tests does: everything, or what every change must pass.
import { execFileSync } from 'node:child_process';

export interface TestScope {
  /** Whether the suites of stores run whole on every driver. */
  readonly matrix: 'whole' | 'smoke';
  /** For a line at the beginning of the run. */
  readonly why: string;
}

/** What decides how the drivers differ. Statements and scripts run whole in any case, on the driver that is repeated. */
const DRIVERS = /^packages\/stores\/src\//;

/**
 * `SWARM_TEST_ALL=1` runs everything, as each night. Otherwise the matrix runs whole when drivers changed: since the commit
 * `CI_BASE_SHA`, or in files that are not committed.
 */
export function testScope(env: Readonly<Record<string, string | undefined>>): TestScope {
  if (env['SWARM_TEST_ALL'] === '1') return { matrix: 'whole', why: 'everything runs' };
  const base = env['CI_BASE_SHA'] === undefined || env['CI_BASE_SHA'] === '' ? 'HEAD' : env['CI_BASE_SHA'];
  try {
    const changed = [
      ...git('diff', '--name-only', base).split('\n'),
      ...git('ls-files', '--others', '--exclude-standard').split('\n'),
    ];
    const driver = changed.find((file) => DRIVERS.test(file));
    if (driver !== undefined) return { matrix: 'whole', why: `${driver} changed since ${base.slice(0, 9)}` };
    return { matrix: 'smoke', why: `no driver changed since ${base.slice(0, 9)}; \`pnpm test:all\` runs everything` };
  } catch {
    return { matrix: 'whole', why: 'the changes cannot be read from git' };
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
