// What of a group can be changed for good: its settings, and its deletion.
import { useNavigate } from '@tanstack/react-router';
import type { GroupInfo } from '@hypercode/contracts';
import { useState } from 'react';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { counted } from '../../parts/duration.ts';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';

interface GroupSettingsProps {
  readonly info: GroupInfo;
  readonly onDone: () => void;
}

const FIELD = 'rounded border border-strong-line/50 bg-sheet px-2 py-1';

export function UpdateAct({ info, onDone }: GroupSettingsProps) {
  const { group, settings } = info;
  const client = useClient();
  const [topics, setTopics] = useState(() => settings.topics.join('\n'));
  const [seconds, setSeconds] = useState(() => String(settings.ackDeadlineMs / 1000));
  const [attempts, setAttempts] = useState(() => String(settings.maxDeliveries));
  if (!useMay('groups.update')) return null;
  const patterns = topics.split(/\s+/).filter((pattern) => pattern !== '');
  const ackDeadlineMs = Math.round(Number(seconds) * 1000);
  const maxDeliveries = Number(attempts);
  const set = {
    ...(patterns.join(' ') === settings.topics.join(' ') ? {} : { topics: patterns }),
    ...(ackDeadlineMs === settings.ackDeadlineMs ? {} : { ackDeadlineMs }),
    ...(maxDeliveries === settings.maxDeliveries ? {} : { maxDeliveries }),
  };
  const cli = [
    ...(set.topics === undefined ? [] : set.topics.flatMap((pattern) => ['--topics', pattern])),
    ...(set.ackDeadlineMs === undefined ? [] : ['--ack-deadline', `${set.ackDeadlineMs}ms`]),
    ...(set.maxDeliveries === undefined ? [] : ['--max-deliveries', String(set.maxDeliveries)]),
  ];
  return (
    <ConfirmAct
      verb="Settings"
      title={`Change the settings of ${group}`}
      cli={['groups', 'update', group, ...cli]}
      act={() => client.groups.update({ group, set })}
      onDone={onDone}
    >
      <div className="flex flex-col gap-3">
        <label className="flex flex-col gap-1">
          <span className="text-faint">Topics, one a line</span>
          <textarea
            className={`${FIELD} min-h-20 font-mono text-[12px]`}
            value={topics}
            spellCheck={false}
            onChange={(event) => setTopics(event.target.value)}
          />
        </label>
        <div className="flex gap-4">
          <label className="flex flex-1 flex-col gap-1">
            <span className="text-faint">Deadline of a delivery, in seconds</span>
            <input
              className={FIELD}
              type="number"
              min={0.1}
              max={86_400}
              step="any"
              required
              value={seconds}
              onChange={(event) => setSeconds(event.target.value)}
            />
          </label>
          <label className="flex flex-1 flex-col gap-1">
            <span className="text-faint">Most attempts</span>
            <input
              className={FIELD}
              type="number"
              min={1}
              max={1000}
              required
              value={attempts}
              onChange={(event) => setAttempts(event.target.value)}
            />
          </label>
        </div>
        <p>
          What is handed out from now on follows them. Deliveries that are open keep their deadlines. Events of a new
          topic before the position of the group are not read: seek back for those.
        </p>
      </div>
    </ConfirmAct>
  );
}

export function DeleteAct({ info }: Pick<GroupSettingsProps, 'info'>) {
  const { group, inFlight, waiting, deadLetters, lag } = info;
  const client = useClient();
  const navigate = useNavigate();
  if (!useMay('groups.delete')) return null;
  return (
    <ConfirmAct
      verb="Delete"
      title={`Delete ${group}`}
      cli={['groups', 'rm', group]}
      asksReason
      isDangerous
      act={(reason) => client.groups.delete({ group, reason })}
      onDone={() => void navigate({ to: '/groups' })}
    >
      The group is removed with its position, {counted(inFlight + waiting, 'open delivery', 'open deliveries')} and{' '}
      {counted(deadLetters, 'dead letter')}; {counted(lag, 'event')} after its position {lag === 1 ? 'stays' : 'stay'}{' '}
      unread. The log keeps all events. Members that are connected end, and do not make it again.
    </ConfirmAct>
  );
}
