// Registrations a second with 100 in flight, against etcd's puts and a raw multi-row INSERT of the same bytes.
import type { AgentRegistrationInput } from '@hypercode/contracts';
import type { AppRouter } from '@hypercode/server';
import { createTRPCClient, httpBatchLink } from '@trpc/client';
import { Client } from 'pg';
import { type EtcdClient, EtcdGateway, EtcdGrpc } from '../etcd.ts';
import type { Figure } from '../figures.ts';
import { Costs, type Meter } from '../measure/costs.ts';
import { median, medianRatio } from '../measure/percentiles.ts';
import { cpuSeconds, familyCpuSeconds } from '../measure/process-usage.ts';
import { type Contender, inFlight, interleave } from '../measure/rounds.ts';
import type { Rig } from '../rig.ts';
import { sampleAgent } from '../sample-agents.ts';
import type { Findings, Row } from './row.ts';

const IN_FLIGHT = 100;
/** Calls in one request: with two requests under way, the client encodes one while the store commits the other. */
const BATCH_ITEMS = 50;

export const registrations: Row = {
  name: 'registrations',
  title: `new agents a second, ${IN_FLIGHT} in flight, PostgreSQL with fsync`,
  measure,
};

async function measure(rig: Rig): Promise<Findings> {
  await using stack = new AsyncDisposableStack();
  const count = rig.size(10_000, 2000);
  const core = await rig.core(stack, { DATABASE_URL: await rig.database() });
  const register = registerThrough(core.url, core.joinToken);
  const insert = await plainTable(stack, await rig.database());
  const etcd = await rig.etcd();
  const postgresPid = await rig.postgresPid();
  const costs = new Costs();
  const metered = (name: string, servers: readonly Meter[], run: () => Promise<number>) =>
    costs.metered({ name, servers, count }, run);
  const ofPostgres = postgresPid === null ? [] : [() => familyCpuSeconds(postgresPid)];

  const contenders: Record<string, Contender<number>> = {
    core: (round) =>
      metered('core, PostgreSQL', [() => cpuSeconds(core.pid), ...ofPostgres], () =>
        perSecond(agentsOf(round, count), register),
      ),
    insert: (round) => {
      const groups = inGroups(agentsOf(round, count), IN_FLIGHT);
      return metered('INSERT: PostgreSQL', ofPostgres, async () => {
        return count / (await inFlight(1, groups.length, (index) => insert(groups[index] ?? [])));
      });
    },
  };
  if (etcd !== null) {
    const clients = { grpc: new EtcdGrpc(etcd.url), gateway: new EtcdGateway(etcd.url, IN_FLIGHT) };
    for (const [name, client] of Object.entries(clients)) {
      stack.defer(() => client.close());
      contenders[name] = (round) =>
        metered(`${name}: etcd`, [() => familyCpuSeconds(etcd.parentPid)], () =>
          perSecond(agentsOf(round, count), putTo(client, name)),
        );
    }
  }

  rig.say('  warming up');
  for (const contender of Object.values(contenders)) await contender(99);
  costs.clear();
  const rates = await interleave(contenders, rig.rounds);
  const { core: ours = [], insert: inserts = [], grpc, gateway } = rates;
  const figure = (name: string, reference: readonly number[], goal: Pick<Figure, 'goal'>): Figure => ({
    what: `registrations, ${IN_FLIGHT} in flight`,
    value: median(ours),
    unit: '/s',
    reference: { what: name, value: median(reference) },
    ratio: medianRatio(ours, reference),
    ...goal,
  });
  const figures = [figure('raw INSERT, 100 rows', inserts, {})];
  const bytes = Math.round(Buffer.byteLength(JSON.stringify(sampleAgent(1, count))));
  const notes = [
    `a registration is ${bytes} bytes, through @trpc/client's httpBatchLink (${BATCH_ITEMS} calls a request), each ` +
      'with a token of its own in the answer',
    `processor time for each one, in µs: ${costs.describe()}`,
  ];
  if (grpc !== undefined && gateway !== undefined) {
    const isGrpc = median(grpc) >= median(gateway);
    const name = `etcd puts (${isGrpc ? 'gRPC' : 'JSON gateway'})`;
    figures.unshift(figure(name, isGrpc ? grpc : gateway, { goal: { of: 'ratio', atLeast: 1 } }));
    notes.push(
      `etcd ${etcd?.version}: gRPC ${Math.round(median(grpc))}/s, JSON gateway ${Math.round(median(gateway))}/s; ` +
        'the faster one is the reference',
    );
  }
  return { figures, notes, rounds: rates };
}

/** New names in every round. */
const agentsOf = (round: number, count: number): AgentRegistrationInput[] =>
  Array.from({ length: count }, (_, index) => sampleAgent(index, count, `${round}-`));

async function perSecond(
  agents: readonly AgentRegistrationInput[],
  send: (agent: AgentRegistrationInput) => Promise<unknown>,
): Promise<number> {
  const seconds = await inFlight(IN_FLIGHT, agents.length, async (index) => {
    const agent = agents[index];
    if (agent !== undefined) await send(agent);
  });
  return agents.length / seconds;
}

function registerThrough(url: string, token: string) {
  const client = createTRPCClient<AppRouter>({
    links: [
      httpBatchLink({
        url: `${url}/trpc`,
        maxItems: BATCH_ITEMS,
        headers: { authorization: `Bearer ${token}` },
      }),
    ],
  });
  return async (agent: AgentRegistrationInput) => {
    const { outcome, token: own } = await client.registry.register.mutate(agent);
    if (outcome !== 'created' || own === undefined) throw new Error(`${agent.name} was ${outcome}`);
  };
}

const putTo = (client: EtcdClient, prefix: string) => (agent: AgentRegistrationInput) =>
  client.put(`${prefix}/${agent.name}`, Buffer.from(JSON.stringify(agent)));

/** A table that holds the same bytes under the same key, and nothing else: no log, no index terms, no tokens. */
async function plainTable(stack: AsyncDisposableStack, url: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  stack.defer(() => client.end());
  await client.query('create table plain (namespace text, name text, doc jsonb, primary key (namespace, name))');
  return async (agents: readonly AgentRegistrationInput[]) => {
    const rows = agents.map((_, index) => `('default', $${index * 2 + 1}, $${index * 2 + 2})`);
    const values = agents.flatMap((agent) => [agent.name, JSON.stringify(agent)]);
    await client.query(`insert into plain values ${rows.join(', ')}`, values);
  };
}

function inGroups<T>(list: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let from = 0; from < list.length; from += size) groups.push(list.slice(from, from + size));
  return groups;
}
