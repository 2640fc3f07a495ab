// Whether the tools are what their descriptions and docs/mcp.md say.
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { listedTool } from './tool-schema.ts';
import { tools } from './tools.ts';

const JOIN = {
  kind: 'join',
  id: 'j',
  name: 'join',
  namespace: 'default',
  roles: '*',
  names: null,
  limited: false,
} as const;
const ADMIN = { kind: 'admin', id: 'a', name: 'admin' } as const;
/** About a thousand tokens of a model for two tools. */
const MAX_DESCRIPTION = 600;

test('docs/mcp.md has each tool with its title, in their order', () => {
  const page = readFileSync(new URL('../../../../docs/mcp.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `([a-z_]+)` +\| ([^|]+?) +\|$/gm)].map(([, name, title]) => ({ name, title }));
  expect(rows).toEqual(tools.map(({ name, title }) => ({ name, title })));
});

describe.each(tools.map((tool) => [tool.name, tool] as const))('%s', (_name, tool) => {
  test('a tool says what it does in few words, with an example of its fields', () => {
    expect(tool.description.length).toBeLessThanOrEqual(MAX_DESCRIPTION);
    const [, example = ''] = /Example: (\{.*?\})(?: or .*)?\.$/.exec(tool.description) ?? [];
    const given = JSON.parse(example.replaceAll('…', '')) as object;
    expect(Object.keys(given).filter((field) => !Object.hasOwn(tool.input.shape, field))).toEqual([]);
  });

  test('the schema of a tool stands alone, and names an agent only where a token is no agent', () => {
    const joining = listedTool(tool, JOIN);
    expect(JSON.stringify(joining)).not.toContain('$ref');
    expect(joining.inputSchema.additionalProperties).toBe(false);
    expect(Object.hasOwn(listedTool(tool, ADMIN).inputSchema.properties ?? {}, 'as')).toBe(false);
    expect((joining.inputSchema.required ?? []).includes('as')).toBe(tool.withoutAgent !== true);
  });
});
