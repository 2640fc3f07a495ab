// A list of many rows, of which only those in sight are drawn. One row is the current one: the arrow keys move it.
import { useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, memo, type ReactNode, useCallback, useRef, useState } from 'react';

interface RowsProps<Item> {
  readonly label: string;
  readonly items: readonly Item[];
  readonly keyOf: (item: Item) => string;
  readonly head: ReactNode;
  /** The same function each time: a row is drawn again when its item has changed, or this has. */
  readonly row: (item: Item) => ReactNode;
  /** Absent: a row opens nothing. */
  readonly onOpen?: (item: Item) => void;
  /** Columns of a CSS grid, for the head and each row. */
  readonly columns: string;
}

const ROW_PX = 34;

export function Rows<Item>({ label, items, keyOf, head, row, onOpen, columns }: RowsProps<Item>) {
  const scroller = useRef<HTMLDivElement>(null);
  const [current, setCurrent] = useState(0);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 6,
  });
  const move = (to: number): void => {
    const next = Math.max(0, Math.min(items.length - 1, to));
    setCurrent(next);
    rows.scrollToIndex(next);
  };
  const latest = useRef({ items, onOpen });
  latest.current = { items, onOpen };
  const pick = useCallback((index: number, target: HTMLElement) => {
    setCurrent(index);
    const item = latest.current.items[index];
    // A link in the row opens itself.
    if (item !== undefined && !target.closest('a, button, [role=dialog]')) latest.current.onOpen?.(item);
  }, []);
  const press = (event: KeyboardEvent): void => {
    // Of a dialog that a row has opened: it stands elsewhere in the document.
    if (!event.currentTarget.contains(event.target as Node)) return;
    const page = Math.floor((scroller.current?.clientHeight ?? 0) / ROW_PX) - 1;
    const moves: Record<string, number> = {
      ArrowDown: current + 1,
      ArrowUp: current - 1,
      PageDown: current + page,
      PageUp: current - page,
      Home: 0,
      End: items.length - 1,
    };
    const to = moves[event.key];
    const item = items[current];
    if (to !== undefined) {
      event.preventDefault();
      move(to);
    } else if (event.key === 'Enter' && event.target === event.currentTarget && item !== undefined) onOpen?.(item);
  };
  return (
    <div role="table" aria-label={label} aria-rowcount={items.length + 1} className="flex min-h-0 flex-1 flex-col">
      <div role="rowgroup" className="border-b border-line">
        <div
          role="row"
          aria-rowindex={1}
          className="grid h-8 items-center gap-4 px-5 text-[12px] text-faint"
          style={{ gridTemplateColumns: columns }}
        >
          {head}
        </div>
      </div>
      <div
        ref={scroller}
        role="rowgroup"
        tabIndex={0}
        aria-label={`${label}, rows`}
        onKeyDown={press}
        className="group min-h-0 flex-1 overflow-auto -outline-offset-2"
      >
        <div className="relative w-full" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ index, start }) => {
            const item = items[index];
            if (item === undefined) return null;
            return (
              <Row
                key={keyOf(item)}
                item={item}
                index={index}
                start={start}
                isCurrent={index === current}
                columns={columns}
                draw={row as (item: unknown) => ReactNode}
                onPick={pick}
              />
            );
          })}
        </div>
      </div>
    </div>
  );
}

interface RowProps {
  readonly item: unknown;
  readonly index: number;
  readonly start: number;
  readonly isCurrent: boolean;
  readonly columns: string;
  readonly draw: (item: unknown) => ReactNode;
  readonly onPick: (index: number, target: HTMLElement) => void;
}

const Row = memo(function Row({ item, index, start, isCurrent, columns, draw, onPick }: RowProps) {
  return (
    <div
      role="row"
      aria-rowindex={index + 2}
      className={`absolute inset-x-0 grid items-center gap-4 border-b contain-strict border-line/60 px-5 hover:bg-accent-wash/60 ${isCurrent ? 'group-focus:bg-accent-wash' : ''}`}
      style={{ gridTemplateColumns: columns, height: ROW_PX, transform: `translateY(${start}px)` }}
      onClick={(event) => onPick(index, event.target as HTMLElement)}
    >
      <Inside item={item} draw={draw} />
    </div>
  );
});

/** A row that moves stays what it is. */
const Inside = memo(function Inside({ item, draw }: Pick<RowProps, 'item' | 'draw'>) {
  return draw(item);
});

export const Cell = ({ children, className = '' }: { readonly children: ReactNode; readonly className?: string }) => (
  <div role="cell" className={`min-w-0 truncate ${className}`}>
    {children}
  </div>
);

export const Head = ({ children, className = '' }: { readonly children: ReactNode; readonly className?: string }) => (
  <div role="columnheader" className={`min-w-0 truncate ${className}`}>
    {children}
  </div>
);
