// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { Button, IconButton } from './button'
import { Icon, type IconName } from './icon'

export interface MenuItem {
  label: string
  icon?: IconName
  danger?: boolean
  disabled?: boolean
  /** Why it is disabled, or what it does. */
  title?: string | undefined
  /** Marks the one that is chosen, in a menu that chooses. */
  chosen?: boolean
  onSelect: () => void
}

/** A button that opens a list of things to do. Arrows move in it, Escape closes it. */
export function Menu({
  label,
  icon,
  items,
  children,
  small,
}: {
  label: string
  icon?: IconName
  items: MenuItem[]
  children?: ComponentChildren
  small?: boolean
}) {
  const [open, setOpen] = useState(false)
  const holder = useRef<HTMLDivElement>(null)
  const close = (back = true) => {
    setOpen(false)
    if (back) holder.current?.querySelector<HTMLElement>('button')?.focus()
  }
  useEffect(() => {
    if (!open) return
    holder.current?.querySelector<HTMLElement>('[role^=menuitem]')?.focus()
    const elsewhere = (event: Event) => {
      if (event.target instanceof Node && !holder.current?.contains(event.target)) setOpen(false)
    }
    document.addEventListener('pointerdown', elsewhere)
    return () => document.removeEventListener('pointerdown', elsewhere)
  }, [open])
  const head = {
    'aria-haspopup': 'menu' as const,
    'aria-expanded': open,
    onClick: () => setOpen(!open),
    small: small ?? false,
  }
  return (
    <div class="menu" ref={holder}>
      {children ? (
        <Button {...head} aria-label={label} icon={icon as IconName}>
          {children}
          <Icon name="down" size={12} />
        </Button>
      ) : (
        <IconButton {...head} label={label} icon={icon ?? 'more'} />
      )}
      {open && (
        <div class="menu-list" role="menu" aria-label={label} tabIndex={-1} onKeyDown={(event) => move(event, close)}>
          {items.map((item) => (
            // biome-ignore lint/a11y/useAriaPropsSupportedByRole: aria-checked is set for menuitemradio only
            <button
              key={item.label}
              type="button"
              role={item.chosen === undefined ? 'menuitem' : 'menuitemradio'}
              aria-checked={item.chosen}
              tabIndex={-1}
              class={item.danger ? 'menu-item menu-danger' : 'menu-item'}
              aria-disabled={item.disabled || undefined}
              title={item.title}
              onClick={() => {
                if (item.disabled) return
                close()
                item.onSelect()
              }}
            >
              <span class="menu-icon">
                {item.chosen ? <Icon name="check" /> : item.icon && <Icon name={item.icon} />}
              </span>
              {item.label}
            </button>
          ))}
        </div>
      )}
    </div>
  )
}

function move(event: KeyboardEvent & { currentTarget: HTMLElement }, close: (back?: boolean) => void) {
  const all = [...event.currentTarget.querySelectorAll<HTMLElement>('[role^=menuitem]')]
  const at = all.indexOf(document.activeElement as HTMLElement)
  const steps: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 }
  const to = steps[event.key]
  if (event.key === 'Escape') close()
  else if (event.key === 'Tab') close(false)
  else if (to !== undefined) all[(to + all.length) % all.length]?.focus()
  else return
  if (event.key !== 'Tab') {
    event.preventDefault()
    event.stopPropagation()
  }
}
