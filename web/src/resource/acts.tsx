// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call, type Node, type ObjectView } from '../api'
import { useApplication } from '../application/store'
import { Button, CheckField, Cli, ConfirmByName, Dialog, Menu, SelectField, TextField, toast, toastError } from '../kit'
import { own } from '../safe/own'
import { settings } from '../session/session'
import { may, type Shown } from './object'
import { appWord, objectFlags, objectQuery } from './target'
import { actionWord } from './words'

type Action = NonNullable<ObjectView['actions']>[number]

/** What can be done with the object by those who may. */
export function Acts({ shown, node }: { shown: Shown; node: Node | undefined }) {
  const [asked, ask] = useState<Action | 'delete' | undefined>(undefined)
  const view = shown.view.value
  const actions = view?.actions ?? []
  const row = useApplication().row.value
  const close = () => ask(undefined)
  return (
    <>
      {node?.managed && row?.may?.includes('sync') && (
        <Button small icon="sync" onClick={() => syncOnly(shown)}>
          Sync only this
        </Button>
      )}
      {(actions.some((action) => !action.disabled) || view?.actionsUnknown) && (
        <Menu
          small
          label="Actions"
          items={
            view?.actionsUnknown
              ? [
                  {
                    label: 'It is not known what can be done',
                    disabled: true,
                    title: view.actionsUnknown,
                    onSelect: close,
                  },
                ]
              : actions.map((action) => ({
                  label: actionWord(action.name ?? '', action.displayName),
                  icon: 'bolt' as const,
                  disabled: action.disabled ?? false,
                  title: action.disabled ? 'Not possible now, or not with your rights' : undefined,
                  onSelect: () => ask(action),
                }))
          }
        >
          Actions
        </Menu>
      )}
      {may(view, 'delete') && (
        <Button small icon="trash" onClick={() => ask('delete')}>
          Delete
        </Button>
      )}
      {asked === 'delete' && <Deletion shown={shown} node={node} onClose={close} />}
      {asked && asked !== 'delete' && <Run shown={shown} action={asked} onClose={close} />}
    </>
  )
}

async function syncOnly({ app, target }: Shown) {
  try {
    const { openSync } = await import('../doings')
    openSync({
      applications: [app],
      resources: [{ group: target.group, kind: target.kind, namespace: target.namespace, name: target.name }],
    })
  } catch (thrown) {
    toastError(thrown, 'open the sync dialog')
  }
}

/** Asks for the parameters of an action, says what it does, and runs it. */
function Run({ shown, action, onClose }: { shown: Shown; action: Action; onClose: () => void }) {
  const { app, target } = shown
  const [values, setValues] = useState<Record<string, string>>({})
  const [busy, setBusy] = useState(false)
  const name = action.name ?? ''
  const word = actionWord(name, action.displayName)
  const parameters = (action.params ?? []).flatMap((p) =>
    p.name ? [{ name: p.name, value: own(values, p.name) ?? '' }] : [],
  )
  const run = async () => {
    setBusy(true)
    try {
      await call('post', '/api/v1/applications/{name}/resource/actions/v2', {
        path: { name: app.name },
        body: { ...objectQuery(app, target), name: app.name, action: name, resourceActionParameters: parameters },
      })
      toast(`${word}: done for ${target.kind} ${target.name}.`)
      onClose()
    } catch (thrown) {
      toastError(thrown, `run ${name} on ${target.kind} ${target.name}`)
      setBusy(false)
    }
  }
  const flags = parameters.flatMap((p) => ['--param', `${p.name}=${p.value}`])
  return (
    <Dialog
      title={`${word} ${target.kind} ${target.name}?`}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button looks="primary" busy={busy} disabled={parameters.some((p) => p.value === '')} onClick={run}>
            {word}
          </Button>
        </>
      }
    >
      <div class="stack">
        <p>
          This changes the object in the cluster and not its source: what the source sets is put back by the next sync.
        </p>
        {parameters.map((p, at) => (
          <TextField
            key={p.name}
            label={p.name}
            required
            autoFocus={at === 0}
            value={p.value}
            onInput={(value) => setValues({ ...values, [p.name]: value })}
          />
        ))}
        <Cli
          command={[
            'app',
            'actions',
            'run',
            appWord(app, settings.value?.controllerNamespace),
            name,
            ...objectFlags(target),
            ...flags,
          ]}
        />
      </div>
    </Dialog>
  )
}

const ways = [
  { value: 'foreground', label: 'with what came of it, which goes first' },
  { value: 'orphan', label: 'alone: what came of it stays' },
]

/** Asks for the name of the object, says what goes with it, and deletes it. */
function Deletion({ shown, node, onClose }: { shown: Shown; node: Node | undefined; onClose: () => void }) {
  const { app, target } = shown
  const [how, setHow] = useState('foreground')
  const [force, setForce] = useState(false)
  const [busy, setBusy] = useState(false)
  const orphan = how === 'orphan'
  const remove = async () => {
    setBusy(true)
    try {
      await call('delete', '/api/v1/applications/{name}/resource', {
        path: { name: app.name },
        query: { ...objectQuery(app, target), orphan, force: force && !orphan },
      })
      toast(`${target.kind} ${target.name} is being deleted.`)
      onClose()
    } catch (thrown) {
      toastError(thrown, `delete ${target.kind} ${target.name}`)
      setBusy(false)
    }
  }
  const flags = [...(orphan ? ['--orphan'] : []), ...(force && !orphan ? ['--force'] : [])]
  return (
    <ConfirmByName
      title={`Delete ${target.kind} ${target.name}?`}
      name={target.name}
      verb="Delete"
      busy={busy}
      onConfirm={remove}
      onClose={onClose}
    >
      <p>
        It is deleted from the cluster{target.namespace && <> (namespace {target.namespace})</>}. This cannot be undone.{' '}
        {node?.managed &&
          !node.prune &&
          'The source still wants it: the next sync creates it anew, without what was in it.'}
      </p>
      <SelectField label="Delete it" value={how} onChange={setHow} options={ways} />
      <CheckField
        label="At once, without letting it end by itself"
        hint="What runs in it is cut off; data may be lost."
        checked={force && !orphan}
        disabled={orphan}
        onChange={setForce}
      />
      <Cli
        command={[
          'app',
          'delete-resource',
          appWord(app, settings.value?.controllerNamespace),
          ...objectFlags(target),
          ...flags,
        ]}
      />
    </ConfirmByName>
  )
}
