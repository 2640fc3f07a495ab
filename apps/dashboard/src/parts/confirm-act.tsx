// An act that is described, confirmed, and done with one call.
import type { ReactNode } from 'react';
import { ActDialog } from './act-dialog.tsx';
import { ActForm, type ActFormProps } from './act-form.tsx';
import { Button } from './button.tsx';

interface ConfirmActProps extends Omit<ActFormProps, 'close' | 'children'> {
  /** What is done, to what. */
  readonly title: string;
  /** What will happen. */
  readonly children: ReactNode;
}

export const ConfirmAct = ({ title, children, ...form }: ConfirmActProps) => (
  <ActDialog title={title} trigger={<Button kind={form.isDangerous === true ? 'danger' : 'plain'}>{form.verb}</Button>}>
    {(close) => (
      <ActForm {...form} close={close}>
        <div className="text-soft">{children}</div>
      </ActForm>
    )}
  </ActDialog>
);
