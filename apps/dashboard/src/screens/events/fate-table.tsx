// The fate of an event as a table: every part of it, each attempt of each group, with who, when, and what came of it.
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef } from 'react';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { shortTimeText } from '../../parts/duration.ts';
import type { FatePart, FateSpan, PartKind } from './fate-parts.ts';
import { TONES } from './fate-words.ts';

interface FateTableProps {
  readonly parts: readonly FatePart[];
  /** Id of a part or of a span. */
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
}

const KINDS: Record<PartKind, string> = {
  cause: 'Caused by',
  event: 'This event',
  group: 'Group',
  stream: 'Live stream',
  effect: 'Effect',
};
const HEAD = 'py-1 pr-5 text-left text-[12px] font-normal text-faint whitespace-nowrap';

export const FateTable = ({ parts, selected, onSelect }: FateTableProps) => (
  <div className="mt-3 overflow-x-auto">
    <table aria-label="Fate of the event" className="w-full">
      <thead>
        <tr className="border-b border-line">
          {['Part', 'Name', 'When', 'Outcome', 'Why'].map((head) => (
            <th key={head} scope="col" className={HEAD}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {parts.flatMap((part) => [
          <Row key={part.id} id={part.id} label={KINDS[part.kind]} selected={selected} onSelect={onSelect}>
            <Cell>
              <Name part={part} />
            </Cell>
            <Cell>{part.atMs !== null && <At time={part.atMs} />}</Cell>
            <Cell>
              <span className={`font-medium ${TONES[part.words.tone]}`}>{shown(part.words.title)}</span>
            </Cell>
            <Cell>
              <span className="text-soft">{shown(part.words.why)}</span>
              <span className="font-mono text-[12px] text-faint">{part.topics.map(shown).join(', ')}</span>
            </Cell>
          </Row>,
          ...part.spans.map((span) => (
            <Row key={span.id} id={span.id} label={`Attempt ${span.attempt}`} selected={selected} onSelect={onSelect}>
              <AttemptCells span={span} />
            </Row>
          )),
        ])}
      </tbody>
    </table>
  </div>
);

interface RowProps {
  readonly id: string;
  /** On the button that selects it. */
  readonly label: string;
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
  readonly children: ReactNode;
}

function Row({ id, label, selected, onSelect, children }: RowProps) {
  const isSelected = selected === id;
  const row = useRef<HTMLTableRowElement>(null);
  // It may have been selected in the diagram.
  useEffect(() => {
    if (isSelected) row.current?.scrollIntoView({ block: 'nearest' });
  }, [isSelected]);
  return (
    <tr
      ref={row}
      className={`border-b border-line/60 align-baseline last:border-b-0 ${isSelected ? 'bg-accent-wash' : ''}`}
    >
      <Cell>
        <button
          type="button"
          aria-pressed={isSelected}
          className={`whitespace-nowrap text-soft hover:underline ${label.startsWith('Attempt') ? 'pl-4' : ''}`}
          onClick={() => onSelect(id)}
        >
          {label}
        </button>
      </Cell>
      {children}
    </tr>
  );
}

const Cell = ({ children }: { readonly children: ReactNode }) => (
  <td className="max-w-96 py-1 pr-5 break-words">{children}</td>
);

function Name({ part: { kind, name, event } }: { readonly part: FatePart }) {
  if (kind === 'group') {
    return (
      <Link to="/groups/$group" params={{ group: name }} className="font-medium hover:underline">
        {name}
      </Link>
    );
  }
  if (event !== null) {
    return (
      <Link
        to="/events/$id"
        params={{ id: event.event.id }}
        search={{ source: event.event.source }}
        className="font-mono text-[12px] text-accent hover:underline"
      >
        {shown(name)}
      </Link>
    );
  }
  return <span className={kind === 'event' ? 'font-mono text-[12px]' : 'font-medium'}>{shown(name)}</span>;
}

function AttemptCells({ span: { consumer, fromMs, toMs, dueMs, tone, outcome } }: { readonly span: FateSpan }) {
  return (
    <>
      <Cell>{consumer !== null && shown(consumer)}</Cell>
      <Cell>
        <At time={fromMs} />
        {toMs !== null && <span className="text-faint"> for {shortTimeText(toMs - fromMs)}</span>}
      </Cell>
      <Cell>
        <span className={TONES[tone]}>{tone === 'bad' ? 'failed' : outcome}</span>
      </Cell>
      <Cell>
        <span className="text-soft">
          {tone === 'bad' && shown(outcome)}
          {dueMs !== null && (
            <>
              due by <At time={dueMs} />
            </>
          )}
        </span>
      </Cell>
    </>
  );
}
