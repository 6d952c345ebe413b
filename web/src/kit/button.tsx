// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren, HTMLAttributes } from 'preact'
import { Icon, type IconName } from './icon'

type Looks = 'plain' | 'primary' | 'danger' | 'quiet'

export interface ButtonProps
  extends Omit<HTMLAttributes<HTMLButtonElement>, 'icon' | 'size' | 'label' | 'title' | 'role' | 'class'> {
  looks?: Looks
  icon?: IconName
  /** Something is under way: the button stays where it is and takes no second click. */
  busy?: boolean
  disabled?: boolean
  /** Why it is disabled, or what it does, on hover. */
  title?: string
  small?: boolean
  class?: string
  type?: 'button' | 'submit'
  children?: ComponentChildren
}

/** A button. One without children needs a label: see IconButton. */
export function Button({
  looks = 'plain',
  icon,
  busy,
  disabled,
  small,
  children,
  type = 'button',
  class: more,
  ...rest
}: ButtonProps) {
  const classes = ['button', `button-${looks}`, small && 'button-small', more].filter(Boolean).join(' ')
  return (
    <button {...rest} type={type} class={classes} disabled={disabled || busy} aria-busy={busy || undefined}>
      {icon && <Icon name={busy ? 'progress' : icon} turning={busy ?? false} />}
      {children}
    </button>
  )
}

/** A button that shows an icon only; label is what it is called. */
export function IconButton({ label, icon, looks = 'quiet', ...rest }: ButtonProps & { label: string; icon: IconName }) {
  return (
    <Button
      {...rest}
      looks={looks}
      icon={icon}
      aria-label={label}
      title={rest.title ?? label}
      class={['button-icon', rest.class].filter(Boolean).join(' ')}
    />
  )
}
