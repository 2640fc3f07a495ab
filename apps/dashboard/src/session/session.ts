// The sign-in of this tab: the cookie is the browser's, the key is the page's, and neither is worth anything without the other.
import { readRefusal, type SignedIn, SwarmError } from '@hypercode/contracts';
import { Store } from '../swarm/store.ts';

/**
 * - `checking`: the link with which the page was opened is being exchanged, or the stored key is tried.
 * - `out`: no session is open. `reason` says why the last one ended, or why signing in failed; null otherwise.
 * - `in`: requests carry `key`.
 */
export type SessionState =
  | { readonly state: 'checking' }
  | { readonly state: 'out'; readonly reason: string | null }
  | { readonly state: 'in'; readonly key: string; readonly expiresAt: string };

const STORED = 'swarm-session';

export const session = new Store<SessionState>({ state: 'checking' });

/** Takes the code of a sign-in link out of the address, or the key that this tab has. */
export async function beginSession(): Promise<void> {
  const code = codeIn(location.hash);
  if (code !== null) {
    // The code must not stay in the history of the browser.
    history.replaceState(null, '', location.pathname + location.search);
    await signIn({ code });
    return;
  }
  const stored = readStored();
  session.set(stored === null ? { state: 'out', reason: null } : { state: 'in', ...stored });
}

/** @throws nothing: what was refused is the state's reason. */
export async function signIn(proof: { token: string } | { code: string }): Promise<void> {
  try {
    const answer = await fetch('/v1/session', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(proof),
    });
    const answered = (await answer.json()) as object;
    if (!answer.ok) throw refusalIn(answered);
    const body = answered as SignedIn;
    store(body);
    session.set({ state: 'in', key: body.key, expiresAt: body.expiresAt });
  } catch (error) {
    session.set({ state: 'out', reason: reasonOf(error, 'code' in proof) });
  }
}

/** Ends the session at the core, too. */
export async function signOut(): Promise<void> {
  const current = session.get();
  sessionStorage.removeItem(STORED);
  session.set({ state: 'out', reason: null });
  if (current.state !== 'in') return;
  await fetch('/v1/session', { method: 'DELETE', headers: { 'swarm-session': current.key } }).catch(() => {});
}

/** The core no longer takes the session. */
export function sessionEnded(reason: string): void {
  sessionStorage.removeItem(STORED);
  session.set({ state: 'out', reason });
}

/** The refusal in an answer that is problem+json. */
const refusalIn = (problem: { readonly detail?: unknown }): SwarmError =>
  readRefusal({ ...problem, message: problem.detail }) ?? SwarmError.from(problem);

const codeIn = (hash: string): string | null => new URLSearchParams(hash.slice(1)).get('code');

function reasonOf(error: unknown, byLink: boolean): string {
  const refusal = SwarmError.from(error);
  if (refusal.code === 'UNAUTHENTICATED') {
    return byLink
      ? 'This link has been used or is older than two minutes. Ask for a new one, or sign in with a token.'
      : 'The core does not know this token, or it has expired or was revoked.';
  }
  if (refusal.code === 'RATE_LIMITED') return 'Too many tries from this address. Wait a minute.';
  if (error instanceof TypeError) return 'The core does not answer. Is it running?';
  return refusal.message;
}

function readStored(): { key: string; expiresAt: string } | null {
  try {
    const value: unknown = JSON.parse(sessionStorage.getItem(STORED) ?? 'null');
    if (typeof value !== 'object' || value === null) return null;
    const { key, expiresAt } = value as Record<string, unknown>;
    return typeof key === 'string' && typeof expiresAt === 'string' ? { key, expiresAt } : null;
  } catch {
    return null;
  }
}

const store = ({ key, expiresAt }: { key: string; expiresAt: string }): void =>
  sessionStorage.setItem(STORED, JSON.stringify({ key, expiresAt }));
