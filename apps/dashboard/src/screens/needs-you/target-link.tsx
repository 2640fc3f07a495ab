// A link to where a finding is explained.
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Target } from './findings.ts';

interface TargetLinkProps {
  readonly target: Target;
  readonly className: string;
  readonly children: ReactNode;
}

export function TargetLink({ target, className, children }: TargetLinkProps) {
  switch (target.to) {
    case 'agent':
      return (
        <Link to="/agents/$name" params={{ name: target.name }} className={className}>
          {children}
        </Link>
      );
    case 'agents':
      return (
        <Link to="/agents" search={target.filter} className={className}>
          {children}
        </Link>
      );
    case 'plan':
      return (
        <Link to="/plans/$id" params={{ id: target.id }} search={{ task: target.task }} className={className}>
          {children}
        </Link>
      );
    case 'group':
      return (
        <Link to="/groups/$group" params={{ group: target.group }} className={className}>
          {children}
        </Link>
      );
    case 'system':
      return (
        <Link to="/system" className={className}>
          {children}
        </Link>
      );
  }
}
