// SPDX-License-Identifier: Apache-2.0

import { useState } from 'preact/hooks'
import { call } from '../api'
import { Button, Cli, ConfirmByName, Empty, Failure, toast } from '../kit'
import { AddHostKeys, AddTls } from './certificatesadd'
import { hostPattern } from './knownhosts'
import { useDoing, useLoad } from './load'
import { useMay } from './may'
import { Answer, type Column, Head, Listing, Section } from './parts'
import { type Certificate, items } from './types'

const create = 'certificates, create, *'
const remove = 'certificates, delete, *'

/** What servers of repositories are recognised by: TLS certificates and SSH host keys. */
export function CertificatesPage() {
  const answer = useLoad('certificates', (signal) => call('get', '/api/v1/certificates', {}, signal))
  const may = useMay([create, remove])
  const [asking, setAsking] = useState<'tls' | 'ssh' | Certificate | undefined>(undefined)
  const close = () => setAsking(undefined)
  const columns = (of: string): Column<Certificate>[] => [
    { label: 'Server', cell: (c) => <code>{c.serverName}</code> },
    { label: 'Kind of key', wide: of === 'Subject', cell: (c) => c.certSubType },
    { label: of, cell: (c) => <span class="settings-line">{c.certInfo}</span> },
    {
      label: 'Remove',
      end: true,
      cell: (c) =>
        may(remove) && (
          <Button small aria-label={`Remove ${c.certSubType} of ${c.serverName}`} onClick={() => setAsking(c)}>
            Remove
          </Button>
        ),
    },
  ]
  return (
    <>
      <Head title="Certificates">
        What servers of repositories are recognised by. A server that shows another certificate or host key is not
        talked to. None of this is secret.
      </Head>
      <Answer of={answer} doing="list the certificates" lines={8}>
        {(list) => (
          <>
            <Part
              title="TLS certificates"
              hint="For servers over HTTPS whose authority is not one that everybody trusts."
              noun="certificate"
              name="tls"
              add={may(create) ? { label: 'Add TLS certificates', run: () => setAsking('tls') } : undefined}
              command={['cert', 'add-tls', 'SERVER', '--from', 'ca.pem']}
              all={items(list.items)}
              type="https"
              columns={columns('Subject')}
            />
            <Part
              title="SSH known hosts"
              hint="For servers over SSH: the keys that they prove themselves by."
              noun="host key"
              name="ssh"
              add={may(create) ? { label: 'Add SSH host keys', run: () => setAsking('ssh') } : undefined}
              command={['cert', 'add-ssh', '--from', 'known_hosts']}
              all={items(list.items)}
              type="ssh"
              columns={columns('Fingerprint')}
            />
          </>
        )}
      </Answer>
      {asking === 'tls' && <AddTls onDone={answer.reload} onClose={close} />}
      {asking === 'ssh' && <AddHostKeys onDone={answer.reload} onClose={close} />}
      {typeof asking === 'object' && <Remove of={asking} onDone={answer.reload} onClose={close} />}
    </>
  )
}

function Part({
  title,
  hint,
  noun,
  name,
  add,
  command,
  all,
  type,
  columns,
}: {
  title: string
  hint: string
  noun: string
  name: string
  add: { label: string; run: () => void } | undefined
  command: string[]
  all: Certificate[]
  type: string
  columns: Column<Certificate>[]
}) {
  const button = add && (
    <Button small icon="plus" onClick={add.run}>
      {add.label}
    </Button>
  )
  return (
    <Section title={title} hint={hint} flush actions={button}>
      <Listing
        of={title}
        name={name}
        noun={noun}
        rows={all.filter((c) => c.certType === type)}
        keyOf={(c) => `${c.serverName} ${c.certSubType} ${c.certInfo}`}
        texts={(c) => [c.serverName, c.certSubType, c.certInfo]}
        columns={columns}
        empty={
          <Empty icon="lock" title={`There are no ${noun}s`}>
            {add ? `Choose ${add.label}, or on the command line:` : 'Whoever may create certificates adds them:'}
            <Cli command={command} />
          </Empty>
        }
      />
    </Section>
  )
}

function Remove({ of, onDone, onClose }: { of: Certificate; onDone: () => Promise<void>; onClose: () => void }) {
  const doing = useDoing()
  const host = of.serverName ?? ''
  const ssh = of.certType === 'ssh'
  const take = () =>
    doing.run(async () => {
      const query = {
        hostNamePattern: hostPattern(host),
        certType: of.certType,
        certSubType: ssh ? of.certSubType : '',
      }
      await call('delete', '/api/v1/certificates', { query } as never)
      await onDone()
      toast(ssh ? `Removed the ${of.certSubType} key of ${host}` : `Removed the certificates of ${host}`)
      onClose()
    })
  return (
    <ConfirmByName
      title={ssh ? 'Remove host key' : 'Remove certificates'}
      name={host}
      verb="Remove"
      busy={doing.busy}
      onConfirm={() => void take()}
      onClose={onClose}
    >
      <p>
        {ssh
          ? `The ${of.certSubType} key of ${host} does not count any more. Repositories there cannot be read over SSH unless another of its keys is known.`
          : `All certificates of ${host} go. Repositories there cannot be read over HTTPS unless its authority is one that everybody trusts.`}
      </p>
      {doing.error && <Failure error={doing.error} doing="remove it" />}
      <Cli
        command={[
          'cert',
          'rm',
          hostPattern(host),
          '--cert-type',
          of.certType ?? '',
          ...(ssh ? ['--cert-sub-type', of.certSubType ?? ''] : []),
        ]}
      />
    </ConfirmByName>
  )
}
