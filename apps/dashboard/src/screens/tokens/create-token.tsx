// A new token: what it is for, and the one time that it is shown.
import type { CreateTokenInput, TokenKind } from '@hypercode/contracts';
import { Plus } from 'lucide-react';
import { useState } from 'react';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { ActForm, FIELD, Field } from '../../parts/act-form.tsx';
import { Button } from '../../parts/button.tsx';
import { CopyButton } from '../../parts/copy-button.tsx';
import { useClient, useNamespace } from '../../swarm/swarm-context.tsx';

const MAY: Readonly<Record<TokenKind, string>> = {
  viewer: 'reads the namespace, and changes nothing',
  operator: 'reads the namespace and runs its swarm; changes no policy and no token',
  join: 'registers agents, each of which gets a token of its own',
  admin: 'may do everything, in every namespace',
};

const DAY_MS = 86_400_000;
const LIVES = [
  { name: 'until it is revoked', ms: null, cli: null },
  { name: 'an hour', ms: DAY_MS / 24, cli: '1h' },
  { name: 'a day', ms: DAY_MS, cli: '1d' },
  { name: '30 days', ms: 30 * DAY_MS, cli: '30d' },
  { name: 'a year', ms: 365 * DAY_MS, cli: '365d' },
] as const;

export function CreateToken({ onDone }: { readonly onDone: () => void }) {
  const trigger = (
    <Button kind="main">
      <Plus className="size-4" aria-hidden="true" />
      Create a token
    </Button>
  );
  return (
    <ActDialog title="Create a token" trigger={trigger}>
      {(close) => <Create close={close} onDone={onDone} />}
    </ActDialog>
  );
}

interface CreateProps {
  readonly close: () => void;
  readonly onDone: () => void;
}

function Create({ close, onDone }: CreateProps) {
  const client = useClient();
  const [made, setMade] = useState<string | null>(null);
  const [kind, setKind] = useState<TokenKind>('viewer');
  const [name, setName] = useState('');
  const [roles, setRoles] = useState('');
  const [names, setNames] = useState('');
  const [maxUses, setMaxUses] = useState('');
  const [life, setLife] = useState<(typeof LIVES)[number]>(LIVES[0]);
  if (made !== null) return <Made token={made} close={close} />;
  const isJoin = kind === 'join';
  const join = { roles: isJoin ? wordsOf(roles) : [], names: isJoin ? wordsOf(names) : [] };
  const uses = isJoin && maxUses !== '' ? Number(maxUses) : undefined;
  const input: Omit<CreateTokenInput, 'namespace'> = {
    kind,
    name: name.trim(),
    ...(join.roles.length > 0 && { roles: join.roles }),
    ...(join.names.length > 0 && { names: join.names }),
    ...(life.ms !== null && { expiresInMs: life.ms }),
    ...(uses !== undefined && { maxUses: uses }),
  };
  return (
    <ActForm
      verb="Create"
      cli={[
        ...['tokens', 'create', kind, input.name],
        ...join.roles.flatMap((role) => ['--role', role]),
        ...join.names.flatMap((pattern) => ['--agent-name', pattern]),
        ...(life.cli === null ? [] : ['--expires-in', life.cli]),
        ...(uses === undefined ? [] : ['--max-uses', String(uses)]),
      ]}
      isReady={input.name !== ''}
      act={async () => {
        const { token } = await client.tokens.create(input);
        setMade(token);
        onDone();
      }}
      close={() => {}}
      onCancel={close}
    >
      <Field label="What it is for, as lists and logs show it">
        <input
          className={FIELD}
          value={name}
          maxLength={128}
          required
          autoComplete="off"
          onChange={(event) => setName(event.target.value)}
        />
      </Field>
      <KindChoice kind={kind} onChange={setKind} />
      {isJoin && (
        <div className="grid grid-cols-2 gap-3">
          <Field label="Roles (empty: every role)">
            <input
              className={FIELD}
              value={roles}
              placeholder="worker reviewer"
              onChange={(event) => setRoles(event.target.value)}
            />
          </Field>
          <Field label="Names (empty: every name)">
            <input
              className={FIELD}
              value={names}
              placeholder="ci-*"
              onChange={(event) => setNames(event.target.value)}
            />
          </Field>
        </div>
      )}
      <div className="grid grid-cols-2 gap-3">
        <Field label="It lives">
          <select
            className={FIELD}
            value={life.name}
            onChange={(event) => setLife(LIVES.find((one) => one.name === event.target.value) ?? LIVES[0])}
          >
            {LIVES.map((one) => (
              <option key={one.name}>{one.name}</option>
            ))}
          </select>
        </Field>
        {isJoin && (
          <Field label="Registrations (empty: any number)">
            <input
              className={FIELD}
              type="number"
              min={1}
              max={1_000_000_000}
              value={maxUses}
              onChange={(event) => setMaxUses(event.target.value)}
            />
          </Field>
        )}
      </div>
    </ActForm>
  );
}

interface KindChoiceProps {
  readonly kind: TokenKind;
  readonly onChange: (kind: TokenKind) => void;
}

function KindChoice({ kind, onChange }: KindChoiceProps) {
  const namespace = useNamespace();
  return (
    <fieldset>
      <legend className="mb-1 text-faint">Kind</legend>
      <div className="flex flex-col gap-1">
        {(Object.keys(MAY) as TokenKind[]).map((one) => (
          <label key={one} className="flex items-baseline gap-2">
            <input type="radio" name="kind" checked={kind === one} onChange={() => onChange(one)} />
            <span className="w-16 shrink-0 font-medium">{one}</span>
            <span className="text-soft">{MAY[one]}</span>
          </label>
        ))}
      </div>
      {kind !== 'admin' && <p className="mt-1.5 text-faint">For the namespace {namespace}.</p>}
    </fieldset>
  );
}

/** It is nowhere else: the core keeps a hash. */
function Made({ token, close }: { readonly token: string; readonly close: () => void }) {
  return (
    <div className="flex flex-col gap-3">
      <p className="text-soft">Copy it now. The core keeps only its hash, so it is never shown again.</p>
      <div className="flex items-center gap-2 rounded border border-line bg-ground py-1 pr-1 pl-2.5">
        <code className="min-w-0 flex-1 font-mono text-[12px] break-all" aria-label="The token">
          {token}
        </code>
        <CopyButton text={token} />
      </div>
      <div className="flex justify-end">
        <Button kind="main" onClick={close}>
          It is stored
        </Button>
      </div>
    </div>
  );
}

const wordsOf = (text: string): string[] => text.split(/[\s,]+/).filter((word) => word !== '');
