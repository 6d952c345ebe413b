// SPDX-License-Identifier: Apache-2.0

import { signal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import { Button, toastError } from '../kit'
import { favourites } from './favourites'
import { asked, type Question } from './question'
import { nameOf, selectFound, selection, selectNone } from './selection'
import { list } from './store'
import { count } from './words'

/** Whether the names of all that was found are being asked for. */
const asking = signal<AbortController | undefined>(undefined)

/** Selects all that a question finds. */
export async function selectAll(q: Question, beside = false) {
  asking.value?.abort()
  const abort = new AbortController()
  asking.value = abort
  try {
    await selectFound(asked(q, favourites.peek()), abort.signal, beside)
  } catch (thrown) {
    if (!abort.signal.aborted) toastError(thrown, 'select everything that was found')
  } finally {
    if (asking.peek() === abort) asking.value = undefined
  }
}

/** Selects all that was found, or nothing any more. */
export function AllBox({ q, found }: { q: Question; found: number }) {
  const box = useRef<HTMLInputElement>(null)
  const n = selection.value.size
  useEffect(() => {
    if (box.current) box.current.indeterminate = n > 0 && n < found
  }, [n, found])
  return (
    <input
      ref={box}
      type="checkbox"
      class="apps-pick"
      aria-label={`Select all ${count(found)} found`}
      title={n > 0 ? 'Select nothing' : `Select all ${count(found)} found`}
      checked={n > 0 && n >= found}
      disabled={found === 0}
      onClick={(event) => {
        event.preventDefault()
        if (n > 0) selectNone()
        else void selectAll(q)
      }}
    />
  )
}

/** What can be done with the applications that are selected. */
export function BulkBar({ q, found }: { q: Question; found: number }) {
  const n = selection.value.size
  useEffect(() => () => asking.peek()?.abort(), [])
  useLayoutEffect(() => {
    if (n === 0) return
    const leave = (event: KeyboardEvent) => {
      if (event.key === 'Escape' && !event.defaultPrevented && !document.querySelector('dialog[open]')) selectNone()
    }
    document.addEventListener('keydown', leave)
    return () => document.removeEventListener('keydown', leave)
  }, [n === 0])
  if (n === 0) return null
  const refusal = refusalOf('sync')
  return (
    <section class="apps-bulk" aria-label="Selected applications">
      <p role="status" class="tabular">
        <strong>{count(n)}</strong> selected
      </p>
      <Button
        small
        looks="primary"
        icon="sync"
        disabled={refusal !== undefined}
        title={refusal ?? 'Shows first what it would do'}
        onClick={() => void act('openSync', 'sync')}
      >
        Sync
      </Button>
      <Button small icon="refresh" onClick={() => void act('openRefresh', 'refresh')}>
        Refresh
      </Button>
      {n < found && (
        <Button small looks="quiet" busy={asking.value !== undefined} icon="check" onClick={() => void selectAll(q)}>
          Select all {count(found)}
        </Button>
      )}
      <Button small looks="quiet" icon="cross" title="Select nothing (Escape)" onClick={selectNone}>
        Clear
      </Button>
    </section>
  )
}

/** Why nothing of what is selected may be synced; undefined if something may, or if it is not known of all. */
function refusalOf(right: string): string | undefined {
  for (const key of selection.value) {
    const row = list.rows.get(key)?.peek()
    if (!row || row.may?.includes(right)) return undefined
  }
  return `You may not ${right} any of these`
}

/** Opens the dialog for what is selected; it comes with its part of the page. */
async function act(how: 'openSync' | 'openRefresh', doing: string) {
  try {
    const doings = await import('../doings')
    doings[how]({ applications: [...selection.peek()].sort().map(nameOf) })
  } catch (thrown) {
    toastError(thrown, `open the dialog to ${doing}`)
  }
}
