// SPDX-License-Identifier: Apache-2.0

import { call } from '../api'
import { Cli, Empty } from '../kit'
import { useLoad } from './load'
import { Answer, Head, Listing, Section } from './parts'
import { type Certificate, items } from './types'

/** What servers of repositories are recognised by. */
export function CertificatesPage() {
  const answer = useLoad('certificates', (signal) => call('get', '/api/v1/certificates', {}, signal))
  return (
    <>
      <Head title="Certificates">
        What servers of repositories are recognised by: certificates for TLS and host keys for SSH.
        <Cli command={['cert', 'add-tls', 'git.example.com', '--from', 'ca.pem']} />
      </Head>
      <Section title="All certificates and host keys" flush>
        <Answer of={answer} doing="list the certificates">
          {(list) => (
            <Listing
              of="certificates"
              noun="entry"
              many="entries"
              rows={items(list.items as Certificate[])}
              keyOf={(c) => `${c.certType} ${c.serverName} ${c.certSubType} ${c.certInfo}`}
              texts={(c) => [c.serverName, c.certType, c.certSubType, c.certInfo]}
              columns={[
                { label: 'Server', cell: (c) => c.serverName },
                { label: 'Type', cell: (c) => c.certType },
                { label: 'Key', wide: true, cell: (c) => c.certSubType },
                { label: 'What it is', cell: (c) => <code>{c.certInfo}</code> },
              ]}
              empty={<Empty icon="lock" title="There are none" />}
            />
          )}
        </Answer>
      </Section>
    </>
  )
}
