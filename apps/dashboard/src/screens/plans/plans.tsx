// All plans that the core knows of, live, the newest first.
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { PlanView } from '@hypercode/client';
import { useCallback, useMemo } from 'react';
import { Age } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { countText, durationText } from '../../parts/duration.ts';
import { Choice, SearchField } from '../../parts/fields.tsx';
import { Empty, ScreenHead } from '../../parts/panel.tsx';
import { Cell, Head, Rows } from '../../parts/rows.tsx';
import { usePlans } from '../../swarm/swarm-context.tsx';
import { filteredPlans, PLAN_STATES, type PlanFilterSearch } from './plan-filter.ts';
import { PlanProgress, PlanStatusMark, waitsForApproval } from './plan-marks.tsx';
import { SubmitGoal } from './submit-goal.tsx';

const COLUMNS = 'minmax(14rem,2fr) 6rem 10rem minmax(12rem,2fr) 6rem 5rem';

export function Plans() {
  const { ns: _, ...filter } = useSearch({ from: '/plans' });
  const { plans, feed } = usePlans();
  const navigate = useNavigate({ from: '/plans' });
  const found = useMemo(() => filteredPlans(plans, filter), [plans, JSON.stringify(filter)]);
  const set = useCallback(
    (change: PlanFilterSearch) => {
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const setText = useCallback((text: string) => set({ text: text === '' ? undefined : text }), [set]);
  const isFiltered = filter.text !== undefined || filter.state !== undefined;
  const count = isFiltered ? `${countText(found.length)} of ${countText(plans.length)}` : countText(plans.length);
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Plans" count={feed.state === 'opening' ? 'reading…' : count}>
        <SearchField label="Search plans" value={filter.text ?? ''} onChange={setText} />
        <Choice label="state" value={filter.state} values={PLAN_STATES} onChange={(state) => set({ state })} />
        <SubmitGoal />
      </ScreenHead>
      {found.length > 0 && (
        <Rows
          label="Plans"
          items={found}
          keyOf={({ planId }) => planId}
          columns={COLUMNS}
          onOpen={({ planId }) => void navigate({ to: '/plans/$id', params: { id: planId } })}
          head={
            <>
              <Head>Goal</Head>
              <Head>State</Head>
              <Head>Tasks</Head>
              <Head>Now</Head>
              <Head className="text-right">Submitted</Head>
              <Head className="text-right">Took</Head>
            </>
          }
          row={(plan) => <PlanRow plan={plan} />}
        />
      )}
      {found.length === 0 && feed.state === 'live' && (
        <Empty title={isFiltered ? 'No plan matches these filters.' : 'No plan yet.'}>
          {isFiltered ? (
            <Button onClick={() => void navigate({ search: ({ ns }) => ({ ns }), replace: true })}>
              Clear the filters
            </Button>
          ) : (
            'A goal that is submitted becomes a plan: the Architect divides it into tasks for the agents that can do them.'
          )}
        </Empty>
      )}
    </div>
  );
}

function PlanRow({ plan }: { readonly plan: PlanView }) {
  const { planId, title, status, submittedAt, endedAt } = plan;
  return (
    <>
      <Cell>
        <Link to="/plans/$id" params={{ id: planId }} className="font-medium hover:underline" tabIndex={-1}>
          {shown(title)}
        </Link>
      </Cell>
      <Cell>
        <PlanStatusMark status={status} />
      </Cell>
      <Cell>
        <PlanProgress plan={plan} />
      </Cell>
      <Cell className="text-soft">{nowOf(plan)}</Cell>
      <Cell className="text-right text-faint">
        <Age at={submittedAt} />
      </Cell>
      <Cell className="text-right text-faint">
        {endedAt === null ? (
          <Age at={submittedAt} suffix="" />
        ) : (
          durationText(Date.parse(endedAt) - Date.parse(submittedAt))
        )}
      </Cell>
    </>
  );
}

/** What a plan is about now, in a few words. */
function nowOf(plan: PlanView): string {
  const { status, reason, tasks } = plan;
  if (status === 'failed' || status === 'cancelled') return shown(reason ?? '');
  if (status === 'planning') return 'the Architect makes a plan';
  if (waitsForApproval(plan)) return 'waits for a person to approve it';
  const working = tasks.flatMap((task) => (task.status === 'assigned' && task.agent !== null ? [task.agent] : []));
  if (working.length > 0) return working.map(shown).join(', ');
  const ready = tasks.find((task) => task.status === 'ready');
  return ready === undefined ? '' : `waits for an agent that can do ${shown(ready.capability)}`;
}
