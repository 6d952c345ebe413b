// SPDX-License-Identifier: Apache-2.0

import { useMemo, useState } from 'preact/hooks'
import { call, errorOf } from '../api'
import { useLoaded } from '../application/loaded'
import { CheckField, Empty, Failure, Skeleton } from '../kit'
import { Code } from './code'
import { hidesValues, type Shown } from './object'
import { objectQuery } from './target'
import { useYaml, yamlOf } from './yaml'

/** The object as the application's source wants it. */
export function Desired({ shown }: { shown: Shown }) {
  const view = shown.view.value
  if (!view) return <Waiting shown={shown} doing="read what the source wants" />
  if (view.desired !== undefined) return <Yaml of={view.desired} shown={shown} what="desired manifest" />
  if (view.reason) {
    return (
      <Empty icon="question" title="It is not known what the source wants">
        {view.reason}
      </Empty>
    )
  }
  return view.managed ? (
    <Empty icon="trash" title="The source does not want this object any more">
      A sync with prune deletes it.
    </Empty>
  ) : (
    <Empty icon="info" title="No source describes this object">
      It came of another object of the application, or of none.
    </Empty>
  )
}

/** The object as the cluster has it. */
export function LiveManifest({ shown }: { shown: Shown }) {
  const [managed, setManaged] = useState(false)
  const { app, target, view } = shown
  const full = useLoaded(
    managed ? shown.id : undefined,
    (signal) =>
      call(
        'get',
        '/api/v1/applications/{name}/resource',
        { path: { name: app.name }, query: objectQuery(app, target) },
        signal,
      ),
    view.at,
  )
  if (!view.value) return <Waiting shown={shown} doing="read the object from the cluster" />
  if (view.value.live === undefined) return <NoLive shown={shown} />
  const object = managed && full.value?.manifest ? JSON.parse(full.value.manifest) : view.value.live
  return (
    <>
      {full.error && managed && <Failure error={full.error} doing="read the managed fields" retry={full.again} />}
      <Yaml of={object} shown={shown} what="live manifest">
        <CheckField label="Managed fields" checked={managed} onChange={setManaged} />
      </Yaml>
    </>
  )
}

/** The cluster has no such object, or it is not known. */
export function NoLive({ shown }: { shown: Shown }) {
  const view = shown.view.value
  if (view?.reason) {
    return (
      <Empty icon="question" title="It is not known how the object is">
        {view.reason}
      </Empty>
    )
  }
  return (
    <Empty icon="ghost" title="The cluster does not have this object">
      {view?.desired !== undefined ? 'A sync creates it.' : 'It was deleted.'}
    </Empty>
  )
}

/** What stands where an object is to be: nothing known yet, or why it could not be read. */
export function Waiting({ shown, doing }: { shown: Shown; doing: string }) {
  const { error, again } = shown.view
  return error ? <Failure error={error} doing={doing} retry={again} /> : <Skeleton lines={8} />
}

/** Says that values are hidden, and that nothing on this page shows them. */
export function Masked({ shown }: { shown: Shown }) {
  if (!hidesValues(shown.target)) return null
  return <p class="resource-note">Values of Secrets are hidden by the server. What is equal has the same mask.</p>
}

function Yaml({
  of,
  shown,
  what,
  children,
}: {
  of: unknown
  shown: Shown
  what: string
  children?: preact.ComponentChildren
}) {
  const { yaml, failed } = useYaml()
  const text = useMemo(() => (yaml ? yamlOf(yaml, of) : undefined), [yaml, of])
  if (failed !== undefined)
    return <Failure error={errorOf(failed)} doing="load the part of the page that writes YAML" />
  if (text === undefined) return <Skeleton lines={12} />
  return (
    <>
      <Masked shown={shown} />
      <Code text={text} label={what} file={`${shown.target.kind.toLowerCase()}-${shown.target.name}.yaml`}>
        {children}
      </Code>
    </>
  )
}
