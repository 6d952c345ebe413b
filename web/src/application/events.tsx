// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { Button, Chip, Empty, Failure, Skeleton, Time } from '../kit'
import { useLoaded } from './loaded'
import { useApplication } from './store'

type Event = NonNullable<Awaited<ReturnType<typeof events>>['items']>[number]

function events(name: string, appNamespace: string | undefined, signal: AbortSignal) {
  return call('get', '/api/v1/applications/{name}/events', { path: { name }, query: { appNamespace } }, signal)
}

/** What happened to the application, newest first. They are read anew whenever the application changes. */
export function Events() {
  const app = useApplication().application.value
  const { namespace, name = '', resourceVersion } = app?.metadata ?? {}
  const loaded = useLoaded(app && `${namespace}/${name}`, (signal) => events(name, namespace, signal), resourceVersion)
  if (!loaded.value) {
    if (loaded.error) return <Failure error={loaded.error} doing="read the events" retry={loaded.again} />
    return <Skeleton lines={8} />
  }
  const all = [...(loaded.value.items ?? [])].sort((a, b) => Date.parse(when(b) ?? '') - Date.parse(when(a) ?? ''))
  return (
    <section class="stack view-pad" aria-label="Events">
      <div class="row">
        <span class="soft grow">
          {all.length === 1 ? '1 event' : `${all.length} events`}, read{' '}
          <Time at={new Date(loaded.at ?? 0).toISOString()} />
        </span>
        <Button small icon="refresh" onClick={loaded.again}>
          Read again
        </Button>
      </div>
      {loaded.error && <Failure error={loaded.error} doing="read the events again" retry={loaded.again} />}
      {all.length === 0 ? (
        <Empty icon="log" title="No events">
          The cluster keeps events for a while only, usually an hour. The tab History has what was deployed.
        </Empty>
      ) : (
        <EventTable all={all} />
      )}
    </section>
  )
}

function when(event: Event): string | undefined {
  return (
    event.lastTimestamp ?? event.eventTime ?? event.firstTimestamp ?? event.metadata?.creationTimestamp ?? undefined
  )
}

function EventTable({ all }: { all: Event[] }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section class="table-scroll card" tabIndex={0} aria-label="Table of events">
      <table class="table events">
        <thead>
          <tr>
            <th scope="col">When</th>
            <th scope="col">Reason</th>
            <th scope="col">What happened</th>
            <th scope="col">Times</th>
          </tr>
        </thead>
        <tbody>
          {all.map((event, at) => (
            <tr key={event.metadata?.uid ?? at}>
              <td>
                <Time at={when(event)} />
              </td>
              <td>
                <Chip
                  tone={event.type === 'Warning' ? 'warn' : 'dim'}
                  icon={event.type === 'Warning' ? 'warning' : 'info'}
                >
                  {event.reason}
                </Chip>
              </td>
              <td class="event-message">{event.message}</td>
              <td class="tabular">{event.count || 1}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  )
}
