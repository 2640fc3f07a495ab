// Which topics a mistyped one may have been meant to be. Pure.
import { distance } from 'fastest-levenshtein';

/** Edits that a mistyped topic may be away from the one that was meant. */
const MAX_EDITS = 2;
const MAX_SIMILAR = 5;

/** Those of `patterns` that differ from `topic` by few letters, the nearest first. Wildcards stand for what the topic has in their place. */
export function similarTopics(topic: string, patterns: Iterable<string>): string[] {
  const tokens = topic.split('.');
  const found: { pattern: string; edits: number }[] = [];
  for (const pattern of new Set(patterns)) {
    const meant = filledIn(pattern, tokens);
    if (meant === topic || Math.abs(meant.length - topic.length) > MAX_EDITS) continue;
    const edits = distance(meant, topic);
    if (edits <= MAX_EDITS) found.push({ pattern, edits });
  }
  return found
    .toSorted((a, b) => a.edits - b.edits || (a.pattern < b.pattern ? -1 : 1))
    .slice(0, MAX_SIMILAR)
    .map(({ pattern }) => pattern);
}

function filledIn(pattern: string, tokens: readonly string[]): string {
  const parts = pattern.split('.');
  const filled = parts.map((part, place) => (part === '*' ? (tokens[place] ?? part) : part));
  if (parts.at(-1) === '>') filled.splice(-1, 1, ...tokens.slice(parts.length - 1));
  return filled.join('.');
}
