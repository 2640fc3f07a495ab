// What is shown: the sign-in, or the screens.
import { RouterProvider } from '@tanstack/react-router';
import { useEffect } from 'react';
import { router } from './router.tsx';
import { beginSession, session } from './session/session.ts';
import { SignIn } from './session/sign-in.tsx';
import { useStore } from './swarm/store.ts';

export function App() {
  const current = useStore(session);
  useEffect(() => void beginSession(), []);
  switch (current.state) {
    case 'checking':
      return null;
    case 'out':
      return <SignIn reason={current.reason} />;
    case 'in':
      return <RouterProvider router={router} context={{ sessionKey: current.key }} />;
  }
}
