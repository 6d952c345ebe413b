// SPDX-License-Identifier: Apache-2.0

import './pods.css'
import './network.css'
import { useMemo } from 'preact/hooks'
import { Empty, Icon, lookOf, Outside, Skeleton } from '../kit'
import { useQuery } from '../route/query'
import { PodTiles } from './pod-tiles'
import { useApplication } from './store'
import { mostAddresses, mostTiles, type Stop, stopWidth, type Traffic, trafficOf } from './traffic'
import { sentence, shortKind } from './trouble'

/** How traffic comes into the application and where it ends: entrances, services, pods. */
export function Network() {
  const live = useApplication()
  const { query, set } = useQuery()
  const traffic = useMemo(() => trafficOf(live.all()), [live.order.value, live.settled.value])
  if (!live.met.value && live.order.value.length === 0) return live.unknown.value ? null : <Skeleton lines={8} />
  if (traffic.stops.length === 0) {
    return (
      <Empty icon="network" title="Nothing here takes traffic">
        The application has no Service, Ingress or route whose way could be shown.
      </Empty>
    )
  }
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reached by keyboard
    <section class="network" tabIndex={0} aria-label="Ways of traffic">
      <div class="network-sheet" style={{ width: `${traffic.width}px`, height: `${traffic.height}px` }}>
        <svg class="network-ways" width={traffic.width} height={traffic.height} aria-hidden="true" focusable="false">
          <path d={pathOf(traffic)} />
        </svg>
        <ul aria-label="Entrances, services and pods">
          {traffic.stops.map((stop) => (
            <li
              key={stop.id}
              class={query.get('resource') === stop.node.id ? 'stop stop-chosen' : 'stop'}
              style={{ left: `${stop.x}px`, top: `${stop.y}px`, width: `${stopWidth}px`, height: `${stop.height}px` }}
            >
              <StopFace
                stop={stop}
                leads={traffic.ways
                  .filter((way) => way.from === stop)
                  .map((way) => `${way.to.node.kind} ${way.to.node.name}`)}
                onOpen={() => set({ resource: stop.node.id }, true)}
              />
            </li>
          ))}
        </ul>
      </div>
    </section>
  )
}

function StopFace({ stop, leads, onOpen }: { stop: Stop; leads: string[]; onOpen: () => void }) {
  const node = useApplication().node(stop.node.id) ?? stop.node
  const look = node.health?.status ? lookOf('health', node.health.status) : undefined
  return (
    <>
      <button type="button" class="stop-head" title={sentence(node)} onClick={onOpen}>
        <span class="kind-tile">{shortKind(node.kind)}</span>
        <span class="grow clip">
          <strong class="clip">{node.name}</strong>
          <span class="unseen">{leads.length > 0 ? `, leads to ${leads.join(', ')}` : ''}</span>
        </span>
        {stop.pods.length > 0 && (
          <span class="soft tabular">
            {stop.pods.length} {stop.pods.length === 1 ? 'pod' : 'pods'}
          </span>
        )}
        {look && (
          <span class={`tone-${look.tone} stop-state`} title={look.word}>
            <Icon name={look.icon} size={14} />
            <span class="unseen">{look.word}</span>
          </span>
        )}
      </button>
      {stop.addresses.slice(0, mostAddresses).map((address) => (
        <p key={address} class="stop-line">
          <Outside to={address}>{address}</Outside>
        </p>
      ))}
      {stop.warning && <p class="stop-line stop-warning">{stop.warning}</p>}
      {stop.pods.length > 0 && (
        <PodTiles
          ids={stop.pods.slice(0, mostTiles).map((pod) => pod.id)}
          most={mostTiles}
          label={`Pods of ${node.name}`}
        />
      )}
      {stop.pods.length > mostTiles && <p class="stop-line soft">and {stop.pods.length - mostTiles} more</p>}
    </>
  )
}

/** The lines between stops, from the middle of a head to the middle of the next. */
function pathOf(traffic: Traffic): string {
  const head = 24
  return traffic.ways
    .map(({ from, to }) => {
      const [x, y, endX, endY] = [from.x + stopWidth, from.y + head, to.x, to.y + head]
      const half = (x + endX) / 2
      return `M${x} ${y}C${half} ${y} ${half} ${endY} ${endX} ${endY}`
    })
    .join('')
}
