// All agents of the namespace, live.
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { AgentSummary } from '@hypercode/client';
import { useCallback, useMemo } from 'react';
import { Age } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { countText, durationText } from '../../parts/duration.ts';
import { Choice, SearchField } from '../../parts/fields.tsx';
import { ActivityMark, CircuitMark, HealthMark } from '../../parts/marks.tsx';
import { Empty, ScreenHead } from '../../parts/panel.tsx';
import { Cell, Head, Rows } from '../../parts/rows.tsx';
import { useAgents, useNamespace } from '../../swarm/swarm-context.tsx';
import { AgentFilterSearch, filtered } from './agent-filter.ts';

const { health, circuit, activity, sort } = AgentFilterSearch.shape;
const HEALTHS = health.unwrap().unwrap().options;
const CIRCUITS = circuit.unwrap().unwrap().options;
const ACTIVITIES = activity.unwrap().unwrap().options;
const SORTS = sort
  .unwrap()
  .unwrap()
  .options.filter((one) => one !== 'name');
const COLUMNS = 'minmax(9rem,1.4fr) 6.5rem minmax(6rem,.8fr) minmax(12rem,2.4fr) 11rem 4.5rem 5rem';

export function Agents() {
  const { ns: _, ...filter } = useSearch({ from: '/agents' });
  const { agents, feed } = useAgents();
  const navigate = useNavigate({ from: '/agents' });
  const found = useMemo(() => filtered(agents, filter), [agents, JSON.stringify(filter)]);
  const set = useCallback(
    (change: AgentFilterSearch) => {
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const setText = useCallback((text: string) => set({ text: text === '' ? undefined : text }), [set]);
  const roles = useMemo(() => [...new Set(agents.map(({ role }) => role))].toSorted(), [agents]);
  const isFiltered = Object.entries(filter).some(([key, value]) => key !== 'sort' && value !== undefined);
  const count = isFiltered ? `${countText(found.length)} of ${countText(agents.length)}` : countText(agents.length);
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Agents" count={feed.state === 'opening' ? 'reading…' : count}>
        <SearchField label="Search agents" value={filter.text ?? ''} onChange={setText} />
        <Choice label="role" value={filter.role} values={roles} onChange={(role) => set({ role })} />
        <Choice label="health" value={filter.health} values={HEALTHS} onChange={(value) => set({ health: value })} />
        <Choice
          label="circuit"
          value={filter.circuit}
          values={CIRCUITS}
          onChange={(value) => set({ circuit: value })}
        />
        <Choice
          label="activity"
          value={filter.activity}
          values={ACTIVITIES}
          onChange={(value) => set({ activity: value })}
        />
        <Choice
          label="sort"
          none="name"
          value={filter.sort === 'name' ? undefined : filter.sort}
          values={SORTS}
          onChange={(value) => set({ sort: value })}
        />
      </ScreenHead>
      {found.length > 0 && (
        <Rows
          label="Agents"
          items={found}
          keyOf={({ name }) => name}
          columns={COLUMNS}
          onOpen={({ name }) => void navigate({ to: '/agents/$name', params: { name } })}
          head={<ColumnHeads />}
          row={(agent) => <AgentRow agent={agent} />}
        />
      )}
      {found.length === 0 && feed.state !== 'opening' && (
        <Nothing
          isFiltered={isFiltered}
          onClear={() => void navigate({ search: ({ ns }) => ({ ns }), replace: true })}
        />
      )}
    </div>
  );
}

const ColumnHeads = () => (
  <>
    <Head>Name</Head>
    <Head>Health</Head>
    <Head>Role</Head>
    <Head>Does</Head>
    <Head>Circuit</Head>
    <Head className="text-right">Lease</Head>
    <Head className="text-right">Changed</Head>
  </>
);

function AgentRow({ agent }: { readonly agent: AgentSummary }) {
  const { name, role, status, leaseMs, updatedAt } = agent;
  return (
    <>
      <Cell>
        <Link to="/agents/$name" params={{ name }} className="font-medium hover:underline" tabIndex={-1}>
          {name}
        </Link>
      </Cell>
      <Cell>
        <HealthMark health={status.health} />
      </Cell>
      <Cell className="text-soft">{role}</Cell>
      <Cell>
        <ActivityMark activity={status.activity} />{' '}
        <span className="text-faint">
          <Age at={status.activitySince} suffix="" />
        </span>
        {status.note !== null && <span className="text-soft"> · {shown(status.note)}</span>}
      </Cell>
      <Cell>
        <CircuitMark status={status} />
      </Cell>
      <Cell className="text-right text-faint">{durationText(leaseMs)}</Cell>
      <Cell className="text-right text-faint">
        <Age at={updatedAt} suffix="" />
      </Cell>
    </>
  );
}

function Nothing({ isFiltered, onClear }: { readonly isFiltered: boolean; readonly onClear: () => void }) {
  const namespace = useNamespace();
  if (isFiltered) {
    return (
      <Empty title="No agent matches these filters.">
        <Button onClick={onClear}>Clear the filters</Button>
      </Empty>
    );
  }
  return (
    <Empty title={`No agent is registered in the namespace ${namespace}.`}>
      Register one with <code className="font-mono text-[12px]">swarm agents register</code> or with the SDK; it appears
      here at once.
    </Empty>
  );
}
