// `swarm context add|use|ls|rm`: cores with their tokens, in a file of mode 0600.
import { type Context, type Contexts, readContexts, writeContexts } from '../../connection/config-file.ts';
import { askToken, readToken } from '../../connection/token-input.ts';
import { printList } from '../../output/listing.ts';
import { green } from '../../output/parts.ts';
import { argument, command, flag } from '../../program/command.ts';
import { CommandContext } from '../../program/context.ts';
import { EXIT, Failure, refused, wrongUsage } from '../../program/exit-codes.ts';

export const contextAdd = command({
  path: ['context', 'add'],
  summary: 'Add a context: a core, and the token for it',
  details:
    'Add a context, or replace it, and choose it when it is the first. The token is asked for and not shown, or read from --token-file (- is stdin); ' +
    'it is never an argument. It is checked with the core first.',
  calls: [],
  args: { name: argument('What the context is called') },
  options: {
    use: flag('Choose it'),
    offline: flag('Do not check the token with the core'),
  },
  examples: [
    {
      run: 'swarm context add staging --url http://127.0.0.1:7700 --token-file admin.token --offline',
      does: 'A core, and the token in a file',
    },
  ],
  async run(context, { args, options }) {
    const { output, global, surroundings, env } = context;
    if (!/^[\w.-]{1,63}$/.test(args.name))
      throw wrongUsage('a context has a name of letters, digits, "-", "_" and "."');
    if (global.url === undefined) throw wrongUsage('the address of the core is missing: give --url');
    const url = global.url;
    if (!/^https?:\/\//.test(url) || !URL.canParse(url))
      throw wrongUsage(`--url ${url}: it must begin with http:// or https://`);
    const token =
      global.tokenFile === undefined ? await askToken(context, url) : await readToken(surroundings, global.tokenFile);
    const namespace = options.offline
      ? global.namespace
      : await namespaceOf({ url, token, namespace: global.namespace }, context);
    const before = await readContexts(env);
    const current = options.use || before.current === null ? args.name : before.current;
    const added: Context = { url, token, ...(namespace !== undefined && { namespace }) };
    await writeContexts(env, { current, contexts: { ...before.contexts, [args.name]: added } });
    if (output.json)
      return output.object({ name: args.name, url, namespace: namespace ?? null, chosen: current === args.name });
    output.line(
      `context ${args.name} is ${current === args.name ? 'added and chosen' : `added; swarm context use ${args.name} chooses it`}`,
    );
  },
});

/** The namespace of the token, when it has one and none was given. A wrong token is refused here, and not kept. */
async function namespaceOf(given: Context, { surroundings, global }: CommandContext): Promise<string | undefined> {
  const env = { ...surroundings.env, SWARM_URL: given.url, SWARM_TOKEN: given.token };
  const asking = new CommandContext({ ...surroundings, env }, { ...global, tokenFile: undefined, context: undefined });
  const me = await asking.whoami();
  if (given.namespace !== undefined && me.namespace !== null && me.namespace !== given.namespace) {
    throw new Failure(EXIT.denied, `the token belongs to the namespace ${me.namespace}, not to ${given.namespace}`);
  }
  return given.namespace ?? me.namespace ?? undefined;
}

/** The contexts, of which `name` must be one. */
async function contextsWith(context: CommandContext, name: string): Promise<Contexts> {
  const known = await readContexts(context.env);
  if (!Object.hasOwn(known.contexts, name))
    throw refused(`no context is called "${name}"`, 'swarm context ls lists them');
  return known;
}

export const contextUse = command({
  path: ['context', 'use'],
  summary: 'Choose the context that commands use',
  calls: [],
  args: { name: argument('Name of the context', 'context') },
  options: {},
  examples: [{ run: 'swarm context use staging', does: 'From now on, commands go to staging' }],
  async run(context, { args }) {
    const { output, env } = context;
    const known = await contextsWith(context, args.name);
    await writeContexts(env, { ...known, current: args.name });
    if (output.json) return output.object({ name: args.name });
    output.line(`commands use ${args.name} (${known.contexts[args.name]?.url ?? ''})`);
    if (env['SWARM_URL'] || env['SWARM_TOKEN'])
      output.note('SWARM_URL and SWARM_TOKEN are set, and come before the context');
  },
});

interface ListedContext {
  readonly name: string;
  readonly url: string;
  readonly namespace: string | null;
  readonly chosen: boolean;
}

export const contextLs = command({
  path: ['context', 'ls'],
  summary: 'List the contexts, without their tokens',
  calls: [],
  args: {},
  options: {},
  examples: [{ run: 'swarm context ls', does: 'Which cores are known here' }],
  async run(context) {
    const { current, contexts } = await readContexts(context.env);
    await printList<ListedContext>(context.output, {
      columns: [
        { title: '', value: ({ chosen }) => (chosen ? green('*') : '') },
        { title: 'name', value: ({ name }) => name },
        { title: 'url', value: ({ url }) => url },
        { title: 'namespace', value: ({ namespace }) => namespace ?? '-' },
      ],
      searched: 'contexts: swarm context add makes one',
      all: true,
      async page() {
        const rows = Object.entries(contexts).map(([name, { url, namespace }]) => ({
          name,
          url,
          namespace: namespace ?? null,
          chosen: name === current,
        }));
        return { rows, nextCursor: null };
      },
    });
  },
});

export const contextRm = command({
  path: ['context', 'rm'],
  summary: 'Forget a context and its token',
  calls: [],
  args: { name: argument('Name of the context', 'context') },
  options: {},
  examples: [{ run: 'swarm context rm staging --yes', does: 'Forget a core, without a question' }],
  async run(context, { args }) {
    const { current, contexts } = await contextsWith(context, args.name);
    await context.confirm(`Forget the context ${args.name} and its token?`);
    const { [args.name]: _, ...rest } = contexts;
    await writeContexts(context.env, { current: current === args.name ? null : current, contexts: rest });
    if (context.output.json) return context.output.object({ name: args.name });
    context.output.line(`forgot context ${args.name}`);
  },
});
