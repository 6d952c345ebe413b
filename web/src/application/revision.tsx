// SPDX-License-Identifier: Apache-2.0

import { type Application, call } from '../api'
import { Copy, Outside, Time } from '../kit'
import { authorOf } from '../safe/text'
import { useLoaded } from './loaded'
import { type Origin, short } from './source'

/** A revision of a source with who made it, when, and what they said. */
export function Revision({ app, origin, page }: { app: Application; origin: Origin; page: string | undefined }) {
  const { revision, source, index } = origin
  const { namespace: appNamespace, name = '' } = app.metadata ?? {}
  const told = revision !== '' && !source.chart
  const meta = useLoaded(told ? `${name} ${source.repoURL} ${revision}` : undefined, (signal) =>
    call(
      'get',
      '/api/v1/applications/{name}/revisions/{revision}/metadata',
      { path: { name, revision }, query: { appNamespace, sourceIndex: index } },
      signal,
    ),
  )
  if (revision === '') return <span class="app-fact-more">no revision known yet</span>
  const [subject = '', ...rest] = (meta.value?.message ?? '').split('\n')
  return (
    <>
      <span class="row revision">
        {page ? (
          <Outside to={page}>
            <code>{short(revision)}</code>
          </Outside>
        ) : (
          <code title={revision}>{short(revision)}</code>
        )}
        <Copy text={revision} what="revision" />
        {subject && (
          <span class="clip" title={[subject, ...rest].join('\n')}>
            {subject}
          </span>
        )}
      </span>
      <span class="app-fact-more" title={meta.error?.message ?? meta.value?.author}>
        {meta.error && `author and message are not known: ${meta.error.message}`}
        {meta.value?.author && (
          <>
            {authorOf(meta.value.author)}, <Time at={meta.value.date} />
            {(meta.value.tags ?? []).length > 0 && ` · ${meta.value.tags!.join(', ')}`}
          </>
        )}
        {told && !meta.error && !meta.value && '\u00a0'}
      </span>
    </>
  )
}
