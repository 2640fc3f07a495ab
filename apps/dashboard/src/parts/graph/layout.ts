// Where the boxes and the lines of a graph go: the layered layout of ELK (Eclipse Layout Kernel), in a worker, so that a large graph
// does not hold up the page.
import elk, { type ElkEdgeSection, type ElkExtendedEdge, type ElkNode } from 'elkjs/lib/elk-api.js';
// As a file of its own: a worker runs it as it is.
import workerUrl from 'elkjs/lib/elk-worker.min.js?url';

export interface GraphBox {
  readonly id: string;
  readonly width: number;
  readonly height: number;
}

export interface GraphLine {
  readonly id: string;
  /** Ids of boxes. */
  readonly from: string;
  readonly to: string;
  readonly label?: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The upper left corner of each box, by id. */
  readonly boxes: ReadonlyMap<string, Point>;
  /** The corners of each line, and where its label begins, by id. */
  readonly lines: ReadonlyMap<string, { readonly points: readonly Point[]; readonly label: Point | null }>;
}

const OPTIONS = {
  'elk.algorithm': 'layered',
  'elk.direction': 'RIGHT',
  'elk.edgeRouting': 'ORTHOGONAL',
  'elk.spacing.nodeNode': '18',
  'elk.spacing.edgeNode': '14',
  'elk.spacing.edgeEdge': '10',
  'elk.layered.spacing.nodeNodeBetweenLayers': '56',
  'elk.layered.spacing.edgeNodeBetweenLayers': '18',
  'elk.layered.considerModelOrder.strategy': 'NODES_AND_EDGES',
  'elk.edgeLabels.inline': 'true',
};
const LABEL_PX = { character: 7, height: 18 };

/** Of one graph. `close` ends its worker. */
export class GraphLayouter {
  readonly #elk = new elk.default({ workerUrl });

  async place(boxes: readonly GraphBox[], lines: readonly GraphLine[]): Promise<Layout> {
    const graph: ElkNode = {
      id: 'graph',
      layoutOptions: OPTIONS,
      children: boxes.map(({ id, width, height }) => ({ id: `box ${id}`, width, height })),
      edges: lines.map(({ id, from, to, label }) => ({
        id: `line ${id}`,
        sources: [`box ${from}`],
        targets: [`box ${to}`],
        labels: label === undefined ? [] : [{ text: label, ...labelSize(label) }],
      })),
    };
    const placed: ElkNode = await this.#elk.layout(graph);
    const lineOf = ({ sections, labels }: ElkExtendedEdge) => {
      const [label] = labels ?? [];
      return {
        points: (sections ?? []).flatMap(pointsOf),
        label: label?.x === undefined || label.y === undefined ? null : { x: label.x, y: label.y },
      };
    };
    return {
      width: placed.width ?? 0,
      height: placed.height ?? 0,
      boxes: new Map((placed.children ?? []).map(({ id, x = 0, y = 0 }) => [id.slice('box '.length), { x, y }])),
      lines: new Map((placed.edges ?? []).map((edge) => [edge.id.slice('line '.length), lineOf(edge)])),
    };
  }

  close(): void {
    this.#elk.terminateWorker();
  }
}

const labelSize = (label: string) => ({
  width: label.length * LABEL_PX.character + 10,
  height: LABEL_PX.height,
});

const pointsOf = ({ startPoint, bendPoints = [], endPoint }: ElkEdgeSection): Point[] => [
  startPoint,
  ...bendPoints,
  endPoint,
];
