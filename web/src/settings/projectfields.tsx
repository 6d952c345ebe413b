// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import type { ApiError } from '../api'
import { CheckField, TextField } from '../kit'
import { linesOf } from './filter'
import { Section } from './parts'
import { destinationProblem, errorAt, withSpec } from './projectform'
import { RowsField } from './rows'
import { items, type Project, type ProjectSpec } from './types'

/** The rules of a project as a form. */
export function ProjectFields({
  project,
  error,
  onChange,
}: {
  project: Project
  error: ApiError | undefined
  onChange: (project: Project) => void
}) {
  const spec = project.spec ?? {}
  const put = (change: Partial<ProjectSpec>) => onChange(withSpec(project, change))
  return (
    <div class="stack">
      <Section title="What may be deployed, and where">
        <TextField label="Description" value={spec.description ?? ''} onInput={(description) => put({ description })} />
        <Lines
          label="Source repositories"
          hint="One per line; * stands for any text, and ! before one refuses it."
          value={items(spec.sourceRepos)}
          error={errorAt(error, 'sourceRepos')}
          onChange={(sourceRepos) => put({ sourceRepos })}
        />
        <RowsField
          label="Destinations"
          hint="A cluster by server or name, and a namespace; ! before one refuses it."
          add="Add a destination"
          cells={[
            { key: 'server', label: 'Server', placeholder: 'https://… or *' },
            { key: 'name', label: 'Cluster name' },
            { key: 'namespace', label: 'Namespace' },
          ]}
          rows={items(spec.destinations)}
          make={() => ({ server: '', namespace: '' })}
          problem={(at) =>
            errorAt(error, `destinations[${at}]`) ?? (error && destinationProblem(items(spec.destinations)[at] ?? {}))
          }
          onChange={(destinations) => put({ destinations })}
        />
        <Lines
          label="Namespaces where its applications may be"
          hint="One per line; besides the control namespace."
          value={items(spec.sourceNamespaces)}
          error={errorAt(error, 'sourceNamespaces')}
          onChange={(sourceNamespaces) => put({ sourceNamespaces })}
        />
        <CheckField
          label="Only clusters that belong to the project"
          checked={spec.permitOnlyProjectScopedClusters ?? false}
          onChange={(permitOnlyProjectScopedClusters) => put({ permitOnlyProjectScopedClusters })}
        />
      </Section>
      <Kinds spec={spec} error={error} put={put} />
      <Guards spec={spec} error={error} put={put} />
    </div>
  )
}

interface PartProps {
  spec: ProjectSpec
  error: ApiError | undefined
  put: (change: Partial<ProjectSpec>) => void
}

const kindCells = [
  { key: 'group', label: 'Group', placeholder: 'Group, empty for core' },
  { key: 'kind', label: 'Kind' },
]

function Kinds({ spec, error, put }: PartProps) {
  const list = (
    key:
      | 'clusterResourceWhitelist'
      | 'clusterResourceBlacklist'
      | 'namespaceResourceWhitelist'
      | 'namespaceResourceBlacklist',
    label: string,
    hint: string,
  ) => (
    <RowsField
      label={label}
      hint={hint}
      add="Add a kind"
      cells={key.startsWith('cluster') ? [...kindCells, { key: 'name', label: 'Name' }] : kindCells}
      rows={items(spec[key] as { group: string; kind: string }[] | null | undefined)}
      make={() => ({ group: '', kind: '' })}
      problem={(at) => errorAt(error, `${key}[${at}]`)}
      onChange={(rows) => put({ [key]: rows } as Partial<ProjectSpec>)}
    />
  )
  return (
    <Section title="Kinds of objects">
      {list('clusterResourceWhitelist', 'Allowed without a namespace', 'None is allowed that is not here.')}
      {list('clusterResourceBlacklist', 'Denied without a namespace', 'Denied whatever is allowed.')}
      <CheckField
        label="Only some kinds are allowed in namespaces"
        checked={Array.isArray(spec.namespaceResourceWhitelist)}
        onChange={(some) => put({ namespaceResourceWhitelist: some ? [] : null })}
      />
      {Array.isArray(spec.namespaceResourceWhitelist) &&
        list('namespaceResourceWhitelist', 'Allowed in namespaces', 'An empty list allows none.')}
      {list('namespaceResourceBlacklist', 'Denied in namespaces', 'Denied whatever is allowed.')}
    </Section>
  )
}

function Guards({ spec, error, put }: PartProps) {
  const orphaned = spec.orphanedResources
  return (
    <Section title="Guards">
      <Lines
        label="Signature keys"
        hint="Ids of GnuPG keys, one per line: commits have to be signed with one of them."
        value={items(spec.signatureKeys).map((key) => key.keyID ?? '')}
        error={errorAt(error, 'signatureKeys')}
        onChange={(ids) => put({ signatureKeys: ids.map((keyID) => ({ keyID })) })}
      />
      <CheckField
        label="Look for objects that belong to no application"
        checked={Boolean(orphaned)}
        onChange={(look) => put({ orphanedResources: look ? { warn: true } : undefined })}
      />
      {orphaned && (
        <>
          <CheckField
            label="Say so in a condition of the applications"
            checked={orphaned.warn ?? false}
            onChange={(warn) => put({ orphanedResources: { ...orphaned, warn } })}
          />
          <RowsField
            label="Not orphaned"
            add="Add a kind"
            cells={[...kindCells, { key: 'name', label: 'Name' }]}
            rows={items(orphaned.ignore)}
            make={() => ({ group: '', kind: '' })}
            onChange={(ignore) => put({ orphanedResources: { ...orphaned, ignore } })}
          />
        </>
      )}
      <RowsField
        label="Service accounts of destinations"
        hint="What is applied to a destination is applied as its service account."
        add="Add a service account"
        cells={[
          { key: 'server', label: 'Server' },
          { key: 'namespace', label: 'Namespace' },
          { key: 'defaultServiceAccount', label: 'Service account' },
        ]}
        rows={items(spec.destinationServiceAccounts)}
        make={() => ({ server: '', namespace: '', defaultServiceAccount: '' })}
        problem={(at) => errorAt(error, `destinationServiceAccounts[${at}]`)}
        onChange={(destinationServiceAccounts) => put({ destinationServiceAccounts })}
      />
    </Section>
  )
}

/** A field where each line is a value. What is typed stays as it is typed while it is. */
export function Lines({
  label,
  hint,
  value,
  error,
  onChange,
}: {
  label: string
  hint?: string
  value: string[]
  error?: string | undefined
  onChange: (value: string[]) => void
}) {
  const [text, setText] = useState(value.join('\n'))
  const shown = linesOf(text).join('\n') === value.join('\n') ? text : value.join('\n')
  return (
    <TextField
      label={label}
      hint={hint}
      error={error}
      rows={Math.min(8, Math.max(2, value.length + 1))}
      value={shown}
      spellcheck={false}
      onInput={(now) => {
        setText(now)
        onChange(linesOf(now))
      }}
    />
  )
}
