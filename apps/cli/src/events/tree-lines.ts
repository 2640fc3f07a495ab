// A tree of lines, drawn with branches.
import { dim, type Line, partsOf } from '../output/parts.ts';

export interface Branch {
  readonly line: Line;
  readonly below?: readonly Branch[];
}

export function treeLines(branches: readonly Branch[], indent = ''): Line[] {
  return branches.flatMap(({ line, below = [] }, index) => {
    const isLast = index === branches.length - 1;
    return [
      [dim(`${indent}${isLast ? '└─ ' : '├─ '}`), ...partsOf(line)],
      ...treeLines(below, `${indent}${isLast ? '   ' : '│  '}`),
    ];
  });
}
