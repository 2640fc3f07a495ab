// What a process uses, as Linux accounts it.
import { readFile } from 'node:fs/promises';

/** Ticks of the accounting clock a second; Linux reports all times in these (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time that the process has used so far, its own and the kernel's for it. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return cpuSecondsOf(stat);
}

/** The command's name stands in parentheses and may hold anything, so fields are counted from the last one. */
export function cpuSecondsOf(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
}

/** Watches a process; the returned function tells how many processors it has kept busy since, 1 being all of one. */
export async function cpuShareOf(pid: number): Promise<() => Promise<number>> {
  const before = await cpuSeconds(pid);
  const started = performance.now();
  return async () => ((await cpuSeconds(pid)) - before) / ((performance.now() - started) / 1000);
}

/** Resident memory in bytes. */
export async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kib === undefined) throw new Error(`No resident memory of process ${pid}`);
  return Number(kib) * 1024;
}
