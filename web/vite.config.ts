// SPDX-License-Identifier: Apache-2.0

import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { extname, join } from 'node:path'
import { brotliCompressSync, constants, gzipSync } from 'node:zlib'
import { defineConfig, type Plugin } from 'vite'

/** What is worth compressing once at build time instead of for each request. */
const compressible = new Set(['.js', '.css', '.svg', '.webmanifest'])

/** Writes FILE.gz and FILE.br beside each asset: the server hands out the one that the browser takes. */
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    writeBundle(options) {
      const dir = options.dir ?? 'dist/page'
      for (const file of readdirSync(join(dir, 'assets'))) {
        if (!compressible.has(extname(file))) continue
        const path = join(dir, 'assets', file)
        const body = readFileSync(path)
        writeFileSync(`${path}.gz`, gzipSync(body, { level: 9 }))
        writeFileSync(`${path}.br`, brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }))
      }
    },
  }
}

const server = process.env.BOWLINE_SERVER ?? 'http://127.0.0.1:18080'
const forward = { target: server, changeOrigin: true, headers: { origin: server } }

export default defineConfig({
  base: './',
  plugins: [precompressed()],
  build: {
    target: 'es2022',
    manifest: true,
    license: { fileName: 'assets/licenses.md' }, // of what is bundled: it goes where the page goes
    outDir: 'dist/page',
    emptyOutDir: true,
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0, // a data: address would not be served with our own policy
    reportCompressedSize: false,
  },
  server: {
    proxy: { '/api': forward, '/auth': forward, '/swagger.json': forward, '/terminal': { ...forward, ws: true } },
  },
})
