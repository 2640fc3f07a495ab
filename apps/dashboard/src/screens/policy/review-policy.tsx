// The last look at a changed policy: what is different, who loses what, and whether it still changes what is in force.
import { type Policy, type PolicyRules, policyText } from '@hypercode/contracts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { ActForm } from '../../parts/act-form.tsx';
import { Button } from '../../parts/button.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useClient } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { Effect } from './policy-effect.tsx';
import { TextDiff } from '../../parts/text-diff.tsx';

interface ReviewPolicyProps {
  readonly base: Policy;
  /** Null: the text is no policy yet. */
  readonly rules: PolicyRules | null;
  readonly onApplied: () => void;
  /** Somebody else has changed the policy meanwhile. */
  readonly onConflict: () => void;
}

export const ReviewPolicy = ({ rules, ...rest }: ReviewPolicyProps) => (
  <ActDialog
    title="Replace the policy"
    isWide
    trigger={
      <Button kind="main" disabled={rules === null}>
        Review and apply
      </Button>
    }
  >
    {(close) =>
      rules === null ? (
        <p className="text-soft">There is no valid change to apply. Edit the policy first.</p>
      ) : (
        <Review {...rest} rules={rules} close={close} />
      )
    }
  </ActDialog>
);

interface ReviewProps extends ReviewPolicyProps {
  readonly rules: PolicyRules;
  readonly close: () => void;
}

function Review({ base, rules, onApplied, onConflict, close }: ReviewProps) {
  const client = useClient();
  const change = { policy: rules, ifVersion: base.version };
  const text = policyText(rules);
  const trial = useReading(`${base.version} ${text}`, (signal) =>
    client.policy.put({ ...change, dryRun: true }, { signal }),
  );
  if (trial.error?.code === 'CONFLICT') {
    return (
      <div className="flex flex-col gap-3">
        <p role="alert" className="rounded bg-warn-wash px-3 py-2 text-warn">
          The policy was changed meanwhile: version {base.version} is no longer in force. Nothing was applied, and your
          text is kept.
        </p>
        <div className="flex justify-end">
          <Button
            kind="main"
            onClick={() => {
              onConflict();
              close();
            }}
          >
            See what changed
          </Button>
        </div>
      </div>
    );
  }
  const { value } = trial;
  const takesAway = value !== null && value.effect.agents.total + value.effect.streams.total > 0;
  return (
    <ActForm
      verb="Apply"
      cli={['policy', 'apply', '--file', 'policy.json']}
      isReady={value !== null}
      isDangerous={takesAway}
      act={async () => {
        await client.policy.put(change);
      }}
      onDone={onApplied}
      close={close}
    >
      <p className="text-soft">
        It takes the place of version {base.version}, at once here and within a second on every other core.{' '}
        <code className="font-mono text-[12px]">policy.json</code> is the text of the editor.
      </p>
      <TextDiff from={policyText(base)} to={text} label="What is different" />
      {value === null && trial.error === null && <p className="text-faint">Asking the core who loses what…</p>}
      <Refused reading={trial} />
      {value !== null && <Effect effect={value.effect} />}
    </ActForm>
  );
}
