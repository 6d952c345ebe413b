// SPDX-License-Identifier: Apache-2.0

// biome-ignore-all lint/a11y/useFocusableInteractive: roles of a table and not of a grid; the links and buttons within take the focus
// biome-ignore-all lint/a11y/useSemanticElements: only the rows that are seen are drawn, each at its height; a real table would lay them out again

import type { ComponentChildren } from 'preact'
import { Icon } from '../kit'
import { AllBox } from './bulk'
import { type Question, sortedBy, worstFirst } from './question'
import type { Change } from './tools'

/** The heads of the columns. Pressing one sorts by it, again the other way round, and a third time worst first. */
export function Heads({ q, change, found }: { q: Question; change: Change; found: number }) {
  const sort = { q, change }
  return (
    <div role="rowgroup" class="apps-heads">
      <div role="row" class="apps-heads-row" aria-rowindex={1}>
        <div role="columnheader" class="apps-cell-check">
          <AllBox q={q} found={found} />
        </div>
        <Head {...sort} name="name" keys={['name', 'project']}>
          <Sort {...sort} by="name">
            Application
          </Sort>
          <Sort {...sort} by="project">
            Project
          </Sort>
        </Head>
        <Head {...sort} name="state" keys={[worstFirst]}>
          <Sort {...sort} by={worstFirst}>
            State and why
          </Sort>
        </Head>
        <Head {...sort} name="status" keys={['health', 'sync']}>
          <Sort {...sort} by="health">
            Health
          </Sort>
          <Sort {...sort} by="sync">
            Sync
          </Sort>
        </Head>
        <Head {...sort} name="destination" keys={[]}>
          Destination
        </Head>
        <Head {...sort} name="source" keys={[]}>
          Source
        </Head>
        <Head {...sort} name="age" keys={['synced']}>
          <Sort {...sort} by="synced" down>
            Last sync
          </Sort>
        </Head>
      </div>
    </div>
  )
}

interface SortProps {
  q: Question
  change: Change
}

function Head({ q, name, keys, children }: SortProps & { name: string; keys: string[]; children: ComponentChildren }) {
  const here = keys.includes(q.sort.replace(/^-/, ''))
  const sorted = here ? (q.sort.startsWith('-') ? 'descending' : 'ascending') : undefined
  return (
    <div role="columnheader" class={`apps-cell-${name}`} aria-sort={sorted}>
      <span class="row">{children}</span>
    </div>
  )
}

function Sort({
  q,
  change,
  by,
  down = false,
  children,
}: SortProps & { by: string; down?: boolean; children: ComponentChildren }) {
  const here = q.sort.replace(/^-/, '') === by
  return (
    <button
      type="button"
      class={here ? 'apps-sort apps-sort-on' : 'apps-sort'}
      title={`Sort by ${by === worstFirst ? 'what is worst' : by}`}
      onClick={() => change({ sort: sortedBy(q.sort, by, down).replace(worstFirst, '') })}
    >
      {children}
      {here && <Icon name={q.sort.startsWith('-') ? 'down' : 'up'} size={12} />}
    </button>
  )
}
