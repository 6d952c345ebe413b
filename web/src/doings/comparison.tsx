// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { type ApiError, type Comparison, call, errorOf } from '../api'
import { Chip, Failure, Icon, Skeleton } from '../kit'
import { Fields } from './fields'
import type { Target } from './target'

type Changed = NonNullable<Comparison['objects']>[number]

const looks = {
  added: { tone: 'good', icon: 'plus', word: 'added' },
  removed: { tone: 'bad', icon: 'minus', word: 'removed' },
  changed: { tone: 'warn', icon: 'edit', word: 'changed' },
} as const

/** What changed between two deployments, or since one: in objects and in their fields. */
export function Compared({
  target,
  from,
  to,
  backwards,
}: {
  target: Target
  from: number
  to: number | undefined
  /** Words for going back: what is added comes back. */
  backwards?: boolean
}) {
  const [comparison, setComparison] = useState<Comparison>()
  const [error, setError] = useState<ApiError>()
  const [tries, setTries] = useState(0)
  useEffect(() => {
    const abort = new AbortController()
    setComparison(undefined)
    setError(undefined)
    call(
      'get',
      '/api/bowline/v1/applications/{name}/compare',
      {
        path: { name: target.name },
        query: { appNamespace: target.namespace, from, to },
      },
      abort.signal,
    ).then(setComparison, (thrown) => abort.signal.aborted || setError(errorOf(thrown)))
    return () => abort.abort()
  }, [target.namespace, target.name, from, to, tries])
  if (error) return <Failure error={error} doing="compare them" retry={() => setTries(tries + 1)} />
  if (!comparison) return <Skeleton lines={4} />
  return <Outcome comparison={comparison} backwards={backwards ?? false} />
}

function Outcome({ comparison, backwards }: { comparison: Comparison; backwards: boolean }) {
  const objects = comparison.objects ?? []
  const sources = comparison.sources ?? []
  return (
    <div class="stack">
      <Sums objects={objects} same={comparison.same} />
      {sources.length > 0 && (
        <section class="stack">
          <h4>What the application says of its sources</h4>
          <Fields differences={sources} />
        </section>
      )}
      {objects.length > 0 && (
        <ul class="changed">
          {objects.map((object) => (
            <ChangedView
              key={`${object.group}/${object.kind}/${object.namespace}/${object.name}`}
              object={object}
              backwards={backwards}
            />
          ))}
        </ul>
      )}
    </div>
  )
}

function Sums({ objects, same }: { objects: Changed[]; same: number }) {
  const count = (change: string) => objects.filter((object) => object.change === change).length
  return (
    <p class="row wrap">
      {(['added', 'changed', 'removed'] as const).map((change) => {
        const look = looks[change]
        return count(change) > 0 ? (
          <Chip key={change} tone={look.tone} icon={look.icon}>
            {count(change)} {look.word}
          </Chip>
        ) : null
      })}
      <span class="soft">
        {objects.length === 0
          ? `Nothing that is applied differs: ${same} objects are the same.`
          : `${same} are the same`}
      </span>
    </p>
  )
}

function ChangedView({ object, backwards }: { object: Changed; backwards: boolean }) {
  const look = looks[object.change as keyof typeof looks] ?? looks.changed
  const differences = object.differences ?? []
  const more = backwards && object.change === 'removed' ? ' stays, unless it is pruned' : ''
  const head = (
    <>
      <span class={`status tone-${look.tone}`}>
        <Icon name={look.icon} /> {look.word}
      </span>
      <strong class="changed-name">
        {object.kind} {object.name}
      </strong>
      {object.namespace && <span class="faint">{object.namespace}</span>}
      {more && <span class="soft">{more}</span>}
      {differences.length > 0 && (
        <span class="soft">
          {differences.length} {differences.length === 1 ? 'field' : 'fields'}
        </span>
      )}
    </>
  )
  if (differences.length === 0) return <li class="changed-line row wrap">{head}</li>
  return (
    <li>
      <details class="changed-details">
        <summary class="changed-line row wrap">
          <Icon name="right" size={12} />
          {head}
        </summary>
        <Fields differences={differences} />
      </details>
    </li>
  )
}
