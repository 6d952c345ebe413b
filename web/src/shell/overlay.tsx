// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import type { ComponentChild } from 'preact'

const presented = signal<ComponentChild>(null)

/**
 * Shows a dialog over whatever view there is: for what is opened from many places, some of which load this part of the page only
 * then. Going elsewhere closes it.
 */
export function present(draw: (close: () => void) => ComponentChild) {
  const close = () => {
    removeEventListener('popstate', close)
    presented.value = null
  }
  addEventListener('popstate', close)
  presented.value = draw(close)
}

/** Where such a dialog is. It is a part of the page's own tree: IDs of labels are told apart within one tree only. */
export function Overlay() {
  return <>{presented.value}</>
}
