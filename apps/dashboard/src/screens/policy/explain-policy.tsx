// "May it …?": the answer of the policy for one agent, and the rule that decides. The question is in the address.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { PolicyAction } from '@hypercode/contracts';
import { Ban, Check } from 'lucide-react';
import { useEffect, useId, useMemo, useState } from 'react';
import { FIELD, Field } from '../../parts/act-form.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { CliLine } from '../../parts/cli-line.tsx';
import { Code, Section } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useAgents, useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';

const SUGGESTIONS = 50;

export function ExplainPolicy({ version }: { readonly version: number }) {
  const asked = useSearch({ from: '/policy' });
  const navigate = useNavigate({ from: '/policy' });
  const [name, setName] = useState(asked.name ?? '');
  const [action, setAction] = useState<PolicyAction>(asked.action ?? 'publish');
  const [what, setWhat] = useState(asked.what ?? '');
  useEffect(() => {
    setName(asked.name ?? '');
    setAction(asked.action ?? 'publish');
    setWhat(asked.what ?? '');
  }, [asked.name, asked.action, asked.what]);
  const names = useSuggestions(name);
  const list = useId();
  const ask = (): void => {
    const search = { name: name.trim(), action, what: what.trim() };
    void navigate({ search: (before) => ({ ...before, ...search }), replace: true });
  };
  return (
    <Section title="May it…?" note="asks the policy in force">
      <form
        className="grid grid-cols-[1fr_7rem] gap-2"
        onSubmit={(event) => {
          event.preventDefault();
          ask();
        }}
      >
        <Field label="Agent">
          <input
            className={FIELD}
            list={list}
            value={name}
            required
            onChange={(event) => setName(event.target.value)}
          />
        </Field>
        <datalist id={list}>
          {names.map((one) => (
            <option key={one} value={one} />
          ))}
        </datalist>
        <Field label="Action">
          <select
            className={FIELD}
            value={action}
            onChange={(event) => setAction(PolicyAction.catch('publish').parse(event.target.value))}
          >
            {PolicyAction.options.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </select>
        </Field>
        <Field label={WHAT[action]}>
          <input className={FIELD} value={what} required onChange={(event) => setWhat(event.target.value)} />
        </Field>
        <Button type="submit" className="h-8 self-end justify-center">
          Explain
        </Button>
      </form>
      {asked.name !== undefined && asked.what !== undefined && (
        <Answer name={asked.name} action={asked.action ?? 'publish'} what={asked.what} version={version} />
      )}
    </Section>
  );
}

const WHAT: Readonly<Record<PolicyAction, string>> = {
  publish: 'Topic',
  subscribe: 'Topic or pattern',
  consume: 'Group',
};

interface AnswerProps {
  readonly name: string;
  readonly action: PolicyAction;
  readonly what: string;
  /** Another policy may answer otherwise. */
  readonly version: number;
}

function Answer({ name, action, what, version }: AnswerProps) {
  const client = useClient();
  const reading = useReading(JSON.stringify([name, action, what, version]), (signal) =>
    client.policy.explain({ name, action, ...(action === 'consume' ? { group: what } : { topic: what }) }, { signal }),
  );
  const { value } = reading;
  return (
    <div className="mt-3 flex flex-col gap-2">
      <Refused reading={reading} />
      {value !== null && (
        <div role="status" className="flex flex-col gap-1">
          <p className={`flex items-center gap-1.5 font-medium ${value.allowed ? 'text-good' : 'text-bad'}`}>
            {value.allowed ? (
              <Check className="size-4" aria-hidden="true" />
            ) : (
              <Ban className="size-4" aria-hidden="true" />
            )}
            {value.allowed ? 'Yes, it may.' : 'No, it may not.'}
          </p>
          <p className="break-words text-soft">{shown(value.because)}</p>
          <p className="text-faint">
            {value.rule === null ? (
              'No rule matches.'
            ) : (
              <>
                decided by <Code>{value.rule}</Code>
              </>
            )}
          </p>
        </div>
      )}
      <CliLine words={['policy', 'explain', name, action, what]} />
    </div>
  );
}

function useSuggestions(typed: string): readonly string[] {
  const { agents } = useAgents();
  return useMemo(
    () =>
      agents
        .filter(({ name }) => name.includes(typed))
        .slice(0, SUGGESTIONS)
        .map(({ name }) => name),
    [agents, typed],
  );
}
