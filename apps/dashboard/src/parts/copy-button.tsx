// Copies a text, and shows for a moment that it did.
import { systemClock } from '@hypercode/clock';
import { useState } from 'react';
import { Button } from './button.tsx';

const SHOWN_MS = 1500;

export function CopyButton({ text, name = 'Copy' }: { readonly text: string; readonly name?: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = (): void => {
    void navigator.clipboard.writeText(text).then(() => {
      setCopied(true);
      systemClock.schedule(SHOWN_MS, () => setCopied(false));
    });
  };
  return (
    <Button kind="quiet" onClick={copy}>
      {isCopied ? 'Copied' : name}
    </Button>
  );
}
