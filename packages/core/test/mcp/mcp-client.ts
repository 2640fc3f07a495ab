// The official client of MCP, of either era, on a core of a test.
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, onTestFinished } from 'vitest';
import type { TestCore } from '../../testing/core.ts';

/** The protocols that are served. */
export const ERAS = ['2026-07-28', '2025-11-25'] as const;
export type Era = (typeof ERAS)[number];

export interface Answered {
  readonly text: string;
  readonly isError: boolean;
  // oxlint-disable-next-line typescript/no-explicit-any -- any JSON: the tests compare its fields
  readonly data: any;
}

export interface McpClient {
  readonly client: Client;
  readonly call: (name: string, args?: Record<string, unknown>, signal?: AbortSignal) => Promise<Answered>;
  readonly names: () => Promise<string[]>;
}

/** A client that is connected until the test has finished. */
export async function connectMcp(
  core: Pick<TestCore, 'url'>,
  token: string,
  { era = '2026-07-28', path = '/mcp' }: { readonly era?: Era; readonly path?: string } = {},
): Promise<McpClient> {
  const client = new Client(
    { name: 'test', version: '1.0.0' },
    { versionNegotiation: { mode: era === '2026-07-28' ? { pin: era } : 'legacy' } },
  );
  const transport = new StreamableHTTPClientTransport(new URL(path, core.url), {
    requestInit: { headers: { authorization: `Bearer ${token}`, connection: 'close' } },
  });
  await client.connect(transport);
  onTestFinished(() => client.close());
  expect(client.getNegotiatedProtocolVersion()).toBe(era);
  return {
    client,
    call: async (name, args = {}, signal) => {
      const result = await client.callTool({ name, arguments: args }, signal === undefined ? {} : { signal });
      const [first, copy] = result.content;
      // For clients that give a model the text alone. Refusals have none: no text of an error has words of agents.
      const expected =
        result.isError === true ? undefined : { type: 'text', text: JSON.stringify(result.structuredContent) };
      expect(copy).toEqual(expected);
      return {
        text: first?.type === 'text' ? first.text : '',
        isError: result.isError === true,
        data: result.structuredContent,
      };
    },
    names: async () => (await client.listTools()).tools.map(({ name }) => name),
  };
}
