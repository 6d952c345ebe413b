// SPDX-License-Identifier: Apache-2.0

import { lookOf, Status } from '../kit'
import { applicationPlace } from '../route/place'
import { Attention, Pick } from './line'
import { selection } from './selection'
import { Star } from './star'
import { list } from './store'
import { why } from './words'

interface TileProps {
  of: string | undefined
  place: number
  top: number
  left: number
  width: number
}

/** An application as a tile, to be read from afar: its name, what it asks for, and why. */
export function Tile({ of, place, top, left, width }: TileProps) {
  const row = of === undefined ? undefined : list.rows.get(of)?.value
  const style = { transform: `translate(${left}px, ${top}px)`, width: `${width}px` }
  if (!row || of === undefined) return <li class="apps-tile apps-tile-coming" style={style} aria-hidden="true" />
  const chosen = selection.value.has(of)
  const classes = ['apps-tile', `tone-${lookOf('attention', row.attention).tone}`, chosen && 'apps-tile-chosen']
  return (
    <li
      class={classes.filter(Boolean).join(' ')}
      data-place={place}
      data-key={of}
      data-attention={row.attention}
      style={style}
    >
      <div class="row">
        <a class="apps-name clip grow" href={applicationPlace(row)} title={`${row.namespace}/${row.name}`}>
          {row.name}
        </a>
        <Star of={of} name={row.name} />
        <Pick of={of} name={row.name} chosen={chosen} />
      </div>
      <div class="row apps-tile-state">
        <Attention row={row} />
        <span class="grow" />
        <span class={row.attention === 'stale' ? 'row apps-old' : 'row'}>
          <Status of="health" value={row.health} bare />
          <Status of="sync" value={row.sync} bare />
        </span>
      </div>
      <p class="apps-tile-why" title={row.why || undefined}>
        {row.attention === 'fine' ? `${row.project} · ${row.cluster}` : why(row)}
      </p>
    </li>
  )
}
