// SPDX-License-Identifier: Apache-2.0

import { useEffect, useState } from 'preact/hooks'
import { type Application, call } from '../api'
import { TextField } from '../kit'
import { type SyncChoice, several } from './choice'

type Source = NonNullable<NonNullable<Application['spec']>['source']>

/** The revisions that a sync is to go to, instead of those of the application. */
export function Revisions({
  app,
  choice,
  set,
}: {
  app: Application
  choice: SyncChoice
  set: (change: Partial<SyncChoice>) => void
}) {
  const project = app.spec?.project
  if (!several(app)) {
    return (
      <Revision
        label="Revision"
        source={app.spec?.source}
        project={project}
        value={choice.revision}
        onInput={(revision) => set({ revision })}
      />
    )
  }
  return (
    <>
      {(app.spec?.sources ?? []).map((source, at) => (
        <Revision
          key={at}
          label={`Revision of source ${at + 1}${source.name ? ` (${source.name})` : ''}`}
          source={source}
          project={project}
          value={choice.revisions[at] ?? ''}
          onInput={(revision) => set({ revisions: withAt(choice.revisions, at, revision) })}
        />
      ))}
    </>
  )
}

function withAt(list: string[], at: number, value: string): string[] {
  const out = Array.from({ length: Math.max(list.length, at + 1) }, (_, i) => list[i] ?? '')
  out[at] = value
  return out
}

function Revision({
  label,
  source,
  project,
  value,
  onInput,
}: {
  label: string
  source: Source | undefined
  project: string | undefined
  value: string
  onInput: (value: string) => void
}) {
  const refs = useRefs(source, project)
  return (
    <TextField
      label={label}
      placeholder={source?.targetRevision || 'HEAD'}
      hint={refs.problem || 'Empty is the target revision.'}
      options={refs.names}
      value={value}
      onInput={onInput}
      spellcheck={false}
    />
  )
}

/** The branches and tags of the repository of a source: suggestions, without which a revision can be typed all the same. */
function useRefs(source: Source | undefined, project: string | undefined): { names: string[]; problem: string } {
  const [refs, setRefs] = useState<{ names: string[]; problem: string }>({ names: [], problem: '' })
  useEffect(() => {
    if (!source?.repoURL || source.chart) return
    const abort = new AbortController()
    call(
      'get',
      '/api/v1/repositories/{repo}/refs',
      { path: { repo: source.repoURL }, query: { appProject: project } },
      abort.signal,
    ).then(
      (found) => setRefs({ names: [...(found.branches ?? []), ...(found.tags ?? [])], problem: '' }),
      () =>
        abort.signal.aborted ||
        setRefs({ names: [], problem: 'Branches and tags cannot be listed: type the revision.' }),
    )
    return () => abort.abort()
  }, [source?.repoURL])
  return refs
}
