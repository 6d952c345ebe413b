// SPDX-License-Identifier: Apache-2.0

import type { Application } from '../api'

type Spec = NonNullable<Application['spec']>
export type Source = NonNullable<Spec['source']>

/** A source with what the application was compared to of it. */
export interface Origin {
  source: Source
  /** The place among several sources; undefined for a single one. */
  index: number | undefined
  /** The commit, chart version or digest; '' if it was never resolved. */
  revision: string
}

/** The sources of an application, each with its revision. */
export function originsOf(app: Application): Origin[] {
  const several = app.spec?.sources ?? []
  const sync = app.status?.sync
  if (several.length > 0) {
    return several.map((source, index) => ({ source, index, revision: sync?.revisions?.[index] ?? '' }))
  }
  const single = app.spec?.source ?? drySourceOf(app.spec)
  return single ? [{ source: single, index: undefined, revision: sync?.revision ?? '' }] : []
}

/** Where hydrated manifests are synced from. */
function drySourceOf(spec: Spec | undefined): Source | undefined {
  const hydrator = spec?.sourceHydrator
  if (!hydrator) return undefined
  return {
    repoURL: hydrator.drySource?.repoURL ?? '',
    path: hydrator.syncSource?.path ?? '',
    targetRevision: hydrator.syncSource?.targetBranch ?? '',
  }
}

/** A revision as people know it: the beginning of a commit's hash or a digest, and anything else as it is. */
export function short(revision: string): string {
  if (/^[0-9a-f]{40}$/.test(revision)) return revision.slice(0, 7)
  const digest = /^(sha256:)([0-9a-f]{64})$/.exec(revision)
  return digest ? `${digest[1]}${digest[2]!.slice(0, 10)}` : revision
}

/** The address of a repository without who reads it and how it is packed: for showing. */
export function repositoryName(url: string): string {
  return url
    .replace(/^(https?|ssh|git|oci):\/\//, '')
    .replace(/^[^/@]*@/, '')
    .replace(/\.git$/, '')
}

/** Where hosts show a commit, by a part of the host's name. */
const commitPaths: [RegExp, string][] = [
  [/(^|\.)github\./, '/commit/'],
  [/(^|\.)gitlab\./, '/-/commit/'],
  [/(^|\.)bitbucket\.org$/, '/commits/'],
  [/(^|\.)(gitea|forgejo)\.|^codeberg\.org$/, '/commit/'],
  [/^dev\.azure\.com$/, '/commit/'],
]

/** The web page of a repository, if its host is one that is known to have one. */
export function repositoryPage(url: string): string | undefined {
  const found = /^(?:(?:https?|ssh):\/\/)?(?:[^/@]*@)?([\w.-]+)(?::\d+\/|[:/])(.+?)(?:\.git)?\/?$/.exec(url)
  const [, host, path] = found ?? []
  if (!host || !path || !commitPaths.some(([known]) => known.test(host))) return undefined
  return `https://${host}/${path}`
}

/** The web page of a commit, if the repository's host is one that is known to have one. */
export function commitPage(url: string, revision: string): string | undefined {
  const page = repositoryPage(url)
  if (!page || !/^[0-9a-f]{40}$/.test(revision)) return undefined
  const [, path] = commitPaths.find(([known]) => known.test(new URL(page).hostname)) ?? []
  return path && page + path + revision
}
