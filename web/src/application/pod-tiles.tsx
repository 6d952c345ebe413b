// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { Button, Icon, lookOf } from '../kit'
import { useQuery } from '../route/query'
import type { Live } from './live'
import { useApplication } from './store'
import { fact, sentence } from './trouble'

/** Pods as small tiles, each with how it stands. Of very many only the first are shown at once. */
export function PodTiles({ ids, most, label }: { ids: string[]; most: number; label: string }) {
  const live = useApplication()
  const { query, set } = useQuery()
  const [all, setAll] = useState(false)
  const shown = all ? ids : ids.slice(0, most)
  return (
    <>
      <ul class="pod-tiles" aria-label={label}>
        {shown.map((id) => (
          <li key={id}>
            <PodTile
              live={live}
              id={id}
              chosen={query.get('resource') === id}
              onOpen={() => set({ resource: id }, true)}
            />
          </li>
        ))}
      </ul>
      {shown.length < ids.length && (
        <Button small looks="quiet" onClick={() => setAll(true)}>
          Show {(ids.length - shown.length).toLocaleString()} more
        </Button>
      )}
    </>
  )
}

function PodTile({ live, id, chosen, onOpen }: { live: Live; id: string; chosen: boolean; onOpen: () => void }) {
  const pod = live.node(id)
  if (!pod) return null
  const look = lookOf('health', pod.health?.status)
  const restarts = Number(fact(pod, 'Restart Count')) || 0
  const more = [
    sentence(pod),
    fact(pod, 'Containers') && `${fact(pod, 'Containers')} containers ready`,
    fact(pod, 'Status Reason'),
    restarts > 0 && `${restarts} restarts`,
    pod.health?.message,
    ...(pod.images ?? []),
  ]
  return (
    <button
      type="button"
      class={`pod-tile tone-${look.tone}${chosen ? ' pod-chosen' : ''}`}
      aria-label={more.slice(0, 4).filter(Boolean).join(', ')}
      title={more.filter(Boolean).join('\n')}
      onClick={onOpen}
    >
      <Icon name={look.icon} size={14} turning={look.icon === 'progress'} />
      {restarts > 0 && <span class="pod-restarts tabular">{restarts > 99 ? '99+' : restarts}</span>}
    </button>
  )
}
