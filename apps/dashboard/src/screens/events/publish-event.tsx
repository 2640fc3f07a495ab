// Publishing an event: a new one, or one again with changes. Before it is published, a preview says who would receive it.
import { useNavigate } from '@tanstack/react-router';
import { type LoggedEvent, type PublishInput, SwarmError } from '@hypercode/contracts';
import { Dialog } from 'radix-ui';
import { useMemo, useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { CliLine } from '../../parts/cli-line.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { Preview } from './preview.tsx';

interface PublishEventProps {
  /** The event that is published again. Default: a new one. */
  readonly again?: LoggedEvent['event'] | undefined;
}

export function PublishEvent({ again }: PublishEventProps) {
  const [isOpen, setOpen] = useState(false);
  if (!useMay('bus.publish')) return null;
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger asChild>
        <Button kind={again === undefined ? 'main' : 'plain'}>
          {again === undefined ? 'Publish' : 'Publish again…'}
        </Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[8vh] left-1/2 z-30 max-h-[84vh] w-[min(42rem,calc(100vw-2rem))] -translate-x-1/2 overflow-auto rounded-lg border border-line bg-raised p-5 shadow-xl"
        >
          <Dialog.Title className="mb-3 text-[15px] font-semibold">
            {again === undefined ? 'Publish an event' : 'Publish the event again'}
          </Dialog.Title>
          <Form again={again} close={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const FIELD = 'h-8 rounded border border-strong-line/50 bg-sheet px-2';
/** Longer data does not go into a line of a shell. */
const LINE_LENGTH = 400;

function Form({ again, close }: PublishEventProps & { readonly close: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [topic, setTopic] = useState(again?.topic ?? '');
  const [text, setText] = useState(() => (again === undefined ? '{}' : JSON.stringify(again.data, null, 2)));
  const [correlation, setCorrelation] = useState(again?.correlationId ?? '');
  const [isMandatory, setMandatory] = useState(false);
  const [isSending, setSending] = useState(false);
  const [refusal, setRefusal] = useState<SwarmError | null>(null);
  const data = useMemo(() => dataOf(text), [text]);
  const name = topic.trim();
  const publish = async (): Promise<void> => {
    if (data.fault !== null) return;
    setSending(true);
    setRefusal(null);
    try {
      const { id } = await client.bus.publish({
        topic: name,
        data: data.value,
        ...(correlation === '' ? {} : { correlationId: correlation }),
        // So that the trace of the first leads to this one.
        ...(again === undefined ? {} : { causationId: again.id }),
        ...(again?.subject === undefined ? {} : { subject: again.subject }),
        ...(again?.extensions === undefined ? {} : { extensions: again.extensions }),
        ...(isMandatory ? { mandatory: true } : {}),
      });
      close();
      void navigate({ to: '/events/$id', params: { id } });
    } catch (error) {
      setRefusal(SwarmError.from(error));
    } finally {
      setSending(false);
    }
  };
  const line = data.fault === null && data.line.length <= LINE_LENGTH ? [data.line] : ['--file', 'data.jsonl'];
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        void publish();
      }}
    >
      <label className="flex flex-col gap-1">
        <span className="text-faint">Topic</span>
        <input
          className={`${FIELD} font-mono text-[12px]`}
          value={topic}
          maxLength={255}
          required
          onChange={(event) => setTopic(event.target.value)}
        />
      </label>
      <Preview topic={name} />
      <label className="flex flex-col gap-1">
        <span className="text-faint">Data, as JSON</span>
        <textarea
          className="min-h-40 rounded border border-strong-line/50 bg-sheet px-2 py-1.5 font-mono text-[12px] leading-[18px]"
          value={text}
          spellCheck={false}
          onChange={(event) => setText(event.target.value)}
        />
        {data.fault !== null && <span className="text-bad">{data.fault}</span>}
      </label>
      <div className="flex flex-wrap items-end gap-4">
        <label className="flex min-w-60 flex-1 flex-col gap-1">
          <span className="text-faint">Correlation id, if it belongs to a conversation</span>
          <input
            className={`${FIELD} font-mono text-[12px]`}
            value={correlation}
            maxLength={256}
            onChange={(event) => setCorrelation(event.target.value)}
          />
        </label>
        <label className="flex h-8 items-center gap-2">
          <input type="checkbox" checked={isMandatory} onChange={(event) => setMandatory(event.target.checked)} />
          Refuse it when nobody takes it
        </label>
      </div>
      {again !== undefined && (
        <p className="text-faint">
          It becomes a new event of yours, caused by the first one. Groups that have handled the first one are handed
          this one, too.
        </p>
      )}
      <CliLine
        words={[
          'events',
          'pub',
          name,
          ...line,
          ...(correlation === '' ? [] : ['--correlation', correlation]),
          ...(again === undefined ? [] : ['--causation', again.id]),
          ...(isMandatory ? ['--mandatory'] : []),
        ]}
      />
      {refusal !== null && (
        <p role="alert" className="rounded bg-bad-wash px-2.5 py-1.5 text-bad">
          {refusal.message} <span className="font-mono text-[11px]">{refusal.code}</span>
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button kind="quiet" onClick={close}>
          Cancel
        </Button>
        <Button kind="main" type="submit" disabled={name === '' || data.fault !== null || isSending}>
          {isSending ? 'Publishing…' : 'Publish'}
        </Button>
      </div>
    </form>
  );
}

type Data =
  | { readonly fault: null; readonly value: PublishInput['data']; readonly line: string }
  | { readonly fault: string };

function dataOf(text: string): Data {
  try {
    const value = JSON.parse(text) as PublishInput['data'];
    return { fault: null, value, line: JSON.stringify(value) };
  } catch (error) {
    return { fault: `This is not JSON: ${error instanceof Error ? error.message : ''}` };
  }
}
