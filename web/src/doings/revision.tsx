// SPDX-License-Identifier: Apache-2.0

import { useEffect, useRef, useState } from 'preact/hooks'
import { call } from '../api'
import type { components } from '../api/schema'
import { Copy, Icon, Time } from '../kit'
import { authorOf } from '../safe/text'
import type { Deployment } from './past'
import type { Target } from './target'

type Metadata = components['schemas']['argoproj.v1alpha1.RevisionMetadata']

/** What was told of revisions: a commit says the same for ever. */
const told = new Map<string, Metadata>()

/** A revision with who made it and what they said, which is asked for once it comes into sight. */
export function RevisionLine({
  target,
  source,
  id,
  several,
}: {
  target: Target
  source: Deployment['sources'][number]
  id: number
  several: boolean
}) {
  const place = useRef<HTMLDivElement>(null)
  const key = `${source.source.repoURL} ${source.revision}`
  const [metadata, setMetadata] = useState<Metadata | undefined>(told.get(key))
  const [failed, setFailed] = useState('')
  const commit = Boolean(source.revision) && !source.source.chart
  useEffect(() => {
    const known = told.get(key)
    setMetadata(known)
    if (known || !commit || !place.current) return
    const abort = new AbortController()
    const ask = () => {
      call(
        'get',
        '/api/v1/applications/{name}/revisions/{revision}/metadata',
        {
          path: { name: target.name, revision: source.revision },
          query: { appNamespace: target.namespace, sourceIndex: source.index, versionId: id },
        },
        abort.signal,
      ).then(
        (found) => {
          told.set(key, found)
          setMetadata(found)
        },
        (thrown: Error) => abort.signal.aborted || setFailed(thrown.message),
      )
    }
    const watch = new IntersectionObserver((seen) => {
      if (!seen.some((one) => one.isIntersecting)) return
      watch.disconnect()
      ask()
    })
    watch.observe(place.current)
    return () => {
      watch.disconnect()
      abort.abort()
    }
  }, [key])
  const [subject = ''] = (metadata?.message ?? '').split('\n')
  return (
    <div class="revision-line" ref={place}>
      <span class="row">
        <Icon name="branch" size={14} />
        <code title={source.revision}>{shortOf(source.revision) || 'unknown'}</code>
        {source.revision && <Copy text={source.revision} what="revision" />}
        {several && (
          <span class="faint clip">{source.source.chart || source.source.path || source.source.repoURL}</span>
        )}
      </span>
      {commit && (
        <span class="revision-said clip" title={metadata?.message || failed || undefined}>
          {subject || <span class="faint">{failed ? 'author and message are not known' : '…'}</span>}
        </span>
      )}
      {metadata?.author && (
        <span class="faint clip">
          {authorOf(metadata.author)}, <Time at={metadata.date} />
        </span>
      )}
    </div>
  )
}

/** A commit by its first characters; versions of charts and tags stay whole. */
export function shortOf(revision: string): string {
  return /^[0-9a-f]{40,64}$/.test(revision) ? revision.slice(0, 7) : revision
}
