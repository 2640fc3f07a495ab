// The fate of an event as a picture: causes above, the event, a lane for each group and stream, effects below, each over the same time.
// The table beside it has all of the same in words, so those who see no picture lose nothing.
import { useMemo } from 'react';
import { shown } from '../../parts/agent-words.ts';
import { counted, shortTimeText } from '../../parts/duration.ts';
import { axisOf, type FateAxis } from './fate-axis.ts';
import type { FatePart, FateSpan, PartKind } from './fate-parts.ts';
import { TONES, type Tone } from './fate-words.ts';

interface FateDiagramProps {
  readonly parts: readonly FatePart[];
  /** When the trace was read: what is open ends there. Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Id of a part or of a span. */
  readonly selected: string | undefined;
  readonly onSelect: (id: string) => void;
}

/** More of a kind than these are in the table alone: the nearest causes, and the first of the others. */
const MOST: Record<PartKind, number> = { cause: 4, event: 1, group: 16, stream: 8, effect: 8 };

export function FateDiagram({ parts, nowMs, selected, onSelect }: FateDiagramProps) {
  const { inSight, hidden } = useMemo(() => inSightOf(parts), [parts]);
  const axis = useMemo(() => axisOf(inSight, nowMs), [inSight, nowMs]);
  return (
    <figure aria-hidden="true" className="overflow-hidden rounded border border-line bg-ground/50 pb-1">
      <Times axis={axis} />
      {inSight.map((part, index) => (
        <Lane
          key={part.id}
          part={part}
          axis={axis}
          nowMs={nowMs}
          isFirst={index === 0}
          isLast={index === inSight.length - 1}
          selected={selected}
          onSelect={onSelect}
        />
      ))}
      {hidden > 0 && <figcaption className="px-3 py-1 text-faint">{counted(hidden, 'more')} in the table.</figcaption>}
    </figure>
  );
}

function inSightOf(parts: readonly FatePart[]) {
  const seen: Record<PartKind, number> = { cause: 0, event: 0, group: 0, stream: 0, effect: 0 };
  const causes = parts.filter(({ kind }) => kind === 'cause').length;
  const inSight = parts.filter(({ kind }) => {
    seen[kind] += 1;
    return kind === 'cause' ? seen.cause > causes - MOST.cause : seen[kind] <= MOST[kind];
  });
  return { inSight, hidden: parts.length - inSight.length };
}

const COLUMNS = 'grid grid-cols-[1.75rem_minmax(8rem,13rem)_minmax(10rem,1fr)_minmax(8rem,14rem)] gap-x-2';

/** The named moments, counted from the first. */
const Times = ({ axis: { ticks } }: { readonly axis: FateAxis }) => (
  <div className={`${COLUMNS} h-6 items-end border-b border-line/60 text-[11px] text-faint`}>
    <span className="col-start-3 relative mx-2 block h-4">
      {ticks.map(({ place, afterMs }) => (
        <span
          key={place}
          className="absolute whitespace-nowrap"
          style={place > 0.9 ? { right: 0 } : { left: `${place * 100}%` }}
        >
          {afterMs === 0 ? '0' : `+${shortTimeText(afterMs)}`}
        </span>
      ))}
    </span>
  </div>
);

interface LaneProps extends Omit<FateDiagramProps, 'parts'> {
  readonly part: FatePart;
  readonly axis: FateAxis;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

const FILL: Record<Tone, string> = { good: 'bg-good', busy: 'bg-accent', bad: 'bg-bad', quiet: 'bg-faint' };

function Lane({ part, axis, nowMs, isFirst, isLast, selected, onSelect }: LaneProps) {
  const { id, kind, name, words, spans, atMs } = part;
  const isThis = kind === 'event';
  const isSelected = selected === id || spans.some((span) => span.id === selected);
  return (
    <div
      className={`${COLUMNS} h-8 cursor-pointer items-center pr-3 ${isSelected ? 'bg-accent-wash' : 'hover:bg-accent-wash/60'} ${isThis ? 'border-y border-line/60 bg-raised' : ''}`}
      onClick={() => onSelect(id)}
    >
      <Joint kind={kind} isFirst={isFirst} isLast={isLast} />
      <span
        className={`min-w-0 truncate ${kind === 'group' || kind === 'stream' ? '' : 'font-mono text-[12px]'} ${isThis ? 'font-semibold' : ''}`}
      >
        {shown(name)}
      </span>
      <span className="relative mx-2 h-full">
        <span className="absolute inset-x-0 top-1/2 h-px bg-line" />
        {axis.ticks.map(({ place }) => (
          <span key={place} className="absolute inset-y-0 w-px bg-line/60" style={{ left: `${place * 100}%` }} />
        ))}
        {atMs !== null && (
          <span
            className={`absolute top-1/2 size-2 -translate-x-1/2 -translate-y-1/2 rounded-full ${isThis ? 'bg-accent' : 'bg-strong-line'}`}
            style={{ left: `${axis.placeOf(atMs) * 100}%` }}
          />
        )}
        {spans.map((span) => (
          <Bar
            key={span.id}
            span={span}
            axis={axis}
            nowMs={nowMs}
            isSelected={span.id === selected}
            onSelect={onSelect}
          />
        ))}
      </span>
      <span className={`min-w-0 truncate ${TONES[words.tone]}`} title={shown(words.why)}>
        {shown(words.title)}
      </span>
    </div>
  );
}

interface BarProps {
  readonly span: FateSpan;
  readonly axis: FateAxis;
  readonly nowMs: number;
  readonly isSelected: boolean;
  readonly onSelect: (id: string) => void;
}

/** A member had the event. Up to its deadline, the bar of one that is open is a line of dashes. */
function Bar({ span, axis, nowMs, isSelected, onSelect }: BarProps) {
  const { id, attempt, consumer, fromMs, toMs, dueMs, tone, outcome } = span;
  const from = axis.placeOf(fromMs);
  const to = axis.placeOf(toMs ?? nowMs);
  return (
    <>
      {dueMs !== null && (
        <span
          className="absolute top-1/2 border-t border-dashed border-accent"
          style={{ left: `${to * 100}%`, width: `${Math.max(0, axis.placeOf(dueMs) - to) * 100}%` }}
        />
      )}
      <span
        title={`Attempt ${attempt}${consumer === null ? '' : `, ${shown(consumer)}`}: ${shown(outcome)}`}
        className={`absolute top-1/2 h-3.5 min-w-1 -translate-y-1/2 rounded-sm ${FILL[tone]} ${isSelected ? 'ring-2 ring-ink' : ''}`}
        style={{ left: `${from * 100}%`, width: `${(to - from) * 100}%` }}
        onClick={(event) => {
          event.stopPropagation();
          onSelect(id);
        }}
      />
    </>
  );
}

/** The line from the causes through the event to its effects, with a branch into each lane. */
function Joint({
  kind,
  isFirst,
  isLast,
}: {
  readonly kind: PartKind;
  readonly isFirst: boolean;
  readonly isLast: boolean;
}) {
  const isLane = kind === 'group' || kind === 'stream';
  return (
    <svg viewBox="0 0 28 32" className="h-8 w-7" fill="none" stroke="var(--strong-line)" strokeWidth="1.25">
      <path d={`M14 ${isFirst ? 16 : 0}V${isLast ? 16 : 32}`} />
      {isLane && <path d="M14 16h9m-3-3 3 3-3 3" />}
      {kind === 'event' && <circle cx="14" cy="16" r="4.5" fill="var(--accent)" stroke="var(--accent)" />}
      {(kind === 'cause' || kind === 'effect') && <circle cx="14" cy="16" r="3.5" fill="var(--sheet)" />}
    </svg>
  );
}
