// How much this run of the tests does: everything, or what every change must pass.
import { execFileSync } from 'node:child_process';

export interface TestScope {
  /** Whether the suites of stores run whole on every driver. */
  readonly matrix: 'whole' | 'smoke';
  /** For a line at the beginning of the run. */
  readonly why: string;
}

/** What decides how stores behave. */
const STORES =
  /^packages\/(stores\/src|testkit\/src|feed\/testing|bus\/(src\/(postgres|redis|store)|testing)|registry\/src\/.*(migrations|functions|queries))\//;

/**
 * `SWARM_TEST_ALL=1` runs everything. Otherwise the matrix runs whole when stores changed since `CI_BASE_SHA`; without that, since
 * the last commit that is a day old, or in files that are not committed.
 */
export function testScope(env: Readonly<Record<string, string | undefined>>): TestScope {
  if (env['SWARM_TEST_ALL'] === '1') return { matrix: 'whole', why: 'everything runs' };
  try {
    const given = env['CI_BASE_SHA'] ?? '';
    const base = given === '' ? git('rev-list', '-1', '--before=24 hours ago', 'HEAD') : given;
    if (base === '') return { matrix: 'whole', why: 'there is no older commit to compare with' };
    const changed = [
      ...git('diff', '--name-only', base).split('\n'),
      ...git('ls-files', '--others', '--exclude-standard').split('\n'),
    ];
    const store = changed.find((file) => STORES.test(file));
    const since = `since ${base.slice(0, 9)}`;
    if (store === undefined)
      return { matrix: 'smoke', why: `no store changed ${since}; \`pnpm test:all\` runs everything` };
    return { matrix: 'whole', why: `${store} changed ${since}` };
  } catch {
    return { matrix: 'whole', why: 'the changes cannot be read from git' };
  }
}

function git(...args: string[]): string {
  return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
}
