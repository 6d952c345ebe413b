// SPDX-License-Identifier: Apache-2.0

import { effect, signal } from '@preact/signals'

export type Theme = 'system' | 'light' | 'dark'

const key = 'bowline.theme'

function kept(): Theme {
  try {
    const value = localStorage.getItem(key)
    return value === 'light' || value === 'dark' ? value : 'system'
  } catch {
    return 'system' // the browser keeps nothing for this page
  }
}

export const theme = signal<Theme>('system')

/** Puts the theme on the document, and keeps it. */
export function beginTheme() {
  theme.value = kept()
  effect(() => {
    if (theme.value === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme.value
    try {
      localStorage.setItem(key, theme.value)
    } catch {
      // It counts for as long as the page is open.
    }
  })
}
