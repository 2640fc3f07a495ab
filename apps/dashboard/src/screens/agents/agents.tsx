// All agents of the namespace, live.
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { AgentSummary } from '@hypercode/client';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { memo, useCallback, useMemo, useState } from 'react';
import { Age } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { countText, durationText } from '../../parts/duration.ts';
import { Choice, SearchField } from '../../parts/fields.tsx';
import { ActivityMark, CircuitMark, HealthMark } from '../../parts/marks.tsx';
import { Empty, ScreenHead } from '../../parts/panel.tsx';
import { Cell, Head, Rows } from '../../parts/rows.tsx';
import { useAgents, useNamespace } from '../../swarm/swarm-context.tsx';
import { AgentFilterSearch } from './agent-filter.ts';
import { type GroupRow, isGroup, type ListRow } from './agent-groups.ts';
import { useFacets, useRows } from './agent-rows.ts';
import { ViewsMenu } from './views-menu.tsx';

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
  const filterText = JSON.stringify(filter);
  const { agents, feed } = useAgents();
  const navigate = useNavigate({ from: '/agents' });
  const [folded, setFolded] = useState<ReadonlySet<string | null>>(NONE_FOLDED);
  const { rows, found, key: listed } = useRows({ agents, isReady: feed.state !== 'opening', filter, folded });
  const fold = useCallback(
    (name: string | null): void =>
      setFolded((before) =>
        before.has(name) ? new Set([...before].filter((one) => one !== name)) : new Set([...before, name]),
      ),
    [],
  );
  const open = (row: ListRow): void =>
    isGroup(row) ? fold(row.group) : void navigate({ to: '/agents/$name', params: { name: row.name } });
  const draw = useCallback(
    (row: ListRow) =>
      isGroup(row) ? <GroupHead group={row} onFold={() => fold(row.group)} /> : <AgentCells agent={row} />,
    [fold],
  );
  const isFiltered = Object.entries(filter).some(
    ([key, value]) => key !== 'sort' && key !== 'group' && value !== undefined,
  );
  const count = isFiltered ? `${countText(found)} of ${countText(agents.length)}` : countText(agents.length);
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Agents" count={listed === null ? 'reading…' : count}>
        <Filters filterText={filterText} />
      </ScreenHead>
      {rows.length > 0 && (
        // Another filter is another list, and begins at its beginning.
        <Rows
          key={listed}
          label="Agents"
          items={rows}
          keyOf={keyOf}
          columns={COLUMNS}
          onOpen={open}
          head={<ColumnHeads />}
          row={draw}
        />
      )}
      {rows.length === 0 && listed !== null && (
        <Nothing
          isFiltered={isFiltered}
          onClear={() => void navigate({ search: ({ ns }) => ({ ns }), replace: true })}
        />
      )}
    </div>
  );
}

const NONE_FOLDED: ReadonlySet<string | null> = new Set();
const keyOf = (row: ListRow): string => (isGroup(row) ? `group ${row.group}` : `agent ${row.name}`);

interface FiltersProps {
  /** The filter of the address, as JSON: the same text is the same filter. */
  readonly filterText: string;
}

/** Drawn again when the filter or the choices have changed, and not with each change of an agent. */
const Filters = memo(function Filters({ filterText }: FiltersProps) {
  const filter = useMemo(() => JSON.parse(filterText) as AgentFilterSearch, [filterText]);
  const navigate = useNavigate({ from: '/agents' });
  const set = useCallback(
    (change: AgentFilterSearch) => {
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const setText = useCallback((text: string) => set({ text: text === '' ? undefined : text }), [set]);
  const { roles, capabilities, labels, labelKeys } = useFacets();
  const label = Object.entries(filter.labels ?? {})
    .map(([key, value]) => `${key}=${value}`)
    .join(' ');
  return (
    <>
      <SearchField label="Search agents" value={filter.text ?? ''} onChange={setText} />
      <Choice
        label="role"
        value={filter.role}
        values={withChosen(roles, filter.role)}
        onChange={(role) => set({ role })}
      />
      <Choice label="health" value={filter.health} values={HEALTHS} onChange={(value) => set({ health: value })} />
      <Choice label="circuit" value={filter.circuit} values={CIRCUITS} onChange={(value) => set({ circuit: value })} />
      <Choice
        label="activity"
        value={filter.activity}
        values={ACTIVITIES}
        onChange={(value) => set({ activity: value })}
      />
      <Choice
        label="capability"
        value={filter.capability}
        values={withChosen(capabilities, filter.capability)}
        onChange={(capability) => set({ capability })}
      />
      <Choice
        label="label"
        value={label === '' ? undefined : label}
        values={withChosen(labels, label === '' ? undefined : label)}
        onChange={(chosen) => set({ labels: labelOf(chosen) })}
      />
      <Choice
        label="group"
        none="none"
        value={filter.group}
        values={withChosen(['role', ...labelKeys.map((key) => `label:${key}`)], filter.group)}
        onChange={(group) => set({ group })}
      />
      <Choice
        label="sort"
        none="name"
        value={filter.sort === 'name' ? undefined : filter.sort}
        values={SORTS}
        onChange={(value) => set({ sort: value })}
      />
      <ViewsMenu filter={filter} />
    </>
  );
});

/** What is chosen is among the choices, also when no agent has it now. */
const withChosen = (values: readonly string[], chosen: string | undefined): readonly string[] =>
  chosen === undefined || values.includes(chosen) ? values : [chosen, ...values];

/** `key=value`, as the filter has it; a value may have a `=` of its own. */
function labelOf(chosen: string | undefined): Record<string, string> | undefined {
  if (chosen === undefined) return undefined;
  const at = chosen.indexOf('=');
  return { [chosen.slice(0, at)]: chosen.slice(at + 1) };
}

function GroupHead({ group, onFold }: { readonly group: GroupRow; readonly onFold: () => void }) {
  const { group: name, count, unhealthy, isFolded } = group;
  const Icon = isFolded ? ChevronRight : ChevronDown;
  return (
    <div role="cell" aria-colspan={7} className="col-span-full flex items-center gap-3">
      <button
        type="button"
        tabIndex={-1}
        aria-expanded={!isFolded}
        className="-ml-1 inline-flex items-center gap-1.5 font-semibold"
        onClick={onFold}
      >
        <Icon className="size-3.5 text-faint" aria-hidden="true" />
        {name === null ? 'without this label' : shown(name)}
      </button>
      <span className="text-faint">{countText(count)}</span>
      {unhealthy > 0 && <span className="text-bad">{countText(unhealthy)} unhealthy</span>}
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

function AgentCells({ agent }: { readonly agent: AgentSummary }) {
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
