// What an agent has in flight from consumer groups.
import { Link } from '@tanstack/react-router';
import type { SwarmClient } from '@hypercode/client';
import type { GroupInfo, OpenDelivery } from '@hypercode/contracts';
import { Countdown } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient, useOverview } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';

interface AgentDeliveriesProps {
  readonly name: string;
  readonly role: string;
}

/** Groups that are read, of those that the agent may take part in and that have something in flight. */
const MOST_GROUPS = 20;
const MOST = 100;

export function AgentDeliveries({ name, role }: AgentDeliveriesProps) {
  const client = useClient();
  const { overview } = useOverview();
  const groups = (overview?.groups ?? []).filter((group) => group.inFlight > 0 && mayBeIts(group, { name, role }));
  const names = groups.slice(0, MOST_GROUPS).map(({ group }) => group);
  const reading = useReading(`${name} ${names.join(' ')}`, (signal) => readHeld(client, names, name, signal));
  const held = reading.value ?? [];
  return (
    <Section
      title="Holds"
      note={
        <span className="inline-flex items-baseline gap-3">
          {reading.value !== null && held.length === 0 && 'no delivery of a group'}
          <ReadAt reading={reading} />
        </span>
      }
    >
      <Refused reading={reading} />
      <ul className="flex flex-col gap-1">
        {held.map(({ group, delivery: { deliveryId, position, topic, attempt, dueAt } }) => (
          <li key={deliveryId} className="flex flex-wrap gap-x-4">
            <Link to="/groups/$group" params={{ group }} className="font-medium hover:underline">
              {group}
            </Link>
            <Link to="/events" search={{ at: position }} className="font-mono text-[12px] hover:underline">
              {shown(topic)}
            </Link>
            <span className="text-faint">
              attempt {attempt}, due <Countdown until={dueAt} />
            </span>
          </li>
        ))}
      </ul>
      {groups.some(({ group }) => group !== name) && (
        <p className="text-faint">A shared group knows its consumers, and not always whose they are.</p>
      )}
      {groups.length > MOST_GROUPS && (
        <p className="text-faint">
          Only the first {MOST_GROUPS} of {groups.length} groups were searched.
        </p>
      )}
    </Section>
  );
}

/** By the default rules of policies: a group of its name, of its role, or that begins with the role; and one that it made. */
const mayBeIts = ({ group, madeBy }: GroupInfo, { name, role }: AgentDeliveriesProps): boolean =>
  group === name || group === role || group.startsWith(`${role}-`) || madeBy?.endsWith(`/${name}`) === true;

interface Held {
  readonly group: string;
  readonly delivery: OpenDelivery;
}

async function readHeld(
  client: SwarmClient,
  groups: readonly string[],
  name: string,
  signal: AbortSignal,
): Promise<Held[]> {
  const read = await Promise.all(groups.map((group) => client.groups.get({ group, limit: MOST }, { signal })));
  return read.flatMap(({ group: { group }, open }) =>
    open.flatMap((delivery) => (isOf(delivery, group, name) ? [{ group, delivery }] : [])),
  );
}

/** Everything in flight of its own group; of a shared one, what a consumer has that is called as the agent. */
const isOf = ({ state, consumer }: OpenDelivery, group: string, name: string): boolean =>
  state === 'in_flight' && (group === name || consumer === name);
