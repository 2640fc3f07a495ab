// Where the seeds of a random test begin, so that a commit is tried with the same choices wherever it is tested.
import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';

/** The number that the first eight digits of the commit's hash are; outside a repository, a random one. */
export function commitSeed(): number {
  try {
    const commit = execFileSync('git', ['rev-parse', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    return Number.parseInt(commit.slice(0, 8), 16);
  } catch {
    return randomInt(2 ** 32);
  }
}
