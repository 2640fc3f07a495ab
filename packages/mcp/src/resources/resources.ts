// Resources: what a client may show beside a conversation. Each is a read that the caller may make, as JSON.
import { SwarmError } from '@hypercode/contracts';
import { callProcedure } from '@hypercode/server';
import { fitAnswer } from '../answers/fit-answer.ts';
import type { ToolCall } from '../tools/tool.ts';

const MIME_TYPE = 'application/json';

interface ResourceKind {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  /** After `swarm://{namespace}`. */
  readonly path: string;
  readonly matches: RegExp;
  readonly read: (call: ToolCall, id: string) => Promise<unknown>;
}

const KINDS: readonly ResourceKind[] = [
  {
    name: 'agents',
    title: 'Agents',
    description: 'The agents of the namespace, the first 100 by name.',
    path: '/agents',
    matches: /^\/agents$/,
    read: ({ call, namespace }) => callProcedure('registry.query', call, { namespace, view: 'summary', limit: 100 }),
  },
  {
    name: 'agent',
    title: 'An agent',
    description: 'One agent with all that it declares.',
    path: '/agents/{name}',
    matches: /^\/agents\/([^/]+)$/,
    read: ({ call, namespace }, name) => callProcedure('registry.get', call, { namespace, name }),
  },
  {
    name: 'topics',
    title: 'Topics',
    description: 'The topics of the log with their counts, the first 100 by name.',
    path: '/topics',
    matches: /^\/topics$/,
    read: ({ call, namespace }) => callProcedure('bus.topics', call, { namespace, limit: 100 }),
  },
  {
    name: 'plan',
    title: 'A plan',
    description: 'One plan with its tasks, attempts and outputs.',
    path: '/plans/{id}',
    matches: /^\/plans\/([^/]+)$/,
    read: ({ call, namespace }, planId) => callProcedure('plans.get', call, { namespace, planId }),
  },
];

/** Those without a variable, for a namespace. */
export const listedResources = (namespace: string) =>
  KINDS.filter(({ path }) => !path.includes('{')).map(({ name, title, description, path }) => ({
    uri: `swarm://${namespace}${path}`,
    name,
    title,
    description,
    mimeType: MIME_TYPE,
  }));

export const resourceTemplates = KINDS.filter(({ path }) => path.includes('{')).map(
  ({ name, title, description, path }) => ({
    uriTemplate: `swarm://{namespace}${path}`,
    name,
    title,
    description,
    mimeType: MIME_TYPE,
  }),
);

/** The namespace that the address of a resource names; null when it is none of ours. */
export function namespaceOf(uri: string): string | null {
  return /^swarm:\/\/([a-z0-9-]{1,63})\//.exec(uri)?.[1] ?? null;
}

/** NOT_FOUND, FORBIDDEN. */
export async function readResource(call: ToolCall, uri: string) {
  const path = uri.slice(`swarm://${call.namespace}`.length);
  for (const { matches, read } of KINDS) {
    const found = matches.exec(path);
    if (found === null) continue;
    const { value, cut } = fitAnswer(await read(call, decoded(found[1] ?? '')));
    return [
      {
        uri,
        mimeType: MIME_TYPE,
        text: JSON.stringify(cut.length === 0 ? { untrusted: value } : { untrusted: value, cut }),
      },
    ];
  }
  throw new SwarmError('NOT_FOUND', 'there is no such resource');
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new SwarmError('NOT_FOUND', 'there is no such resource');
  }
}
