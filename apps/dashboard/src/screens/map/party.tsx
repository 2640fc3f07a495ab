// A participant of the map: an agent, a group, an operator or the core, each with a sign of its kind.
import { Link } from '@tanstack/react-router';
import { Bot, CircleDot, type LucideIcon, User, Users } from 'lucide-react';
import { shown } from '../../parts/agent-words.ts';
import type { Party, PartyKind } from './talks.ts';

const KINDS: Record<PartyKind, { readonly icon: LucideIcon; readonly word: string }> = {
  agent: { icon: Bot, word: 'agent' },
  group: { icon: Users, word: 'group' },
  operator: { icon: User, word: 'operator' },
  core: { icon: CircleDot, word: 'core' },
};

export function PartyName({ party: { kind, name } }: { readonly party: Party }) {
  const { icon: Icon, word } = KINDS[kind];
  return (
    <span className="inline-flex min-w-0 max-w-full items-center gap-1.5" title={`${word} ${shown(name)}`}>
      <Icon className={`size-3.5 shrink-0 ${kind === 'group' ? 'text-info' : 'text-faint'}`} aria-hidden="true" />
      <span className="sr-only">{word} </span>
      <span className="truncate">{shown(name)}</span>
    </span>
  );
}

export function PartyLink({ party }: { readonly party: Party }) {
  const look = 'inline-flex min-w-0 max-w-full font-medium hover:underline';
  const { kind, name } = party;
  if (kind === 'agent')
    return (
      <Link to="/agents/$name" params={{ name }} className={look}>
        <PartyName party={party} />
      </Link>
    );
  if (kind === 'group')
    return (
      <Link to="/groups/$group" params={{ group: name }} className={look}>
        <PartyName party={party} />
      </Link>
    );
  return (
    <span className="inline-flex min-w-0 font-medium">
      <PartyName party={party} />
    </span>
  );
}
