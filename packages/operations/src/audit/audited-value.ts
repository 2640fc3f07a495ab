// What the audit keeps of a value: the value, or the hash of a large one, and never a token.
import { canonicalJson, type HashedValue, LIMITS } from '@hypercode/contracts';
import { createHash } from 'node:crypto';

/** Every token that the core makes looks like this, wherever it stands. */
const TOKEN = /sw(?:agent|join|view|op|adm)_[A-Za-z0-9_-]{43}/g;
const REMOVED = '[token]';

/** As JSON has it: what JSON leaves out is left out. */
export function auditedValue(value: unknown): unknown {
  const text = withoutTokens(canonicalJson(value));
  const bytes = Buffer.byteLength(text);
  if (bytes <= LIMITS.auditedBytes) return JSON.parse(text);
  return { sha256: createHash('sha256').update(text).digest('hex'), bytes } satisfies HashedValue;
}

/** The text, with every token in it replaced. */
export const withoutTokens = (text: string): string => text.replaceAll(TOKEN, REMOVED);
