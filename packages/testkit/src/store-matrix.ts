// How much of a suite runs on which driver. Some drivers of a port execute the same statements or scripts as another one: a
// change runs a smoke set there, and everything when it is about drivers; `pnpm test:all` runs everything everywhere.
import { describe } from 'vitest';
import { commitSeed } from './commit-seed.ts';

/** `whole`: every test. `smoke`: the parts of a suite that a fault of a driver is most likely to break. */
export type SuiteScope = 'whole' | 'smoke';

/** How much runs on a driver that repeats what another one has shown. `vitest.config.ts` decides; by itself, everything. */
export const scopeOfRepetition = (): SuiteScope => (process.env['SWARM_TEST_MATRIX'] === 'smoke' ? 'smoke' : 'whole');

type Describe = (title: string, tests: () => void) => void;

/** `describe` for the parts of a suite that the smoke set leaves out. */
export const describeIn = (scope: SuiteScope): Describe => (scope === 'whole' ? describe : () => {});

/** Of stores on which the same long test could run: all with `SWARM_TEST_ALL=1`, as each night, and otherwise one, which the commit decides. */
export function storesOfRun<T>(stores: readonly T[]): readonly T[] {
  if (process.env['SWARM_TEST_ALL'] === '1') return stores;
  const chosen = commitSeed() % stores.length;
  return stores.filter((_, index) => index === chosen);
}
