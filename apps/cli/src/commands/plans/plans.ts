// `swarm plans ls` and `swarm plans retry`: how the Architect carries goals out.
import type { PlanSummary, PlanView } from '@hypercode/client';
import { planId } from '../../connection/names.ts';
import { printList } from '../../output/listing.ts';
import { dim } from '../../output/parts.ts';
import type { Output } from '../../output/output.ts';
import { stateWord } from '../../output/states.ts';
import { type Column, Table } from '../../output/table.ts';
import { showAgo } from '../../output/times.ts';
import { argument, command, flag, text } from '../../program/command.ts';
import type { CommandContext } from '../../program/context.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';

const STATES = ['planning', 'running', 'completed', 'failed', 'cancelled'] as const;

export const plansLs = command({
  path: ['plans', 'ls'],
  summary: 'List the plans, newest first',
  calls: ['plans.list', 'plans.watch'],
  args: {},
  options: {
    state: text('STATE', 'Only plans with this status', { choices: STATES }),
    ...pageOptions('plans'),
    watch: flag('Go on, and show each plan again when it changes'),
  },
  examples: [
    { run: 'swarm plans ls', does: 'All plans' },
    { run: 'swarm plans ls --watch', does: 'The plans now, and each one that changes', follows: true },
    { run: 'swarm plans ls --state failed --json', does: 'What failed, for a script' },
  ],
  async run(context, { options }) {
    const { output, clock } = context;
    const { state } = options;
    if (options.watch) return followPlans(context, state);
    const client = await context.client();
    await printList<PlanSummary>(output, {
      columns: planColumns(output, clock.epochMs()),
      searched: `${state === undefined ? '' : `${state} `}plans in the namespace ${await context.namespace()}`,
      all: options.all,
      async page(cursor) {
        const { plans, nextCursor } = await client.plans.list({
          ...(state !== undefined && { state: state as (typeof STATES)[number] }),
          ...pageInput(options, cursor),
        });
        return { rows: plans, nextCursor };
      },
    });
  },
});

/** On a terminal as much of an id as commands need; elsewhere, such as for a script, the whole. */
const SHORT_ID = 8;

const planColumns = ({ columns }: Output, nowMs: number): Column<PlanSummary>[] => [
  { title: 'plan', value: ({ planId: id }) => (columns === Infinity ? id : id.slice(0, SHORT_ID)) },
  { title: 'state', value: ({ status }) => stateWord(status) },
  { title: 'tasks', value: ({ tasks }) => `${tasks.completed}/${tasks.total}`, align: 'right' },
  { title: 'submitted', value: ({ submittedAt }) => showAgo(submittedAt, nowMs) },
  { title: 'title', value: ({ title }) => title },
  { title: 'reason', value: ({ reason }) => reason ?? '', optional: true },
];

/** As `plans.list` has it. */
const summaryOf = ({ tasks, outputs: _, rejections: __, ...plan }: PlanView): PlanSummary => ({
  ...plan,
  tasks: {
    total: tasks.length,
    completed: tasks.filter(({ status }) => status === 'completed').length,
    assigned: tasks.filter(({ status }) => status === 'assigned').length,
  },
});

/** Each plan that there is, and again when it has changed. Goes on until it is interrupted. */
async function followPlans(context: CommandContext, state: string | undefined): Promise<void> {
  const { output, clock, signal } = context;
  const client = await context.client();
  const onInterruption = (error: Error): void => output.note(dim(`${error.message}; it will be tried again`));
  const table = new Table(output, planColumns(output, clock.epochMs()));
  let isSynced = false;
  for await (const event of client.plans.watch({ signal, onInterruption })) {
    if (event.type === 'plan' && (state === undefined || event.plan.status === state)) {
      const plan = summaryOf(event.plan);
      if (output.json) output.object(plan);
      else table.add(plan);
    }
    isSynced ||= event.type === 'synced';
    // The first rows decide the widths of the columns: all that are there.
    if (event.type === 'plan' && !isSynced) continue;
    table.flush();
    await output.drained();
  }
}

export const plansRetry = command({
  path: ['plans', 'retry'],
  summary: 'Let a failed plan go on from where it failed',
  calls: ['plans.retry'],
  args: { plan: argument('Id of the plan, or the beginning of it', 'plan') },
  options: { reason: text('TEXT', 'Why') },
  examples: [{ run: 'swarm plans retry 4f2a', does: 'Try again; the id may be shortened', ends: 1 }],
  async run(context, { args, options: { reason } }) {
    const { output } = context;
    const client = await context.client();
    const result = await client.plans.retry({
      planId: await planId(client, args.plan),
      ...(reason !== undefined && { reason }),
    });
    if (output.json) return output.object(result);
    output.line(`plan ${result.planId} goes on; swarm plans watch ${result.planId} follows it`);
  },
});
