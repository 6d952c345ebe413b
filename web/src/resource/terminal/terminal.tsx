// SPDX-License-Identifier: Apache-2.0

import '../output.css'
import '../ansi.css'
import { useReducer } from 'preact/hooks'
import { useApplication } from '../../application/store'
import { Button, Empty, Failure, Skeleton } from '../../kit'
import { useQuery } from '../../route/query'
import { settings } from '../../session/session'
import { containersOf } from '../logs/containers'
import { Pick } from '../logs/controls'
import { Waiting } from '../manifest'
import { may, type Shown } from '../object'
import { podsOf } from '../target'
import type { Place } from './session'
import { TerminalView, useTerminal } from './view'

const shells = ['bash', 'sh', 'powershell', 'cmd'].map((shell) => ({ value: shell, label: shell }))

/** A terminal in a container of the pod, or of a pod that came of the object. */
export function TerminalTab({ shown }: { shown: Shown }) {
  const live = useApplication()
  const { query, set } = useQuery()
  const view = shown.view.value
  const project = live.application.value?.spec?.project
  const pods = live.order.value && podsOf(shown.id, live.all())
  if (!view || project === undefined) return <Waiting shown={shown} doing="read the object" />
  if (!may(view, 'exec')) return <Refused pods={pods.length} />
  const containers = containersOf(view.live)
  const pod = pods.find((one) => one.name === query.get('term-pod')) ?? pods[0]
  const container = containers.find((one) => one.name === query.get('term-container')) ?? containers[0]
  if (!pod || !container) {
    return (
      <Empty icon="terminal" title="There is no container to enter">
        A terminal needs a pod that runs.
      </Empty>
    )
  }
  const place: Place = {
    appName: shown.app.name,
    appNamespace: shown.app.namespace,
    projectName: project,
    namespace: pod.namespace ?? '',
    pod: pod.name,
    container: container.name,
    shell: query.get('term-shell') ?? '',
  }
  return (
    <div class="terminal">
      <div class="code-bar">
        <Pick
          label="Pod"
          value={pod.name}
          choices={pods.map((one) => ({ value: one.name, label: one.name }))}
          onPick={(name) => set({ 'term-pod': name })}
        />
        <Pick
          label="Container"
          value={container.name}
          choices={containers.map((one) => ({ value: one.name, label: one.init ? `${one.name} (init)` : one.name }))}
          onPick={(name) => set({ 'term-container': name })}
        />
        <Pick
          label="Shell"
          value={place.shell}
          choices={[{ value: '', label: 'any shell' }, ...shells]}
          onPick={(shell) => set({ 'term-shell': shell })}
        />
        <span class="soft grow terminal-hint">
          <kbd>F6</kbd> leaves the terminal. What is done in it is not recorded; that it was opened is.
        </span>
      </div>
      <Opened place={place} />
    </div>
  )
}

function Refused({ pods }: { pods: number }) {
  if (settings.value && !settings.value.execEnabled) {
    return (
      <Empty icon="terminal" title="Terminals are turned off">
        Whoever runs Bowline turns them on with <code>exec.enabled</code> in <code>argocd-cm</code>.
      </Empty>
    )
  }
  return pods === 0 ? (
    <Empty icon="terminal" title="There are no pods">
      A terminal is opened in a pod, and none came of this object yet.
    </Empty>
  ) : (
    <Empty icon="lock" title="You may not open a terminal here">
      It takes the right <code>exec, create</code> on the application.
    </Empty>
  )
}

/** A terminal that was asked for, and how it ended. */
function Opened({ place }: { place: Place }) {
  const [again, openAgain] = useReducer((n: number) => n + 1, 0)
  const { terminal, session, drawn, said } = useTerminal(place, again)
  if (!session) return <Skeleton lines={4} />
  const state = session.state.value
  if (state.is === 'refused') {
    return (
      <Failure
        error={state.error}
        doing={`open a terminal in ${place.container} of ${place.pod}`}
        retry={() => openAgain(0)}
      />
    )
  }
  return (
    <>
      {state.is === 'ended' && (
        <p class="resource-note row" role="alert">
          <span class="grow">The terminal ended: {state.why}.</span>
          <Button small icon="refresh" onClick={() => openAgain(0)}>
            Open again
          </Button>
        </p>
      )}
      <TerminalView
        terminal={terminal}
        session={session}
        drawn={drawn}
        said={said}
        label={`Terminal in ${place.container} of ${place.pod}`}
      />
    </>
  )
}
