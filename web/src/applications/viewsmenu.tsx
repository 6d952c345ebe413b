// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { Button, Cli, Dialog, Menu, type MenuItem, TextField, toast } from '../kit'
import { place } from '../route/place'
import { listCommand, type Question } from './question'
import { givenViews, keepView, sameQuery, type View, views } from './views'

/** Views under a name: those that everybody has, those that the reader keeps, and this one as a link. */
export function ViewsMenu({ q }: { q: Question }) {
  const { route } = useLocation()
  const [dialog, setDialog] = useState<'keep' | 'share' | undefined>()
  const here = location.search
  const to = (view: View): MenuItem => ({
    label: view.name,
    chosen: sameQuery(view.query, here),
    onSelect: () => route(place('/applications') + view.query),
  })
  const current = views.value.find((v) => sameQuery(v.query, here))
  const items: MenuItem[] = [
    ...givenViews.map(to),
    ...views.value.map(to),
    {
      label: 'Favourites',
      chosen: q.favourites,
      onSelect: () => route(place('/applications', { favourites: 'true' })),
    },
    { label: 'Keep this view…', icon: 'plus', onSelect: () => setDialog('keep') },
    { label: 'Share this view…', icon: 'link', onSelect: () => setDialog('share') },
  ]
  if (current) items.push({ label: `Remove “${current.name}”`, icon: 'trash', onSelect: () => remove(current) })
  return (
    <>
      <Menu label="Views" icon="star" items={items}>
        Views
      </Menu>
      {dialog === 'keep' && <Keep query={here} onClose={() => setDialog(undefined)} />}
      {dialog === 'share' && <Share q={q} onClose={() => setDialog(undefined)} />}
    </>
  )
}

function remove(view: View) {
  const had = views.value
  views.value = had.filter((v) => v !== view)
  toast(`View ${view.name} removed`, 'good', {
    undo: () => {
      views.value = keepView(views.value, view)
    },
  })
}

function Keep({ query, onClose }: { query: string; onClose: () => void }) {
  const [name, setName] = useState('')
  const replaces = views.value.some((v) => v.name === name.trim())
  const keep = (event: Event) => {
    event.preventDefault()
    if (name.trim() === '') return
    views.value = keepView(views.value, { name: name.trim(), query })
    toast(`View ${name.trim()} kept in this browser`)
    onClose()
  }
  return (
    <Dialog
      title="Keep this view"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" disabled={name.trim() === ''} onClick={keep}>
            {replaces ? 'Replace' : 'Keep'}
          </Button>
        </>
      }
    >
      <form onSubmit={keep}>
        <TextField
          label="Name"
          value={name}
          onInput={setName}
          autoFocus
          hint={
            replaces
              ? 'There is a view of this name: it will be replaced.'
              : 'What is chosen, sorted and grouped now. It is kept in this browser; share the link to give it to others.'
          }
        />
      </form>
    </Dialog>
  )
}

function Share({ q, onClose }: { q: Question; onClose: () => void }) {
  const { command, whole } = listCommand(q)
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(location.href)
      toast('Link copied')
      onClose()
    } catch {
      toast('The browser does not let the page copy: mark the address and copy it.', 'warn')
    }
  }
  return (
    <Dialog
      title="Share this view"
      onClose={onClose}
      actions={
        <Button looks="primary" icon="copy" onClick={() => void copy()}>
          Copy link
        </Button>
      }
    >
      <div class="stack">
        <p>Whoever opens the link sees the same question answered with their own rights.</p>
        <input class="input mono" readOnly aria-label="Link to this view" value={location.href} />
        <p>{whole ? 'The same on the command line:' : 'The command line chooses by less; the nearest to this is:'}</p>
        <Cli command={command} />
      </div>
    </Dialog>
  )
}
