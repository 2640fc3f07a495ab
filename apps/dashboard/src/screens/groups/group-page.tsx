// One consumer group: its settings, where it stands, who works on what, what it has given up on, and what can be done with it.
import { Link, useParams } from '@tanstack/react-router';
import { Age, At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { countText, durationText } from '../../parts/duration.ts';
import { Code, Empty, Fact, Facts, ScreenHead, Section, Tag } from '../../parts/panel.tsx';
import { useClient, useOverview } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { DeadLetters } from './dead-letters.tsx';
import { GroupActs } from './group-acts.tsx';
import { GroupWork } from './group-work.tsx';

export function GroupPage() {
  const { group: name } = useParams({ from: '/groups/$group' });
  const { overview } = useOverview();
  const client = useClient();
  const work = useReading(name, (signal) => client.groups.get({ group: name }, { signal }));
  if (overview === null) return null;
  const info = overview.groups.find(({ group }) => group === name);
  const title = (
    <>
      <Link to="/groups" className="font-normal text-faint hover:text-ink">
        Groups
      </Link>
      <span className="px-1.5 font-normal text-faint">/</span>
      {shown(name)}
    </>
  );
  if (info === undefined) {
    return (
      <>
        <ScreenHead title={title} />
        <Empty title={`No group is called ${shown(name)}.`}>It may have been deleted.</Empty>
      </>
    );
  }
  const { settings, position, lag, oldestUnreadAt, inFlight, waiting, deadLetters, paused, ratePerSecond } = info;
  const { ownedBy, madeBy, madeAt } = info;
  return (
    <>
      <ScreenHead title={title} count={paused === null ? 'running' : <span className="text-warn">paused</span>}>
        <GroupActs info={info} onDone={work.again} />
      </ScreenHead>
      {paused !== null && (
        <p className="border-b border-line bg-warn-wash px-5 py-2.5 text-warn">
          Paused by {shown(paused.by)} at <At time={paused.at} />
          {paused.reason !== null && `: ${shown(paused.reason)}`}. It hands nothing out; deadlines and acknowledgements
          go on.
        </p>
      )}
      <div className="grid grid-cols-2 border-b border-line max-lg:grid-cols-1 [&>section]:border-b-0">
        <Section title="Where it stands">
          <Facts>
            <Fact name="Position">
              <Code>{position}</Code>
            </Fact>
            <Fact name="Unread events">
              {countText(lag)}
              {oldestUnreadAt !== null && (
                <span className="text-soft">
                  {' '}
                  · the oldest waits for <Age at={oldestUnreadAt} suffix="" />
                </span>
              )}
            </Fact>
            <Fact name="Acknowledged">{ratePerSecond.toFixed(ratePerSecond < 10 ? 1 : 0)} a second</Fact>
            <Fact name="In flight">{countText(inFlight)}</Fact>
            <Fact name="Wait for another attempt">{countText(waiting)}</Fact>
            <Fact name="Dead letters">{countText(deadLetters)}</Fact>
          </Facts>
        </Section>
        <Section title="Settings" note={`version ${settings.version}`}>
          <Facts>
            <Fact name="Topics">
              <span className="flex flex-wrap gap-1">
                {settings.topics.map((topic) => (
                  <Tag key={topic}>{topic}</Tag>
                ))}
              </span>
            </Fact>
            <Fact name="Deadline of a delivery">{durationText(settings.ackDeadlineMs)}</Fact>
            <Fact name="Most attempts">{settings.maxDeliveries}</Fact>
            {ownedBy !== null && <Fact name="Owned by">{ownedBy}</Fact>}
            {madeBy !== null && <Fact name="Made by">{shown(madeBy)}</Fact>}
            {madeAt !== null && (
              <Fact name="Made">
                <At time={madeAt} />
              </Fact>
            )}
          </Facts>
        </Section>
      </div>
      <DeadLetters info={info} />
      <GroupWork reading={work} />
    </>
  );
}
