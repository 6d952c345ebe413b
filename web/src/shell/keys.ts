// SPDX-License-Identifier: Apache-2.0

import type { Command } from './commands'

/** How long after the first of two keys the second counts. */
const together = 1200

/** Whether keys typed at a place are meant for it: a field, a terminal. */
export function typing(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName) ||
      target.closest('[data-keys=own]') !== null)
  )
}

/** Runs commands by their keys, wherever no field takes them. Returns what ends that. */
export function listen(commands: () => Command[]): () => void {
  let before = { key: '', at: 0 }
  const press = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || typing(event.target)) return
    if (document.querySelector('dialog[open]')) return
    const pair = event.timeStamp - before.at < together ? `${before.key} ${event.key}` : ''
    const found = commands().findLast((c) => c.keys !== undefined && (c.keys === pair || c.keys === event.key))
    before = { key: event.key, at: event.timeStamp }
    if (!found) return
    event.preventDefault()
    before = { key: '', at: 0 }
    found.run()
  }
  document.addEventListener('keydown', press)
  return () => document.removeEventListener('keydown', press)
}
