// What can be done with a consumer group: pause, resume, seek, settings, deletion.
import { type GroupInfo, type SeekTarget, SwarmError } from '@hypercode/contracts';
import { useId, useState } from 'react';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { counted } from '../../parts/duration.ts';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { DeleteAct, UpdateAct } from './group-settings.tsx';
import { SeekPreview } from './seek-preview.tsx';

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
      <UpdateAct key={info.settings.version} info={info} onDone={onDone} />
      <DeleteAct info={info} />
    </>
  );
}

type Place = 'latest' | 'earliest' | 'time' | 'after';

const PLACES: Readonly<Record<Place, string>> = {
  latest: 'the end of the log',
  earliest: 'the oldest event that is kept',
  time: 'a time',
  after: 'the event after a position',
};

function SeekAct({ info, onDone }: GroupActsProps) {
  const { group, inFlight, waiting } = info;
  const client = useClient();
  const [place, setPlace] = useState<Place>('latest');
  const [time, setTime] = useState('');
  const [position, setPosition] = useState('');
  const [dropsOpen, setDropsOpen] = useState(false);
  const field = useId();
  const to = targetOf(place, time, position.trim());
  const written = to === null ? '…' : typeof to === 'string' ? to : 'after' in to ? to.after : to.time;
  const open = inFlight + waiting;
  return (
    <ConfirmAct
      verb="Seek"
      title={`Move ${group} to another place in the log`}
      cli={['groups', 'seek', group, written, ...(dropsOpen ? ['--drop-open'] : [])]}
      isDangerous
      act={async () => {
        if (to === null) throw new SwarmError('INVALID_INPUT', 'A time or a position is needed.');
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
        {place === 'after' && (
          <input
            aria-label="Position"
            required
            value={position}
            maxLength={512}
            onChange={(event) => setPosition(event.target.value)}
            className="h-8 rounded border border-strong-line/50 bg-sheet px-2 font-mono text-[12px]"
          />
        )}
      </fieldset>
      <div className="mt-3">
        <SeekPreview info={info} to={to} />
      </div>
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

/** Null while a field says nothing that could be meant. */
function targetOf(place: Place, time: string, position: string): SeekTarget | null {
  if (place === 'after') return position === '' ? null : { after: position };
  if (place !== 'time') return place;
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? null : { time: date.toISOString() };
}
