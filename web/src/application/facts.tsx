// SPDX-License-Identifier: Apache-2.0

import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { type Application, call } from '../api'
import { Button, Outside, Status, Time } from '../kit'
import { useQuery } from '../route/query'
import { useLoaded } from './loaded'
import { begunBy, going, operationName } from './operation'
import { Revision } from './revision'
import { commitPage, originsOf, repositoryName, repositoryPage } from './source'
import { useApplication } from './store'
import { automation } from './words'

/** How the application stands, in one strip. */
export function Facts() {
  const live = useApplication()
  const app = live.application.value
  // What was known last and may not be true any more is not shown as if it were.
  const old = live.row.value?.attention === 'stale'
  const [whole, setWhole] = useState(false)
  if (!app) return <div class="app-facts app-facts-empty" role="status" aria-label="Loading" />
  const classes = ['app-facts', old && 'app-old', whole && 'app-facts-whole'].filter(Boolean).join(' ')
  return (
    <>
      <dl class={classes}>
        <HealthFact app={app} />
        <SyncFact app={app} />
        <OperationFact app={app} />
        <SourceFact app={app} />
        <DestinationFact app={app} />
        <AutomationFact app={app} />
      </dl>
      {!whole && (
        <Button small looks="quiet" class="app-facts-more" icon="down" onClick={() => setWhole(true)}>
          Source, destination, automated sync
        </Button>
      )}
    </>
  )
}

/** A fact; later ones wait to be asked for where there is little room. */
function Fact({
  label,
  wide,
  later,
  children,
}: {
  label: string
  wide?: boolean
  later?: boolean
  children: ComponentChildren
}) {
  const classes = ['app-fact', wide && 'app-fact-wide', later && 'app-fact-later'].filter(Boolean).join(' ')
  return (
    <div class={classes}>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  )
}

function HealthFact({ app }: { app: Application }) {
  const health = app.status?.health
  return (
    <Fact label="Health">
      <Status of="health" value={health?.status} />
      {health?.lastTransitionTime && (
        <span class="app-fact-more">
          changed <Time at={health.lastTransitionTime} />
        </span>
      )}
    </Fact>
  )
}

function SyncFact({ app }: { app: Application }) {
  const live = useApplication()
  void live.settled.value
  const differing = live.all().filter((node) => node.managed && node.sync === 'OutOfSync').length
  const at = live.row.value?.compared ?? app.status?.reconciledAt
  return (
    <Fact label="Sync">
      <Status of="sync" value={app.status?.sync?.status} />
      <span class="app-fact-more">
        {differing > 0 && `${differing} ${differing === 1 ? 'object differs' : 'objects differ'}, `}
        compared <Time at={at} />
      </span>
    </Fact>
  )
}

function OperationFact({ app }: { app: Application }) {
  const { query, set } = useQuery()
  const state = app.status?.operationState
  if (!state) {
    return (
      <Fact label="Last sync">
        <span class="soft">Never synced</span>
      </Fact>
    )
  }
  return (
    <Fact label={going(state.phase) ? `${operationName(state)} under way` : 'Last sync'}>
      <Status of="operation" value={state.phase} />
      <span class="app-fact-more">
        <Time at={state.finishedAt ?? state.startedAt} /> by {begunBy(state)}
        {!going(state.phase) && (
          <>
            {', '}
            <button
              type="button"
              class="linklike"
              aria-expanded={query.get('steps') === '1'}
              onClick={() => set({ steps: query.get('steps') === '1' ? undefined : '1' })}
            >
              {query.get('steps') === '1' ? 'hide steps' : 'show steps'}
            </button>
          </>
        )}
      </span>
    </Fact>
  )
}

function SourceFact({ app }: { app: Application }) {
  const origins = originsOf(app)
  return (
    <Fact label={origins.length > 1 ? `${origins.length} sources` : 'Source'} wide later>
      <ul class="origins">
        {origins.map((origin, at) => (
          <li key={at} class="origin">
            <span class="clip">
              <Outside to={repositoryPage(origin.source.repoURL ?? '') ?? origin.source.repoURL}>
                {repositoryName(origin.source.repoURL ?? '')}
              </Outside>
            </span>
            <span class="app-fact-more">
              {[
                origin.source.chart ?? origin.source.path,
                origin.source.targetRevision || 'HEAD',
                origin.source.ref && `as $${origin.source.ref}`,
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
            <Revision app={app} origin={origin} page={commitPage(origin.source.repoURL ?? '', origin.revision)} />
          </li>
        ))}
      </ul>
    </Fact>
  )
}

function DestinationFact({ app }: { app: Application }) {
  const to = app.spec?.destination
  return (
    <Fact label="Destination" later>
      <span class="clip" title={to?.server}>
        {useApplication().row.value?.cluster || to?.name || to?.server}
      </span>
      <span class="app-fact-more">{to?.namespace ? `namespace ${to.namespace}` : 'no namespace of its own'}</span>
    </Fact>
  )
}

function AutomationFact({ app }: { app: Application }) {
  const auto = automation(app)
  const row = useApplication().row.value
  return (
    <Fact label="Automated sync" later>
      <span>{row?.held ? `${auto.word}, held` : auto.word}</span>
      <span class="app-fact-more">
        {auto.more}
        <Windows app={app} />
      </span>
    </Fact>
  )
}

function Windows({ app }: { app: Application }) {
  const { namespace: appNamespace, name = '' } = app.metadata ?? {}
  const windows = useLoaded(
    `${appNamespace}/${name} ${app.spec?.project}`,
    (signal) =>
      call('get', '/api/v1/applications/{name}/syncwindows', { path: { name }, query: { appNamespace } }, signal),
    // Windows open and close by the clock; each comparison is a moment to look again.
    app.status?.reconciledAt,
  )
  if (windows.error) return <span title={windows.error.message}>, windows not known</span>
  const { assignedWindows, activeWindows, canSync } = windows.value ?? {}
  if (!assignedWindows?.length) return null
  const title = assignedWindows.map((w) => `${w.kind} ${w.schedule} for ${w.duration}`).join('\n')
  const open = activeWindows?.length
    ? `${activeWindows.length} of ${assignedWindows.length} windows active`
    : 'no window active'
  return <span title={title}>{`; ${open}${canSync ? '' : ', closed to sync by hand'}`}</span>
}
