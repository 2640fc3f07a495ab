// A jump to one event, by its id or by its position.
import { useNavigate } from '@tanstack/react-router';
import { CornerDownLeft } from 'lucide-react';
import { useState } from 'react';

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function Jump({ onPosition }: { readonly onPosition: (position: string) => void }) {
  const navigate = useNavigate();
  const [text, setText] = useState('');
  const go = (): void => {
    const wanted = text.trim();
    if (wanted === '') return;
    setText('');
    if (UUID.test(wanted)) void navigate({ to: '/events/$id', params: { id: wanted } });
    else onPosition(wanted);
  };
  return (
    <form
      className="relative"
      onSubmit={(event) => {
        event.preventDefault();
        go();
      }}
    >
      <input
        aria-label="Go to an id or a position"
        placeholder="Go to an id or a position"
        value={text}
        maxLength={512}
        onChange={(event) => setText(event.target.value)}
        className="h-7 w-52 rounded border border-strong-line/50 bg-raised pr-7 pl-2 placeholder:text-faint"
      />
      <button type="submit" aria-label="Go" className="absolute top-1 right-1 rounded p-0.5 text-faint hover:text-ink">
        <CornerDownLeft className="size-4" aria-hidden="true" />
      </button>
    </form>
  );
}
