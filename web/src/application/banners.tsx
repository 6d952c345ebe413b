// SPDX-License-Identifier: Apache-2.0

import type { Row } from '../api'
import { Icon, type IconName, lookOf, Outside, Staleness, Time } from '../kit'
import { useQuery } from '../route/query'
import { culprits } from './culprit'
import { going } from './operation'
import { useApplication } from './store'
import { advice, type Said, saidOf } from './words'

const hold = 'HoldWarning'

/** What people have to know about the application now, worst first. */
export function Banners() {
  const live = useApplication()
  const row = live.row.value
  const app = live.application.value
  const unknown = live.unknown.value
  const said = saidOf(app)
  // The reason is told once: where a condition says the same, its own words do.
  const held = row?.held && said.some((one) => one.type === hold)
  const told = held || said.some((one) => one.messages.some((text) => sameText(text, row?.why)))
  // What runs is told step by step.
  const silent = told || row?.attention === 'fine' || going(app?.status?.operationState?.phase)
  const reason = silent ? undefined : row?.why
  // A cluster that does not answer is the reason of both.
  const unseen = row?.attention === 'stale' ? reason : undefined
  return (
    <>
      <Staleness standing={live.standing.value} />
      {unknown && (
        <Banner tone="dim" icon="question" title={unseen ?? 'Its objects are not known at the moment'}>
          {!unseen && <p>{unknown.why}</p>}
          <p class="soft">
            What is shown of its objects may be old: nothing new came for{' '}
            <Time at={new Date(unknown.since).toISOString()} bare />. It goes on by itself.
          </p>
        </Banner>
      )}
      {app?.metadata?.deletionTimestamp && (
        <Banner tone="warn" icon="trash" title="It is being deleted">
          <p class="soft">
            Asked for <Time at={app.metadata.deletionTimestamp} />. What it waits for is said below, if it waits.
          </p>
        </Banner>
      )}
      {reason && row && !(unknown && unseen) && (
        <Banner {...lookOf('attention', row.attention)} title={reason} since={row.since}>
          <p class="soft">{advice(row)}</p>
          <Ways row={row} />
        </Banner>
      )}
      <Notice />
      {said.map((one) => (
        <Condition key={one.type} said={one} open={!reason && (one.bad || one.type === hold)} />
      ))}
    </>
  )
}

const namedCulprits = 3

/** What leads to the reason: the objects it is about, the steps that failed, the plan that waits. */
function Ways({ row }: { row: Row }) {
  const live = useApplication()
  const { set } = useQuery()
  void live.settled.value
  const failed = row.operation === 'Failed' || row.operation === 'Error'
  const deletions = row.attention === 'waiting' && live.all().some((node) => node.confirm)
  const found = culprits(row, live.all())
  return (
    <p class="app-banner-ways">
      {failed && (
        <button type="button" class="linklike" onClick={() => set({ steps: '1' })}>
          Show the steps
        </button>
      )}
      {deletions && (
        <button type="button" class="linklike" onClick={() => set({ tab: 'plan' }, true)}>
          Show the plan
        </button>
      )}
      {found.slice(0, namedCulprits).map(({ id, label, panel }) => (
        <button key={id} type="button" class="linklike" onClick={() => set({ resource: id, panel }, true)}>
          {label}
        </button>
      ))}
      {found.length > namedCulprits && <span class="soft">and {found.length - namedCulprits} more</span>}
    </p>
  )
}

/** Whether a condition says what the reason says: the reason is made from it, in one line and cut. */
function sameText(message: string, why: string | undefined): boolean {
  if (!why) return false
  const flat = (text: string) => text.replace(/\s+/g, ' ').replace(/…$/, '').trim().toLowerCase()
  return flat(message).startsWith(flat(why)) || flat(why).includes(flat(message))
}

function Banner({
  tone,
  icon,
  title,
  since,
  children,
}: {
  tone: string
  icon: IconName
  title: string
  since?: string | null | undefined
  children?: preact.ComponentChildren
}) {
  return (
    <section class={`app-banner tone-${tone}`} aria-label={title}>
      <Icon name={icon} />
      <div class="grow stack-tight">
        <p class="app-banner-title">
          {title}
          {since && (
            <span class="app-banner-since">
              {' '}
              <Time at={since} />
            </span>
          )}
        </p>
        {children}
      </div>
    </section>
  )
}

const shownMessages = 5

/** A condition: in full where it is the first thing to know, else a line that unfolds. */
function Condition({ said, open }: { said: Said; open: boolean }) {
  const [first = ''] = said.messages
  return (
    <details class={`app-banner app-condition tone-${said.bad ? 'bad' : 'warn'}`} open={open}>
      <summary class="app-condition-head">
        <span class="app-condition-mark">
          <Icon name={said.bad ? 'warning' : 'info'} />
        </span>
        <span class="app-banner-title">{said.title}</span>
        {said.since && (
          <span class="app-banner-since">
            <Time at={said.since} />
          </span>
        )}
        <span class="app-condition-first clip">{first}</span>
      </summary>
      {said.messages.slice(0, shownMessages).map((message) => (
        <p key={message} class="app-banner-message">
          {message}
        </p>
      ))}
      {said.messages.length > shownMessages && <p>and {said.messages.length - shownMessages} more like these</p>}
      {said.fix && <p class="soft">What to do: {said.fix}</p>}
    </details>
  )
}

const notice = 'notice.argocd.argoproj.io/'

/** What the owners of the application want everybody to read: annotations of Argo CD. */
function Notice() {
  const annotations = useApplication().application.value?.metadata?.annotations ?? {}
  const content = annotations[`${notice}content`]
  if (!content) return null
  const severity = annotations[`${notice}severity`]
  const tone = severity === 'critical' || severity === 'error' ? 'bad' : severity === 'warning' ? 'warn' : 'busy'
  const url = annotations[`${notice}url`]
  return (
    <Banner tone={tone} icon="info" title={content}>
      {url && <Outside to={url} />}
    </Banner>
  )
}
