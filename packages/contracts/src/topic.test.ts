// `matches` and `covers` against models that are too slow or too dull to be wrong, and the limits of topics and patterns.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Topic, TopicPattern } from './topic.ts';
import { covers, intersects, matches, TopicSet } from './topic-matching.ts';

/** Every dotted string of 1 to `maxTokens` tokens of the alphabet. */
function enumerate(alphabet: readonly string[], maxTokens: number): string[] {
  let longest = [...alphabet];
  const all = [...longest];
  for (let tokens = 2; tokens <= maxTokens; tokens += 1) {
    longest = longest.flatMap((head) => alphabet.map((token) => `${head}.${token}`));
    all.push(...longest);
  }
  return all;
}

/** The language of a pattern, as the regular expression that API.md's words spell out. */
function language(pattern: string): RegExp {
  const token = '[A-Za-z0-9_-]+';
  const body = pattern
    .split('.')
    .map((part) => (part === '*' ? token : part === '>' ? `${token}(?:\\.${token})*` : part))
    .join('\\.');
  return new RegExp(`^${body}$`);
}

describe('against all topics of up to five tokens', () => {
  // `c` occurs in no pattern, so that `*` is never the same as the literals; topics reach one token further than patterns.
  const topics = enumerate(['a', 'b', 'c'], 5);
  const heads = enumerate(['a', 'b', '*'], 4);
  const patterns = ['>', ...heads, ...enumerate(['a', 'b', '*'], 3).map((head) => `${head}.>`)];
  const languages = patterns.map((pattern) => topics.map((topic) => language(pattern).test(topic)));

  test('matches is membership in the topics of a pattern', () => {
    const wrong = patterns.flatMap((pattern, index) =>
      topics
        .filter((topic, at) => matches(pattern, topic) !== languages[index]?.[at])
        .map((topic) => ({ pattern, topic })),
    );
    expect(wrong).toEqual([]);
  });

  test('patterns intersect when a topic matches both', () => {
    const wrong: string[][] = [];
    for (const [first, one] of patterns.entries()) {
      for (const [second, other] of patterns.entries()) {
        const common = topics.some((_, at) => languages[first]?.[at] === true && languages[second]?.[at] === true);
        if (intersects(one, other) !== common) wrong.push([one, other]);
      }
    }
    expect(wrong).toEqual([]);
  });

  test('a set of several patterns has what one of them matches', () => {
    for (let at = 0; at + 3 <= patterns.length; at += 3) {
      const several = patterns.slice(at, at + 3);
      const set = new TopicSet(several);
      const wrong = topics.filter((topic) => set.has(topic) !== several.some((one) => matches(one, topic)));
      expect([several, wrong]).toEqual([several, []]);
    }
    expect(topics.filter((topic) => new TopicSet([]).has(topic))).toEqual([]);
  });

  test('covers is inclusion of the topics of a pattern', () => {
    const wrong: { allowed: string; requested: string }[] = [];
    for (const [outer, allowed] of patterns.entries()) {
      for (const [inner, requested] of patterns.entries()) {
        const included = topics.every((_, at) => !languages[inner]?.[at] || languages[outer]?.[at]);
        if (covers(allowed, requested) !== included) wrong.push({ allowed, requested });
      }
    }
    expect(wrong).toEqual([]);
  });
});

describe('for patterns of any length', () => {
  const literal = fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/);
  const topic = fc.array(literal, { minLength: 1, maxLength: 16 }).map((tokens) => tokens.join('.'));
  const pattern = fc
    .tuple(
      fc.array(fc.oneof(fc.constantFrom('a', 'b', '*'), literal), { minLength: 0, maxLength: 15 }),
      fc.constantFrom('a', '*', '>'),
    )
    .map(([head, last]) => [...head, last].join('.'));
  /** A pattern that stands for the topic: some tokens made wild, perhaps the tail too. */
  const generalisation = (of: string) =>
    fc
      .tuple(fc.infiniteStream(fc.boolean()), fc.option(fc.nat({ max: of.split('.').length - 1 })))
      .map(([wild, tailAt]) => {
        const tokens = of.split('.').map((token) => (wild.next().value ? '*' : token));
        return (tailAt === null ? tokens : [...tokens.slice(0, tailAt), '>']).join('.');
      });

  test('matches agrees with the regular expression', () => {
    fc.assert(fc.property(pattern, topic, (p, t) => matches(p, t) === language(p).test(t)));
    const related = topic.chain((t) => fc.tuple(generalisation(t), fc.constant(t)));
    fc.assert(fc.property(related, ([p, t]) => matches(p, t)));
  });

  test('a set has a topic exactly when one of its patterns matches it', () => {
    const related = topic.chain((t) =>
      fc.tuple(fc.array(fc.oneof(pattern, generalisation(t)), { maxLength: 8 }), fc.constant(t)),
    );
    fc.assert(
      fc.property(related, topic, ([several, t], other) => {
        const set = new TopicSet(several);
        return [t, other, t].every((one) => set.has(one) === several.some((p) => language(p).test(one)));
      }),
    );
  });

  test('what a covered pattern matches, the covering one matches', () => {
    const chain = topic.chain((t) =>
      generalisation(t).chain((inner) =>
        fc.tuple(generalisation(inner.replace('>', 'tail')), fc.constant(inner), fc.constant(t)),
      ),
    );
    fc.assert(
      fc.property(chain, ([outer, inner, t]) => !(covers(outer, inner) && matches(inner, t)) || matches(outer, t)),
    );
  });

  test('a pattern that is not covered matches a topic that the other does not', () => {
    // A token that no generated pattern contains, once and as a tail long enough to outrun any pattern.
    const fresh = 'fresh-token';
    const witnesses = (requested: string) =>
      [1, 2, 20].map((tail) =>
        requested.replaceAll('*', fresh).replace('>', Array.from({ length: tail }, () => fresh).join('.')),
      );
    fc.assert(
      fc.property(
        pattern,
        pattern,
        (outer, inner) => covers(outer, inner) === witnesses(inner).every((witness) => matches(outer, witness)),
      ),
    );
  });

  test('covers is reflexive, and a topic covers what it equals', () => {
    fc.assert(fc.property(pattern, (p) => covers(p, p) && covers('>', p)));
    fc.assert(fc.property(pattern, topic, (p, t) => covers(p, t) === matches(p, t)));
  });
});

test.each([
  ['a', 'a', true],
  ['a', 'A', false],
  ['a', 'a.b', false],
  ['a.b', 'a', false],
  ['*', 'a', true],
  ['*', 'a.b', false],
  ['>', 'a', true],
  ['>', 'a.b.c', true],
  ['a.>', 'a', false],
  ['a.>', 'a.b', true],
  ['a.>', 'a.b.c.d', true],
  ['a.>', 'ab.c', false],
  ['*.>', 'a', false],
  ['*.>', 'a.b', true],
  ['a.*.c', 'a.b.c', true],
  ['a.*.c', 'a.c', false],
  ['a.*.>', 'a.b', false],
  ['task.*.completed', 'task.worker-1.completed', true],
])('matches(%j, %j) is %j', (pattern, topic, expected) => {
  expect(matches(pattern, topic)).toBe(expected);
});

test.each([
  ['a', 'a', true],
  ['a', '*', false],
  ['*', '*', true],
  ['*', '>', false],
  ['>', '>', true],
  ['>', '*', true],
  ['>', 'a.>', true],
  ['a.>', '>', false],
  ['a.>', 'a', false],
  ['a.>', 'a.*', true],
  ['a.>', 'a.*.>', true],
  ['a.*', 'a.>', false],
  ['a.*.>', 'a.>', false],
  ['*.b', 'a.*', false],
  ['*.*', 'a.b', true],
  ['a.*.c', 'a.b.*', false],
])('covers(%j, %j) is %j', (allowed, requested, expected) => {
  expect(covers(allowed, requested)).toBe(expected);
});

test('a tail at the last possible token does not count as one token', () => {
  const head = Array.from({ length: 15 }, () => 'a').join('.');
  expect(covers(`${head}.*`, `${head}.>`)).toBe(false);
});

const tokens = (count: number, token = 'a') => Array.from({ length: count }, () => token).join('.');

describe('limits', () => {
  test.each([
    'a',
    'A-b_9',
    '-',
    '_',
    '0',
    'a.b',
    'system.liveness',
    tokens(16),
    'a'.repeat(255),
    tokens(16, 'abcdefghijklmno'),
  ])('%j is a topic and a pattern', (topic) => {
    expect(Topic.parse(topic)).toBe(topic);
    expect(TopicPattern.parse(topic)).toBe(topic);
  });

  test.each(['*', '>', 'a.*', '*.a', '*.*.*', 'a.>', '*.>', `${tokens(15)}.>`, `${'a'.repeat(253)}.>`])(
    '%j is a pattern and no topic',
    (pattern) => {
      expect(TopicPattern.parse(pattern)).toBe(pattern);
      expect(Topic.safeParse(pattern).success).toBe(false);
    },
  );

  test.each([
    '',
    '.',
    '.a',
    'a.',
    'a..b',
    ' a',
    'a b',
    'a\n',
    'a/b',
    'é',
    'a\0',
    '\ud800',
    'a*',
    '*a',
    '**',
    'a>',
    '>>',
    '>.a',
    'a.>.b',
    '{name}',
    tokens(17),
    `${tokens(16)}.>`,
    'a'.repeat(256),
    `${'a'.repeat(254)}.>`,
  ])('%j is neither', (text) => {
    expect(Topic.safeParse(text).success).toBe(false);
    expect(TopicPattern.safeParse(text).success).toBe(false);
  });

  test.each([null, undefined, 1, {}, ['a']])('%j is refused as a pattern, since it is not a text', (value) => {
    expect(Topic.safeParse(value).success).toBe(false);
    expect(TopicPattern.safeParse(value).success).toBe(false);
  });
});
