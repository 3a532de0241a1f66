import { defineConfig } from 'tsup';

// Small for those who install it, and still readable when it fails: names are kept, and the maps lead to the sources that
// are in the package.
export default defineConfig({
  format: ['esm'],
  dts: true,
  clean: true,
  minify: true,
  sourcemap: true,
  esbuildOptions(options) {
    options.keepNames = true;
    options.sourcesContent = false;
  },
});
