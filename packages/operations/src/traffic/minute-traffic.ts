// Who talked to whom in one namespace within a minute, in bounded memory.
import { LIMITS, type TrafficReader } from '@hypercode/contracts';

/** [source, topic, kind of reader, name of reader, count]. */
export type StoredEdge = [source: string, topic: string, kind: TrafficReader['kind'], name: string, count: number];

interface Source {
  /** The topics that are named in full. */
  readonly topics: Set<string>;
  readonly edges: Map<string, StoredEdge>;
}

/** Edges may come to so many times their limit before the rarest are given up: so that is seldom done. */
const SLACK = 2;

/**
 * Edges of a source beyond its 200 commonest, and of the namespace beyond its 10,000 commonest, are counted together as `other`. Topics
 * of a source beyond its first hundred are counted under their first two tokens and `>`.
 */
export class MinuteTraffic {
  readonly #sources = new Map<string, Source>();
  #size = 0;
  #other = 0;

  /** How many edges there are. */
  get size(): number {
    return this.#size;
  }

  add(source: string, topic: string, { kind, name }: TrafficReader, count: number): void {
    let known = this.#sources.get(source);
    if (known === undefined) this.#sources.set(source, (known = { topics: new Set(), edges: new Map() }));
    const named = nameOf(known.topics, topic);
    const key = `${named} ${kind} ${name}`;
    const edge = known.edges.get(key);
    if (edge !== undefined) {
      edge[4] += count;
      return;
    }
    known.edges.set(key, [source, named, kind, name, count]);
    this.#size += 1;
    if (known.edges.size >= SLACK * LIMITS.trafficEdgesOfSource) this.#boundSource(known);
    if (this.#size >= SLACK * LIMITS.trafficEdges) this.#bound();
  }

  /** What is stored of it. */
  toStored(): { edges: StoredEdge[]; other: number } {
    for (const source of this.#sources.values()) this.#boundSource(source);
    this.#bound();
    return { edges: [...this.#sources.values()].flatMap(({ edges }) => [...edges.values()]), other: this.#other };
  }

  #boundSource({ edges }: Source): void {
    if (edges.size <= LIMITS.trafficEdgesOfSource) return;
    const rarest = [...edges].toSorted(([, a], [, b]) => b[4] - a[4]).slice(LIMITS.trafficEdgesOfSource);
    for (const [key, edge] of rarest) this.#giveUp(edges, key, edge);
  }

  #bound(): void {
    if (this.#size <= LIMITS.trafficEdges) return;
    const all = [...this.#sources.values()].flatMap(({ edges }) =>
      [...edges].map(([key, edge]) => ({ edges, key, edge })),
    );
    const rarest = all.toSorted((a, b) => b.edge[4] - a.edge[4]).slice(LIMITS.trafficEdges);
    for (const { edges, key, edge } of rarest) this.#giveUp(edges, key, edge);
    for (const [name, { edges }] of this.#sources) if (edges.size === 0) this.#sources.delete(name);
  }

  #giveUp(edges: Source['edges'], key: string, edge: StoredEdge): void {
    edges.delete(key);
    this.#size -= 1;
    this.#other += edge[4];
  }
}

function nameOf(topics: Set<string>, topic: string): string {
  if (topics.has(topic)) return topic;
  if (topics.size >= LIMITS.trafficTopicsOfSource) return `${topic.split('.', 2).join('.')}.>`;
  topics.add(topic);
  return topic;
}
