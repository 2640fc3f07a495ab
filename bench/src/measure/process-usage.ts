// What a process uses, as Linux accounts it.
import { readdir, readFile } from 'node:fs/promises';

/** Ticks of the accounting clock a second; Linux reports all times in these (proc(5), USER_HZ). */
const TICKS_PER_SECOND = 100;

/** Seconds of processor time that the process has used so far, its own and the kernel's for it. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return cpuSecondsOf(stat);
}

/** The same of a server that works in processes of its own: the parent's, its children's, and of those that ended. */
export async function familyCpuSeconds(parentPid: number): Promise<number> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const stats = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null)));
  let seconds = 0;
  for (const stat of stats) {
    if (stat === null) continue;
    const isParent = stat.startsWith(`${parentPid} `);
    if (isParent) seconds += cpuSecondsOf(stat) + (fieldOf(stat, 15) + fieldOf(stat, 16)) / TICKS_PER_SECOND;
    else if (fieldOf(stat, PARENT) === parentPid) seconds += cpuSecondsOf(stat);
  }
  return seconds;
}

export async function parentOf(pid: number): Promise<number> {
  return fieldOf(await readFile(`/proc/${pid}/stat`, 'utf8'), PARENT);
}

export const cpuSecondsOf = (stat: string): number => (fieldOf(stat, 13) + fieldOf(stat, 14)) / TICKS_PER_SECOND;

const PARENT = 3;

/** A field of proc(5)'s stat, counted from 0. The command's name stands in parentheses and may hold anything. */
function fieldOf(stat: string, index: number): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[index - 2]);
}

/** Watches a process; the returned function tells how many processors it has kept busy since, 1 being all of one. */
export async function cpuShareOf(pid: number): Promise<() => Promise<number>> {
  const before = await cpuSeconds(pid);
  const started = performance.now();
  return async () => ((await cpuSeconds(pid)) - before) / ((performance.now() - started) / 1000);
}
