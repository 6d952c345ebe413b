// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import {
  Button,
  CheckField,
  Chip,
  Cli,
  clock,
  Dialog,
  Empty,
  Failure,
  SelectField,
  TextField,
  Time,
  toast,
  toastError,
} from '../kit'
import { useDoing } from './load'
import { Section, Table } from './parts'
import { changeProject } from './projecteditor'
import { Lines } from './projectfields'
import { items, type Project, type SyncWindow } from './types'
import { aboutWords, addWindowCommand, updateWindowCommand, whenWords, windowProblems, windowState } from './window'

/** The sync windows of a project: which are active, and when the others will be. */
export function Windows({ project, may, reload }: { project: Project; may: boolean; reload: () => Promise<void> }) {
  const [editing, setEditing] = useState<{ at: number; window: SyncWindow } | undefined>(undefined)
  const doing = useDoing()
  const name = project.metadata?.name ?? ''
  const windows = items(project.spec?.syncWindows)
  const put = (next: SyncWindow[], done: string) =>
    doing.run(async () => {
      const saved = await changeProject(project, { syncWindows: next })
      await reload()
      setEditing(undefined)
      const undo = () =>
        void changeProject(saved, { syncWindows: windows }).then(reload, (thrown) => toastError(thrown, 'take it back'))
      toast(done, 'good', next.length < windows.length ? { undo } : {})
    })
  const fresh = { kind: 'deny', schedule: '0 8 * * 1-5', duration: '10h', applications: ['*'] }
  const add = may && (
    <Button small icon="plus" onClick={() => setEditing({ at: windows.length, window: fresh })}>
      New window
    </Button>
  )
  return (
    <Section title="Sync windows" flush actions={add}>
      {windows.length === 0 ? (
        <Empty icon="clock" title="There are no sync windows: applications may be synced at any time">
          <Cli command={addWindowCommand(name, fresh)} />
        </Empty>
      ) : (
        <Table
          of="Sync windows"
          rows={windows.map((window, at) => ({ window, at }))}
          keyOf={(w) => String(w.at)}
          columns={[
            {
              label: 'Kind',
              cell: ({ window: w }) => <Chip tone={w.kind === 'allow' ? 'good' : 'warn'}>{w.kind}</Chip>,
            },
            { label: 'Now', cell: ({ window: w }) => <Standing of={w} /> },
            { label: 'When', cell: ({ window: w }) => <span title={w.schedule}>{whenWords(w)}</span> },
            { label: 'About', wide: true, cell: ({ window: w }) => aboutWords(w) },
            { label: 'Description', wide: true, cell: ({ window: w }) => w.description },
            {
              label: 'Change',
              end: true,
              cell: (one) =>
                may && (
                  <Button small aria-label={`Edit window ${one.at + 1}`} onClick={() => setEditing(one)}>
                    Edit
                  </Button>
                ),
            },
          ]}
        />
      )}
      {editing && (
        <EditWindow
          project={name}
          window={editing.window}
          place={editing.at < windows.length ? editing.at : undefined}
          busy={doing.busy}
          failure={doing.error && <Failure error={doing.error} doing="save the window" />}
          onClose={() => {
            doing.clear()
            setEditing(undefined)
          }}
          onDelete={() =>
            void put(
              windows.filter((_, i) => i !== editing.at),
              'Deleted the window',
            )
          }
          onSave={(w) => {
            const next = [...windows]
            next[editing.at] = w
            void put(next, 'Saved the window')
          }}
        />
      )}
    </Section>
  )
}

function Standing({ of }: { of: SyncWindow }) {
  const state = windowState(of, clock.value)
  const time = (ms: number) => <Time at={new Date(ms).toISOString()} />
  switch (state.is) {
    case 'active':
      return <strong>{state.until ? <>active, ends {time(state.until)}</> : 'always active'}</strong>
    case 'waiting':
      return <span class="soft">begins {time(state.from)}</span>
    case 'never':
      return <span class="soft">does not come within years</span>
    default:
      return <span class="field-error">cannot be read, and closes: {state.why}</span>
  }
}

function EditWindow({
  project,
  window: given,
  place,
  busy,
  failure,
  onClose,
  onSave,
  onDelete,
}: {
  project: string
  window: SyncWindow
  /** Where it stands in the list; nowhere yet if it is new. */
  place: number | undefined
  busy: boolean
  failure: preact.ComponentChildren
  onClose: () => void
  onSave: (w: SyncWindow) => void
  onDelete: () => void
}) {
  const [w, setWindow] = useState(given)
  const put = (change: Partial<SyncWindow>) => setWindow({ ...w, ...change })
  const problems = windowProblems(w)
  return (
    <Dialog
      title={place === undefined ? 'New sync window' : 'Edit sync window'}
      onClose={onClose}
      actions={
        <>
          {place !== undefined && (
            <Button looks="danger" busy={busy} onClick={onDelete}>
              Delete window
            </Button>
          )}
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" busy={busy} disabled={Object.keys(problems).length > 0} onClick={() => onSave(w)}>
            Save
          </Button>
        </>
      }
    >
      <div class="stack">
        <p class="soft">
          {w.kind}: {whenWords(w)}; <Standing of={w} />
        </p>
        <div class="settings-pair">
          <SelectField
            label="Kind"
            value={w.kind ?? ''}
            error={problems.kind}
            options={[{ value: 'deny' }, { value: 'allow' }]}
            onChange={(kind) => put({ kind })}
          />
          <TextField
            label="Schedule"
            hint="Minute, hour, day of month, month, day of week."
            value={w.schedule ?? ''}
            error={problems.schedule}
            onInput={(schedule) => put({ schedule })}
          />
          <TextField
            label="Duration"
            value={w.duration ?? ''}
            error={problems.duration}
            onInput={(duration) => put({ duration })}
          />
          <TextField
            label="Time zone"
            placeholder="UTC"
            value={w.timeZone ?? ''}
            error={problems.timeZone}
            onInput={(timeZone) => put({ timeZone })}
          />
        </div>
        <Lines
          label="Applications"
          value={items(w.applications)}
          error={problems.about}
          onChange={(applications) => put({ applications })}
        />
        <div class="settings-pair">
          <Lines label="Namespaces" value={items(w.namespaces)} onChange={(namespaces) => put({ namespaces })} />
          <Lines label="Clusters" value={items(w.clusters)} onChange={(clusters) => put({ clusters })} />
        </div>
        <CheckField
          label="All of these have to match, not any of them"
          checked={w.andOperator ?? false}
          onChange={(andOperator) => put({ andOperator })}
        />
        <CheckField
          label="Let people sync by hand"
          checked={w.manualSync ?? false}
          onChange={(manualSync) => put({ manualSync })}
        />
        <CheckField
          label="Let a sync go on that began when it was permitted"
          checked={w.syncOverrun ?? false}
          onChange={(syncOverrun) => put({ syncOverrun })}
        />
        <TextField label="Description" value={w.description ?? ''} onInput={(description) => put({ description })} />
        {failure}
        <Cli command={place === undefined ? addWindowCommand(project, w) : updateWindowCommand(project, place, w)} />
      </div>
    </Dialog>
  )
}
