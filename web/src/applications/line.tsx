// SPDX-License-Identifier: Apache-2.0

// biome-ignore-all lint/a11y/useFocusableInteractive: roles of a table and not of a grid; the links and buttons within take the focus
// biome-ignore-all lint/a11y/useSemanticElements: only the rows that are seen are drawn, each at its height; a real table would lay them out again

import type { Row } from '../api'
import { short } from '../application/source'
import { Chip, Icon, lookOf, Status, Time } from '../kit'
import { applicationPlace } from '../route/place'
import { select, selection } from './selection'
import { Star } from './star'
import { list } from './store'
import { attentionWord, sourceWords, why } from './words'

interface LineProps {
  /** The application; undefined while it is not known which one stands here. */
  of: string | undefined
  place: number
  top: number
  /** Which row of the table it is, for those who listen. */
  index: number
}

/** An application as a row: what it asks for and why, how it is, where it goes and where it comes from. */
export function Line({ of, place, top, index }: LineProps) {
  const row = of === undefined ? undefined : list.rows.get(of)?.value
  const style = { transform: `translateY(${top}px)` }
  if (!row || of === undefined) return <div class="apps-line apps-line-coming" style={style} aria-hidden="true" />
  const chosen = selection.value.has(of)
  return (
    <div
      class={chosen ? 'apps-line apps-line-chosen' : 'apps-line'}
      role="row"
      aria-rowindex={index}
      data-place={place}
      data-key={of}
      data-attention={row.attention}
      style={style}
    >
      <div class="apps-cell-check" role="cell">
        <Pick of={of} name={row.name} chosen={chosen} />
      </div>
      <NameCell of={of} row={row} />
      <div class="apps-cell-state" role="cell">
        <span class="apps-first">
          <Attention row={row} />
        </span>
        <span class="apps-second clip" title={row.why || undefined}>
          {why(row)}
        </span>
      </div>
      {/* What was known last of something stale is not said in green. */}
      <div class={row.attention === 'stale' ? 'apps-cell-status apps-old' : 'apps-cell-status'} role="cell">
        <span class="apps-first">
          <Status of="health" value={row.health} />
        </span>
        <span class="apps-second">
          <Status of="sync" value={row.sync} />
        </span>
      </div>
      <Destination row={row} />
      <Source row={row} />
      <Age row={row} />
    </div>
  )
}

/** What an application asks for, by icon and one word. */
export function AttentionMark({ value }: { value: string }) {
  const look = lookOf('attention', value)
  return (
    <span class={`status tone-${look.tone}`}>
      <Icon name={look.icon} turning={value === 'working'} />
      <span class="clip">{attentionWord(value)}</span>
    </span>
  )
}

/** What an application asks for, and since when if it is not fine. */
export function Attention({ row }: { row: Row }) {
  return (
    <>
      <AttentionMark value={row.attention} />
      {row.attention !== 'fine' && row.since && (
        <span class="apps-since">
          <Time at={row.since} bare />
        </span>
      )}
    </>
  )
}

/** The box that selects an application. With Shift everything up to it is selected. */
export function Pick({ of, name, chosen }: { of: string; name: string; chosen: boolean }) {
  return (
    <input
      type="checkbox"
      class="apps-pick"
      aria-label={`Select ${name}`}
      checked={chosen}
      onClick={(event) => {
        select(of, list.order, event.shiftKey)
        // The signal says what is checked: a range may have set it already.
        event.currentTarget.checked = selection.value.has(of)
      }}
    />
  )
}

function NameCell({ of, row }: { of: string; row: Row }) {
  return (
    <div class="apps-cell-name" role="cell">
      <span class="apps-first">
        <a class="apps-name clip" href={applicationPlace(row)} title={`${row.namespace}/${row.name}`}>
          {row.name}
        </a>
        {row.held && (
          <Chip tone="wait" icon="hand" title="Held: what is desired is not applied by itself until it is released">
            Held
          </Chip>
        )}
        <Star of={of} name={row.name} />
      </span>
      <span class="apps-second clip" title={row.owner ? `${row.project}, made by ${row.owner}` : row.project}>
        {row.project}
        {row.owner && <span class="faint"> · {row.owner}</span>}
      </span>
    </div>
  )
}

function Destination({ row }: { row: Row }) {
  return (
    <div class="apps-cell-destination" role="cell">
      <span class="apps-first">
        <span class="clip" title={row.cluster}>
          {row.cluster || 'No cluster'}
        </span>
      </span>
      <span class="apps-second clip" title={row.destinationNamespace || undefined}>
        {row.destinationNamespace || 'namespaces of its objects'}
      </span>
    </div>
  )
}

function Source({ row }: { row: Row }) {
  const source = sourceWords(row)
  return (
    <div class="apps-cell-source" role="cell">
      <span class="apps-first">
        <span class="clip" title={source.title}>
          {source.text}
        </span>
      </span>
      <span class="apps-second clip mono" title={row.revision || undefined}>
        {row.targetRevision || 'HEAD'}
        {row.revision && row.revision !== row.targetRevision && <span> → {short(row.revision)}</span>}
      </span>
    </div>
  )
}

function Age({ row }: { row: Row }) {
  return (
    <div class="apps-cell-age" role="cell">
      <span class="apps-first">
        <Time at={row.synced} bare />
      </span>
      <span class="apps-second">
        {row.autoSync ? (
          <span class="row apps-auto" title="What is desired is applied by itself">
            <Icon name="bolt" size={12} />
            auto
          </span>
        ) : (
          <span title="Somebody has to begin each sync">by hand</span>
        )}
      </span>
    </div>
  )
}
