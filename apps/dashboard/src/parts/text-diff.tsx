// Two texts line by line: what goes has a minus and is red, what comes has a plus and is green.
import { structuredPatch } from 'diff';
import { useMemo } from 'react';
import { shown } from './agent-words.ts';

const LOOKS: Readonly<Record<string, string>> = { '+': 'text-good', '-': 'text-bad' };

export function TextDiff({ from, to, label }: { readonly from: string; readonly to: string; readonly label: string }) {
  const hunks = useMemo(() => structuredPatch('', '', from, to, '', '', { context: 3 }).hunks, [from, to]);
  if (hunks.length === 0) return <p className="text-soft">No difference.</p>;
  return (
    <div
      role="group"
      aria-label={label}
      tabIndex={0}
      className="max-h-[40vh] overflow-auto rounded border border-line bg-sheet py-1 font-mono text-[12px] leading-[18px]"
    >
      {hunks.map(({ oldStart, newStart, lines }) => (
        <div key={`${oldStart} ${newStart}`} className="border-t border-line/60 py-1 first:border-t-0">
          {lines.map((line, index) => {
            const sign = line.slice(0, 1);
            const Line = sign === '+' ? 'ins' : sign === '-' ? 'del' : 'span';
            return (
              <Line
                key={index}
                className={`block px-3 break-all whitespace-pre-wrap no-underline ${LOOKS[sign] ?? 'text-soft'}`}
              >
                {sign} {shown(line.slice(1))}
              </Line>
            );
          })}
        </div>
      ))}
    </div>
  );
}
