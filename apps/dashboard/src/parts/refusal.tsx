// What the core answered in place of what was asked for.
import type { SwarmError } from '@hypercode/contracts';
import { shown } from './agent-words.ts';

export function Refusal({ error }: { readonly error: SwarmError | null }) {
  if (error === null) return null;
  return (
    <p role="alert" className="rounded bg-bad-wash px-3 py-2 break-words text-bad">
      {shown(error.message)} <span className="font-mono text-[11px]">{error.code}</span>
    </p>
  );
}
