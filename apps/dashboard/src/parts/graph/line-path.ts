// A line of a graph as the path of an SVG.
import type { Point } from './layout.ts';

const CORNER_PX = 8;

/** Straight between the points, with round corners. */
export function linePath(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const parts = [`M${first.x} ${first.y}`];
  let before = first;
  for (const [index, point] of rest.entries()) {
    const after = rest[index + 1];
    if (after === undefined) parts.push(`L${point.x} ${point.y}`);
    else {
      const from = towards(point, before);
      const to = towards(point, after);
      parts.push(`L${from.x} ${from.y}Q${point.x} ${point.y} ${to.x} ${to.y}`);
    }
    before = point;
  }
  return parts.join('');
}

/** A corner before `to`, or half of the way when that is nearer. */
function towards(point: Point, to: Point): Point {
  const length = Math.hypot(to.x - point.x, to.y - point.y);
  if (length === 0) return point;
  const share = Math.min(CORNER_PX, length / 2) / length;
  return { x: point.x + (to.x - point.x) * share, y: point.y + (to.y - point.y) * share };
}
