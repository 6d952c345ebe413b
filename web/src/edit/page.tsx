// SPDX-License-Identifier: Apache-2.0

import { useEffect } from 'preact/hooks'
import { place } from '../route/place'
import { Editor } from './editor'

/** The page for a new application. */
export default function EditPage() {
  useEffect(() => {
    const was = document.title
    document.title = 'New application · Bowline'
    return () => {
      document.title = was
    }
  }, [])
  return (
    <div class="edit-page">
      <nav class="crumbs" aria-label="Where you are">
        <a href={place('/applications')}>Applications</a>
        <span aria-hidden="true">/</span>
        <span>new</span>
      </nav>
      <h1>New application</h1>
      <Editor app={undefined} may />
    </div>
  )
}
