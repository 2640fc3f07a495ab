// With whom an agent really talked in the last hour, and how much.
import { Link } from '@tanstack/react-router';
import { useMemo } from 'react';
import { countText } from '../../parts/duration.ts';
import { Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { PartyLink } from '../map/party.tsx';
import { type Party, type Talk, talksOf } from '../map/talks.ts';

const SHOWN = 8;

export function AgentTraffic({ name }: { readonly name: string }) {
  const client = useClient();
  const traffic = useReading(name, (signal) => client.stats.traffic({}, { signal }));
  const { sent, received } = useMemo(() => {
    const key = `agent:${name}`;
    const { talks } = talksOf(traffic.value?.edges ?? []);
    return { sent: talks.filter(({ from }) => from.key === key), received: talks.filter(({ to }) => to.key === key) };
  }, [traffic.value, name]);
  return (
    <Section title="Traffic of the last hour" note={<ReadAt reading={traffic} />}>
      <Refused reading={traffic} />
      {traffic.value !== null && (
        <div className="grid grid-cols-2 gap-8 max-lg:grid-cols-1">
          <List title="Sent to" talks={sent} sideOf={({ to }) => to} none="Nobody received an event of it." />
          <List
            title="Received from"
            talks={received}
            sideOf={({ from }) => from}
            none="Its streams received nothing. What it takes from groups counts for the groups."
          />
        </div>
      )}
      {sent.length + received.length > 0 && (
        <Link to="/map" search={{ text: name }} className="mt-2 inline-block text-accent hover:underline">
          On the map
        </Link>
      )}
    </Section>
  );
}

interface ListProps {
  readonly title: string;
  readonly talks: readonly Talk[];
  readonly sideOf: (talk: Talk) => Party;
  readonly none: string;
}

function List({ title, talks, sideOf, none }: ListProps) {
  const left = talks.length - SHOWN;
  return (
    <div>
      <h3 className="mb-1 text-faint">{title}</h3>
      {talks.length === 0 && <p className="text-faint">{none}</p>}
      <ul className="flex flex-col gap-0.5">
        {talks.slice(0, SHOWN).map((talk) => (
          <li key={talk.key} className="grid grid-cols-[minmax(8rem,14rem)_4rem_1fr] gap-3">
            <PartyLink party={sideOf(talk)} />
            <span className="text-right">{countText(talk.count)}</span>
            <span className="truncate font-mono text-[12px] text-faint">
              {talk.topics.map(({ topic }) => topic).join(', ')}
            </span>
          </li>
        ))}
      </ul>
      {left > 0 && <p className="text-faint">and {countText(left)} more</p>}
    </div>
  );
}
