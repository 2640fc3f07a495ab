// The screen of `top`: a head, tabs, the rows of one tab or a trace, and a foot with keys.
import cliTruncate from 'cli-truncate';
import { Box, Text, useApp, useInput, useWindowSize } from 'ink';
import { type ReactElement, useEffect, useState, useSyncExternalStore } from 'react';
import { bold, dim, green, type Line, type Part, partsOf, red } from '../output/parts.ts';
import { plainText } from '../output/plain-text.ts';
import { showDuration } from '../output/times.ts';
import stringWidth from 'string-width';
import type { Feed } from './feed.ts';
import { LineText } from './line-text.tsx';
import { type Row, rowsOf, type SwarmView, type Tab, TABS, textOf, TITLES, type TraceTarget } from './swarm-view.ts';

export interface ScreenProps {
  readonly feed: Feed;
  /** What stands at the head: the address and the namespace. */
  readonly where: string;
  readonly ascii: boolean;
  readonly colours: boolean;
  readonly nowMs: () => number;
  /** The lines of a trace. */
  readonly trace: (target: TraceTarget) => Promise<readonly Line[]>;
  /** In raw mode, the terminal sends no signal for Ctrl-C and Ctrl-Z: the screen does. */
  readonly onSignal: (signal: 'SIGINT' | 'SIGTSTP') => void;
}

/** Lines that are not rows: head, tabs, titles and foot. */
const FRAME_LINES = 4;

export function Screen({ feed, where, ascii, colours, nowMs, trace, onSignal }: ScreenProps): ReactElement {
  const view = useSyncExternalStore(feed.subscribe, () => feed.view);
  const { columns, rows: height } = useWindowSize();
  const { exit } = useApp();
  const [tab, setTab] = useState<Tab>('attention');
  const [selected, setSelected] = useState(0);
  const [filter, setFilter] = useState('');
  const [isTyping, setTyping] = useState(false);
  const [traced, setTraced] = useState<readonly Line[] | null>(null);
  const [scroll, setScroll] = useState(0);

  const room = Math.max(1, height - 1 - FRAME_LINES);
  const rows = rowsOf(tab, view, { filter, nowMs: nowMs() });
  const at = Math.min(selected, Math.max(0, rows.length - 1));
  const begin = Math.max(0, Math.min(at - Math.floor(room / 2), rows.length - room));

  const show = (next: Tab): void => {
    setTab(next);
    setSelected(0);
    setTraced(null);
  };
  const turn = (by: number): void => show(TABS[(TABS.indexOf(tab) + by + TABS.length) % TABS.length] ?? 'attention');
  const move = (by: number): void => {
    if (traced === null) setSelected(Math.max(0, Math.min(at + by, rows.length - 1)));
    else setScroll(Math.max(0, Math.min(scroll + by, traced.length - room)));
  };
  const open = (target: TraceTarget | null | undefined): void => {
    if (target == null) return;
    setScroll(0);
    setTraced([dim('tracing …')]);
    trace(target).then(setTraced, (error: unknown) =>
      setTraced([red(error instanceof Error ? error.message : String(error))]),
    );
  };

  useInput((input, key) => {
    if (key.ctrl && input === 'c') return onSignal('SIGINT');
    if (key.ctrl && input === 'z') return onSignal('SIGTSTP');
    if (isTyping) {
      if (key.return || key.escape) setTyping(false);
      if (key.escape) setFilter('');
      else if (key.backspace || key.delete) setFilter(filter.slice(0, -1));
      else if (!key.return && !key.ctrl && !key.meta) setFilter(filter + input);
      setSelected(0);
      return;
    }
    if (input === 'q') return exit();
    if (key.escape) return traced === null ? setFilter('') : setTraced(null);
    if (input === '/') return setTyping(true);
    if (key.return) return open(rows[at]?.trace);
    if (key.tab || key.rightArrow || input === 'l') return turn(key.shift ? -1 : 1);
    if (key.leftArrow || input === 'h') return turn(-1);
    if (key.downArrow || input === 'j') return move(1);
    if (key.upArrow || input === 'k') return move(-1);
    if (key.pageDown) return move(room);
    if (key.pageUp) return move(-room);
    const number = TABS[Number(input) - 1];
    if (number !== undefined) show(number);
  });

  // A window that grew shows no empty lines below a trace.
  useEffect(() => {
    if (traced !== null && scroll > traced.length - room) setScroll(Math.max(0, traced.length - room));
  }, [room, scroll, traced]);

  const line = (key: string, shown: Line): ReactElement => (
    <Box key={key} height={1} width={columns}>
      <LineText line={shown} ascii={ascii} colours={colours} />
    </Box>
  );
  const body =
    traced === null
      ? table({ tab, rows: rows.slice(begin, begin + room), selected: at - begin, columns, ascii })
      : traced.slice(scroll, scroll + room);
  return (
    <Box flexDirection="column" width={columns} height={height - 1}>
      {line('head', headOf(view, where, nowMs()))}
      {line('tabs', tabsOf(tab, view, { filter, nowMs: nowMs() }))}
      {body.map((one, index) => line(`row ${index}`, one))}
      <Box flexGrow={1} />
      {isTyping ? <Text>{`/${filter}`}</Text> : line('foot', footOf(filter, traced !== null))}
    </Box>
  );
}

function headOf({ agents, overview, topics, outSinceMs }: SwarmView, where: string, nowMs: number): Line {
  if (outSinceMs !== null)
    return [
      bold(where),
      '  ',
      red(`the core does not answer, for ${showDuration(nowMs - outSinceMs)}; this is the state before`),
    ];
  const healthy = agents.filter(({ status }) => status.health === 'healthy').length;
  const perSecond = topics.reduce((sum, topic) => sum + topic.perSecond, 0);
  const replicas = overview?.cluster.replicas.length ?? 0;
  return [
    bold(where),
    dim(
      `  ${healthy} of ${agents.length} agents healthy  ${perSecond.toFixed(1)} events a second  ${replicas} ${replicas === 1 ? 'replica' : 'replicas'}`,
    ),
  ];
}

function tabsOf(tab: Tab, view: SwarmView, given: { readonly filter: string; readonly nowMs: number }): Line {
  return TABS.flatMap((one, index) => {
    const label = ` ${index + 1} ${one} ${rowsOf(one, view, given).length} `;
    return [one === tab ? { text: label, style: 'inverse' as const } : dim(label), ' '];
  });
}

const footOf = (filter: string, isTrace: boolean): Line =>
  isTrace
    ? dim('Esc back  up/down scroll  q quit')
    : dim(`Tab next  up/down move  Enter trace  / filter${filter === '' ? '' : ` (${filter}, Esc clears)`}  q quit`);

interface TableGiven {
  readonly tab: Tab;
  readonly rows: readonly Row[];
  readonly selected: number;
  readonly columns: number;
  readonly ascii: boolean;
}

/** Titles and rows, in columns as wide as what they show; the last one has what is left. */
function table({ tab, rows, selected, columns, ascii }: TableGiven): Line[] {
  if (rows.length === 0) return [tab === 'attention' ? green('nothing needs attention') : dim('none')];
  const titles = TITLES[tab];
  const shown = rows.map(({ cells }) => cells.map((cell) => plainLine(cell, ascii)));
  const most = Math.max(10, Math.floor((columns - 2) / 2));
  const widths = titles.map((title, index) =>
    Math.min(most, Math.max(title.length, ...shown.map((cells) => stringWidth(textOf(cells[index] ?? ''))))),
  );
  const lineOf = (cells: readonly Line[], mark: string): Line => [
    mark,
    ...cells.flatMap((cell, index): readonly Part[] => {
      const width = widths[index] ?? 0;
      const text = textOf(cell);
      if (index === cells.length - 1) return partsOf(cell);
      const room = width - stringWidth(text);
      if (room >= 0) return [...partsOf(cell), ' '.repeat(room + 2)];
      return [`${cliTruncate(text, width, { truncationCharacter: ascii ? '~' : '…' })}  `];
    }),
  ];
  return [
    lineOf(
      titles.map((title) => dim(title.toUpperCase())),
      '  ',
    ),
    ...shown.map((cells, index) => lineOf(cells, index === selected ? '> ' : '  ')),
  ];
}

/** The line as it is shown: what is measured must be what is drawn. */
const plainLine = (line: Line, ascii: boolean): Line =>
  partsOf(line).map((part) =>
    typeof part === 'string' ? plainText(part, { ascii }) : { ...part, text: plainText(part.text, { ascii }) },
  );
