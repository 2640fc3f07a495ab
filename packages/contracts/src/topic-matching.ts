// Topics and topic patterns without their schemas, for browsers too: what is one, what matches, what covers.
import { LIMITS } from './limits.ts';

/** Tokens of letters, digits, `_` and `-`, joined by `.`. */
export type Topic = string;
/** A topic in which a token may be `*` (exactly one token) and the last may be `>` (one or more tokens). */
export type TopicPattern = string;

const TOKEN = '[A-Za-z0-9_-]+';
export const TOPIC = new RegExp(`^${TOKEN}(?:\\.${TOKEN})*$`);
export const PATTERN = new RegExp(`^(?:(?:${TOKEN}|\\*)\\.)*(?:${TOKEN}|\\*|>)$`);
const TOPIC_WITHIN_TOKENS = new RegExp(`^${TOKEN}(?:\\.${TOKEN}){0,${LIMITS.topicTokens - 1}}$`);

export const NOT_A_PATTERN = 'must be a topic in which a token may be "*" and the last may be ">"';
export const TOO_MANY_TOKENS = `must have at most ${LIMITS.topicTokens} tokens`;

export const isWithinTokens = (dotted: string): boolean => dotted.split('.').length <= LIMITS.topicTokens;

/** Whether `Topic` takes it; a fraction of the time, and no reason. */
export const isTopic = (text: string): boolean => text.length <= LIMITS.topicLength && TOPIC_WITHIN_TOKENS.test(text);

/** Why the text is not a topic pattern; null when it is one. */
export function patternFault(text: string): string | null {
  if (text.length > LIMITS.topicLength) return `must have at most ${LIMITS.topicLength} characters`;
  if (!PATTERN.test(text)) return NOT_A_PATTERN;
  return isWithinTokens(text) ? null : TOO_MANY_TOKENS;
}

/** Whether `topic` is one of the topics that `pattern` stands for. Both must be valid. */
export function matches(pattern: TopicPattern, topic: Topic): boolean {
  return matchesTokens(pattern.split('.'), topic.split('.'));
}

/**
 * Whether every topic that `requested` matches is also matched by `allowed`. The limit on tokens is left out of the
 * reasoning, which can only make the answer stricter (a `>` on the last possible token is not taken for `*`).
 */
export function covers(allowed: TopicPattern, requested: TopicPattern): boolean {
  const outer = allowed.split('.');
  const inner = requested.split('.');
  for (const [index, token] of outer.entries()) {
    if (index >= inner.length) return false;
    if (token === '>') return true;
    if (inner[index] === '>') return false;
    if (token !== '*' && token !== inner[index]) return false;
  }
  return inner.length === outer.length;
}

/** Whether some topic is matched by both. As with `covers`, the limit on tokens is left out. */
export function intersects(one: TopicPattern, other: TopicPattern): boolean {
  const a = one.split('.');
  const b = other.split('.');
  for (let index = 0; ; index += 1) {
    const [left, right] = [a[index], b[index]];
    if (left === undefined || right === undefined) return left === right;
    if (left === '>' || right === '>') return true;
    if (left !== right && left !== '*' && right !== '*') return false;
  }
}

/** The tokens of the topic that was asked about last: many sets are asked about one topic. */
let lastTopic = '';
let lastTokens: readonly string[] = [''];

function tokensOf(topic: Topic): readonly string[] {
  if (topic !== lastTopic) {
    lastTokens = topic.split('.');
    lastTopic = topic;
  }
  return lastTokens;
}

/**
 * The topics that one of several patterns matches, for those who ask about many topics. A regular expression of as many
 * alternatives takes milliseconds to compile, twice, when it is first used; this takes as long as the patterns take to split, and
 * then at most one step for each of their tokens.
 */
export class TopicSet {
  readonly #patterns: readonly (readonly string[])[];

  constructor(patterns: readonly TopicPattern[]) {
    this.#patterns = patterns.map((pattern) => pattern.split('.'));
  }

  has(topic: Topic): boolean {
    const tokens = tokensOf(topic);
    for (const wanted of this.#patterns) if (matchesTokens(wanted, tokens)) return true;
    return false;
  }
}

function matchesTokens(wanted: readonly string[], tokens: readonly string[]): boolean {
  const last = wanted.length - 1;
  const isOpen = wanted[last] === '>';
  if (isOpen ? tokens.length < wanted.length : tokens.length !== wanted.length) return false;
  // From the end, where topics differ most.
  for (let index = isOpen ? last - 1 : last; index >= 0; index -= 1) {
    const token = wanted[index];
    if (token !== '*' && token !== tokens[index]) return false;
  }
  return true;
}
