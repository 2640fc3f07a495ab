// The changes of an agent, the newest first, each with what it changed.
import type { Agent } from '@hypercode/client';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { differences } from './differences.ts';

const SHOWN = 30;

export function AgentHistory({ name, revision }: { readonly name: string; readonly revision: number }) {
  const client = useClient();
  const history = useReading(`${name} ${revision}`, (signal) =>
    client.registry.history({ name, limit: SHOWN }, { signal }),
  );
  const changes = history.value?.changes ?? [];
  return (
    <Section title="History" note={<ReadAt reading={history} />}>
      <Refused reading={history} />
      {history.value !== null && changes.length === 0 && (
        <p className="text-faint">The change log has nothing of this name.</p>
      )}
      <ol className="flex flex-col gap-1.5">
        {changes.map((change, index) => {
          const before = changes[index + 1]?.agent;
          return (
            <li key={change.revision} className="grid grid-cols-[7.5rem_5rem_7rem_1fr] gap-3">
              <span className="text-faint">
                <At time={change.at} />
              </span>
              <span className="font-mono text-[12px] text-faint">{change.revision}</span>
              <span>{change.change}</span>
              <Differences before={before} after={change.agent} />
            </li>
          );
        })}
      </ol>
      {history.value?.nextCursor != null && (
        <p className="mt-2 text-faint">
          The newest {SHOWN}. <code className="font-mono text-[12px]">swarm agents history {name} --all</code> lists
          all.
        </p>
      )}
    </Section>
  );
}

function Differences({ before, after }: { readonly before: Agent | undefined; readonly after: Agent }) {
  if (before === undefined || before.id !== after.id) return <span />;
  return (
    <ul className="flex min-w-0 flex-col">
      {differences(before, after).map(({ path, from, to }) => (
        <li key={path} className="flex min-w-0 flex-wrap gap-x-1.5">
          <span className="text-faint">{path}</span>
          <del className="break-all text-faint">{shown(from)}</del>
          <span aria-hidden="true" className="text-faint">
            →
          </span>
          <ins className="break-all no-underline">{shown(to)}</ins>
        </li>
      ))}
    </ul>
  );
}
