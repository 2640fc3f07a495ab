// The line of the command line that does the same, to copy.
import { CopyButton } from './copy-button.tsx';
import { shellWord } from './shell-word.ts';

export function CliLine({ words }: { readonly words: readonly string[] }) {
  const line = ['swarm', ...words].map(shellWord).join(' ');
  return (
    <div className="flex items-center gap-2 rounded border border-line bg-ground py-1 pr-1 pl-2.5">
      <code className="min-w-0 flex-1 font-mono text-[12px] wrap-anywhere">{line}</code>
      <CopyButton text={line} />
    </div>
  );
}
