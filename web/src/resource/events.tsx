// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { call } from '../api'
import { useLoaded } from '../application/loaded'
import { useApplication } from '../application/store'
import { Chip, Empty, Failure, Skeleton, Time } from '../kit'
import { type KubeEvent, seen, sorted } from './happened'
import type { Shown } from './object'

/** How often events are read again: those who look see what comes, and the server is asked seldom. */
const every = 15_000

/** A number that changes now and then while the page is looked at, and not sooner than that after a change of the object. */
function useNow(): number {
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) setTurn((n) => n + 1)
    }, every)
    return () => clearInterval(timer)
  }, [])
  return turn
}

/** What the cluster tells of the object. */
export function Events({ shown }: { shown: Shown }) {
  const node = useApplication().node(shown.id)
  const { app, target } = shown
  const turn = useNow()
  const events = useLoaded(
    node?.uid,
    (signal) =>
      call(
        'get',
        '/api/v1/applications/{name}/events',
        {
          path: { name: app.name },
          query: {
            appNamespace: app.namespace,
            resourceNamespace: target.namespace,
            resourceName: target.name,
            resourceUID: node?.uid ?? '',
          },
        },
        signal,
      ),
    turn,
  )
  if (!node?.uid) {
    return (
      <Empty icon="ghost" title="The cluster does not have this object">
        Events are told of objects that are there.
      </Empty>
    )
  }
  if (!events.value) {
    return events.error ? (
      <Failure error={events.error} doing="read the events" retry={events.again} />
    ) : (
      <Skeleton lines={4} />
    )
  }
  const items = sorted((events.value.items ?? []) as KubeEvent[])
  return (
    <>
      {events.error && <Failure error={events.error} doing="read the events anew" retry={events.again} />}
      {items.length === 0 ? (
        <Empty icon="info" title="Nothing happened of late">
          Clusters forget events after a while, mostly an hour.
        </Empty>
      ) : (
        <ol class="events">
          {items.map((event) => (
            <Happened key={event.metadata?.uid ?? event.metadata?.name} event={event} />
          ))}
        </ol>
      )}
      {events.at !== undefined && (
        <p class="resource-note soft">
          Read <Time at={new Date(events.at).toISOString()} />, again every 15 s.
        </p>
      )}
    </>
  )
}

function Happened({ event }: { event: KubeEvent }) {
  const warning = event.type === 'Warning'
  const times = event.series?.count ?? event.count ?? 1
  return (
    <li class="event">
      <div class="row wrap">
        <Chip tone={warning ? 'warn' : 'dim'} icon={warning ? 'warning' : 'info'}>
          {event.type ?? 'Event'}
        </Chip>
        <strong>{event.reason}</strong>
        {times > 1 && <span class="soft tabular">{times} times</span>}
        <span class="soft grow clip">{event.source?.component || event.reportingComponent}</span>
        <span class="soft">
          <Time at={seen(event) > 0 ? new Date(seen(event)).toISOString() : undefined} />
        </span>
      </div>
      <p class="event-message">{event.message}</p>
    </li>
  )
}
