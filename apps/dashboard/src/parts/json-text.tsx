// JSON that an agent wrote: in lines, with hidden characters shown, and cut when it is long.
import { useState } from 'react';
import { shown } from './agent-words.ts';
import { Button } from './button.tsx';
import { countText } from './duration.ts';

/** Longest text that is drawn before a person asks for all of it, in characters. */
const FIRST_LENGTH = 20_000;

interface JsonTextProps {
  /** What it is, for those who do not see it. */
  readonly label: string;
  readonly value: unknown;
}

export function JsonText({ label, value }: JsonTextProps) {
  const [isWhole, setWhole] = useState(false);
  const text = JSON.stringify(value, null, 2) ?? 'none';
  const isCut = text.length > FIRST_LENGTH && !isWhole;
  const lines = (isCut ? text.slice(0, FIRST_LENGTH) : text).split('\n').map(shown).join('\n');
  return (
    <>
      <pre
        aria-label={label}
        tabIndex={0}
        className="max-h-96 overflow-auto rounded border border-line bg-ground p-2.5 font-mono text-[12px] leading-[18px] break-all whitespace-pre-wrap"
      >
        {lines}
      </pre>
      {isCut && (
        <Button kind="quiet" onClick={() => setWhole(true)}>
          Show {countText(text.length - FIRST_LENGTH)} more characters
        </Button>
      )}
    </>
  );
}
