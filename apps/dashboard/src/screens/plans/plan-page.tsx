// One plan: its tasks over time, and of the selected task what was tried, by which agent and why.
import { Link, useNavigate, useParams, useSearch } from '@tanstack/react-router';
import type { PlanView } from '@hypercode/client';
import { lazy, Suspense, useMemo } from 'react';
import { Age, At, Countdown } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { Code, Empty, Fact, Facts, ScreenHead, Section } from '../../parts/panel.tsx';
import { Tabs } from '../../parts/tabs.tsx';
import { useClient, useMay, usePlans } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { OpenQuestions } from './open-questions.tsx';
import { PlanProgress, PlanStatusMark } from './plan-marks.tsx';
import { alertOf } from './task-alerts.ts';
import { TaskDetail } from './task-detail.tsx';
import { TaskList } from './task-list.tsx';
import { TaskTimeline } from './task-timeline.tsx';

const TaskGraph = lazy(async () => ({ default: (await import('./task-graph.tsx')).TaskGraph }));

export function PlanPage() {
  const { id } = useParams({ from: '/plans/$id' });
  const { task: selectedId } = useSearch({ from: '/plans/$id' });
  const { plans, feed } = usePlans();
  const followed = useMemo(() => plans.find(({ planId }) => planId === id), [plans, id]);
  if (followed !== undefined) return <Whole plan={followed} selectedId={selectedId} />;
  return feed.state === 'opening' ? null : <Kept id={id} selectedId={selectedId} />;
}

/** A plan that the live view does not have: the core may still know it. */
function Kept({ id, selectedId }: { readonly id: string; readonly selectedId: string | undefined }) {
  const client = useClient();
  const { value, error } = useReading(id, (signal) => client.plans.get({ planId: id }, { signal }));
  if (value !== null) return <Whole plan={value} selectedId={selectedId} />;
  if (error === null) return null;
  return (
    <>
      <ScreenHead title={<Title>{id}</Title>} />
      <Empty title="No plan has this id.">
        The core keeps the newest 200 plans that have ended.{' '}
        <Link to="/plans" className="text-accent underline">
          All plans
        </Link>
      </Empty>
    </>
  );
}

const Title = ({ children }: { readonly children: string }) => (
  <>
    <Link to="/plans" className="font-normal text-faint hover:text-ink">
      Plans
    </Link>
    <span className="px-1.5 font-normal text-faint">/</span>
    {shown(children)}
  </>
);

function Whole({ plan, selectedId }: { readonly plan: PlanView; readonly selectedId: string | undefined }) {
  const { view = 'graph' } = useSearch({ from: '/plans/$id' });
  const navigate = useNavigate({ from: '/plans/$id' });
  const { tasks } = plan;
  // What waits for a person comes first, until another task is chosen.
  const selected =
    tasks.find(({ taskId }) => taskId === selectedId) ?? tasks.find((task) => alertOf(task) !== null) ?? tasks[0];
  const approval = plan.approval?.question ?? null;
  const select = (task: string): void => {
    void navigate({ search: (before) => ({ ...before, task }), replace: true });
  };
  const look = (wanted: 'graph' | 'timeline' | 'list'): void => {
    const change = { view: wanted === 'graph' ? undefined : wanted };
    void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
  };
  return (
    <>
      <ScreenHead title={<Title>{plan.title}</Title>} count={<PlanStatusMark status={plan.status} />}>
        <PlanProgress plan={plan} />
        <Acts plan={plan} />
      </ScreenHead>
      {plan.reason !== null && (
        <p
          className={`border-b border-line px-5 py-2.5 ${plan.status === 'failed' ? 'bg-bad-wash text-bad' : 'text-soft'}`}
        >
          {shown(plan.reason)}
        </p>
      )}
      {approval !== null && approval.endedAt === null && (
        <Section title="Approval" note="no task is assigned before a person approves the plan">
          <OpenQuestions questions={[approval]} />
        </Section>
      )}
      {plan.tasks.length > 0 && (
        <Section
          title="Tasks"
          note={
            <Tabs
              label="View"
              value={view}
              values={{ graph: 'Graph', timeline: 'Timeline', list: 'List' }}
              onChange={look}
            />
          }
        >
          {view === 'graph' && (
            <Suspense fallback={<p className="py-8 text-center text-faint">Drawing…</p>}>
              <TaskGraph plan={plan} selectedId={selected?.taskId} onSelect={select} />
            </Suspense>
          )}
          {view === 'timeline' && <TaskTimeline plan={plan} selectedId={selected?.taskId} onSelect={select} />}
          {view === 'list' && <TaskList plan={plan} selectedId={selected?.taskId} onSelect={select} />}
        </Section>
      )}
      {selected !== undefined && <TaskDetail plan={plan} task={selected} onSelect={select} />}
      <About plan={plan} />
    </>
  );
}

function About({ plan }: { readonly plan: PlanView }) {
  const { planId, goalId, planner, submittedAt, deadlineAt, endedAt, retries, missing, rejections } = plan;
  return (
    <Section title="Plan">
      <Facts>
        <Fact name="Plan">
          <Code>{planId}</Code>
        </Fact>
        <Fact name="Goal">
          <Code>{goalId}</Code>
        </Fact>
        {planner !== null && <Fact name="Planned by">{shown(planner)}</Fact>}
        <Fact name="Submitted">
          <At time={submittedAt} />, <Age at={submittedAt} />
        </Fact>
        {endedAt !== null && (
          <Fact name="Ended">
            <At time={endedAt} />
          </Fact>
        )}
        {deadlineAt !== null && endedAt === null && (
          <Fact name="Deadline">
            <Countdown until={deadlineAt} />
          </Fact>
        )}
        {retries > 0 && <Fact name="Retries">{retries}</Fact>}
        {missing.length > 0 && <Fact name="Missing when planned">{missing.map(shown).join(', ')}</Fact>}
      </Facts>
      {rejections.length > 0 && (
        <ul className="mt-3 flex flex-col gap-1">
          {rejections.map(({ eventId, source, topic, reason, at }) => (
            <li key={eventId} className="text-soft">
              <At time={at} /> · an answer of {shown(source)} on <Code>{topic}</Code> could not be understood:{' '}
              {shown(reason)}
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

function Acts({ plan: { planId, goalId, status } }: { readonly plan: PlanView }) {
  const client = useClient();
  const mayRetry = useMay('plans.retry');
  const mayCancel = useMay('goals.cancel');
  const isOpen = status === 'planning' || status === 'running';
  return (
    <>
      {mayRetry && status === 'failed' && (
        <ConfirmAct
          verb="Retry"
          title="Retry the plan"
          cli={['plans', 'retry', planId]}
          asksReason
          act={(reason) => client.plans.retry({ planId, reason })}
        >
          It goes on from where it failed. Tasks that are completed are not done again.
        </ConfirmAct>
      )}
      {mayCancel && isOpen && (
        <ConfirmAct
          verb="Cancel"
          title="Cancel the goal"
          cli={['goal', 'cancel', goalId]}
          asksReason
          isDangerous
          act={(reason) => client.goals.cancel({ goalId, reason })}
        >
          Tasks under way are cancelled, and no other task is assigned.
        </ConfirmAct>
      )}
    </>
  );
}
