// What can be done with a consumer group: pause, resume, seek.
import type { GroupInfo, SeekTarget } from '@hypercode/contracts';
import { useId, useState } from 'react';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { counted } from '../../parts/duration.ts';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';

interface GroupActsProps {
  readonly info: GroupInfo;
  /** Something was done: what was read of the group is old. */
  readonly onDone: () => void;
}

export function GroupActs({ info, onDone }: GroupActsProps) {
  const { group, paused } = info;
  const client = useClient();
  const mayPause = useMay('groups.pause');
  const mayResume = useMay('groups.resume');
  const maySeek = useMay('groups.seek');
  return (
    <>
      {mayPause && paused === null && (
        <ConfirmAct
          verb="Pause"
          title={`Pause ${group}`}
          cli={['groups', 'pause', group]}
          asksReason
          act={(reason) => client.groups.pause({ group, reason })}
          onDone={onDone}
        >
          The group hands out nothing until it is resumed. Members stay, and what they have goes on: deadlines pass and
          acknowledgements count. Unread events wait in the log.
        </ConfirmAct>
      )}
      {mayResume && paused !== null && (
        <ConfirmAct
          verb="Resume"
          title={`Resume ${group}`}
          cli={['groups', 'resume', group]}
          asksReason
          act={(reason) => client.groups.resume({ group, reason })}
          onDone={onDone}
        >
          The group hands out events again, from where it stands: {counted(info.lag, 'unread event')}.
        </ConfirmAct>
      )}
      {maySeek && <SeekAct info={info} onDone={onDone} />}
    </>
  );
}

type Place = 'latest' | 'earliest' | 'time';

const PLACES: Readonly<Record<Place, string>> = {
  latest: 'the end of the log',
  earliest: 'the oldest event that is kept',
  time: 'a time',
};

function SeekAct({ info: { group, lag, inFlight, waiting }, onDone }: GroupActsProps) {
  const client = useClient();
  const [place, setPlace] = useState<Place>('latest');
  const [time, setTime] = useState('');
  const [dropsOpen, setDropsOpen] = useState(false);
  const field = useId();
  const date = new Date(time);
  const at = Number.isNaN(date.getTime()) ? null : date.toISOString();
  const to: SeekTarget | null = place !== 'time' ? place : at === null ? null : { time: at };
  const written = place === 'time' ? (at ?? 'TIME') : place;
  const open = inFlight + waiting;
  return (
    <ConfirmAct
      verb="Seek"
      title={`Move ${group} to another place in the log`}
      cli={['groups', 'seek', group, '--to', written, ...(dropsOpen ? ['--drop-open'] : [])]}
      isDangerous
      act={async () => {
        if (to === null) throw new RangeError('a time is needed');
        await client.groups.seek({ group, to, dropOpen: dropsOpen });
      }}
      onDone={onDone}
    >
      <fieldset className="flex flex-col gap-1.5">
        <legend className="mb-1 text-faint">Go on from</legend>
        {(Object.keys(PLACES) as Place[]).map((one) => (
          <label key={one} className="flex items-center gap-2">
            <input type="radio" name={field} checked={place === one} onChange={() => setPlace(one)} />
            {PLACES[one]}
          </label>
        ))}
        {place === 'time' && (
          <input
            type="datetime-local"
            aria-label="Time"
            step={1}
            required
            value={time}
            onChange={(event) => setTime(event.target.value)}
            className="h-8 w-max rounded border border-strong-line/50 bg-sheet px-2"
          />
        )}
      </fieldset>
      <p className="mt-3">{effectOf(place, lag)}</p>
      {open > 0 && (
        <label className="mt-2 flex items-start gap-2">
          <input
            type="checkbox"
            className="mt-1"
            checked={dropsOpen}
            onChange={(event) => setDropsOpen(event.target.checked)}
          />
          <span>
            Release {counted(open, 'open delivery', 'open deliveries')} first. Their acknowledgements then count for
            nothing. Otherwise they stay with their members.
          </span>
        </label>
      )}
    </ConfirmAct>
  );
}

function effectOf(place: Place, lag: number): string {
  switch (place) {
    case 'latest':
      return `${counted(lag, 'unread event is', 'unread events are')} passed over. No member receives them. Dead letters stay.`;
    case 'earliest':
      return 'Every event that the log keeps for these topics is handed out again, also those that were acknowledged.';
    case 'time':
      return 'Events from that time on are handed out again, also those that were acknowledged; later ones that are unread before it are passed over.';
  }
}
