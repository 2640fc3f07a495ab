// "May it …?": what the policy, and the circuit, say to something that an agent might do.
import { useState } from 'react';
import type { PolicyAction } from '@hypercode/contracts';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { Code, Section } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';

interface Question {
  readonly action: PolicyAction;
  readonly what: string;
}

const ACTIONS: readonly PolicyAction[] = ['publish', 'subscribe', 'consume'];

export function MayIt({ name }: { readonly name: string }) {
  const [action, setAction] = useState<PolicyAction>('publish');
  const [what, setWhat] = useState('');
  const [asked, setAsked] = useState<Question | null>(null);
  if (!useMay('policy.explain')) return null;
  return (
    <Section title="May it …?">
      <form
        className="flex flex-wrap items-center gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          if (what.trim() !== '') setAsked({ action, what: what.trim() });
        }}
      >
        <select
          aria-label="Action"
          className="h-7 rounded border border-strong-line/50 bg-raised px-1.5"
          value={action}
          onChange={(event) => setAction(ACTIONS.find((one) => one === event.target.value) ?? 'publish')}
        >
          {ACTIONS.map((one) => (
            <option key={one}>{one}</option>
          ))}
        </select>
        <input
          aria-label={action === 'consume' ? 'Group' : 'Topic'}
          placeholder={action === 'consume' ? 'a group' : action === 'publish' ? 'a topic' : 'a topic or a pattern'}
          className="h-7 w-64 rounded border border-strong-line/50 bg-raised px-2 font-mono text-[12px]"
          value={what}
          maxLength={255}
          onChange={(event) => setWhat(event.target.value)}
        />
        <Button type="submit">Ask</Button>
      </form>
      {asked !== null && <Answer name={name} question={asked} />}
    </Section>
  );
}

function Answer({ name, question: { action, what } }: { readonly name: string; readonly question: Question }) {
  const client = useClient();
  const about = action === 'consume' ? { group: what } : { topic: what };
  const reading = useReading(`${name} ${action} ${what}`, (signal) =>
    client.policy.explain({ name, action, ...about }, { signal }),
  );
  const { value } = reading;
  if (value === null) return <Refused reading={reading} />;
  return (
    <p className="mt-2" role="status">
      <span className={`font-medium ${value.allowed ? 'text-good' : 'text-bad'}`}>{value.allowed ? 'Yes' : 'No'}</span>
      <span className="text-soft">: {shown(value.because)}</span>
      {value.rule !== null && (
        <span className="text-faint">
          {' '}
          Rule <Code>{value.rule}</Code>
        </span>
      )}
    </p>
  );
}
