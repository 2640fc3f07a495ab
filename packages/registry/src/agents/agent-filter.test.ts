// Filters asked of an agent in memory and asked of the index: both give the same answer. And free text as a tsquery.
import type { Agent, AgentFilter } from '@hypercode/contracts';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  facetsOf,
  filterKey,
  INDEXED_TOKENS,
  matchesFilter,
  searchQuery,
  searchTextOf,
  termsOf,
  wordsOf,
} from './agent-filter.ts';
import { agentOf, agents, filters, patterns, topics } from '../../test/agents/sample-agents.ts';

const declaring = (...publishes: string[]): Agent => agentOf({ topics: { publishes, subscribes: [] } });

describe('matchesFilter', () => {
  const agent = agentOf({
    role: 'coder',
    capabilities: [{ id: 'code' }],
    labels: { team: 'core', empty: '' },
    topics: { publishes: ['code.*.done'], subscribes: ['task.>'] },
  });

  test.each<[string, AgentFilter, boolean]>([
    ['nothing', {}, true],
    ['its role', { role: 'coder' }, true],
    ['another role', { role: 'planner' }, false],
    ['its capability', { capability: 'code' }, true],
    ['another capability', { capability: 'plan' }, false],
    ['its health', { health: 'unknown' }, true],
    ['another health', { health: 'healthy' }, false],
    ['its circuit', { circuit: 'closed' }, true],
    ['another circuit', { circuit: 'open' }, false],
    ['its activity', { activity: 'ready' }, true],
    ['another activity', { activity: 'blocked' }, false],
    ['its label', { labels: { team: 'core' } }, true],
    ['an empty label', { labels: { empty: '' } }, true],
    ['another value', { labels: { team: 'edge' } }, false],
    ['one label of two', { labels: { team: 'core', zone: 'a' } }, false],
    ['a label that every object inherits', { labels: { constructor: '' } }, false],
    ['a topic that it publishes', { topic: 'code.x.done' }, true],
    ['a topic that it subscribes to', { topic: 'task.a.b' }, true],
    ['a topic that it does not declare', { topic: 'task' }, false],
    ['all of it', { role: 'coder', capability: 'code', topic: 'task.a', labels: { team: 'core' } }, true],
    ['all but one', { role: 'coder', capability: 'plan', topic: 'task.a', labels: { team: 'core' } }, false],
  ])('%s', (_, filter, expected) => {
    expect(matchesFilter(agent, filter)).toBe(expected);
  });
});

describe('filterKey', () => {
  /** What a filter means: labels that are asked for in no particular order, and none is as good as no word of them. */
  const meaning = ({ labels, ...rest }: AgentFilter) => ({ ...rest, labels: labels ?? {} });

  test('filter keys are equal exactly for filters that mean the same', () => {
    const jumbled = filters.chain((filter) => {
      const entries = Object.entries(filter.labels ?? {});
      return fc
        .shuffledSubarray(entries, { minLength: entries.length })
        .map(
          (order) =>
            [filter, entries.length === 0 ? filter : { ...filter, labels: Object.fromEntries(order) }] as const,
        );
    });
    fc.assert(fc.property(jumbled, ([filter, same]) => filterKey(filter) === filterKey(same)));
    fc.assert(
      fc.property(filters, filters, (a, b) => {
        let same = true;
        try {
          expect(meaning(a)).toEqual(meaning(b));
        } catch {
          same = false;
        }
        expect(filterKey(a) === filterKey(b)).toBe(same);
      }),
    );
  });

  test('filter keys differ for filters that only look alike', () => {
    const different: AgentFilter[] = [
      {},
      { role: 'a' },
      { capability: 'a' },
      { topic: 'a' },
      { labels: { a: 'b' } },
      { labels: { a: '","b' } },
      { labels: { a: '', b: '' } },
    ];
    expect(new Set(different.map(filterKey)).size).toBe(different.length);
    expect(filterKey({ labels: {} })).toBe(filterKey({}));
  });
});

describe('index terms', () => {
  /** What the index answers, with the check in full where the terms say that they cannot decide alone. */
  function found(agent: Agent, filter: AgentFilter): boolean {
    const facets = new Set(facetsOf(agent));
    const { all, any, recheckTopic } = termsOf(agent.namespace, filter);
    if (!all.every((term) => facets.has(term))) return false;
    if (any !== null && !any.some((term) => facets.has(term))) return false;
    return recheckTopic === null || matchesFilter(agent, { topic: recheckTopic });
  }

  test('index terms find exactly the agents that match', () => {
    fc.assert(
      fc.property(agents, filters, (agent, filter) => found(agent, filter) === matchesFilter(agent, filter)),
      { numRuns: 500 },
    );
  });

  test('index terms find every pattern by every topic that it matches', () => {
    fc.assert(
      fc.property(patterns, topics, (pattern, topic) => {
        const agent = declaring(pattern);
        return found(agent, { topic }) === matchesFilter(agent, { topic });
      }),
      { numRuns: 1000 },
    );
  });

  test('index terms decide alone for topics of up to the indexed tokens, and are few for the longest topics', () => {
    const topic = (tokens: number) => Array.from({ length: tokens }, () => 'a').join('.');
    expect(termsOf('default', { topic: topic(INDEXED_TOKENS) }).recheckTopic).toBeNull();
    const longest = termsOf('default', { topic: topic(16) });
    expect(longest.recheckTopic).toBe(topic(16));
    expect(longest.any).toHaveLength(2 ** (INDEXED_TOKENS + 1) - 1);
    expect(new Set(longest.any).size).toBe(longest.any?.length);
  });

  test('index terms never match agents of another namespace', () => {
    fc.assert(
      fc.property(agents, filters, (agent, filter) => {
        const facets = new Set(facetsOf(agent));
        const { all, any } = termsOf('other', filter);
        return [...all, ...(any ?? [])].every((term) => !facets.has(term));
      }),
    );
  });
});

describe('words', () => {
  test.each([
    ['Plans, and CODES!', ['plans', 'and', 'codes']],
    ['fast-check v4.2', ['fast', 'check', 'v4', '2']],
    ['snake_case', ['snake', 'case']],
    ['Ärger über Öl', ['ärger', 'über', 'öl']],
    ['план ΣΊΣΥΦΟΣ', ['план', 'σίσυφος']],
    ['東京 タワー', ['東京', 'タワー']],
    ['हिन्दी', ['हिन्दी']],
    ['twice twice', ['twice']],
    ["'&|!():*<->\\ \u0000", []],
    ['', []],
  ])('of %j', (text, expected) => {
    expect(wordsOf(text)).toEqual(expected);
  });

  test('words are the same in every Unicode form of their accents', () => {
    expect(wordsOf('cafe\u0301')).toEqual(wordsOf('caf\u00e9'));
  });

  test('words are never cut in the middle of a character', () => {
    const gothic = String.fromCodePoint(0x1_0330);
    expect(wordsOf(`x${gothic.repeat(100)}`)).toEqual([`x${gothic.repeat(63)}`, gothic.repeat(37)]);
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) =>
        wordsOf(text).every((w) => w.isWellFormed()),
      ),
    );
  });

  test('words are bounded in number and length', () => {
    const words = wordsOf(Array.from({ length: 3000 }, (_, i) => `${i}`).join(' '));
    expect(words).toHaveLength(1000);
    expect(wordsOf('x'.repeat(150))).toEqual(['x'.repeat(64), 'x'.repeat(22)]);
  });

  test('words of an agent begin with its name, so that a long description does not displace the short fields', () => {
    const agent = agentOf({
      name: 'ada',
      description: 'long',
      capabilities: [{ id: 'plan', description: 'deep', tags: ['quick'] }],
      labels: { team: 'core' },
    });
    expect(wordsOf(searchTextOf(agent))).toEqual(['ada', 'coder', 'plan', 'quick', 'team', 'core', 'long', 'deep']);
  });
});

describe('searchQuery', () => {
  test('a search query requires every word, each as a prefix', () => {
    expect(searchQuery('Plan the code')).toBe("'plan':* & 'the':* & 'code':*");
  });

  test('a search query without a word is null', () => {
    for (const text of ['', ' ', "'", ':*', '!()', '<->', '\\', '\0']) expect(searchQuery(text)).toBeNull();
  });

  test('a search query contains no operator of a tsquery', () => {
    const anyText = fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units));
    const hostile = fc.string({
      unit: fc.constantFrom(...Array.from(`'&|!():*<->\\" aé東\u{1d41a}\u0301\0`)),
      maxLength: 40,
    });
    fc.assert(
      fc.property(fc.oneof(hostile, anyText), (text) => {
        const query = searchQuery(text);
        return query === null || /^'[\p{L}\p{M}\p{N}]+':\*(?: & '[\p{L}\p{M}\p{N}]+':\*)*$/u.test(query);
      }),
    );
  });
});
