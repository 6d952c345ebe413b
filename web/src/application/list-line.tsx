// SPDX-License-Identifier: Apache-2.0

import { Chip, Icon, lookOf, Status, Time } from '../kit'
import { applicationPlace } from '../route/place'
import { useQuery } from '../route/query'
import type { Live } from './live'
import type { Line } from './rows'
import { absence, marksOf } from './trouble'

interface Place {
  top: number
  index: number
}

export type Head = Line & { is: 'head' }

/** The head of a group in the list. */
export function HeadLine({ top, index, line, by, onFold }: Place & { line: Head; by: string; onFold: () => void }) {
  return (
    <tr class="object object-group" aria-rowindex={index} style={{ top: `${top}px` }}>
      <td class="object-whole">
        <button type="button" class="object-sort" aria-expanded={!line.folded} onClick={onFold}>
          <Icon name={line.folded ? 'right' : 'down'} size={12} />
          {line.value === '' ? `no ${by}` : by === 'sync' ? lookOf('sync', line.value).word : line.value}{' '}
          <span class="faint tabular">{line.count}</span>
        </button>
      </td>
    </tr>
  )
}

/** A line of the list. It follows its own object only. */
export function ObjectLine({
  top,
  index,
  id,
  live,
  picked,
  onPick,
}: Place & {
  id: string
  live: Live
  /** Whether it is chosen; undefined where nothing can be chosen. */
  picked: boolean | undefined
  onPick: (ids: string[], on: boolean) => void
}) {
  const { query, set } = useQuery()
  const node = live.node(id)
  if (!node) return null
  // Waves and differing fields have columns of their own.
  const marks = marksOf(node).filter((mark) => !/wave|≠/.test(mark.word))
  return (
    <tr
      class={query.get('resource') === id ? 'object object-chosen' : 'object'}
      aria-rowindex={index}
      style={{ top: `${top}px` }}
    >
      <td class="object-pick">
        {node.managed && picked !== undefined && (
          <input
            type="checkbox"
            aria-label={`Choose ${node.kind} ${node.name}`}
            checked={picked}
            onChange={(event) => onPick([id], event.currentTarget.checked)}
          />
        )}
      </td>
      <td class="object-kind" title={[node.group, node.version].filter(Boolean).join('/')}>
        <span class="clip">{node.kind}</span>
      </td>
      <td class="object-name">
        <button type="button" class="linklike clip" title={node.name} onClick={() => set({ resource: id }, true)}>
          {node.name}
        </button>
        {marks.map((mark) => (
          <Chip key={mark.word} tone={mark.tone} title={mark.title}>
            {mark.word}
          </Chip>
        ))}
        {node.kind === 'Application' && node.group === 'argoproj.io' && (
          <a
            href={applicationPlace({ namespace: node.namespace ?? '', name: node.name })}
            aria-label={`Open ${node.name}`}
          >
            <Icon name="right" size={12} />
          </a>
        )}
      </td>
      <td class="object-namespace">
        <span class="clip">{node.namespace}</span>
      </td>
      <td class="object-sync">{node.sync && <Status of="sync" value={node.sync} title={node.reason} />}</td>
      <td class="object-health">
        {node.health?.status && <Status of="health" value={node.health.status} title={node.health.message} />}
      </td>
      <td class="object-wave tabular">{node.wave || ''}</td>
      <td class="object-differs tabular">
        {node.differs ? `${node.differs} ${node.differs === 1 ? 'field' : 'fields'}` : ''}
      </td>
      <td class="object-created">
        {node.created ? <Time at={node.created} bare /> : <span class="faint">{absence(node)}</span>}
      </td>
    </tr>
  )
}
