// The form by which a goal is submitted.
import { useNavigate } from '@tanstack/react-router';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { ActForm, FIELD, Field } from '../../parts/act-form.tsx';
import { Button } from '../../parts/button.tsx';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';

export function SubmitGoal() {
  if (!useMay('goals.submit')) return null;
  const trigger = (
    <Button kind="main">
      <Plus className="size-4" aria-hidden="true" />
      Submit a goal
    </Button>
  );
  return (
    <ActDialog title="Submit a goal" trigger={trigger}>
      {(close) => <GoalForm close={close} />}
    </ActDialog>
  );
}

function GoalForm({ close }: { readonly close: () => void }) {
  const client = useClient();
  const navigate = useNavigate();
  const [title, setTitle] = useState('');
  const [description, setDescription] = useState('');
  const goal = title.trim();
  const words = description.trim();
  return (
    <ActForm
      verb="Submit"
      cli={['goal', 'submit', goal, ...(words === '' ? [] : ['--description', words]), '--follow']}
      isReady={goal !== ''}
      act={() => client.goals.submit({ title: goal, ...(words === '' ? {} : { description: words }) })}
      onDone={() => void navigate({ to: '/plans', search: ({ ns }) => ({ ns, state: undefined }) })}
      close={close}
    >
      <Field label="What should be done">
        <input
          className={FIELD}
          value={title}
          maxLength={200}
          required
          onChange={(event) => setTitle(event.target.value)}
        />
      </Field>
      <Field label="More about it">
        <textarea
          className={`${FIELD} h-auto min-h-24 py-1.5`}
          value={description}
          maxLength={4096}
          onChange={(event) => setDescription(event.target.value)}
        />
      </Field>
    </ActForm>
  );
}
