// Topics and patterns are as many as they say.
import { TopicPattern } from '@hypercode/contracts';
import { expect, test } from 'vitest';
import { patternAt, PATTERNS, topicAt, TOPICS } from './sample-topics.ts';

test('topics differ', () => {
  expect(new Set(Array.from({ length: TOPICS }, (_, index) => topicAt(index))).size).toBe(TOPICS);
});

test('patterns differ, and are patterns', () => {
  const patterns = Array.from({ length: PATTERNS }, (_, index) => patternAt(index));
  expect(new Set(patterns).size).toBe(PATTERNS);
  expect(patterns.filter((pattern) => !TopicPattern.safeParse(pattern).success)).toEqual([]);
});
