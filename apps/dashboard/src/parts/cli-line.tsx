// The line of the command line that does the same, to copy.
import { useState } from 'react';
import { systemClock } from '@hypercode/clock';
import { Button } from './button.tsx';
import { shellWord } from './shell-word.ts';

export function CliLine({ words }: { readonly words: readonly string[] }) {
  const line = ['swarm', ...words].map(shellWord).join(' ');
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(line).then(() => {
      setCopied(true);
      systemClock.schedule(1500, () => setCopied(false));
    });
  };
  return (
    <div className="flex items-center gap-2 rounded border border-line bg-ground py-1 pr-1 pl-2.5">
      <code className="min-w-0 flex-1 font-mono text-[12px] break-all">{line}</code>
      <Button kind="quiet" onClick={copy}>
        {isCopied ? 'Copied' : 'Copy'}
      </Button>
    </div>
  );
}
