// SPDX-License-Identifier: Apache-2.0

import { type ComponentChild, render } from 'preact'

/**
 * Shows a dialog over whatever is shown: for what is opened from many places, some of which load this part of the page only then.
 * Going elsewhere closes it.
 */
export function present(draw: (close: () => void) => ComponentChild) {
  const holder = document.createElement('div')
  document.body.append(holder)
  const close = () => {
    removeEventListener('popstate', close)
    render(null, holder)
    holder.remove()
  }
  addEventListener('popstate', close)
  render(draw(close), holder)
}
