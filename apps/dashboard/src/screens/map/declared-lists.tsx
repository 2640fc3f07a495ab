// What is declared and silent, and what is used and not declared.
import { Link } from '@tanstack/react-router';
import type { Agent, QueryResultIn, SwarmClient } from '@hypercode/client';
import type { TrafficEdge } from '@hypercode/contracts';
import { useMemo } from 'react';
import { shown } from '../../parts/agent-words.ts';
import { countText, counted } from '../../parts/duration.ts';
import { Section } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useAgents, useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { type Declared, declaredAndUsed } from './declared.ts';

interface DeclaredListsProps {
  readonly edges: readonly TrafficEdge[];
  readonly minutes: number;
  readonly text: string;
}

/** Agents whose declarations are read, in pages of this many. */
const PAGE = 500;
const MOST_PAGES = 4;
const MOST_SHOWN = 200;

export function DeclaredLists({ edges, minutes, text }: DeclaredListsProps) {
  const client = useClient();
  const total = useAgents().agents.length;
  const agents = useReading('declared', (signal) => readAgents(client, signal));
  const known = agents.value;
  const { silent, undeclared } = useMemo(() => declaredAndUsed(known ?? [], edges), [known, edges]);
  const wanted = text.trim().toLowerCase();
  const isWanted = ({ agent, topic }: Declared): boolean =>
    wanted === '' || agent.includes(wanted) || topic.toLowerCase().includes(wanted);
  if (known === null) return <Refused reading={agents} />;
  const isCut = known.length < total;
  return (
    <div className="min-h-0 flex-1 overflow-auto">
      {isCut && (
        <p className="border-b border-line bg-warn-wash px-5 py-2 text-warn">
          Only the first {countText(known.length)} of {counted(total, 'agent')} by name are compared.
        </p>
      )}
      <div className="grid grid-cols-2 max-lg:grid-cols-1">
        <Section title="Used and not declared" note="the policy allows it; the registration does not name it">
          <List entries={undeclared.filter(isWanted)} none="Every topic that was used is declared." />
        </Section>
        <Section title="Declared and silent" note={`in the last ${counted(minutes, 'minute')}`}>
          <List entries={silent.filter(isWanted)} none="Every declared topic was used." />
        </Section>
      </div>
    </div>
  );
}

async function readAgents(client: SwarmClient, signal: AbortSignal): Promise<Agent[]> {
  const found: Agent[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const read: QueryResultIn<'full'> = await client.registry.query({ limit: PAGE, cursor }, { signal });
    found.push(...read.agents);
    if (read.nextCursor === null) break;
    cursor = read.nextCursor;
  }
  return found;
}

function List({ entries, none }: { readonly entries: readonly Declared[]; readonly none: string }) {
  if (entries.length === 0) return <p className="text-faint">{none}</p>;
  const left = entries.length - MOST_SHOWN;
  return (
    <>
      <ul className="flex flex-col">
        {entries.slice(0, MOST_SHOWN).map(({ agent, direction, topic, count }) => (
          <li
            key={`${agent} ${direction} ${topic}`}
            className="grid grid-cols-[minmax(7rem,11rem)_5rem_1fr_max-content] gap-3 border-b border-line/60 py-1 last:border-b-0"
          >
            <Link to="/agents/$name" params={{ name: agent }} className="truncate font-medium hover:underline">
              {shown(agent)}
            </Link>
            <span className="text-faint">{direction}</span>
            <Link to="/events" search={{ topic }} className="font-mono text-[12px] break-all hover:underline">
              {shown(topic)}
            </Link>
            <span className="text-right text-soft">{count > 0 && countText(count)}</span>
          </li>
        ))}
      </ul>
      {left > 0 && <p className="mt-2 text-faint">{countText(left)} more: search for a name or a topic.</p>}
    </>
  );
}
