// 10,000 topics in a hundred areas, and a thousand patterns that differ: of whole areas, of a unit in all areas, and of one topic.

const AREAS = 100;
const UNITS = 100;
export const TOPICS = AREAS * UNITS;
/** How many patterns there are before they repeat. */
export const PATTERNS = 1000;

const areaName = (area: number): string => `area-${String(area % AREAS).padStart(2, '0')}`;
const unitName = (unit: number): string => `unit-${String(unit % UNITS).padStart(2, '0')}`;

/** Topic number `index`; neighbours are in different areas. */
export const topicAt = (index: number): string =>
  `bench.${areaName(index)}.${unitName(Math.floor(index / AREAS))}.progress`;

/** Of ten patterns, one is of an area, one of a unit, and eight are topics. */
export function patternAt(index: number): string {
  const ten = Math.floor(index / 10);
  if (index % 10 === 0) return `bench.${areaName(ten)}.>`;
  if (index % 10 === 1) return `bench.*.${unitName(ten)}.progress`;
  return topicAt((index * 7919) % TOPICS);
}
