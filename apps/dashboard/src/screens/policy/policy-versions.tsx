// The versions of the policy that are kept: who put each, what it changed, and the way back to it.
import { Link, useNavigate } from '@tanstack/react-router';
import { type Policy, type PolicyHistory, policyText } from '@hypercode/contracts';
import { At } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { counted } from '../../parts/duration.ts';
import { Empty, Section } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import type { Reading } from '../../swarm/use-reading.ts';
import { PolicyEditor } from './policy-editor.tsx';
import { TextDiff } from '../../parts/text-diff.tsx';

type PolicyVersion = PolicyHistory['versions'][number];

interface PolicyVersionsProps {
  readonly history: Reading<PolicyHistory>;
  readonly inForce: number;
  readonly selected: number | undefined;
}

export function PolicyVersions({ history, inForce, selected }: PolicyVersionsProps) {
  const versions = history.value?.versions ?? [];
  return (
    <Section title="Versions" note={<ReadAt reading={history} />}>
      <Refused reading={history} />
      {history.value !== null && versions.length === 0 && (
        <p className="text-faint">None: the policy that ships is in force.</p>
      )}
      <ol className="flex flex-col">
        {versions.map(({ version, at, by, roles }) => (
          <li key={version}>
            <Link
              from="/policy"
              to="/policy"
              search={(before) => ({ ...before, version: selected === version ? undefined : version })}
              replace
              aria-current={selected === version ? 'true' : undefined}
              className={`grid grid-cols-[2.5rem_1fr_auto] items-baseline gap-2 rounded px-2 py-1 hover:bg-accent-wash/60 ${selected === version ? 'bg-accent-wash' : ''}`}
            >
              <span className="font-mono text-[12px]">{version}</span>
              <span className="min-w-0 truncate text-soft">
                {by === null ? 'unknown' : shown(by)}
                <span className="text-faint"> · {counted(Object.keys(roles).length, 'role')}</span>
              </span>
              <span className="text-faint">{version === inForce ? 'in force' : <At time={at} />}</span>
            </Link>
          </li>
        ))}
      </ol>
    </Section>
  );
}

interface VersionViewProps {
  readonly version: number;
  readonly history: Reading<PolicyHistory>;
  readonly inForce: Policy;
  /** Null: the caller may not change the policy. */
  readonly onEdit: ((rules: PolicyVersion) => void) | null;
}

/** A version beside the one before it and the one in force. */
export function VersionView({ version, history, inForce, onEdit }: VersionViewProps) {
  const navigate = useNavigate({ from: '/policy' });
  const versions = history.value?.versions ?? [];
  const index = versions.findIndex((one) => one.version === version);
  const chosen = versions[index];
  const before = versions[index + 1];
  const leave = (): void => void navigate({ search: (search) => ({ ...search, version: undefined }), replace: true });
  if (chosen === undefined) {
    return history.value === null ? null : (
      <Empty title={`Version ${version} is not kept.`}>
        <Button onClick={leave}>Show the policy in force</Button>
      </Empty>
    );
  }
  return (
    <div className="flex h-full flex-col overflow-auto">
      <div className="flex flex-wrap items-center gap-2 border-b border-line px-5 py-3">
        <p className="mr-auto text-soft">
          <span className="font-medium text-ink">Version {version}</span>, put by{' '}
          {chosen.by === null ? 'unknown' : shown(chosen.by)}, <At time={chosen.at} />
        </p>
        {onEdit !== null && version !== inForce.version && (
          <Button onClick={() => onEdit(chosen)}>Go back to this version</Button>
        )}
        <Button kind="quiet" onClick={leave}>
          Close
        </Button>
      </div>
      {version !== inForce.version && (
        <Section title={`From version ${version} to the one in force`}>
          <TextDiff from={policyText(chosen)} to={policyText(inForce)} label="What changed since" />
        </Section>
      )}
      {before !== undefined && (
        <Section title={`What version ${version} changed`}>
          <TextDiff from={policyText(before)} to={policyText(chosen)} label="What it changed" />
        </Section>
      )}
      {before === undefined && (
        <div className="flex min-h-80 flex-1 flex-col">
          <p className="px-5 py-2 text-faint">
            The version before it is not kept. This is the whole of version {version}:
          </p>
          <div className="min-h-0 flex-1">
            <PolicyEditor text={policyText(chosen)} isReadOnly onChange={() => {}} />
          </div>
        </div>
      )}
    </div>
  );
}
