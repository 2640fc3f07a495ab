// Trying a capability: a goal of one task that needs it. The Architect gives the task to an agent that can do it.
import { useNavigate } from '@tanstack/react-router';
import type { Capability } from '@hypercode/client';
import { SwarmError } from '@hypercode/contracts';
import { Dialog } from 'radix-ui';
import { useMemo, useState } from 'react';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { CliLine } from '../../parts/cli-line.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { fieldsOf, type InputField, inputOf } from './input-fields.ts';

interface TryCapabilityProps {
  readonly capability: Pick<Capability, 'id' | 'inputSchema'>;
  /** Other agents that can do it. */
  readonly others: number;
}

export function TryCapability(props: TryCapabilityProps) {
  const [isOpen, setOpen] = useState(false);
  if (!useMay('goals.submit')) return null;
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger asChild>
        <Button kind="quiet" aria-label={`Try ${props.capability.id}`}>
          Try…
        </Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[12vh] left-1/2 z-30 max-h-[76vh] w-[min(32rem,calc(100vw-2rem))] -translate-x-1/2 overflow-auto rounded-lg border border-line bg-raised p-5 shadow-xl"
        >
          <Dialog.Title className="mb-3 text-[15px] font-semibold">Try {props.capability.id}</Dialog.Title>
          <Form {...props} close={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function Form({ capability: { id, inputSchema }, others, close }: TryCapabilityProps & { readonly close: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const fields = useMemo(() => fieldsOf(inputSchema), [inputSchema]);
  const [typed, setTyped] = useState<ReadonlyMap<string, string>>(new Map());
  const [text, setText] = useState('null');
  const [refusal, setRefusal] = useState<SwarmError | null>(null);
  const [isSending, setSending] = useState(false);
  const input = useMemo(() => {
    try {
      return { value: fields === null ? (JSON.parse(text) as unknown) : inputOf(fields, typed), fault: null };
    } catch (error) {
      return { value: null, fault: error instanceof Error ? error.message : String(error) };
    }
  }, [fields, typed, text]);
  const goal = {
    title: `Try ${id}`,
    steps: [{ id: 'try', title: `Try ${id}`, capability: id, input: input.value as never }],
  };
  const submit = async (): Promise<void> => {
    setSending(true);
    setRefusal(null);
    try {
      const { planId } = await client.goals.submit(goal);
      close();
      void navigate({ to: '/plans/$id', params: { id: planId } });
    } catch (error) {
      setRefusal(SwarmError.from(error));
    } finally {
      setSending(false);
    }
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (input.fault === null) void submit();
      }}
    >
      {fields?.map((field) => (
        <Field
          key={field.name}
          field={field}
          value={typed.get(field.name) ?? field.initial}
          onChange={(value) => setTyped(new Map(typed).set(field.name, value))}
        />
      ))}
      {fields === null && (
        <label className="flex flex-col gap-1">
          <span className="text-faint">Input, as JSON</span>
          <textarea
            className="min-h-28 rounded border border-strong-line/50 bg-sheet px-2 py-1.5 font-mono text-[12px]"
            value={text}
            spellCheck={false}
            onChange={(event) => setText(event.target.value)}
          />
        </label>
      )}
      {input.fault !== null && <p className="text-bad">The input is not JSON: {shown(input.fault)}</p>}
      <p className="text-soft">
        It is submitted as a goal of one task.{' '}
        {others === 0
          ? 'No other agent has this capability.'
          : 'The Architect chooses among all agents with this capability, so another one may get it.'}
      </p>
      <CliLine words={['goal', 'submit', '--file', 'goal.json', '--follow']} />
      {refusal !== null && (
        <p role="alert" className="rounded bg-bad-wash px-2.5 py-1.5 text-bad">
          {refusal.message} <span className="font-mono text-[11px]">{refusal.code}</span>
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button kind="quiet" onClick={close}>
          Cancel
        </Button>
        <Button kind="main" type="submit" disabled={input.fault !== null || isSending}>
          {isSending ? 'Sending…' : 'Try it'}
        </Button>
      </div>
    </form>
  );
}

const FIELD = 'h-8 rounded border border-strong-line/50 bg-sheet px-2';

interface FieldProps {
  readonly field: InputField;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function Field({ field, value, onChange }: FieldProps) {
  const { name, kind, isRequired, title, description, values } = field;
  const shared = { required: isRequired, value, className: FIELD };
  const choices = kind === 'boolean' ? ['true', 'false'] : values;
  return (
    <label className="flex flex-col gap-1">
      <span>
        {shown(title ?? name)}
        {description !== null && <span className="text-faint"> · {shown(description)}</span>}
        {!isRequired && <span className="text-faint"> · optional</span>}
      </span>
      {kind === 'boolean' || kind === 'choice' ? (
        <select {...shared} onChange={(event) => onChange(event.target.value)}>
          <option value="" />
          {choices.map((one) => (
            <option key={one} value={one}>
              {shown(one)}
            </option>
          ))}
        </select>
      ) : (
        <input
          {...shared}
          type={kind === 'number' || kind === 'integer' ? 'number' : 'text'}
          step={kind === 'integer' ? 1 : 'any'}
          placeholder={kind === 'json' ? 'JSON' : undefined}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </label>
  );
}
