// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { Button, IconButton, SelectField } from '../kit'
import { Check, Lines, Text, useForm } from './form'
import { namedOf, namedText } from './lists'
import { Section } from './sections'
import { useCharts, usePaths, useRefs, useRepositories } from './suggest'
import type { Path } from './text'

/** Where an application comes from: one source, or several. */
export function Sources() {
  const { manifest, change, set } = useForm()
  const list = manifest.at(['spec', 'sources'])
  const several = Array.isArray(list) && list.length > 0
  const paths: Path[] = several ? list.map((_, at) => ['spec', 'sources', at]) : [['spec', 'source']]
  const add = () =>
    change((m) => {
      const first = several ? m : m.moved(['spec', 'source'], ['spec', 'sources', 0])
      return first.with(['spec', 'sources', several ? list.length : 1], {
        repoURL: '',
        targetRevision: 'HEAD',
        path: '',
      })
    })
  return (
    <Section title={several ? `Sources (${list.length})` : 'Source'}>
      {paths.map((path, at) => (
        <SourceFields
          key={`${several}${at}`}
          path={path}
          at={at}
          several={several}
          onRemove={several && list.length > 1 ? () => set(path, undefined) : undefined}
        />
      ))}
      <Button icon="plus" onClick={add}>
        Add another source
      </Button>
    </Section>
  )
}

function SourceFields({
  path,
  at,
  several,
  onRemove,
}: {
  path: Path
  at: number
  several: boolean
  onRemove: (() => void) | undefined
}) {
  const { manifest, change } = useForm()
  const chart = manifest.at([...path, 'chart']) !== undefined
  const repositories = useRepositories()
  const shape = (next: string) =>
    change((m) =>
      next === 'chart'
        ? m.with([...path, 'chart'], '').with([...path, 'path'], undefined)
        : m.with([...path, 'path'], '').with([...path, 'chart'], undefined),
    )
  return (
    <div class="edit-item">
      {several && (
        <div class="edit-item-head">
          <h3>Source {at + 1}</h3>
          {onRemove && <IconButton small label={`Remove source ${at + 1}`} icon="trash" onClick={onRemove} />}
        </div>
      )}
      <Text
        path={[...path, 'repoURL']}
        label="Repository"
        required
        options={repositories.names}
        hint={repositories.problem}
        placeholder="https://git.example.org/team/deploy.git"
      />
      <SelectField
        label="What it holds"
        value={chart ? 'chart' : 'path'}
        options={[
          { value: 'path', label: 'Folders, in Git' },
          { value: 'chart', label: 'Charts, of Helm' },
        ]}
        onChange={shape}
      />
      {chart ? <ChartPlace path={path} /> : <GitPlace path={path} />}
      {several && <Text path={[...path, 'ref']} label="Name for value files" hint="Others read its files as $NAME/…" />}
      <Tools path={path} at={at} chart={chart} />
    </div>
  )
}

function GitPlace({ path }: { path: Path }) {
  const { manifest } = useForm()
  const repo = manifest.word([...path, 'repoURL'])
  const project = manifest.word(['spec', 'project'])
  const refs = useRefs(repo, project)
  const paths = usePaths(repo, manifest.word([...path, 'targetRevision']), project)
  return (
    <>
      <Text
        path={[...path, 'targetRevision']}
        label="Revision"
        placeholder="HEAD"
        options={refs.names}
        hint={refs.problem ?? 'A branch, a tag or a commit.'}
      />
      <Text
        path={[...path, 'path']}
        label="Path"
        options={paths.names}
        // A repository that cannot be read is told of once, above.
        hint={(!refs.problem && paths.problem) || 'A folder of the repository.'}
      />
    </>
  )
}

function ChartPlace({ path }: { path: Path }) {
  const { manifest } = useForm()
  const found = useCharts(manifest.word([...path, 'repoURL']), manifest.word(['spec', 'project']))
  return (
    <>
      <Text path={[...path, 'chart']} label="Chart" required options={found.charts.names} hint={found.charts.problem} />
      <Text
        path={[...path, 'targetRevision']}
        label="Version"
        placeholder="1.2.x"
        options={found.versions(manifest.word([...path, 'chart']))}
        hint="A version, or a range of versions."
      />
    </>
  )
}

const tools = [
  { key: 'directory', label: 'Directory' },
  { key: 'helm', label: 'Helm' },
  { key: 'kustomize', label: 'Kustomize' },
  { key: 'plugin', label: 'Plugin' },
] as const

type Tool = (typeof tools)[number]['key']

/** What makes manifests of a source. It is found out by the files, unless a setting of one says which. */
function Tools({ path, at, chart }: { path: Path; at: number; chart: boolean }) {
  const { manifest, types } = useForm()
  const said = tools.find((tool) => manifest.at([...path, tool.key]) !== undefined)?.key
  const found = tools.find((tool) => tool.label === types[at])?.key
  const [looked, setLooked] = useState<Tool>()
  const tool: Tool = chart ? 'helm' : (said ?? looked ?? found ?? 'directory')
  return (
    <>
      <SelectField
        label="Settings of"
        value={tool}
        disabled={chart || said !== undefined}
        hint={said ? 'Chosen by what is set below.' : found ? 'As its files say.' : 'Found out by its files.'}
        options={tools.map((one) => ({ value: one.key, label: one.label }))}
        onChange={(next) => setLooked(next as Tool)}
      />
      {tool === 'helm' && <Helm path={[...path, 'helm']} />}
      {tool === 'kustomize' && <Kustomize path={[...path, 'kustomize']} />}
      {tool === 'directory' && <Directory path={[...path, 'directory']} />}
      {tool === 'plugin' && <Plugin path={[...path, 'plugin']} />}
    </>
  )
}

function Helm({ path }: { path: Path }) {
  const { manifest, set } = useForm()
  const asObject = manifest.at([...path, 'valuesObject']) !== undefined
  return (
    <>
      <Text path={[...path, 'releaseName']} label="Release" placeholder="the name of the Application" />
      <Lines path={[...path, 'valueFiles']} label="Value files" hint="One to a line." />
      <Lines
        path={[...path, 'parameters']}
        label="Parameters"
        hint="One to a line: name=value"
        read={namedOf}
        print={namedText}
      />
      {asObject ? (
        <p class="field-hint">Values are written as an object: change them in the YAML.</p>
      ) : (
        <Lines
          path={[...path, 'values']}
          label="Values"
          rows={4}
          hint="YAML, over the value files."
          read={(text) => (text === '' ? undefined : text)}
          print={(value) => (typeof value === 'string' ? value : '')}
        />
      )}
      <Check path={[...path, 'skipCrds']} label="Leave out CRDs" />
      <Check path={[...path, 'ignoreMissingValueFiles']} label="Pass over value files that do not exist" />
      {asObject && (
        <Button small onClick={() => set([...path, 'valuesObject'], undefined)}>
          Remove the values
        </Button>
      )}
    </>
  )
}

function Kustomize({ path }: { path: Path }) {
  return (
    <>
      <Text path={[...path, 'namePrefix']} label="Prefix of names" />
      <Text path={[...path, 'nameSuffix']} label="Suffix of names" />
      <Text path={[...path, 'namespace']} label="Namespace" />
      <Lines path={[...path, 'images']} label="Images" hint="One to a line: [OLD=]NEW[:TAG][@DIGEST]" />
      <Lines path={[...path, 'components']} label="Components" hint="One to a line." />
    </>
  )
}

function Directory({ path }: { path: Path }) {
  return (
    <>
      <Check path={[...path, 'recurse']} label="Read the folders below too" />
      <Text path={[...path, 'include']} label="Files to read" placeholder="all" hint="A glob, such as *.yaml" />
      <Text path={[...path, 'exclude']} label="Files to leave out" hint="A glob." />
    </>
  )
}

function Plugin({ path }: { path: Path }) {
  return (
    <>
      <Text path={[...path, 'name']} label="Plugin" hint="Empty is the one that knows the files." />
      <Lines
        path={[...path, 'env']}
        label="Environment"
        hint="One to a line: NAME=value"
        read={namedOf}
        print={namedText}
      />
    </>
  )
}
