import { defineConfig } from 'tsup';

// Small for those who install it, and still readable when it fails: names are what they were, and the maps lead to the
// sources that are in the package. Names are not shortened and then kept by esbuild's helper, which would tie every
// function to a call, so that no bundler could leave one out.
export default defineConfig({
  format: ['esm'],
  dts: true,
  clean: true,
  sourcemap: true,
  esbuildOptions(options) {
    options.minifyWhitespace = true;
    options.minifySyntax = true;
    options.sourcesContent = false;
  },
});
