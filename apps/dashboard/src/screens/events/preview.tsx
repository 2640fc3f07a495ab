// Who would receive an event on a topic. Asking publishes nothing.
import { Topic } from '@hypercode/contracts';
import { useEffect, useState } from 'react';
import { systemClock } from '@hypercode/clock';
import { shown } from '../../parts/agent-words.ts';
import { counted } from '../../parts/duration.ts';
import { Tag } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';

/** How long a person pauses before the core is asked, in milliseconds. */
const TYPING_MS = 250;

export function Preview({ topic }: { readonly topic: string }) {
  const [asked, setAsked] = useState(topic);
  useEffect(() => systemClock.schedule(TYPING_MS, () => setAsked(topic)), [topic]);
  if (topic === '') return null;
  if (!Topic.safeParse(topic).success)
    return <p className="text-warn">A topic is words of letters, digits, - and _, joined by dots.</p>;
  return asked === topic ? <Answer topic={topic} /> : <p className="text-faint">…</p>;
}

function Answer({ topic }: { readonly topic: string }) {
  const client = useClient();
  const reading = useReading(topic, (signal) => client.bus.preview({ topic }, { signal }));
  const { value } = reading;
  if (value === null) return <Refused reading={reading} />;
  const { allowed, because, groups, otherGroups, streams, silent, similar } = value;
  const isHeard = groups.length + otherGroups + streams > 0;
  return (
    <section
      aria-label="Preview"
      className={`flex flex-col gap-1.5 rounded border px-3 py-2 ${allowed && isHeard ? 'border-line bg-ground/60' : 'border-warn/50 bg-warn-wash'}`}
    >
      <p className={allowed ? '' : 'text-bad'}>{shown(because)}</p>
      {groups.length > 0 && (
        <p className="flex flex-wrap items-baseline gap-1">
          <span className="text-faint">Groups</span>
          {groups.slice(0, 20).map((group) => (
            <Tag key={group}>{group}</Tag>
          ))}
          {groups.length > 20 && <span className="text-faint">and {groups.length - 20} more</span>}
        </p>
      )}
      {streams > 0 && <p className="text-soft">{counted(streams, 'live stream')}</p>}
      {silent.length > 0 && (
        <p className="text-soft">Declare the topic, and do not listen: {silent.slice(0, 10).map(shown).join(', ')}</p>
      )}
      {similar.length > 0 && <p className="text-soft">Similar topics in use: {similar.join(', ')}</p>}
    </section>
  );
}
