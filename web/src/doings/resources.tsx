// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import type { Application } from '../api'
import { Button, Status, TextField } from '../kit'

interface Own {
  key: string
  kind: string
  name: string
  namespace: string
  status: string
}

/** The objects of an application as a sync names them. Hooks are none of them: a sync of chosen objects runs none. */
export function ownOf(app: Application): Own[] {
  return (app.status?.resources ?? []).flatMap((resource) => {
    const { group = '', kind = '', name = '', namespace = '' } = resource ?? {}
    if (!kind || resource?.hook) return []
    const key = `${group}:${kind}:${namespace ? `${namespace}/` : ''}${name}`
    return [{ key, kind, name, namespace, status: resource?.status ?? 'Unknown' }]
  })
}

/** As many as are listed at once: whoever looks for one among thousands types its name. */
const listed = 200

/** Chooses which objects a sync is limited to. None chosen is all of them. */
export function ChooseResources({
  app,
  chosen,
  onChange,
}: {
  app: Application
  chosen: string[]
  onChange: (chosen: string[]) => void
}) {
  const [search, setSearch] = useState('')
  const own = ownOf(app)
  const words = search.toLowerCase().split(/\s+/)
  const found = own.filter((one) => words.every((word) => one.key.toLowerCase().includes(word)))
  const marked = new Set(chosen)
  const toggle = (key: string) => onChange(marked.has(key) ? chosen.filter((one) => one !== key) : [...chosen, key])
  return (
    <details class="more-options" open={chosen.length > 0}>
      <summary>
        Objects: {chosen.length === 0 ? `all ${own.length}` : `${chosen.length} of ${own.length}, without hooks`}
      </summary>
      <div class="stack">
        <div class="row wrap">
          <Button
            small
            onClick={() => onChange(own.filter((one) => one.status !== 'Synced').map((one) => one.key))}
            disabled={own.every((one) => one.status === 'Synced')}
          >
            Choose what is out of sync
          </Button>
          <Button small onClick={() => onChange([])} disabled={chosen.length === 0}>
            All
          </Button>
        </div>
        <TextField label="Find objects" type="search" value={search} onInput={setSearch} />
        <ul class="choose">
          {found.slice(0, listed).map((one) => (
            <li key={one.key}>
              <label class="choose-line">
                <input type="checkbox" checked={marked.has(one.key)} onChange={() => toggle(one.key)} />
                <span class="grow">
                  <span class="faint">{one.kind}</span> <span class="choose-name">{one.name}</span>
                </span>
                <Status of="sync" value={one.status} bare />
              </label>
            </li>
          ))}
        </ul>
        {found.length > listed && <p class="soft">{found.length - listed} more: type to find them.</p>}
        {found.length === 0 && <p class="soft">No object of it has these words in its name.</p>}
      </div>
    </details>
  )
}
