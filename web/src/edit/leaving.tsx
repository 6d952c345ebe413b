// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { Button, Dialog, toast } from '../kit'

/** What was typed and not saved, by what it is about: it outlives going elsewhere on the page, and nothing else. */
const drafts = new Map<string, string>()

export const draftOf = (key: string): string | undefined => drafts.get(key)

export function keepDraft(key: string, text: string | undefined) {
  if (text === undefined) drafts.delete(key)
  else drafts.set(key, text)
  if (drafts.size > 0) addEventListener('beforeunload', stay)
  else removeEventListener('beforeunload', stay)
}

/** Has the browser ask before the page is closed: drafts do not outlive it. */
function stay(event: BeforeUnloadEvent) {
  event.preventDefault()
}

/** Asks before changes that are not saved are left by a link. Other tabs and the way back keep them, and say so. */
export function Leaving({
  draft,
  unsaved,
  what,
  onDrop,
}: {
  draft: string
  unsaved: boolean
  what: string
  onDrop: () => void
}) {
  const [to, setTo] = useState<string>()
  const { route } = useLocation()
  useEffect(() => {
    if (!unsaved) return
    const follow = (event: MouseEvent) => {
      const link = event.target instanceof Element ? event.target.closest('a') : null
      if (!link || event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey)
        return
      if (link.target || link.origin !== location.origin || link.getAttribute('href')?.startsWith('#')) return
      event.preventDefault()
      event.stopPropagation()
      setTo(link.pathname + link.search)
    }
    document.addEventListener('click', follow, true)
    return () => document.removeEventListener('click', follow, true)
  }, [unsaved])
  useEffect(
    () => () => {
      if (drafts.has(draft))
        toast(`What you changed of ${what} is not saved, and kept until you close this page`, 'warn')
    },
    [draft],
  )
  if (to === undefined) return null
  const leave = (drop: boolean) => {
    if (drop) onDrop()
    route(to)
  }
  return (
    <Dialog
      title="Leave without saving?"
      onClose={() => setTo(undefined)}
      actions={
        <>
          <Button onClick={() => setTo(undefined)}>Stay</Button>
          <Button onClick={() => leave(false)}>Leave, and keep the draft</Button>
          <Button looks="danger" onClick={() => leave(true)}>
            Leave, and drop it
          </Button>
        </>
      }
    >
      <p>What you changed of {what} is not saved.</p>
    </Dialog>
  )
}
