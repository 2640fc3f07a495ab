// The saved views of the list: chosen, saved under a name, removed.
import { Link } from '@tanstack/react-router';
import { Bookmark, X } from 'lucide-react';
import { Popover } from 'radix-ui';
import { useState } from 'react';
import { FIELD } from '../../parts/act-form.tsx';
import { Button } from '../../parts/button.tsx';
import { useStore } from '../../swarm/store.ts';
import type { AgentFilterSearch } from './agent-filter.ts';
import { removeView, savedViews, saveView } from './saved-views.ts';

export function ViewsMenu({ filter }: { readonly filter: AgentFilterSearch }) {
  const [isOpen, setOpen] = useState(false);
  const [name, setName] = useState('');
  const views = useStore(savedViews);
  const isAny = Object.values(filter).some((value) => value !== undefined);
  return (
    <Popover.Root open={isOpen} onOpenChange={setOpen}>
      <Popover.Trigger asChild>
        <Button>
          <Bookmark className="size-3.5" aria-hidden="true" />
          Views
        </Button>
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          align="end"
          sideOffset={4}
          aria-label="Saved views"
          className="z-20 w-72 rounded-md border border-line bg-raised p-2 shadow-lg"
        >
          <ul className="max-h-72 overflow-auto">
            {views.map((view) => (
              <li key={view.name} className="flex items-center rounded hover:bg-accent-wash">
                <Link
                  to="/agents"
                  search={({ ns }) => ({ ns, ...view.filter })}
                  className="min-w-0 flex-1 truncate px-2 py-1.5"
                  onClick={() => setOpen(false)}
                >
                  {view.name}
                </Link>
                <button
                  type="button"
                  aria-label={`Remove the view ${view.name}`}
                  className="rounded p-1.5 text-faint hover:text-bad"
                  onClick={() => removeView(view.name)}
                >
                  <X className="size-3.5" aria-hidden="true" />
                </button>
              </li>
            ))}
          </ul>
          {views.length === 0 && (
            <p className="px-2 py-1 text-soft">
              No view is saved in this browser. Set filters, and save them under a name.
            </p>
          )}
          {isAny && (
            <form
              className="mt-1.5 flex gap-2 border-t border-line pt-2"
              onSubmit={(event) => {
                event.preventDefault();
                saveView({ name: name.trim(), filter });
                setName('');
              }}
            >
              <input
                aria-label="Name of the view"
                placeholder="Name of these filters"
                className={`${FIELD} flex-1`}
                value={name}
                maxLength={60}
                onChange={(event) => setName(event.target.value)}
              />
              <Button type="submit" kind="main" className="h-8" disabled={name.trim() === ''}>
                Save
              </Button>
            </form>
          )}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}
