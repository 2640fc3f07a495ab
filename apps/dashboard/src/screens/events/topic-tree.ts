// Topics as a tree of their tokens.
import type { TopicInfo } from '@hypercode/contracts';

export interface TopicNode {
  /** `build`, or `build.finished`. */
  readonly path: string;
  /** The last token of it. */
  readonly token: string;
  readonly depth: number;
  /** Of all topics at and under it. */
  count: number;
  /** Whether events were published on exactly this topic. */
  isTopic: boolean;
  readonly children: TopicNode[];
}

export function topicTree(topics: readonly TopicInfo[]): readonly TopicNode[] {
  const roots: TopicNode[] = [];
  const known = new Map<string, TopicNode>();
  for (const { topic, count } of topics) {
    let siblings = roots;
    let path = '';
    for (const [depth, token] of topic.split('.').entries()) {
      path = path === '' ? token : `${path}.${token}`;
      let node = known.get(path);
      if (node === undefined) {
        node = { path, token, depth, count: 0, isTopic: false, children: [] };
        known.set(path, node);
        siblings.push(node);
      }
      node.count += count;
      if (path === topic) node.isTopic = true;
      siblings = node.children;
    }
  }
  return roots;
}

/** The nodes in sight: those whose parents are all open. */
export function openNodes(roots: readonly TopicNode[], open: ReadonlySet<string>): readonly TopicNode[] {
  const found: TopicNode[] = [];
  const visit = (nodes: readonly TopicNode[]): void => {
    for (const node of nodes) {
      found.push(node);
      if (open.has(node.path)) visit(node.children);
    }
  };
  visit(roots);
  return found;
}

/** What filters by a node: its topic, or everything under it. */
export const patternOf = ({ path, children }: TopicNode): string => (children.length === 0 ? path : `${path}.>`);
