// The namespace that is shown, and the choice of another one.
import { useNavigate } from '@tanstack/react-router';
import type { NamespaceInfo } from '@hypercode/contracts';
import { ChevronsUpDown } from 'lucide-react';
import { DropdownMenu } from 'radix-ui';
import { useState } from 'react';
import { counted } from '../parts/duration.ts';
import { useClient, useNamespace } from '../swarm/swarm-context.tsx';

export function NamespaceField() {
  const namespace = useNamespace();
  const client = useClient();
  const navigate = useNavigate();
  const [known, setKnown] = useState<readonly NamespaceInfo[]>([]);
  const read = (isOpen: boolean): void => {
    if (!isOpen) return;
    client.namespaces.list({}).then(
      ({ namespaces }) => setKnown(namespaces),
      () => {},
    );
  };
  return (
    <DropdownMenu.Root modal={false} onOpenChange={read}>
      <DropdownMenu.Trigger
        aria-label={`Namespace ${namespace}`}
        className="flex h-8 items-center gap-2 rounded border border-line bg-sheet px-2 text-left hover:border-strong-line"
      >
        <span className="min-w-0 flex-1 truncate font-mono text-[12px] max-md:hidden">{namespace}</span>
        <ChevronsUpDown className="size-3.5 shrink-0 text-faint" aria-hidden="true" />
      </DropdownMenu.Trigger>
      {/* Not at the end of the document: a menu is part of the navigation. */}
      <DropdownMenu.Content
        align="start"
        sideOffset={4}
        className="z-20 max-h-80 min-w-56 overflow-auto rounded-md border border-line bg-raised p-1 shadow-lg"
      >
        {known.map(({ namespace: name, agents }) => (
          <DropdownMenu.Item
            key={name}
            className="flex h-8 items-center gap-4 rounded px-2 outline-none data-[highlighted]:bg-accent-wash"
            onSelect={() => void navigate({ to: '.', search: (before) => ({ ...before, ns: name }) })}
          >
            <span className="flex-1 font-mono text-[12px]">{name}</span>
            <span className="text-faint">{counted(agents.total, 'agent')}</span>
          </DropdownMenu.Item>
        ))}
        {known.length === 0 && <p className="px-2 py-1 text-faint">Reading…</p>}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
