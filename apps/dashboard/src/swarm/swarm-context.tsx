// The live swarm of the namespace that is shown, and what screens read of it.
import { systemClock } from '@hypercode/clock';
import type { SwarmClient } from '@hypercode/client';
import type { WhoamiResult } from '@hypercode/contracts';
import { createContext, type ReactNode, use, useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import { sessionEnded } from '../session/session.ts';
import { type AgentsView, LiveSwarm, type NoticesView, type OverviewView, type PlansView } from './live-swarm.ts';
import { Store, useStore } from './store.ts';

interface Swarm {
  readonly live: LiveSwarm;
  /** Who is signed in; null until the core has said so. */
  readonly caller: Store<WhoamiResult | null>;
}

const Context = createContext<Swarm | null>(null);

/** Opens the live swarm of a namespace for everything inside. */
export function SwarmProvider({ namespace, sessionKey, children }: SwarmProviderProps) {
  const [swarm, setSwarm] = useState<Swarm | null>(null);
  useEffect(() => {
    const live = new LiveSwarm({
      url: location.origin,
      namespace,
      session: () => sessionKey,
      onSessionEnd: sessionEnded,
    });
    const caller = new Store<WhoamiResult | null>(null);
    live.client.whoami({}).then(
      (answer) => caller.set(answer),
      () => {},
    );
    setSwarm({ live, caller });
    return () => void live.close();
  }, [namespace, sessionKey]);
  return swarm === null ? null : <Context value={swarm}>{children}</Context>;
}

interface SwarmProviderProps {
  readonly namespace: string;
  readonly sessionKey: string;
  readonly children: ReactNode;
}

function useSwarm(): Swarm {
  const swarm = use(Context);
  if (swarm === null) throw new Error('outside of a SwarmProvider');
  return swarm;
}

export const useClient = (): SwarmClient => useSwarm().live.client;
export const useNamespace = (): string => useSwarm().live.namespace;
export const useAgents = (): AgentsView => useStore(useSwarm().live.agents);

/** Calls `take` with the agents now and at each change, without drawing the component again. */
export function useEachAgents(take: (view: AgentsView) => void): void {
  const { agents } = useSwarm().live;
  useEffect(() => {
    take(agents.get());
    return agents.follow(() => take(agents.get()));
  }, [agents, take]);
}

export const useOverview = (): OverviewView => useStore(useSwarm().live.overview);
export const usePlans = (): PlansView => useStore(useSwarm().live.plans);
export const useNotices = (): NoticesView => useStore(useSwarm().live.notices);
export const useCaller = (): WhoamiResult | null => useStore(useSwarm().caller);

/** Whether the signed-in token may call a procedure, such as `groups.pause`. */
export function useMay(procedure: string): boolean {
  const caller = useCaller();
  return useMemo(() => caller?.may.includes(procedure) === true, [caller, procedure]);
}

/** Milliseconds since the epoch, once a second, the same for all of the page. */
const now = new Store(systemClock.epochMs());
const tick = (): void => {
  now.set(systemClock.epochMs());
  systemClock.schedule(1000, tick);
};
tick();

export const useNow = (): number => useStore(now);

/** What follows from the time of the page: the component is drawn again when that changes, and not each second. */
export const useOfNow = <T extends string | number | boolean>(of: (now: number) => T): T =>
  useSyncExternalStore(now.follow, () => of(now.get()));
