// SPDX-License-Identifier: Apache-2.0

import './list.css'
import { useMemo, useRef, useState } from 'preact/hooks'
import { Button, Empty, Icon, Menu, Skeleton, useWindowed } from '../kit'
import { useQuery } from '../route/query'
import { found } from './filter'
import { FilterBar, useChosen } from './filter-bar'
import { type Head, HeadLine, ObjectLine } from './list-line'
import { type Arrangement, arrangementIn, type Column, groupings, linesOf, nextSort } from './rows'
import { useApplication } from './store'

const rowHeight = 36

/** The objects of the application as a table. Chosen ones can be synced by themselves. */
export function List() {
  const live = useApplication()
  const { query, set } = useQuery()
  const chosen = useChosen()
  const how = arrangementIn(query)
  const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
  const body = useRef<HTMLTableSectionElement>(null)
  // Ages and counts of single objects are read by their lines; the order asks only for what it goes by.
  const shown = useMemo(() => found(live.all(), chosen), [live.order.value, live.settled.value, JSON.stringify(chosen)])
  const lines = useMemo(() => linesOf(shown, how), [shown, JSON.stringify(how)])
  const slice = useWindowed(body, lines.length, rowHeight)
  const pick = (ids: string[], on: boolean) => {
    setPicked((was) => new Set(on ? [...was, ...ids] : [...was].filter((id) => !ids.includes(id))))
  }
  if (!live.met.value && live.order.value.length === 0) return live.unknown.value ? null : <Skeleton lines={10} />
  // Objects are chosen to be synced: who may not do that has nothing to choose.
  const may = live.row.value?.may?.includes('sync') ?? false
  const own = shown.filter((node) => may && node.managed).map((node) => node.id)
  return (
    <section class="list-pane" aria-label="List of objects">
      <FilterBar shown={shown.length}>
        <GroupMenu group={how.group} onChange={(group) => set({ group, folded: undefined })} />
      </FilterBar>
      {may && picked.size > 0 && (
        <Picked ids={[...picked].filter((id) => live.nodes.has(id))} onClear={() => setPicked(new Set())} />
      )}
      <table class="objects" aria-label="Objects" aria-rowcount={lines.length + 1}>
        <Heads
          sort={how}
          all={own.length > 0 && own.every((id) => picked.has(id))}
          onAll={may ? (on) => pick(own, on) : undefined}
          onSort={(column) => set({ sort: nextSort(how, column) })}
        />
        <tbody ref={body} class="objects-body" style={{ height: `${slice.height}px` }}>
          {lines.slice(slice.first, slice.last).map((line, n) => {
            const at = slice.first + n
            const place = { top: at * rowHeight, index: at + 2 }
            if (line.is === 'head') {
              return <GroupHead key={`head ${line.value}`} {...place} line={line} how={how} />
            }
            const { id } = line.node
            const chosenOne = may ? picked.has(id) : undefined
            return <ObjectLine key={id} {...place} id={id} live={live} picked={chosenOne} onPick={pick} />
          })}
        </tbody>
      </table>
      {lines.length === 0 && (
        <Empty icon="list" title={chosen.some ? 'No object answers the filter' : 'This application has no objects'}>
          {!chosen.some && 'Its source declares none, or it was never compared.'}
        </Empty>
      )}
    </section>
  )
}

/** The head of a group, which folds it. */
function GroupHead({ line, how, ...place }: { line: Head; how: Arrangement; top: number; index: number }) {
  const { set } = useQuery()
  const folded = line.folded ? how.folded.filter((value) => value !== line.value) : [...how.folded, line.value]
  return <HeadLine {...place} line={line} by={how.group ?? ''} onFold={() => set({ folded })} />
}

function GroupMenu({ group, onChange }: { group: string | undefined; onChange: (group: string | undefined) => void }) {
  return (
    <Menu
      small
      label={group ? `Group: By ${group}` : 'Group'}
      items={[undefined, ...groupings].map((one) => ({
        label: one ? `By ${one}` : 'No groups',
        chosen: one === group,
        onSelect: () => onChange(one),
      }))}
    >
      {group ? `By ${group}` : 'Group'}
    </Menu>
  )
}

const heads: [Column, string][] = [
  ['kind', 'Kind'],
  ['name', 'Name'],
  ['namespace', 'Namespace'],
  ['sync', 'Sync'],
  ['health', 'Health'],
  ['wave', 'Wave'],
  ['differs', 'Differs'],
  ['created', 'Age'],
]

function Heads({
  sort,
  all,
  onAll,
  onSort,
}: {
  sort: { by: Column | undefined; falling: boolean }
  all: boolean
  onAll: ((on: boolean) => void) | undefined
  onSort: (column: Column) => void
}) {
  return (
    <thead class="objects-heads">
      <tr class="object object-head" aria-rowindex={1}>
        <th scope="col" class="object-pick">
          {onAll ? (
            <input
              type="checkbox"
              aria-label="Choose all of the application's own"
              checked={all}
              onChange={(event) => onAll(event.currentTarget.checked)}
            />
          ) : (
            <span class="unseen">Choice</span>
          )}
        </th>
        {heads.map(([column, label]) => (
          <th
            scope="col"
            key={column}
            class={`object-${column}`}
            aria-sort={sort.by !== column ? 'none' : sort.falling ? 'descending' : 'ascending'}
          >
            <button type="button" class="object-sort" onClick={() => onSort(column)}>
              {label}
              {sort.by === column && <Icon name={sort.falling ? 'down' : 'up'} size={12} />}
            </button>
          </th>
        ))}
      </tr>
    </thead>
  )
}

function Picked({ ids, onClear }: { ids: string[]; onClear: () => void }) {
  const live = useApplication()
  const { namespace = '', name = '' } = live.application.value?.metadata ?? {}
  const sync = async () => {
    const { openSync } = await import('../doings')
    const resources = ids.flatMap((id) => {
      const node = live.nodes.get(id)?.peek()
      return node
        ? [{ group: node.group ?? '', kind: node.kind, namespace: node.namespace ?? '', name: node.name }]
        : []
    })
    openSync({ applications: [{ namespace, name }], resources })
  }
  return (
    <div class="picked" role="status">
      <span class="grow">
        {ids.length} {ids.length === 1 ? 'object' : 'objects'} chosen
      </span>
      <Button small looks="primary" icon="sync" onClick={sync}>
        Sync the chosen
      </Button>
      <Button small onClick={onClear}>
        Choose none
      </Button>
    </div>
  )
}
