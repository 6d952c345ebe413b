// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import type { Application, Row } from '../api'
import { Button, Chip, duration, Empty, Icon, Skeleton, Time } from '../kit'
import { useQuery } from '../route/query'
import { Compared } from './comparison'
import { holdOf } from './held'
import { choose, type Deployment, fold, pastOf, sidesOf } from './past'
import { RevisionLine } from './revision'
import { RollbackDialog } from './rollback'
import type { Target } from './target'

/** The deployments of an application, newest first; two of them can be compared, or one with what the source says now. */
export function History({ app, row }: { app: Application | undefined; row?: Row | undefined }) {
  const { query, set } = useQuery()
  const [back, setBack] = useState<Deployment>()
  if (!app) return <Skeleton lines={6} />
  const target: Target = { namespace: app.metadata?.namespace ?? '', name: app.metadata?.name ?? '' }
  const past = pastOf(app)
  const chosen = query
    .getAll('compare')
    .map(Number)
    .filter((id) => past.some((one) => one.id === id))
  const { shown, folded } = fold(past, query.get('all') === 'yes', chosen)
  const sides = sidesOf(chosen)
  const [newest] = past
  if (!newest) return <Nothing />
  return (
    <div class={sides ? 'doings-view history-compared' : 'doings-view'}>
      <section aria-label="Deployments" class="stack">
        <h2 class="unseen">History</h2>
        <p class="soft history-hint">Choose one to compare it with what the source says now, or two with each other.</p>
        <ol class="timeline">
          {shown.map((one) => (
            <DeploymentView
              key={one.id}
              target={target}
              one={one}
              held={holdOf(app)?.history === one.id}
              chosen={chosen.includes(one.id)}
              onChoose={() => set({ compare: choose(chosen, one.id).map(String) }, true)}
              onBack={one.newest ? undefined : () => setBack(one)}
              may={mayRollBack(row)}
            />
          ))}
        </ol>
        {folded > 0 && (
          <Button icon="down" onClick={() => set({ all: 'yes' })}>
            Show {folded} older
          </Button>
        )}
      </section>
      {sides && (
        <section aria-label="Comparison" class="history-side stack">
          <div class="row">
            <h3 class="grow">
              {sides.to === undefined ? `#${sides.from} and the source now` : `#${sides.from} and #${sides.to}`}
            </h3>
            <Button small icon="cross" onClick={() => set({ compare: undefined })}>
              Close
            </Button>
          </div>
          <Compared target={target} from={sides.from} to={sides.to} />
        </section>
      )}
      {back && (
        <RollbackDialog target={target} app={app} to={back} newest={newest} onClose={() => setBack(undefined)} />
      )}
    </div>
  )
}

/** Whether the caller may go back, as far as is known: the server has the last word. */
function mayRollBack(row: Row | undefined): boolean {
  return !row || (row.may ?? []).includes('rollback')
}

function Nothing() {
  return (
    <Empty icon="history" title="Nothing was deployed yet">
      Each full sync that succeeds is an entry here. Begin with Sync.
    </Empty>
  )
}

function DeploymentView({
  target,
  one,
  held,
  chosen,
  onChoose,
  onBack,
  may,
}: {
  target: Target
  one: Deployment
  held: boolean
  chosen: boolean
  onChoose: () => void
  onBack: (() => void) | undefined
  may: boolean
}) {
  return (
    <li class={chosen ? 'deployment deployment-chosen' : 'deployment'}>
      <label class="deployment-check">
        <input type="checkbox" checked={chosen} onChange={onChoose} />
        <span class="unseen">Compare #{one.id}</span>
      </label>
      <div class="deployment-body">
        <div class="row wrap">
          <strong class="tabular">#{one.id}</strong>
          <Time at={one.at} />
          {one.newest && (
            <Chip tone="good" icon="check">
              deployed last
            </Chip>
          )}
          {held && (
            <Chip tone="wait" icon="undo">
              brought back
            </Chip>
          )}
          {one.again && <Chip title="The same revision from the same source as the one before">the same again</Chip>}
          <span class="soft deployment-who">
            <Icon name={one.automated ? 'gear' : 'person'} size={14} />
            {one.automated ? 'automated sync' : one.by || 'not known by whom'}
          </span>
          {one.took !== undefined && <span class="faint">took {duration(one.took)}</span>}
        </div>
        {one.sources.map((source) => (
          <RevisionLine
            key={source.index}
            target={target}
            source={source}
            id={one.id}
            several={one.sources.length > 1}
          />
        ))}
        {one.changes.length > 0 && (
          <details class="deployment-changes">
            <summary>
              {one.changes.length} {one.changes.length === 1 ? 'setting' : 'settings'} of the source changed
            </summary>
            <ul>
              {one.changes.map((text) => (
                <li key={text}>
                  <code>{text}</code>
                </li>
              ))}
            </ul>
          </details>
        )}
      </div>
      {onBack && (
        <Button
          small
          icon="undo"
          disabled={!may}
          title={may ? undefined : 'You have no right to roll this application back'}
          onClick={onBack}
        >
          Roll back
        </Button>
      )}
    </li>
  )
}
