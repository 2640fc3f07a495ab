// One agent: its state, what it declares, what it holds, how it changed, and what can be done with it.
import { Link, useNavigate, useParams } from '@tanstack/react-router';
import type { Agent, AgentSummary } from '@hypercode/client';
import { useMemo } from 'react';
import { Age, At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { counted, durationText } from '../../parts/duration.ts';
import { ActivityMark, CircuitMark, HealthMark } from '../../parts/marks.tsx';
import { Code, Empty, Fact, Facts, ScreenHead, Section, Tag } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useAgents, useClient, useMay, usePlans } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { AgentDeliveries } from './agent-deliveries.tsx';
import { AgentHistory } from './agent-history.tsx';
import { AgentTraffic } from './agent-traffic.tsx';
import { MayIt } from './may-it.tsx';
import { TryCapability } from './try-capability.tsx';

export function AgentPage() {
  const { name } = useParams({ from: '/agents/$name' });
  const { agents, feed } = useAgents();
  const agent = useMemo(() => agents.find((one) => one.name === name), [agents, name]);
  const client = useClient();
  const whole = useReading(`${name} ${agent?.specRevision ?? 0}`, (signal) =>
    client.registry.get({ name }, { signal }),
  );
  if (agent === undefined) {
    if (feed.state === 'opening') return null;
    return (
      <>
        <ScreenHead title={<Title name={name} />} />
        <Empty title={`No agent is called ${shown(name)}.`}>
          It may have left or expired.{' '}
          <Link to="/agents" className="text-accent underline">
            All agents
          </Link>
        </Empty>
        <AgentHistory name={name} revision={0} />
      </>
    );
  }
  return (
    <>
      <ScreenHead title={<Title name={name} />} count={<HealthMark health={agent.status.health} />}>
        <Acts agent={agent} />
      </ScreenHead>
      <div className="grid grid-cols-2 border-b border-line max-lg:grid-cols-1 [&>section]:border-b-0">
        <State agent={agent} />
        <Card agent={agent} />
      </div>
      <Work agent={agent} />
      <Refused reading={whole} />
      {whole.value !== null && <Declared agent={whole.value} />}
      <AgentDeliveries name={name} role={agent.role} />
      <AgentTraffic name={name} />
      <MayIt name={name} />
      <AgentHistory name={name} revision={agent.revision} />
    </>
  );
}

const Title = ({ name }: { readonly name: string }) => (
  <>
    <Link to="/agents" className="font-normal text-faint hover:text-ink">
      Agents
    </Link>
    <span className="px-1.5 font-normal text-faint">/</span>
    {shown(name)}
  </>
);

function State({ agent: { status, leaseMs } }: { readonly agent: AgentSummary }) {
  return (
    <Section title="State">
      <Facts>
        <Fact name="Does">
          <ActivityMark activity={status.activity} /> for <Age at={status.activitySince} suffix="" />
          {status.note !== null && <span className="text-soft"> · {shown(status.note)}</span>}
        </Fact>
        <Fact name="Circuit">
          <CircuitMark status={status} />
        </Fact>
        {status.reason !== null && <Fact name="Because">{shown(status.reason)}</Fact>}
        <Fact name="Failures in a row">{status.consecutiveFailures}</Fact>
        <Fact name="Last sign of life">{status.lastSeenAt === null ? 'none' : <Age at={status.lastSeenAt} />}</Fact>
        <Fact name="Lease">{durationText(leaseMs)}</Fact>
      </Facts>
    </Section>
  );
}

function Card({ agent }: { readonly agent: AgentSummary }) {
  const { role, version, description, healthUrl, labels, incarnation, registeredAt, revision, specRevision } = agent;
  return (
    <Section title="Registration">
      <Facts>
        <Fact name="Role">{role}</Fact>
        <Fact name="Version">{version}</Fact>
        {description !== null && <Fact name="Description">{shown(description)}</Fact>}
        {healthUrl !== null && (
          <Fact name="Probed at">
            <Code>{healthUrl}</Code>
          </Fact>
        )}
        {Object.keys(labels).length > 0 && (
          <Fact name="Labels">
            <span className="flex flex-wrap gap-1">
              {Object.entries(labels).map(([key, value]) => (
                <Tag key={key}>{`${key}=${shown(value)}`}</Tag>
              ))}
            </span>
          </Fact>
        )}
        <Fact name="Incarnation">{incarnation === null ? 'none' : <Code>{incarnation}</Code>}</Fact>
        <Fact name="Registered">
          <At time={registeredAt} />
        </Fact>
        <Fact name="Revision">
          {revision}, registration changed at {specRevision}
        </Fact>
      </Facts>
    </Section>
  );
}

/** The tasks of running plans that it has. */
function Work({ agent: { name } }: { readonly agent: AgentSummary }) {
  const { plans } = usePlans();
  const tasks = plans.flatMap((plan) =>
    plan.tasks.filter((task) => task.agent === name && task.status === 'assigned').map((task) => ({ plan, task })),
  );
  return (
    <Section title="Works on" note={tasks.length === 0 ? 'no task of a plan' : counted(tasks.length, 'task')}>
      <ul className="flex flex-col gap-1">
        {tasks.map(({ plan, task }) => (
          <li key={`${plan.planId} ${task.taskId}`} className="flex gap-3">
            <Link
              to="/plans/$id"
              params={{ id: plan.planId }}
              search={{ task: task.taskId }}
              className="text-accent hover:underline"
            >
              {shown(task.title)}
            </Link>
            <span className="text-faint">
              of {shown(plan.title)} · {Math.round(task.progress * 100)} %
            </span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Declared({ agent: { capabilities, topics } }: { readonly agent: Agent }) {
  const { tally } = useAgents();
  return (
    <>
      <Section title="Capabilities" note={counted(capabilities.length, 'capability', 'capabilities')}>
        <ul className="flex flex-col gap-2">
          {capabilities.map(({ id, description, tags, inputSchema, outputSchema }) => (
            <li key={id}>
              <div className="flex flex-wrap items-center gap-2">
                <Code>{id}</Code>
                {(tags ?? []).map((tag) => (
                  <Tag key={tag}>{shown(tag)}</Tag>
                ))}
                <TryCapability capability={{ id, inputSchema }} others={tally.having(id) - 1} />
              </div>
              {description !== undefined && <p className="text-soft">{shown(description)}</p>}
              <Schema name="input" schema={inputSchema} />
              <Schema name="output" schema={outputSchema} />
            </li>
          ))}
        </ul>
      </Section>
      <Section title="Declared topics" note="they grant nothing: the policy decides">
        <Facts>
          <Fact name="Publishes">
            <Patterns patterns={topics.publishes} />
          </Fact>
          <Fact name="Subscribes">
            <Patterns patterns={topics.subscribes} />
          </Fact>
        </Facts>
      </Section>
    </>
  );
}

const Patterns = ({ patterns }: { readonly patterns: readonly string[] }) =>
  patterns.length === 0 ? (
    <span className="text-faint">none</span>
  ) : (
    <span className="flex flex-wrap gap-1">
      {patterns.map((pattern) => (
        <Tag key={pattern}>{pattern}</Tag>
      ))}
    </span>
  );

function Schema({ name, schema }: { readonly name: string; readonly schema: unknown }) {
  if (schema === undefined) return null;
  return (
    <details className="mt-1">
      <summary className="w-max cursor-pointer text-faint hover:text-ink">Schema of the {name}</summary>
      <pre className="mt-1 max-h-72 overflow-auto rounded border border-line bg-ground p-2.5 font-mono text-[12px] leading-[18px]">
        {shownLines(JSON.stringify(schema, null, 2))}
      </pre>
    </details>
  );
}

const shownLines = (text: string): string => text.split('\n').map(shown).join('\n');

function Acts({ agent: { name, status } }: { readonly agent: AgentSummary }) {
  const client = useClient();
  const navigate = useNavigate();
  const mayReset = useMay('circuit.reset');
  const mayTrip = useMay('circuit.trip');
  const mayDeregister = useMay('registry.deregister');
  return (
    <>
      {mayReset && status.circuit !== 'closed' && (
        <ConfirmAct
          verb="Reset circuit"
          title={`Reset the circuit of ${name}`}
          cli={['circuit', 'reset', name]}
          act={() => client.circuit.reset({ name })}
        >
          The circuit closes and its failures are forgotten: the core takes the events of {name} again, at once.
        </ConfirmAct>
      )}
      {mayTrip && status.circuit !== 'open' && (
        <ConfirmAct
          verb="Trip circuit"
          title={`Open the circuit of ${name}`}
          cli={['circuit', 'trip', name]}
          asksReason
          act={(reason) => client.circuit.trip({ name, reason })}
        >
          Its events are refused until somebody resets the circuit, also after a restart of {name}. What it receives
          does not change.
        </ConfirmAct>
      )}
      {mayDeregister && (
        <ConfirmAct
          verb="Deregister"
          title={`Remove ${name} from the registry`}
          cli={['agents', 'rm', name]}
          asksReason
          isDangerous
          act={(reason) => client.registry.deregister({ name, reason })}
          onDone={() => void navigate({ to: '/agents' })}
        >
          Its tokens stop working at once, and its tasks go to others. A process with a join token can register the name
          again.
        </ConfirmAct>
      )}
    </>
  );
}
