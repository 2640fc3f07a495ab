// The declarations, held to each other.
import { describe, expect, test } from 'vitest';
import { procedures } from './api.ts';
import { KINDS } from './kinds.ts';
import type { CallerKind } from './rights.ts';

test('the kinds are those of the declaration', () => {
  const named = Object.entries(KINDS).flatMap(([group, kinds]) =>
    typeof kinds === 'string'
      ? [[group, kinds]]
      : Object.entries(kinds).map(([own, kind]) => [`${group}.${own}`, kind]),
  );
  expect(named).toEqual(procedures.map(([name, { kind }]) => [name, kind]));
});

test('two routes share neither an address nor a name', () => {
  const routes = procedures.flatMap(([, { rest }]) => (rest === undefined ? [] : [rest]));
  const addresses = routes.map(({ method, path }) => `${method} ${path.replaceAll(/\{\w+\}/g, '{}')}`);
  expect(new Set(addresses).size).toBe(routes.length);
  expect(new Set(routes.map(({ operationId }) => operationId)).size).toBe(routes.length);
});

describe.each(procedures)('%s', (_name, { input, summary }) => {
  const fields = Object.keys(input.shape);

  test('a procedure has a namespace, and a summary of one line', () => {
    expect(fields).toContain('namespace');
    expect(summary).toMatch(/^[A-Z][^\n]*[^.]$/);
  });
});

const routed = procedures.flatMap(([name, { kind, input, rest }]) =>
  rest === undefined ? [] : [{ name, kind, fields: Object.keys(input.shape), rest }],
);

test.each(routed)('$name is a GET over HTTP when it changes nothing', ({ kind, rest }) => {
  expect(rest.method === 'GET').toBe(kind !== 'mutation');
});

// A heartbeat is for the agent of the token, and the path repeats its name.
const named = routed.filter(({ name }) => name !== 'registry.heartbeat');

test.each(named)('$name has every field that its path and its query name', ({ fields, rest }) => {
  const inPath = [...rest.path.matchAll(/\{(\w+)\}/g)].map(([, field]) => field);
  expect(fields).toEqual(expect.arrayContaining([...inPath, ...(rest.query ?? [])]));
});

describe('by their rights', () => {
  const mayCall = (kind: CallerKind) => procedures.filter(([, { rights }]) => rights[kind] !== undefined);

  test('viewers may call no procedure that changes something, but for the one that signs their own browser in', () => {
    const changed = mayCall('viewer').filter(([, { kind }]) => kind === 'mutation');
    expect(changed.map(([name]) => name)).toEqual(['sessions.code']);
  });

  test('join tokens can only register agents, learn what they are, and sign a browser in', () => {
    expect(mayCall('join').map(([name]) => name)).toEqual(['whoami', 'registry.register', 'sessions.code']);
  });

  test('operators change neither policies nor tokens, and do not register', () => {
    const changed = mayCall('operator').flatMap(([name, { kind }]) => (kind === 'mutation' ? [name] : []));
    expect(changed.filter((name) => /^(?:policy|tokens)\.|\.register$/.test(name))).toEqual([]);
  });

  test('only administrators reach every namespace', () => {
    for (const [, { rights }] of procedures) {
      const { admin: _, ...others } = rights;
      expect(Object.values(others)).not.toContain('everywhere');
    }
  });
});
