// SPDX-License-Identifier: Apache-2.0

import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'

/**
 * Keeps the focus with the application that has it while the list is put in another order: an element that is moved loses it. Who
 * points elsewhere has let go of it.
 */
export function useFocusKept(body: { current: HTMLElement | null }, turn: number) {
  const held = useRef<{ key: string; nth: number } | undefined>(undefined)
  useEffect(() => {
    const take = (event: FocusEvent) => {
      held.current = event.target instanceof HTMLElement ? spot(body.current, event.target) : undefined
    }
    const letGo = () => {
      held.current = undefined
    }
    document.addEventListener('focusin', take)
    document.addEventListener('pointerdown', letGo)
    return () => {
      document.removeEventListener('focusin', take)
      document.removeEventListener('pointerdown', letGo)
    }
  }, [body])
  useLayoutEffect(() => {
    const had = held.current
    if (!had || document.activeElement !== document.body) return
    const row = body.current?.querySelector(`[data-key="${CSS.escape(had.key)}"]`)
    row?.querySelectorAll<HTMLElement>('a, button, input')[had.nth]?.focus({ preventScroll: true })
  }, [turn])
}

/** Which element of which application one is. */
function spot(body: HTMLElement | null, element: HTMLElement): { key: string; nth: number } | undefined {
  const row = element.closest<HTMLElement>('[data-key]')
  if (!row || !body?.contains(row)) return undefined
  return { key: row.dataset.key ?? '', nth: [...row.querySelectorAll('a, button, input')].indexOf(element) }
}
