// SPDX-License-Identifier: Apache-2.0

import { effect, type Signal, signal } from '@preact/signals'

/**
 * A value that the browser keeps for this page; read takes what was kept, of whatever shape it is. Other tabs of the page see what
 * changes. A browser that keeps nothing lets it count for as long as the page is open.
 */
export function kept<T>(key: string, read: (value: unknown) => T): Signal<T> {
  const load = () => {
    try {
      return read(JSON.parse(localStorage.getItem(key) ?? 'null'))
    } catch {
      return read(null)
    }
  }
  const value = signal(load())
  let first = true
  effect(() => {
    const text = JSON.stringify(value.value)
    if (first) {
      first = false
      return
    }
    try {
      if (localStorage.getItem(key) !== text) localStorage.setItem(key, text)
    } catch {
      // It counts for as long as the page is open.
    }
  })
  if (typeof addEventListener !== 'undefined') {
    addEventListener('storage', (event) => {
      if (event.key === key) value.value = load()
    })
  }
  return value
}

/** The texts in a list that was kept. */
export function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((v): v is string => typeof v === 'string') : []
}
