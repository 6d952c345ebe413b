// SPDX-License-Identifier: Apache-2.0

import './pods.css'
import { useMemo } from 'preact/hooks'
import { Button, Empty, Skeleton } from '../kit'
import { useQuery } from '../route/query'
import { found } from './filter'
import { FilterBar, useChosen } from './filter-bar'
import { isPod, type Load, loadOf, type PodGroup, podGroups } from './owners'
import { PodTiles } from './pod-tiles'
import { useApplication } from './store'

const mostTiles = 240

/** The pods of the application: on which machines they run, or what they belong to. */
export function Pods() {
  const live = useApplication()
  const { query, set } = useQuery()
  const chosen = useChosen()
  const by = query.get('by') === 'owner' ? 'owner' : 'host'
  const hosts = live.hosts.value
  const groups = useMemo(() => {
    const all = live.all()
    if (!chosen.some) return podGroups(all, hosts, by)
    const answering = new Set(found(all, chosen))
    // Owners are looked for among all objects: what is filtered out still owns its pods.
    const filtered = podGroups(all, hosts, by).map((g) => ({ ...g, pods: g.pods.filter((pod) => answering.has(pod)) }))
    return filtered.filter((group) => group.pods.length > 0)
  }, [live.order.value, live.settled.value, hosts, by, JSON.stringify(chosen)])
  if (!live.met.value && live.order.value.length === 0) return live.unknown.value ? null : <Skeleton lines={8} />
  const count = groups.reduce((sum, group) => sum + group.pods.length, 0)
  return (
    <section class="pods-pane" aria-label="Pods">
      <FilterBar shown={count} only={isPod} noun="pod">
        <Button small aria-pressed={by === 'host'} onClick={() => set({ by: undefined })}>
          By node
        </Button>
        <Button small aria-pressed={by === 'owner'} onClick={() => set({ by: 'owner' })}>
          By owner
        </Button>
      </FilterBar>
      {count === 0 ? (
        <Empty icon="pods" title={chosen.some ? 'No pod answers the filter' : 'This application has no pods'}>
          {!chosen.some && 'Nothing of it runs in the cluster at the moment.'}
        </Empty>
      ) : (
        <ul class="pod-groups">
          {groups.map((group) => (
            <li key={group.key} class="pod-group card">
              <Group group={group} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Group({ group }: { group: PodGroup }) {
  const system = group.host?.systemInfo
  const loads = group.host ? loadOf(group.host) : []
  return (
    <>
      <div class="row">
        <h2 class="clip grow" title={group.title}>
          {group.title}
        </h2>
        <span class="soft tabular">
          {group.pods.length} {group.pods.length === 1 ? 'pod' : 'pods'}
        </span>
      </div>
      {system?.kubeletVersion && (
        <p class="faint pod-system clip">
          {[system.kubeletVersion, `${system.operatingSystem}/${system.architecture}`].join(' · ')}
        </p>
      )}
      {loads.length > 0 && (
        <dl class="loads">
          {loads.map((load) => (
            <Bar key={load.name} load={load} />
          ))}
        </dl>
      )}
      <PodTiles ids={group.pods.map((pod) => pod.id)} most={mostTiles} label={`Pods of ${group.title}`} />
    </>
  )
}

function Bar({ load }: { load: Load }) {
  const percent = (part: number) => `${Math.min(100, Math.round(part * 100))}%`
  return (
    <div class="load" title={`${load.name}: ${load.text}`}>
      <dt>{load.name}</dt>
      <dd>
        <span class="load-bar" aria-hidden="true">
          <span class="load-mine" style={{ width: percent(load.mine) }} />
          <span class="load-others" style={{ width: percent(load.others) }} />
        </span>
        <span class="tabular soft" aria-hidden="true">
          {percent(load.mine + load.others)}
        </span>
        <span class="unseen">{load.text}</span>
      </dd>
    </div>
  )
}
