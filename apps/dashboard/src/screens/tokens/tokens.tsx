// The tokens of the namespace: what each may do and when it was last used. Their secrets are kept nowhere.
import { useNavigate, useSearch } from '@tanstack/react-router';
import { TokenKind, type TokenInfo } from '@hypercode/contracts';
import { useCallback, useMemo } from 'react';
import { Age, Countdown } from '../../parts/age.tsx';
import { shown } from '../../parts/agent-words.ts';
import { Button } from '../../parts/button.tsx';
import { ConfirmAct } from '../../parts/confirm-act.tsx';
import { countText } from '../../parts/duration.ts';
import { Choice, SearchField } from '../../parts/fields.tsx';
import { Forbidden } from '../../parts/forbidden.tsx';
import { Empty, ScreenHead, Tag } from '../../parts/panel.tsx';
import { ReadAt, Refused } from '../../parts/read-at.tsx';
import { Cell, Head, Rows } from '../../parts/rows.tsx';
import { useCaller, useClient, useMay, useNotices } from '../../swarm/swarm-context.tsx';
import { useReading } from '../../swarm/use-reading.ts';
import { CreateToken } from './create-token.tsx';
import { filteredTokens, type TokenFilterSearch } from './token-filter.ts';

const COLUMNS = 'minmax(10rem,1.4fr) 5.5rem minmax(10rem,1.8fr) 6.5rem 8rem 5.5rem 6.5rem';

export function Tokens() {
  const caller = useCaller();
  const mayList = useMay('tokens.list');
  if (caller === null) return <ScreenHead title="Tokens" count="reading…" />;
  if (mayList) return <TokenList />;
  return (
    <>
      <ScreenHead title="Tokens" />
      <Forbidden what="The tokens" cli={['tokens', 'ls']} />
    </>
  );
}

function TokenList() {
  const { ns: _, ...filter } = useSearch({ from: '/tokens' });
  const client = useClient();
  const mayCreate = useMay('tokens.create');
  const navigate = useNavigate({ from: '/tokens' });
  const reading = useReading(`tokens ${useTokenChanges()}`, (signal) => client.tokens.list({}, { signal }));
  const tokens = reading.value?.tokens ?? [];
  const found = useMemo(() => filteredTokens(tokens, filter), [tokens, JSON.stringify(filter)]);
  const set = useCallback(
    (change: TokenFilterSearch) => {
      void navigate({ search: (before) => ({ ...before, ...change }), replace: true });
    },
    [navigate],
  );
  const setText = useCallback((text: string) => set({ text: text === '' ? undefined : text }), [set]);
  const isFiltered = filter.text !== undefined || filter.kind !== undefined;
  return (
    <div className="flex h-full flex-col">
      <ScreenHead
        title="Tokens"
        count={isFiltered ? `${countText(found.length)} of ${countText(tokens.length)}` : countText(tokens.length)}
      >
        <ReadAt reading={reading} />
        <SearchField label="Search tokens" value={filter.text ?? ''} onChange={setText} />
        <Choice label="kind" value={filter.kind} values={TokenKind.options} onChange={(kind) => set({ kind })} />
        {mayCreate && <CreateToken onDone={reading.again} />}
      </ScreenHead>
      {reading.error !== null && (
        <div className="px-5 py-3">
          <Refused reading={reading} />
        </div>
      )}
      {found.length > 0 && (
        <Rows
          label="Tokens"
          items={found}
          keyOf={({ id }) => id}
          columns={COLUMNS}
          head={
            <>
              <Head>For</Head>
              <Head>Kind</Head>
              <Head>Registers</Head>
              <Head>Created</Head>
              <Head>Last used</Head>
              <Head>Expires</Head>
              <Head>
                <span className="sr-only">Acts</span>
              </Head>
            </>
          }
          row={(token) => <TokenRow token={token} onDone={reading.again} />}
        />
      )}
      {found.length === 0 && reading.value !== null && (
        <Empty title={isFiltered ? 'No token matches these filters.' : 'No token was created yet.'}>
          {isFiltered ? (
            <Button onClick={() => void navigate({ search: ({ ns }) => ({ ns }), replace: true })}>
              Clear the filters
            </Button>
          ) : (
            'The tokens of the environment are not in this list. Create one for each person and each machine, so that each can be revoked alone.'
          )}
        </Empty>
      )}
    </div>
  );
}

/** Grows with each token that is created or revoked while the page is open, by whomever. */
function useTokenChanges(): string {
  const { notices } = useNotices();
  return notices.find(({ event }) => event.topic.startsWith('system.token.'))?.position ?? '';
}

function TokenRow({ token, onDone }: { readonly token: TokenInfo; readonly onDone: () => void }) {
  const { id, name, kind, createdAt, expiresAt, lastUsedAt } = token;
  const client = useClient();
  const mayRevoke = useMay('tokens.revoke');
  return (
    <>
      <Cell className="font-medium">
        <span title={id}>{shown(name)}</span>
      </Cell>
      <Cell className={kind === 'admin' ? 'font-medium text-warn' : 'text-soft'}>{kind}</Cell>
      <Cell className="text-soft">{kind === 'join' ? <Registers token={token} /> : ''}</Cell>
      <Cell className="text-faint">
        <Age at={createdAt} />
      </Cell>
      <Cell className={lastUsedAt === null ? 'text-faint' : ''}>
        {lastUsedAt === null ? 'never' : <Age at={lastUsedAt} />}
      </Cell>
      <Cell className="text-soft">{expiresAt === null ? 'never' : <Countdown until={expiresAt} />}</Cell>
      <Cell className="text-right">
        {mayRevoke && (
          <ConfirmAct
            verb="Revoke"
            title={`Revoke the ${kind} token ${shown(name)}`}
            cli={['tokens', 'revoke', id]}
            isDangerous
            act={() => client.tokens.revoke({ id })}
            onDone={onDone}
          >
            It stops working on every core within a second, and its streams and sessions end.
            {kind === 'join' && ' Agents that it has registered keep the tokens that they have.'}
          </ConfirmAct>
        )}
      </Cell>
    </>
  );
}

function Registers({ token: { roles, names, uses, maxUses } }: { readonly token: TokenInfo }) {
  return (
    <span className="inline-flex items-center gap-1.5">
      {roles === '*' || roles === null ? 'every role' : roles.map((role) => <Tag key={role}>{role}</Tag>)}
      {names?.map((pattern) => (
        <Tag key={pattern}>{pattern}</Tag>
      ))}
      <span className="text-faint">
        {countText(uses)}
        {maxUses === null ? ' used' : ` of ${countText(maxUses)}`}
      </span>
    </span>
  );
}
