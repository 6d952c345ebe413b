// SPDX-License-Identifier: Apache-2.0

import { Icon, lookOf, Time } from '../kit'
import { applicationPlace } from '../route/place'
import type { Item } from './forest'
import type { Placed } from './layout'
import type { Live } from './live'
import { absence, fact, marksOf, plural, sentence, shortKind } from './trouble'

interface Props {
  live: Live
  placed: Placed
  index: number
  active: boolean
  selected: boolean
}

/** A card of the tree. It follows its own object only: a change of another does not draw it anew. */
export function Card({ live, placed, index, active, selected }: Props) {
  const { item } = placed
  const node = item.is === 'object' ? live.node(item.id) : undefined
  const label = labelOf(item, live)
  const classes = [
    'tree-card',
    `tree-${item.is}`,
    item.dim && 'tree-dim',
    active && 'tree-active',
    selected && 'tree-chosen',
  ]
  return (
    <div
      id={`item-${index}`}
      class={classes.filter(Boolean).join(' ')}
      role="treeitem"
      tabIndex={-1}
      data-item={item.id}
      aria-level={placed.depth + 1}
      aria-posinset={placed.at}
      aria-setsize={placed.of}
      aria-expanded={item.foldable ? !item.folded : undefined}
      aria-selected={selected}
      title={node?.reason ? `${label}: ${node.reason}` : label}
      style={{ left: `${placed.x}px`, top: `${placed.y}px` }}
    >
      <span class="unseen">{label}</span>
      {item.is === 'application' && <ApplicationFace live={live} />}
      {item.is === 'group' && <GroupFace item={item} />}
      {node && <Face node={node} />}
      {item.foldable && (
        <span class="tree-fold" data-fold="" aria-hidden="true" title={item.folded ? 'Unfold' : 'Fold'}>
          {item.folded ? item.hidden.toLocaleString() : <Icon name="minus" size={10} />}
        </span>
      )}
    </div>
  )
}

function labelOf(item: Item, live: Live): string {
  if (item.is === 'application') return `Application ${live.application.value?.metadata?.name ?? ''}`
  if (item.is === 'group') return `${item.count} ${plural(item.kind, item.count)}`
  const node = live.node(item.id)
  return node ? sentence(node) : item.id
}

function ApplicationFace({ live }: { live: Live }) {
  const app = live.application.value
  const health = lookOf('health', app?.status?.health?.status)
  const sync = lookOf('sync', app?.status?.sync?.status)
  return (
    <>
      <span class="kind-tile" aria-hidden="true">
        app
      </span>
      <span class="tree-text" aria-hidden="true">
        <span class="tree-name">{app?.metadata?.name}</span>
        <span class="tree-more">{live.row.value?.project}</span>
      </span>
      <span class="tree-state" aria-hidden="true">
        <StateIcon look={health} />
        <StateIcon look={sync} />
      </span>
    </>
  )
}

/** What the worst of several objects has, by how much it asks to be looked at. */
const worst = ['Healthy', 'Progressing', 'Suspended', 'OutOfSync', 'Unknown', 'Missing', 'Degraded']

function GroupFace({ item }: { item: Item }) {
  const status = worst[item.trouble] ?? 'Unknown'
  const look = status === 'OutOfSync' ? lookOf('sync', status) : lookOf('health', status)
  return (
    <>
      <span class="kind-tile" aria-hidden="true">
        {shortKind(item.kind)}
      </span>
      <span class="tree-text" aria-hidden="true">
        <span class="tree-name">
          {item.count.toLocaleString()} {plural(item.kind, item.count)}
        </span>
        <span class="tree-more">{item.trouble === 0 ? 'nothing amiss' : `worst: ${look.word}`}</span>
      </span>
      <span class="tree-state" aria-hidden="true">
        {item.trouble > 0 && <StateIcon look={look} />}
      </span>
    </>
  )
}

function Face({ node }: { node: NonNullable<ReturnType<Live['node']>> }) {
  const health = node.health?.status ? lookOf('health', node.health.status) : undefined
  const sync = node.sync ? lookOf('sync', node.sync) : undefined
  const restarts = fact(node, 'Restart Count')
  const state = fact(node, 'Status Reason')
  const facts = [
    state !== 'Running' && state,
    fact(node, 'Containers'),
    restarts !== '0' && restarts && `${restarts} restarts`,
    fact(node, 'Revision').toLowerCase().replace(':', ' '),
  ]
  return (
    <>
      <span class="kind-tile" aria-hidden="true">
        {shortKind(node.kind)}
      </span>
      <span class="tree-text" aria-hidden="true">
        <Name name={node.name} />
        <span class="tree-more">
          {facts.filter(Boolean).map((text) => (
            <span key={text}>{text}</span>
          ))}
          {marksOf(node).map((mark) => (
            <span key={mark.word} class={`tree-mark tone-${mark.tone}`}>
              {mark.word}
            </span>
          ))}
          {node.created ? <Time at={node.created} bare /> : <span>{absence(node)}</span>}
        </span>
      </span>
      <span class="tree-state" aria-hidden="true">
        {node.kind === 'Application' && node.group === 'argoproj.io' && (
          <a
            class="tree-open"
            tabIndex={-1}
            title="Open this application"
            href={applicationPlace({ namespace: node.namespace ?? '', name: node.name })}
          >
            <Icon name="right" size={14} />
          </a>
        )}
        {health && <StateIcon look={health} />}
        {sync && <StateIcon look={sync} />}
      </span>
    </>
  )
}

/** The end of a name stays to be seen: it is what tells siblings apart. */
const tail = 6

function Name({ name }: { name: string }) {
  if (name.length < 3 * tail) return <span class="tree-name">{name}</span>
  return (
    <span class="tree-name tree-name-long">
      <span class="clip">{name.slice(0, -tail)}</span>
      <span>{name.slice(-tail)}</span>
    </span>
  )
}

function StateIcon({ look }: { look: ReturnType<typeof lookOf> }) {
  return (
    <span class={`tone-${look.tone} tree-icon`} title={look.word}>
      <Icon name={look.icon} size={14} turning={look.icon === 'progress'} />
    </span>
  )
}
