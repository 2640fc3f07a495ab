// What a page did, in the browser's own trace: the tasks of its main thread, and the memory that it holds on to.
import type { Browser, Page } from 'playwright-core';

/** A task of the main thread, in milliseconds. */
export interface PageTask {
  /** Since the trace began. */
  readonly at: number;
  /** Processor time of the thread: what it waited for a processor does not count. */
  readonly cpu: number;
  /** From its beginning to its end. */
  readonly wall: number;
  /** Of `cpu`, what scripts took: the rest is style, layout and paint. */
  readonly script: number;
}

export interface PageTrace {
  /** In the order in which they began. */
  readonly tasks: readonly PageTask[];
  /** How long was traced, in milliseconds. */
  readonly durationMs: number;
}

interface TraceEvent {
  readonly name: string;
  readonly ph: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur?: number;
  readonly tdur?: number;
  readonly args?: { readonly name?: string };
}

/** What runs scripts, each with what it calls inside of it. */
const SCRIPT = new Set([
  'EvaluateScript',
  'EventDispatch',
  'FireAnimationFrame',
  'FunctionCall',
  'RunMicrotasks',
  'TimerFire',
]);

/** Traces what the page does while `run` runs. Times in a trace are microseconds (Trace Event Format, Chromium). */
export async function tracePage(browser: Browser, page: Page, run: () => Promise<unknown>): Promise<PageTrace> {
  const begun = performance.now();
  await browser.startTracing(page, { categories: ['-*', 'toplevel', 'devtools.timeline'] });
  let buffer: Buffer;
  try {
    await run();
  } finally {
    buffer = await browser.stopTracing();
  }
  const { traceEvents } = JSON.parse(buffer.toString()) as { traceEvents: readonly TraceEvent[] };
  const mains = traceEvents
    .filter(({ name, args }) => name === 'thread_name' && args?.name === 'CrRendererMain')
    .map(({ pid, tid }) => `${pid} ${tid}`);
  const byThread = new Map<string, TraceEvent[]>(mains.map((main) => [main, []]));
  for (const event of traceEvents) {
    const isWanted = event.ph === 'X' && (isTask(event) || SCRIPT.has(event.name));
    if (isWanted) byThread.get(`${event.pid} ${event.tid}`)?.push(event);
  }
  // A browser keeps a spare renderer, which does nothing.
  const [busiest = []] = [...byThread.values()].toSorted((a, b) => b.length - a.length);
  const tasks = tasksOf(busiest.toSorted((a, b) => a.ts - b.ts || (b.dur ?? 0) - (a.dur ?? 0)));
  if (tasks.length === 0) {
    const names = traceEvents.filter(({ name }) => name === 'thread_name').map(({ args }) => args?.name);
    throw new Error(`the trace has no task of the page; it has ${traceEvents.length} events, of ${names.join(', ')}`);
  }
  return { tasks, durationMs: performance.now() - begun };
}

const isTask = ({ name }: TraceEvent): boolean => name.endsWith('RunTask');

/** Of the events of one thread by their beginning: an event inside of another comes after it. */
function tasksOf(events: readonly TraceEvent[]): PageTask[] {
  const tasks: { at: number; cpu: number; wall: number; script: number; end: number }[] = [];
  const first = events[0]?.ts ?? 0;
  let scriptEnd = 0;
  for (const event of events) {
    const { ts, dur = 0, tdur = dur } = event;
    const task = tasks.at(-1);
    if (isTask(event)) {
      // A task inside of a task is part of it.
      if (task === undefined || ts >= task.end)
        tasks.push({ at: (ts - first) / 1000, cpu: tdur / 1000, wall: dur / 1000, script: 0, end: ts + dur });
    } else if (task !== undefined && ts < task.end && ts >= scriptEnd) {
      task.script += tdur / 1000;
      scriptEnd = ts + dur;
    }
  }
  return tasks;
}

/** The longest tasks by processor time, and how busy the thread was, in words. */
export function wordsOf({ tasks, durationMs }: PageTrace): string {
  const longest = tasks.toSorted((a, b) => b.cpu - a.cpu).slice(0, 5);
  const busy = tasks.reduce((sum, { cpu }) => sum + cpu, 0) / durationMs;
  const list = longest.map(
    ({ cpu, script, wall }) => `${cpu.toFixed(0)} (script ${script.toFixed(0)}, wall ${wall.toFixed(0)})`,
  );
  return `${Math.round(busy * 100)} % busy; the longest tasks, in ms: ${list.join(', ')}`;
}

/** The JavaScript heap of the page after a garbage collection, in MiB. */
export async function heapMib(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  await session.detach();
  return usedSize / 1024 / 1024;
}
