// A graph of boxes and lines that a person moves, enlarges and selects in. It is loaded with the screens that have one.
import {
  BaseEdge,
  type Edge,
  EdgeLabelRenderer,
  type EdgeProps,
  getViewportForBounds,
  Handle,
  MarkerType,
  type Node,
  type NodeProps,
  Panel,
  Position,
  ReactFlow,
  useReactFlow,
  useStore,
} from '@xyflow/react';
import '@xyflow/react/dist/base.css';
import { Maximize, Minus, Plus } from 'lucide-react';
import { type ReactNode, useEffect, useMemo, useState } from 'react';
import { type GraphBox, type GraphLine, GraphLayouter, type Layout } from './layout.ts';
import { linePath } from './line-path.ts';

interface GraphProps {
  /** What it shows, for those who do not see it. */
  readonly label: string;
  readonly boxes: readonly GraphBox[];
  readonly lines: readonly GraphLine[];
  /** What is in a box. */
  readonly draw: (id: string) => ReactNode;
  readonly selectedBox?: string | undefined;
  readonly selectedLine?: string | undefined;
  readonly onBox: (id: string) => void;
  /** Lines are selected by their labels. */
  readonly onLine?: (id: string) => void;
  /** Of the whole place, in place of the height that the graph needs. */
  readonly fills?: boolean;
}

type BoxNode = Node<{ readonly content: ReactNode; readonly isSelected: boolean; readonly select: () => void }, 'box'>;
type LineEdge = Edge<
  {
    readonly path: string;
    readonly label: string | undefined;
    readonly at: { readonly x: number; readonly y: number } | null;
    readonly isSelected: boolean;
    readonly select: (() => void) | undefined;
  },
  'line'
>;

const NODE_TYPES = { box: Box };
const EDGE_TYPES = { line: Line };
/** Beyond these a graph is moved, and not made smaller or larger. */
const HEIGHT_PX = { least: 150, most: 520, around: 56 };
const FIT = { padding: 0.06, maxZoom: 1, minZoom: 0.15 };

export function Graph(props: GraphProps) {
  const { label, boxes, lines, draw, selectedBox, selectedLine, onBox, onLine, fills = false } = props;
  const layout = useLayout(boxes, lines);
  if (layout === null) return <p className="py-8 text-center text-faint">Drawing…</p>;
  if ('fault' in layout) return <p role="alert">The graph could not be drawn: {layout.fault}</p>;
  const nodes = boxes.flatMap(({ id, width, height }): BoxNode[] => {
    const position = layout.boxes.get(id);
    if (position === undefined) return [];
    const data = { content: draw(id), isSelected: id === selectedBox, select: () => onBox(id) };
    return [{ id, type: 'box', position, width, height, data }];
  });
  const edges = lines.flatMap(({ id, from, to, label: text }): LineEdge[] => {
    const place = layout.lines.get(id);
    if (place === undefined) return [];
    const isSelected = id === selectedLine;
    const markerEnd = { type: MarkerType.ArrowClosed, color: isSelected ? 'var(--accent)' : 'var(--strong-line)' };
    const select = onLine === undefined ? undefined : () => onLine(id);
    const data = { path: linePath(place.points), label: text, at: place.label, isSelected, select };
    return [{ id, type: 'line', source: from, target: to, markerEnd, data }];
  });
  const height = Math.min(HEIGHT_PX.most, Math.max(HEIGHT_PX.least, layout.height + HEIGHT_PX.around));
  return (
    <div
      role="group"
      aria-label={label}
      className={fills ? 'h-full min-h-80' : 'rounded border border-line bg-ground/50'}
      style={fills ? undefined : { height }}
    >
      <ReactFlow
        nodes={nodes}
        edges={edges}
        nodeTypes={NODE_TYPES}
        edgeTypes={EDGE_TYPES}
        nodesDraggable={false}
        nodesConnectable={false}
        nodesFocusable={false}
        edgesFocusable={false}
        elementsSelectable={false}
        zoomOnScroll={false}
        zoomOnDoubleClick={false}
        preventScrolling={false}
        minZoom={FIT.minZoom}
        maxZoom={2}
        proOptions={{ hideAttribution: true }}
      >
        <Zoom layout={layout} />
      </ReactFlow>
    </div>
  );
}

/** Laid out again when boxes or lines come or go, and not when what is in them changes. Null before the first time. */
function useLayout(
  boxes: readonly GraphBox[],
  lines: readonly GraphLine[],
): Layout | { readonly fault: string } | null {
  const [layouter, setLayouter] = useState<GraphLayouter | null>(null);
  const [layout, setLayout] = useState<Layout | { readonly fault: string } | null>(null);
  const shape = useMemo(() => JSON.stringify([boxes, lines]), [boxes, lines]);
  useEffect(() => {
    const opened = new GraphLayouter();
    setLayouter(opened);
    return () => opened.close();
  }, []);
  useEffect(() => {
    if (layouter === null) return undefined;
    let isWanted = true;
    layouter.place(boxes, lines).then(
      (placed) => {
        if (isWanted) setLayout(placed);
      },
      (error: unknown) => {
        if (isWanted) setLayout({ fault: error instanceof Error ? error.message : String(error) });
      },
    );
    return () => {
      isWanted = false;
    };
  }, [layouter, shape]);
  return layout;
}

function Box({ data: { content, isSelected, select } }: NodeProps<BoxNode>) {
  return (
    <>
      <Handle type="target" position={Position.Left} className="invisible" />
      <button
        type="button"
        aria-pressed={isSelected}
        onClick={select}
        // React Flow lets clicks through what it can neither move nor select.
        className={`nopan pointer-events-auto size-full overflow-hidden rounded-md border px-2.5 text-left shadow-xs ${isSelected ? 'border-accent bg-accent-wash' : 'border-strong-line/50 bg-raised hover:border-strong-line'}`}
      >
        {content}
      </button>
      <Handle type="source" position={Position.Right} className="invisible" />
    </>
  );
}

function Line({ id, data, markerEnd }: EdgeProps<LineEdge>) {
  if (data === undefined) return null;
  const { path, label, at, isSelected, select } = data;
  const style = { stroke: isSelected ? 'var(--accent)' : 'var(--strong-line)', strokeWidth: isSelected ? 2 : 1.25 };
  return (
    <>
      <BaseEdge id={id} path={path} style={style} {...(markerEnd === undefined ? {} : { markerEnd })} />
      {label !== undefined && at !== null && (
        <EdgeLabelRenderer>
          <button
            type="button"
            aria-pressed={isSelected}
            onClick={select}
            style={{ transform: `translate(${at.x}px, ${at.y}px)`, pointerEvents: 'all' }}
            className={`nopan absolute top-0 left-0 h-[18px] rounded-full border px-1.5 text-[11px] leading-4 ${isSelected ? 'border-accent bg-accent text-on-accent' : 'border-line bg-raised text-soft hover:border-strong-line'}`}
          >
            {label}
          </button>
        </EdgeLabelRenderer>
      )}
    </>
  );
}

const ZOOM = 'rounded p-1 text-soft hover:bg-line/60 hover:text-ink';

/** Shows all of the graph at first, when it changes, and when its place does. Lines may reach further than boxes. */
function Zoom({ layout }: { readonly layout: Layout }) {
  const { zoomIn, zoomOut, setViewport } = useReactFlow();
  const width = useStore((state) => state.width);
  const height = useStore((state) => state.height);
  const fit = (): void => {
    const whole = { x: 0, y: 0, width: layout.width, height: layout.height };
    void setViewport(getViewportForBounds(whole, width, height, FIT.minZoom, FIT.maxZoom, FIT.padding));
  };
  useEffect(() => {
    if (width > 0 && height > 0) fit();
  }, [layout, width, height]);
  return (
    <Panel position="bottom-right" className="flex gap-0.5 rounded border border-line bg-raised p-0.5">
      <button type="button" aria-label="Smaller" className={ZOOM} onClick={() => void zoomOut()}>
        <Minus className="size-3.5" aria-hidden="true" />
      </button>
      <button type="button" aria-label="Larger" className={ZOOM} onClick={() => void zoomIn()}>
        <Plus className="size-3.5" aria-hidden="true" />
      </button>
      <button type="button" aria-label="Show all of it" className={ZOOM} onClick={fit}>
        <Maximize className="size-3.5" aria-hidden="true" />
      </button>
    </Panel>
  );
}
