// What memory a measured program holds once its garbage is collected.
import { waitFor } from '@hypercode/testkit';
import type { Measured } from '../rig.ts';

export interface Memory {
  rss: number;
  heapUsed: number;
  external: number;
}

const REPORT = /\nmemory (\{.*\})\n/g;

/** Bytes, as `process.memoryUsage` gives them, after a collection. */
export async function memoryOf(program: Measured): Promise<Memory> {
  const reports = () => [...program.output().matchAll(REPORT)];
  const before = reports().length;
  program.kill('SIGUSR2');
  const report = await waitFor(() => reports()[before], { what: 'the report of memory' });
  return JSON.parse(report[1] ?? '{}') as Memory;
}
