// The topics of the namespace as a tree, each with how many of its events were received over the last hour.
import { useVirtualizer } from '@tanstack/react-virtual';
import type { SwarmClient } from '@hypercode/client';
import type { TopicInfo } from '@hypercode/contracts';
import { ChevronDown, ChevronRight } from 'lucide-react';
import { useMemo, useRef, useState } from 'react';
import { countText } from '../../parts/duration.ts';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { Sparkline } from './sparkline.tsx';
import { readTopicTraffic, type TopicTraffic } from './topic-traffic.ts';
import { openNodes, patternOf, type TopicNode, topicTree } from './topic-tree.ts';

interface TopicPanelProps {
  readonly selected: string | undefined;
  readonly onSelect: (pattern: string | undefined) => void;
}

const PAGE = 500;
const MOST_PAGES = 24;
const ROW_PX = 26;

export function TopicPanel({ selected, onSelect }: TopicPanelProps) {
  const client = useClient();
  const reading = useReading('topics', async (signal) => {
    const [known, traffic] = await Promise.all([readTopics(client, signal), readTopicTraffic(client, signal)]);
    return { ...known, traffic };
  });
  const roots = useMemo(() => topicTree(reading.value?.topics ?? []), [reading.value]);
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const nodes = useMemo(() => openNodes(roots, open), [roots, open]);
  const scroller = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: nodes.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 10,
  });
  const toggle = (path: string): void => {
    const next = new Set(open);
    if (!next.delete(path)) next.add(path);
    setOpen(next);
  };
  return (
    <aside
      aria-label="Topics"
      className="flex w-72 shrink-0 flex-col border-r border-line max-lg:h-56 max-lg:w-full max-lg:border-r-0 max-lg:border-b"
    >
      <header className="flex h-8 items-center justify-between border-b border-line pr-1 pl-5 text-[12px] text-faint">
        <span>{reading.value === null ? 'reading…' : countOf(reading.value)}</span>
        <ReadAt reading={reading} />
      </header>
      <Refused reading={reading} />
      <div ref={scroller} className="min-h-0 flex-1 overflow-auto py-1">
        <ul className="relative" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const node = nodes[index];
            if (node === undefined) return null;
            const pattern = patternOf(node);
            return (
              <li
                key={node.path}
                className="absolute inset-x-0"
                style={{ height: ROW_PX, transform: `translateY(${start}px)` }}
              >
                <TopicRow
                  node={node}
                  traffic={reading.value?.traffic.get(node.path)}
                  isOpen={open.has(node.path)}
                  isSelected={pattern === selected}
                  onToggle={() => toggle(node.path)}
                  onSelect={() => onSelect(pattern === selected ? undefined : pattern)}
                />
              </li>
            );
          })}
        </ul>
      </div>
    </aside>
  );
}

interface TopicRowProps {
  readonly node: TopicNode;
  readonly traffic: TopicTraffic | undefined;
  readonly isOpen: boolean;
  readonly isSelected: boolean;
  readonly onToggle: () => void;
  readonly onSelect: () => void;
}

function TopicRow({ node, traffic, isOpen, isSelected, onToggle, onSelect }: TopicRowProps) {
  const { path, token, depth, count, children } = node;
  const Chevron = isOpen ? ChevronDown : ChevronRight;
  return (
    <div
      className={`flex h-full items-center pr-3 hover:bg-accent-wash/60 ${isSelected ? 'bg-accent-wash' : ''}`}
      style={{ paddingLeft: 8 + depth * 14 }}
    >
      {children.length === 0 ? (
        <span className="w-5 shrink-0" />
      ) : (
        <button
          type="button"
          aria-expanded={isOpen}
          aria-label={`Topics under ${path}`}
          className="w-5 shrink-0 text-faint hover:text-ink"
          onClick={onToggle}
        >
          <Chevron className="mx-auto size-3.5" aria-hidden="true" />
        </button>
      )}
      <button
        type="button"
        aria-pressed={isSelected}
        title={path}
        className="flex h-full min-w-0 flex-1 items-center gap-2 text-left"
        onClick={onSelect}
      >
        <span className="min-w-0 flex-1 truncate font-mono text-[12px]">{token}</span>
        <Sparkline traffic={traffic} />
        <span className="min-w-9 shrink-0 text-right text-[11px] text-faint">{countText(count)}</span>
      </button>
    </div>
  );
}

interface KnownTopics {
  readonly topics: readonly TopicInfo[];
  readonly isCut: boolean;
}

const countOf = ({ topics, isCut }: KnownTopics): string =>
  isCut ? `the first ${countText(topics.length)} topics` : `${countText(topics.length)} topics`;

async function readTopics(client: SwarmClient, signal: AbortSignal): Promise<KnownTopics> {
  const topics: TopicInfo[] = [];
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const read: { topics: TopicInfo[]; nextCursor: string | null } = await client.bus.topics(
      { limit: PAGE, cursor },
      { signal },
    );
    topics.push(...read.topics);
    if (read.nextCursor === null) return { topics, isCut: false };
    cursor = read.nextCursor;
  }
  return { topics, isCut: true };
}
