// What a group would be handed after a seek: counted in the log, which changes nothing.
import type { SwarmClient } from '@hypercode/client';
import type { GroupInfo, LoggedEvent, SeekTarget } from '@hypercode/contracts';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { countText, counted } from '../../parts/duration.ts';
import { Code } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';

interface SeekPreviewProps {
  readonly info: GroupInfo;
  /** Null: none that could be understood. */
  readonly to: SeekTarget | null;
}

const PAGE = 500;
const MOST_PAGES = 4;

export function SeekPreview({ info, to }: SeekPreviewProps) {
  const { lag } = info;
  if (to === 'latest')
    return (
      <p>
        {counted(lag, 'unread event is', 'unread events are')} passed over. No member receives them. Dead letters stay.
      </p>
    );
  return to === null ? null : <Counted info={info} to={to} />;
}

function Counted({ info, to }: { readonly info: GroupInfo; readonly to: Exclude<SeekTarget, 'latest'> }) {
  const { group, settings } = info;
  const client = useClient();
  const reading = useReading(`${group} ${JSON.stringify(to)}`, (signal) => count(client, settings.topics, to, signal));
  const { value } = reading;
  if (reading.error !== null) return <Refused reading={reading} />;
  if (value === null) return <p className="text-faint">Counting the events…</p>;
  const { events, first, isCut } = value;
  return (
    <div className="flex flex-col gap-1">
      <p>
        {isCut ? `More than ${countText(events)} events are` : counted(events, 'event is', 'events are')} handed out
        from there on, also those that were acknowledged. Unread events before that place are passed over.
      </p>
      {first !== null && (
        <p className="text-faint">
          The first is <Code>{shown(first.event.topic)}</Code> of <At time={first.event.time} />.
        </p>
      )}
    </div>
  );
}

interface Count {
  readonly events: number;
  readonly first: LoggedEvent | null;
  readonly isCut: boolean;
}

async function count(
  client: SwarmClient,
  topics: readonly string[],
  to: Exclude<SeekTarget, 'latest'>,
  signal: AbortSignal,
): Promise<Count> {
  const from = to === 'earliest' ? {} : 'after' in to ? { after: to.after } : { since: to.time };
  let events = 0;
  let first: LoggedEvent | null = null;
  let after: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const place = after === undefined ? from : { after };
    const read = await client.bus.read({ topics: [...topics], order: 'oldest', limit: PAGE, ...place }, { signal });
    events += read.events.length;
    first ??= read.events[0] ?? null;
    if (read.end) return { events, first, isCut: false };
    after = read.next;
  }
  return { events, first, isCut: true };
}
