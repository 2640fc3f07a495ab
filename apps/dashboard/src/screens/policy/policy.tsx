// The policy of the namespace: read, asked, changed after a look at who loses what, and taken back.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type Policy, policyText } from '@hypercode/contracts';
import { useMemo } from 'react';
import { Button } from '../../parts/button.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { counted } from '../../parts/duration.ts';
import { ScreenHead } from '../../parts/panel.tsx';
import { Refused } from '../../parts/read-at.tsx';
import { useStore } from '../../swarm/store.ts';
import { useClient, useMay } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { checkPolicy } from './check-policy.ts';
import { ExplainPolicy } from './explain-policy.tsx';
import { draftOf } from './policy-draft.ts';
import { PolicyEditor } from './policy-editor.tsx';
import { PolicyVersions, VersionView } from './policy-versions.tsx';
import { ReviewPolicy } from './review-policy.tsx';

/** All that the core keeps. */
const VERSIONS = 100;

export function PolicyScreen() {
  const client = useClient();
  const policy = useReading('policy', (signal) => client.policy.get({}, { signal }));
  const inForce = policy.value;
  if (inForce === null) {
    return (
      <>
        <ScreenHead title="Policy" count={policy.error === null ? 'reading…' : undefined} />
        <div className="p-5">
          <Refused reading={policy} />
        </div>
      </>
    );
  }
  return <Loaded inForce={inForce} again={policy.again} />;
}

function Loaded({ inForce, again }: { readonly inForce: Policy; readonly again: () => void }) {
  const client = useClient();
  const mayPut = useMay('policy.put');
  const navigate = useNavigate({ from: '/policy' });
  const { version } = useSearch({ from: '/policy' });
  const store = draftOf(client);
  const draft = useStore(store);
  const history = useReading(`history ${inForce.version}`, (signal) =>
    client.policy.history({ limit: VERSIONS }, { signal }),
  );
  const text = draft?.text ?? policyText(inForce);
  const checked = useMemo(() => checkPolicy(text), [text]);
  const base = draft?.base ?? inForce;
  const isBehind = draft !== null && draft.base.version !== inForce.version;
  const edit = (next: string): void => {
    const before = store.get()?.base ?? inForce;
    store.set(next === policyText(before) && before.version === inForce.version ? null : { base: before, text: next });
  };
  const show = (shownVersion: number | undefined): void =>
    void navigate({ search: (before) => ({ ...before, version: shownVersion }), replace: true });
  return (
    <div className="flex h-full flex-col">
      <ScreenHead title="Policy" count={stateOf(inForce, draft !== null, mayPut)}>
        {draft !== null && (
          <Button kind="quiet" onClick={() => store.set(null)}>
            Discard the changes
          </Button>
        )}
        <CopyButton text={text} name="Copy the text" />
        {mayPut && draft !== null && (
          <ReviewPolicy
            base={base}
            rules={checked.rules}
            onApplied={() => {
              store.set(null);
              again();
            }}
            onConflict={again}
          />
        )}
      </ScreenHead>
      {isBehind && (
        <div role="alert" className="flex flex-wrap items-center gap-2 bg-warn-wash px-5 py-2 text-warn">
          <span className="mr-auto">
            Version {inForce.version} is in force now; your text changes version {draft.base.version}.
          </span>
          <Button onClick={() => show(inForce.version)}>What it changed</Button>
          <Button onClick={() => store.set(null)}>Take version {inForce.version}</Button>
          <Button onClick={() => store.set({ ...draft, base: inForce })}>
            Keep my text in place of version {inForce.version}
          </Button>
        </div>
      )}
      <div className="grid min-h-0 flex-1 grid-cols-[minmax(0,1fr)_25rem] max-lg:grid-cols-1 max-lg:overflow-auto">
        <div className="flex min-h-0 min-w-0 flex-col border-r border-line max-lg:min-h-[28rem] max-lg:border-r-0">
          {version === undefined ? (
            <>
              <div className="min-h-0 flex-1">
                <PolicyEditor text={text} isReadOnly={!mayPut} onChange={edit} />
              </div>
              <Problems count={checked.problems.length} first={checked.problems[0]?.message} />
            </>
          ) : (
            <VersionView
              version={version}
              history={history}
              inForce={inForce}
              onEdit={
                mayPut
                  ? (rules) => {
                      edit(policyText(rules));
                      show(undefined);
                    }
                  : null
              }
            />
          )}
        </div>
        <div className="min-h-0 overflow-auto">
          <ExplainPolicy version={inForce.version} />
          <PolicyVersions history={history} inForce={inForce.version} selected={version} />
        </div>
      </div>
    </div>
  );
}

function stateOf({ version, roles }: Policy, isEdited: boolean, mayPut: boolean): string {
  const state = isEdited ? 'edited, not applied' : mayPut ? 'in force' : 'in force; an admin token changes it';
  return `version ${version}${version === 0 ? ', as it ships' : ''} · ${counted(Object.keys(roles).length, 'role')} · ${state}`;
}

/** What is wrong, in words, below the editor that marks it. */
function Problems({ count, first }: { readonly count: number; readonly first: string | undefined }) {
  return (
    <p role="status" className="flex min-h-9 items-center gap-2 border-t border-line px-5 py-1.5">
      {count === 0 ? (
        <span className="text-faint">A valid policy. A denial wins; what no pattern allows is denied.</span>
      ) : (
        <>
          <span className="font-medium whitespace-nowrap text-bad">{counted(count, 'problem')}</span>
          <span className="min-w-0 truncate text-soft">{first}</span>
        </>
      )}
    </p>
  );
}
