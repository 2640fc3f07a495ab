// `swarm tokens create|ls|revoke`: tokens for agents that join, viewers, operators and admins.
import type { TokenInfo } from '@hypercode/contracts';
import { writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { printList } from '../../output/listing.ts';
import { showAgo } from '../../output/times.ts';
import { argument, command, duration, integer, list, text } from '../../program/command.ts';
import { refused, wrongUsage } from '../../program/exit-codes.ts';

const KINDS = ['join', 'viewer', 'operator', 'admin'] as const;

export const tokensCreate = command({
  path: ['tokens', 'create'],
  summary: 'Create a token',
  details:
    'Create a token, and print it, or write it to --token-out (mode 0600). It is shown only once. Needs an admin token.',
  calls: ['tokens.create'],
  args: {
    kind: { ...argument('What the token is for'), choices: KINDS },
    name: argument('What it is called in lists and logs'),
  },
  options: {
    role: list('ROLE', 'Join tokens: a role that it may register (default: every role)'),
    agentName: list('PATTERN', 'Join tokens: names that it may register, such as ci-*'),
    expiresIn: duration('How long it lives (default: until it is revoked)'),
    maxUses: integer('Join tokens: how many registrations it is good for'),
    tokenOut: text('FILE', 'Where to write the token', { completes: 'file' }),
  },
  examples: [
    { run: 'swarm tokens create viewer wall-screen', does: 'A token that reads, on stdout' },
    {
      run: 'swarm tokens create join ci --role worker --agent-name "ci-*" --expires-in 1h --token-out ci.token',
      does: 'Agents of one kind, for an hour',
    },
  ],
  async run(context, { args, options }) {
    const { output, surroundings } = context;
    const client = await context.client();
    const created = await client.tokens.create({
      kind: args.kind as (typeof KINDS)[number],
      name: args.name,
      ...(options.role.length > 0 && { roles: [...options.role] }),
      ...(options.agentName.length > 0 && { names: [...options.agentName] }),
      ...(options.expiresIn !== undefined && { expiresInMs: options.expiresIn }),
      ...(options.maxUses !== undefined && { maxUses: options.maxUses }),
    });
    if (options.tokenOut !== undefined) {
      await writeFile(resolve(surroundings.cwd, options.tokenOut), `${created.token}\n`, { mode: 0o600 });
      output.note(`token ${args.name} (${created.id}) is in ${options.tokenOut}`);
    } else if (output.json) output.object(created);
    else output.line(created.token);
  },
});

export const tokensLs = command({
  path: ['tokens', 'ls'],
  summary: 'List the tokens, without their secrets',
  calls: ['tokens.list'],
  args: {},
  options: {},
  examples: [{ run: 'swarm tokens ls', does: 'Which tokens there are, and when they were last used' }],
  async run(context) {
    const { output, clock } = context;
    const client = await context.client();
    const nowMs = clock.epochMs();
    await printList<TokenInfo>(output, {
      columns: [
        { title: 'name', value: ({ name }) => name },
        { title: 'kind', value: ({ kind }) => kind },
        { title: 'id', value: ({ id }) => id },
        { title: 'expires', value: ({ expiresAt }) => (expiresAt === null ? 'never' : showAgo(expiresAt, nowMs)) },
        { title: 'last used', value: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : showAgo(lastUsedAt, nowMs)) },
        {
          title: 'uses',
          value: ({ uses, maxUses }) => `${uses}${maxUses === null ? '' : `/${maxUses}`}`,
          optional: true,
        },
        { title: 'roles', value: ({ roles }) => (roles === null ? '-' : [roles].flat().join(' ')), optional: true },
      ],
      searched: `created tokens in the namespace ${await context.namespace()}`,
      all: true,
      page: async () => ({ rows: (await client.tokens.list({})).tokens, nextCursor: null }),
    });
  },
});

export const tokensRevoke = command({
  path: ['tokens', 'revoke'],
  summary: 'Revoke a token',
  details: 'Revoke a token. It stops working on every replica within a second.',
  calls: ['tokens.revoke'],
  args: { token: argument('Id of the token, the beginning of it, or its name') },
  options: {},
  examples: [{ run: 'swarm tokens revoke wall-screen --yes', does: 'End a token by its name, without a question' }],
  async run(context, { args }) {
    const { output } = context;
    const client = await context.client();
    const { tokens } = await client.tokens.list({});
    const named = tokens.filter(({ name }) => name === args.token);
    const found = named.length > 0 ? named : tokens.filter(({ id }) => id.startsWith(args.token.toLowerCase()));
    const [token, ...others] = found;
    if (token === undefined)
      throw refused(`no token has the id or the name "${args.token}"`, 'swarm tokens ls lists them');
    if (others.length > 0) {
      throw wrongUsage(`"${args.token}" stands for ${found.length} tokens: ${found.map(({ id }) => id).join(', ')}`);
    }
    await context.confirm(`Revoke the ${token.kind} token "${token.name}" (${token.id})?`);
    await client.tokens.revoke({ id: token.id });
    if (output.json) return output.object({ id: token.id });
    output.line(`revoked ${token.kind} token "${token.name}" (${token.id})`);
  },
});
