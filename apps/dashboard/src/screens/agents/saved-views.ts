// Filters of the list of agents that a person keeps under a name, in this browser.
import { z } from 'zod';
import { Store } from '../../swarm/store.ts';
import { AgentFilterSearch } from './agent-filter.ts';

const SavedView = z.object({ name: z.string().min(1).max(60), filter: AgentFilterSearch });
export type SavedView = z.infer<typeof SavedView>;

const STORED = 'swarm-agent-views';
const MOST_VIEWS = 50;

export const savedViews = new Store<readonly SavedView[]>(readStored());

/** A view of the same name is replaced; beyond fifty the oldest goes. */
export function saveView(view: SavedView): void {
  const others = savedViews.get().filter(({ name }) => name !== view.name);
  keep([...others, view].slice(-MOST_VIEWS));
}

export function removeView(name: string): void {
  keep(savedViews.get().filter((view) => view.name !== name));
}

function keep(views: readonly SavedView[]): void {
  localStorage.setItem(STORED, JSON.stringify(views));
  savedViews.set(views);
}

function readStored(): readonly SavedView[] {
  try {
    return z.array(SavedView).parse(JSON.parse(localStorage.getItem(STORED) ?? '[]'));
  } catch {
    return [];
  }
}
