// Following one plan to its end: a tree that is redrawn on a terminal, a line for each change elsewhere.
import { type PlanView, SwarmError, type SwarmClient } from '@hypercode/client';
import cliTruncate from 'cli-truncate';
import { Outage } from '../events/outage.ts';
import type { Line } from '../output/parts.ts';
import type { CommandContext } from '../program/context.ts';
import { EXIT, type ExitCode } from '../program/exit-codes.ts';
import { planChanges } from './plan-changes.ts';
import { planLines } from './plan-lines.ts';

/** How long a plan may take to be known after its goal was submitted, in milliseconds. */
const KNOWN_WITHIN_MS = 10_000;
const RETRY_MS = 200;

export interface FollowOptions {
  readonly planId: string;
  /** The goal was submitted just now: the plan may not be known yet. */
  readonly isNew: boolean;
}

/** Ends with 0 when the plan is completed, and with 1 when it failed or was cancelled. Ctrl-C leaves it as it is. */
export async function followPlan(
  context: CommandContext,
  client: SwarmClient,
  { planId, isNew }: FollowOptions,
): Promise<ExitCode> {
  const { output, clock, signal } = context;
  const outage = new Outage({ clock, signal, note: (line) => output.note(line) });
  const view = await planView(context);
  let latest: PlanView | null = null;
  const deadlineMs = clock.monotonicMs() + (isNew ? KNOWN_WITHIN_MS : 0);
  try {
    while (!outage.signal.aborted) {
      try {
        for await (const event of client.plans.watch({ planId, signal: outage.signal, onInterruption: outage.lost })) {
          outage.answered();
          if (event.type === 'reset')
            output.note(`events of the plan are missing (${event.reason}): it was read again`);
          if (event.type !== 'plan') continue;
          view.show(latest, event.plan);
          latest = event.plan;
          if (latest.status !== 'planning' && latest.status !== 'running')
            return latest.status === 'completed' ? EXIT.done : EXIT.no;
        }
      } catch (error) {
        if (!SwarmError.from(error).is('NOT_FOUND') || latest !== null || clock.monotonicMs() >= deadlineMs)
          throw error;
        await outage.pause(RETRY_MS);
      }
    }
  } finally {
    view.end();
    if (signal.aborted) output.note(`the plan goes on; to come back: swarm plans watch ${planId}`);
  }
  outage.check();
  return EXIT.interrupted;
}

interface View {
  show(before: PlanView | null, plan: PlanView): void;
  /** Leaves the last state on the screen. */
  end(): void;
}

async function planView(context: CommandContext): Promise<View> {
  const { output, clock } = context;
  if (output.json) return { show: (_before, plan) => output.object(plan), end: () => {} };
  const { stdout } = output.streams;
  if (stdout.isTTY !== true) {
    return {
      show: (before, plan) => {
        for (const line of planChanges(before, plan)) output.line(line);
      },
      end: () => {},
    };
  }
  const { createLogUpdate } = await import('log-update');
  const update = createLogUpdate(stdout, { showCursor: true });
  let plan: PlanView | null = null;
  const draw = (): void => {
    if (plan === null) return;
    const { rows = 24 } = stdout as { readonly rows?: number };
    const lines = fitting(planLines(plan, clock.epochMs()), rows - 1);
    const options = { truncationCharacter: output.isUtf8 ? '…' : '~' };
    update(lines.map((line) => cliTruncate(output.shown(line), output.columns, options)).join('\n'));
  };
  stdout.on('resize', draw);
  return {
    show(_before, next) {
      plan = next;
      draw();
    },
    end() {
      stdout.off('resize', draw);
      // Once more in full: what did not fit scrolls up.
      if (plan === null) return update.done();
      update.clear();
      for (const line of planLines(plan, clock.epochMs())) output.line(line);
      update.done();
    },
  };
}

/** As many lines as the terminal has, from the top. */
function fitting(lines: readonly Line[], rows: number): readonly Line[] {
  if (lines.length <= rows) return lines;
  const shown = Math.max(1, rows - 1);
  return [...lines.slice(0, shown), `… ${lines.length - shown} more lines: the terminal is too small`];
}
