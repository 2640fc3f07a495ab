// The form by which a goal is submitted.
import { useNavigate } from '@tanstack/react-router';
import { SwarmError } from '@hypercode/contracts';
import { Plus } from 'lucide-react';
import { Dialog } from 'radix-ui';
import { useState } from 'react';
import { Button } from '../../parts/button.tsx';
import { CliLine } from '../../parts/cli-line.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';

export function SubmitGoal() {
  const [isOpen, setOpen] = useState(false);
  if (!useMay('goals.submit')) return null;
  return (
    <Dialog.Root open={isOpen} onOpenChange={setOpen}>
      <Dialog.Trigger asChild>
        <Button kind="main">
          <Plus className="size-4" aria-hidden="true" />
          Submit a goal
        </Button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="fixed inset-0 z-20 bg-black/40" />
        <Dialog.Content
          aria-describedby={undefined}
          className="fixed top-[14vh] left-1/2 z-30 w-[min(34rem,calc(100vw-2rem))] -translate-x-1/2 rounded-lg border border-line bg-raised p-5 shadow-xl"
        >
          <Dialog.Title className="mb-3 text-[15px] font-semibold">Submit a goal</Dialog.Title>
          <GoalForm close={() => setOpen(false)} />
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function GoalForm({ close }: { readonly close: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const [refusal, setRefusal] = useState<SwarmError | null>(null);
  const [isSending, setSending] = useState(false);
  const words = description.trim();
  const submit = async (): Promise<void> => {
    setSending(true);
    setRefusal(null);
    try {
      const goal = { title: title.trim(), ...(words === '' ? {} : { description: words }) };
      await client.goals.submit(goal);
      close();
      void navigate({ to: '/plans', search: ({ ns }) => ({ ns, state: undefined }) });
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
        void submit();
      }}
    >
      <label className="flex flex-col gap-1">
        <span className="text-faint">What should be done</span>
        <input
          className="h-8 rounded border border-strong-line/50 bg-sheet px-2"
          value={title}
          maxLength={200}
          required
          onChange={(event) => setTitle(event.target.value)}
        />
      </label>
      <label className="flex flex-col gap-1">
        <span className="text-faint">More about it</span>
        <textarea
          className="min-h-24 rounded border border-strong-line/50 bg-sheet px-2 py-1.5"
          value={description}
          maxLength={4096}
          onChange={(event) => setDescription(event.target.value)}
        />
      </label>
      <CliLine
        words={['goal', 'submit', title.trim(), ...(words === '' ? [] : ['--description', words]), '--follow']}
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
        <Button kind="main" type="submit" disabled={title.trim() === '' || isSending}>
          {isSending ? 'Sending…' : 'Submit'}
        </Button>
      </div>
    </form>
  );
}
