// One act: who, what, why, how it went, and what it changed.
import { policyText, PolicyRules } from '@hypercode/contracts';
import type { ReactNode } from 'react';
import { shown } from '../../parts/agent-words.ts';
import { At } from '../../parts/age.tsx';
import { Button } from '../../parts/button.tsx';
import { Code, Fact, Facts, Section } from '../../parts/panel.tsx';
import { TextDiff } from '../../parts/text-diff.tsx';
import type { AuditAct } from './audit-acts.ts';
import { ActStateMark } from './audit-marks.tsx';

export function AuditDetail({ act, onClose }: { readonly act: AuditAct; readonly onClose: () => void }) {
  const { entry } = act;
  const { at, actor, action, target, reason, requestId, seq, begun, hash, previous, before, after } = entry;
  return (
    <aside
      aria-label="Selected act"
      className="min-h-0 overflow-auto border-l border-line max-lg:border-t max-lg:border-l-0"
    >
      <Section
        title={action}
        note={
          <Button kind="quiet" className="h-5" onClick={onClose}>
            Close
          </Button>
        }
      >
        <Facts>
          <Fact name="On">{shown(target)}</Fact>
          <Fact name="By">{shown(actor)}</Fact>
          <Fact name="At">
            <At time={at} />
          </Fact>
          <Fact name="Outcome">
            <ActStateMark act={act} />
            {act.state === 'unknown' && (
              <span className="text-soft"> · the core ended before its outcome was recorded</span>
            )}
          </Fact>
          <Fact name="Reason">{reason === null ? <Nothing>none given</Nothing> : shown(reason)}</Fact>
        </Facts>
      </Section>
      <Section title="What it changed">
        <Changed before={before} after={after} />
      </Section>
      <Section title="Its place in the chain">
        <Facts>
          <Fact name="Entries">{begun === null ? seq : `${begun}, before it was done, and ${seq}`}</Fact>
          <Fact name="Request">
            <Code>{requestId}</Code>
          </Fact>
          <Fact name="Hash">
            <Code>{hash}</Code>
          </Fact>
          <Fact name="Hash before">
            <Code>{previous}</Code>
          </Fact>
        </Facts>
      </Section>
    </aside>
  );
}

const Nothing = ({ children }: { readonly children: ReactNode }) => <span className="text-faint">{children}</span>;

function Changed({ before, after }: { readonly before: unknown; readonly after: unknown }) {
  if (before === null && after === null) return <Nothing>Nothing is recorded of before and after.</Nothing>;
  return <TextDiff from={textOf(before)} to={textOf(after)} label="Before and after" />;
}

/** A policy in the order in which policies are compared; everything else as it was recorded. */
function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  const policy = PolicyRules.safeParse(value);
  return policy.success ? policyText(policy.data) : `${JSON.stringify(value, null, 2)}\n`;
}
