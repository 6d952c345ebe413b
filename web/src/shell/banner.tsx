// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { IconButton, Outside } from '../kit'
import { settings } from '../session/session'

const key = 'bowline.announcement'

/** The announcement that was read and put away: another one shows again. */
const closed = signal(read())

function read(): string {
  try {
    return localStorage.getItem(key) ?? ''
  } catch {
    return '' // the browser keeps nothing for this page
  }
}

function putAway(text: string) {
  closed.value = text
  try {
    localStorage.setItem(key, text)
  } catch {
    // It counts for as long as the page is open.
  }
}

/** What the administrators want everybody to read: ui.bannercontent of argocd-cm. */
export function Banner({ at }: { at: 'top' | 'bottom' }) {
  const said = settings.value
  const position = said?.uiBannerPosition === 'bottom' ? 'bottom' : 'top'
  const content = said?.uiBannerContent
  if (!content || position !== at) return null
  if (!said.uiBannerPermanent && closed.value === content) return null
  return (
    <aside class="banner" aria-label="Announcement">
      {said.uiBannerURL ? <Outside to={said.uiBannerURL}>{content}</Outside> : <span>{content}</span>}
      {!said.uiBannerPermanent && (
        <IconButton small label="Dismiss the announcement" icon="cross" onClick={() => putAway(content)} />
      )}
    </aside>
  )
}
