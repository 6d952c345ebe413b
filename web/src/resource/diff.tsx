// SPDX-License-Identifier: Apache-2.0

import { useMemo } from 'preact/hooks'
import { errorOf, type ObjectView } from '../api'
import { Empty, Failure, Skeleton } from '../kit'
import { useQuery } from '../route/query'
import { Compare } from './compare'
import { Differing } from './fields'
import { Masked, NoLive, Waiting } from './manifest'
import type { Shown } from './object'
import { useYaml, yamlOf } from './yaml'

/** What differs between the object and what is wanted of it: field by field, and in the whole. */
export function Diff({ shown }: { shown: Shown }) {
  const view = shown.view.value
  if (!view) return <Waiting shown={shown} doing="compare the object" />
  if (view.reason) {
    return (
      <Empty icon="question" title="It is not known what differs">
        {view.reason}
      </Empty>
    )
  }
  if (!view.managed) {
    return (
      <Empty icon="info" title="There is nothing to compare">
        No source describes this object: it came of another one.
      </Empty>
    )
  }
  if (view.live === undefined && view.desired === undefined) return <NoLive shown={shown} />
  return <Differences shown={shown} view={view} />
}

function Differences({ shown, view }: { shown: Shown; view: ObjectView }) {
  const { yaml, failed } = useYaml()
  const { query, set } = useQuery()
  const [left, right] = sidesOf(view)
  const texts = useMemo(
    () =>
      yaml && {
        left: left === undefined ? '' : yamlOf(yaml, left),
        right: right === undefined ? '' : yamlOf(yaml, right),
      },
    [yaml, left, right],
  )
  const differences = view.differences ?? []
  if (failed !== undefined) return <Failure error={errorOf(failed)} doing="load the part of the page that compares" />
  if (!texts) return <Skeleton lines={10} />
  if (differences.length === 0 && texts.left === texts.right) {
    return (
      <Empty icon="check" title="Nothing differs">
        The object is as the source wants it, but for what settings say is not compared.
      </Empty>
    )
  }
  const sides = query.get('diff') ? query.get('diff') === 'sides' : roomy(query.get('full') === 'yes')
  return (
    <div class="resource-diff">
      <Verdict view={view} />
      <Masked shown={shown} />
      {differences.length > 0 && <Differing differences={differences} target={shown.target} />}
      <Compare
        {...texts}
        leftName="Live"
        rightName="After a sync"
        how={{ sides, whole: query.get('whole') === 'yes' }}
        onHow={(how) => set({ diff: how.sides ? 'sides' : 'inline', whole: how.whole ? 'yes' : undefined })}
      />
    </div>
  )
}

/** How wide the panel has to be for two texts beside each other to be of use. */
const roomyWidth = 1_000

function roomy(full: boolean): boolean {
  const panel = document.querySelector('.resource')?.clientWidth ?? 0
  return (full ? window.innerWidth : panel) >= roomyWidth
}

/** What is held against each other: the forms that were compared, or all there is of an object that comes or goes. */
function sidesOf(view: ObjectView): [unknown, unknown] {
  if (view.compared !== undefined && view.predicted !== undefined) return [view.compared, view.predicted]
  return [view.compared ?? view.live, view.predicted ?? view.desired]
}

function Verdict({ view }: { view: ObjectView }) {
  if (view.live === undefined)
    return <p class="resource-note">The cluster does not have it: a sync creates all of this.</p>
  if (view.desired === undefined) {
    return <p class="resource-note">The source does not want it any more: a sync with prune deletes all of this.</p>
  }
  const count = view.differences?.length ?? 0
  return (
    <p class="resource-note">
      {count === 1 ? 'One field differs' : `${count} fields differ`} from what the source wants. A sync makes it as on
      the right.
    </p>
  )
}
