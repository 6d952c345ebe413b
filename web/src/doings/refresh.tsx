// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks'
import { errorOf } from '../api'
import { Button, CheckField, Cli, Dialog, Icon, toast, toastError } from '../kit'
import { refresh } from './asks'
import { paced } from './pace'
import { keyOf, qualified, type Target } from './target'

/** Compares one application now. */
export async function refreshOne(target: Target, hard: boolean) {
  try {
    await refresh(target, hard)
    toast(hard ? `${target.name} was rendered anew and compared` : `${target.name} was compared`)
  } catch (thrown) {
    toastError(thrown, `refresh ${target.name}`)
  }
}

/** What to type for a refresh. */
export function refreshCli(target: Target, hard: boolean): string[] {
  return ['app', 'get', qualified(target), hard ? '--hard-refresh' : '--refresh']
}

/** Compares many applications now, a few at a time. */
export function RefreshManyDialog({ targets, onClose }: { targets: Target[]; onClose: () => void }) {
  const [hard, setHard] = useState(false)
  const [begun, setBegun] = useState(false)
  const [done, setDone] = useState<ReadonlySet<string>>(new Set())
  const [failed, setFailed] = useState<{ name: string; why: string }[]>([])
  const shown = useRef(new AbortController())
  useEffect(() => () => shown.current.abort(), [])
  const start = async () => {
    setBegun(true)
    await paced(targets, shown.current.signal, async (target) => {
      try {
        await refresh(target, hard)
        setDone((was) => new Set(was).add(keyOf(target)))
      } catch (thrown) {
        setFailed((was) => [...was, { name: qualified(target), why: errorOf(thrown).message }])
      }
    })
  }
  const ended = done.size + failed.length
  return (
    <Dialog
      title={`Refresh ${targets.length} applications`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>{ended === targets.length ? 'Close' : 'Cancel'}</Button>
          <Button
            looks="primary"
            icon="refresh"
            busy={begun && ended < targets.length}
            disabled={begun}
            onClick={start}
          >
            Refresh {targets.length}
          </Button>
        </>
      }
    >
      <div class="stack">
        <p>Each is compared with its source now, instead of at its next turn. Nothing is applied by that.</p>
        <CheckField
          label="Hard: render anew"
          hint="Also what was rendered before from the same commit. It takes longer."
          checked={hard}
          disabled={begun}
          onChange={setHard}
        />
        {begun && (
          <p role="status">
            {ended} of {targets.length} done{failed.length > 0 && `, ${failed.length} failed`}.
            {ended < targets.length && ' Closing this leaves out the rest.'}
          </p>
        )}
        {failed.length > 0 && (
          <ul class="doomed">
            {failed.map((one) => (
              <li key={one.name}>
                <Icon name="warning" size={14} /> <strong>{one.name}</strong> {one.why}
              </li>
            ))}
          </ul>
        )}
        {targets[0] && <Cli command={refreshCli(targets[0], hard)} />}
        {targets.length > 1 && <p class="field-hint">The command line refreshes one at a time.</p>}
      </div>
    </Dialog>
  )
}
