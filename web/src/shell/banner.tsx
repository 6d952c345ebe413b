// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { IconButton, Outside } from '../kit'
import { settings } from '../session/session'

const closed = signal(false)

/** What the administrators want everybody to read: ui.bannercontent of argocd-cm. */
export function Banner({ at }: { at: 'top' | 'bottom' }) {
  const said = settings.value
  const position = said?.uiBannerPosition === 'bottom' ? 'bottom' : 'top'
  if (!said?.uiBannerContent || position !== at || closed.value) return null
  return (
    <aside class="banner" aria-label="Announcement">
      {said.uiBannerURL ? (
        <Outside to={said.uiBannerURL}>{said.uiBannerContent}</Outside>
      ) : (
        <span>{said.uiBannerContent}</span>
      )}
      {!said.uiBannerPermanent && (
        <IconButton
          small
          label="Dismiss the announcement"
          icon="cross"
          onClick={() => {
            closed.value = true
          }}
        />
      )}
    </aside>
  )
}
