// The page before somebody is signed in.
import { useState } from 'react';
import { Button } from '../parts/button.tsx';
import { Mark } from '../shell/mark.tsx';
import { signIn } from './session.ts';

export function SignIn({ reason }: { readonly reason: string | null }) {
  const [token, setToken] = useState('');
  const [isTrying, setTrying] = useState(false);
  const submit = async (): Promise<void> => {
    setTrying(true);
    await signIn({ token: token.trim() });
    setTrying(false);
  };
  return (
    <main className="flex min-h-full items-center justify-center p-6">
      <form
        className="flex w-full max-w-sm flex-col gap-4"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <div className="flex items-center gap-2.5">
          <Mark className="size-7 text-accent" />
          <h1 className="text-lg font-semibold tracking-tight">HyperCode Swarm</h1>
        </div>
        {reason !== null && (
          <p role="alert" className="rounded border border-warn/40 bg-warn-wash px-3 py-2 text-warn">
            {reason}
          </p>
        )}
        <label className="flex flex-col gap-1.5">
          <span className="font-medium">Token</span>
          <input
            className="h-9 rounded border border-strong-line/60 bg-raised px-2.5 font-mono"
            type="password"
            autoComplete="off"
            spellCheck={false}
            autoFocus
            value={token}
            onChange={(event) => setToken(event.target.value)}
          />
        </label>
        <Button kind="main" type="submit" className="h-9 justify-center" disabled={token.trim() === '' || isTrying}>
          {isTrying ? 'Signing in…' : 'Sign in'}
        </Button>
        <p className="text-soft">
          A viewer token can read, an operator token can act. On the embedded default, <Kbd>pnpm dev</Kbd> prints a link
          that signs in, and a new one each time that you press Enter; the tokens are in <Kbd>credentials.json</Kbd> of
          the data folder.
        </p>
      </form>
    </main>
  );
}

const Kbd = ({ children }: { readonly children: string }) => (
  <code className="rounded-sm bg-line/70 px-1 font-mono text-[12px]">{children}</code>
);
