// `swarm plans ls` and `swarm plans retry`: how the Architect carries goals out.
import type { PlanSummary } from '@hypercode/client';
import { planId } from '../../connection/names.ts';
import { printList } from '../../output/listing.ts';
import { stateWord } from '../../output/states.ts';
import { showAgo } from '../../output/times.ts';
import { argument, command, text } from '../../program/command.ts';
import { pageInput, pageOptions } from '../../program/page-options.ts';

const STATES = ['planning', 'running', 'completed', 'failed', 'cancelled'] as const;

export const plansLs = command({
  path: ['plans', 'ls'],
  summary: 'List the plans, newest first',
  calls: ['plans.list'],
  args: {},
  options: { state: text('STATE', 'Only plans with this status', { choices: STATES }), ...pageOptions('plans') },
  examples: [
    { run: 'swarm plans ls', does: 'All plans' },
    { run: 'swarm plans ls --state failed --json', does: 'What failed, for a script' },
  ],
  async run(context, { options }) {
    const { output, clock } = context;
    const client = await context.client();
    const nowMs = clock.epochMs();
    const { state } = options;
    await printList<PlanSummary>(output, {
      columns: [
        { title: 'plan', value: (plan) => plan.planId },
        { title: 'state', value: ({ status }) => stateWord(status) },
        { title: 'tasks', value: ({ tasks }) => `${tasks.completed}/${tasks.total}`, align: 'right' },
        { title: 'submitted', value: ({ submittedAt }) => showAgo(submittedAt, nowMs) },
        { title: 'title', value: ({ title }) => title },
        { title: 'reason', value: ({ reason }) => reason ?? '', optional: true },
      ],
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
