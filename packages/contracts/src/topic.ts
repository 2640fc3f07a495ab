// The schemas of topics and topic patterns.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { isWithinTokens, NOT_A_PATTERN, PATTERN, TOO_MANY_TOKENS, TOPIC } from './topic-matching.ts';

/** Tokens of letters, digits, `_` and `-`, joined by `.`. */
export const Topic = z
  .string()
  .max(LIMITS.topicLength)
  .regex(TOPIC, 'must be tokens of letters, digits, "_" and "-" joined by "."')
  .refine(isWithinTokens, TOO_MANY_TOKENS);
export type Topic = z.infer<typeof Topic>;

/** A topic in which a token may be `*` (exactly one token) and the last may be `>` (one or more tokens). */
export const TopicPattern = z
  .string()
  .max(LIMITS.topicLength)
  .regex(PATTERN, NOT_A_PATTERN)
  .refine(isWithinTokens, TOO_MANY_TOKENS);
export type TopicPattern = z.infer<typeof TopicPattern>;
