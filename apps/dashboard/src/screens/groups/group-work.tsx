// Who takes part in a group, and what they have under way. Read when the screen opens.
import { Link } from '@tanstack/react-router';
import type { GetGroupResult, GroupMember, OpenDelivery } from '@hypercode/contracts';
import { Age, Countdown } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { countText, counted } from '../../parts/duration.ts';
import { Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import type { Reading } from '../../swarm/use-reading.ts';

export function GroupWork({ reading }: { readonly reading: Reading<GetGroupResult> }) {
  const { value } = reading;
  return (
    <>
      <Refused reading={reading} />
      {value !== null && (
        <>
          <Section title="Members" note={<Note text={memberNote(value.members)} reading={reading} />}>
            {value.members.length > 0 && <Members members={value.members} open={value.open} />}
          </Section>
          <Section title="Open deliveries" note={openNote(value)}>
            {value.open.length > 0 && <Deliveries deliveries={value.open} />}
          </Section>
        </>
      )}
    </>
  );
}

const memberNote = ({ length }: readonly GroupMember[]): string =>
  length === 0 ? 'no member shows signs of life' : counted(length, 'member');
const openNote = ({ open, nextCursor }: GetGroupResult): string =>
  open.length === 0
    ? 'nothing is under way'
    : nextCursor === null
      ? countText(open.length)
      : `the first ${open.length}`;

const Note = ({ text, reading }: { readonly text: string; readonly reading: Reading<unknown> }) => (
  <span className="inline-flex items-baseline gap-3">
    {text}
    <ReadAt reading={reading} />
  </span>
);

interface MembersProps {
  readonly members: readonly GroupMember[];
  readonly open: readonly OpenDelivery[];
}

const HEAD = 'pb-1 pr-6 text-left text-[12px] font-normal text-faint';
const CELL = 'py-1 pr-6 align-top';

function Members({ members, open }: MembersProps) {
  return (
    <table className="w-full max-w-5xl border-collapse">
      <thead>
        <tr className="border-b border-line">
          <th className={HEAD}>Consumer</th>
          <th className={`${HEAD} text-right`}>In flight</th>
          <th className={HEAD}>Holds</th>
          <th className={HEAD}>Last sign of life</th>
          <th className={HEAD}>State</th>
        </tr>
      </thead>
      <tbody>
        {members.map(({ consumer, inFlight, lastSignAt, passedOver }) => (
          <tr key={consumer} className="border-b border-line/60 last:border-b-0">
            <td className={`${CELL} font-medium break-all`}>{shown(consumer)}</td>
            <td className={`${CELL} text-right`}>{countText(inFlight)}</td>
            <td className={CELL}>
              <Holds open={open.filter((one) => one.state === 'in_flight' && one.consumer === consumer)} />
            </td>
            <td className={CELL}>
              <Age at={lastSignAt} />
            </td>
            <td className={CELL}>
              {passedOver ? (
                <span className="text-warn" title="It let the deadlines of everything pass that it had.">
                  passed over until it acts
                </span>
              ) : (
                <span className="text-soft">takes part</span>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const SHOWN_OF_MEMBER = 3;

/** The deliveries of one member, those that are due first. */
function Holds({ open }: { readonly open: readonly OpenDelivery[] }) {
  const left = open.length - SHOWN_OF_MEMBER;
  return (
    <ul>
      {open.slice(0, SHOWN_OF_MEMBER).map(({ deliveryId, position, topic, dueAt }) => (
        <li key={deliveryId} className="flex gap-2">
          <PositionLink position={position}>{shown(topic)}</PositionLink>
          <span className="text-faint">
            due <Countdown until={dueAt} />
          </span>
        </li>
      ))}
      {left > 0 && <li className="text-faint">and {countText(left)} more</li>}
    </ul>
  );
}

const PositionLink = ({ position, children }: { readonly position: string; readonly children: string }) => (
  <Link to="/events" search={{ at: position }} className="font-mono text-[12px] break-all hover:underline">
    {children}
  </Link>
);

function Deliveries({ deliveries }: { readonly deliveries: readonly OpenDelivery[] }) {
  return (
    <table className="w-full border-collapse">
      <thead>
        <tr className="border-b border-line">
          <th className={HEAD}>Topic</th>
          <th className={HEAD}>Position</th>
          <th className={HEAD}>State</th>
          <th className={`${HEAD} text-right`}>Attempt</th>
          <th className={HEAD}>Consumer</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map(({ deliveryId, position, topic, state, attempt, consumer, dueAt }) => (
          <tr key={deliveryId} className="border-b border-line/60 last:border-b-0">
            <td className={`${CELL} font-mono text-[12px] break-all`}>{shown(topic)}</td>
            <td className={CELL}>
              <PositionLink position={position}>{position}</PositionLink>
            </td>
            <td className={CELL}>
              {state === 'in_flight' ? 'in flight, deadline' : 'waits, due'} <Countdown until={dueAt} />
            </td>
            <td className={`${CELL} text-right`}>{attempt === 0 ? '–' : attempt}</td>
            <td className={`${CELL} break-all`}>{consumer === null ? '–' : shown(consumer)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
