// The evalscript runtime: what stands around the user's script inside V8.
//
// It is evaluated before the user's script and apart from it, so that user scripts stay in sloppy mode (the service's
// documentation has examples with undeclared loop variables). Pixels lie in one Float32Array, per data source
// (scene, band, pixel); results in one typed array per output, (band, pixel). Only the loop below touches a pixel,
// and it is generated per request, so that V8 sees literal property names and inlines the user's function.

const Mosaicking = Object.freeze({ SIMPLE: "SIMPLE", ORBIT: "ORBIT", TILE: "TILE" });
const SampleType = Object.freeze(
  Object.fromEntries(["INT8", "UINT8", "INT16", "UINT16", "FLOAT32", "AUTO"].map((name) => [name, name])),
);

const __hub = (() => {
  "use strict";

  // No timers, threads or machine code: a script is a function of its pixels.
  for (const name of ["WebAssembly", "SharedArrayBuffer", "Atomics"]) delete globalThis[name];
  for (const name of ["setTimeout", "clearTimeout", "__timer_manager"]) globalThis[name] = undefined;

  const ARRAYS = {
    INT8: Int8Array, UINT8: Uint8Array, INT16: Int16Array, UINT16: Uint16Array, FLOAT32: Float32Array,
    AUTO: Uint8Array,
  };
  const clampUnsigned = (max, value) => `(x = ${value}) >= ${max} ? ${max} : x > 0 ? (x + 0.5) | 0 : 0`;
  const clampSigned = (max, value) =>
    `(x = ${value}) >= ${max} ? ${max} : x <= ${-max - 1} ? ${-max - 1} : Math.floor(x + 0.5)`;
  const STORED = {  // code of a value as it is stored: half up, clamped, and not a number is 0 in whole numbers
    INT8: (v) => clampSigned(127, v), UINT8: (v) => clampUnsigned(255, v),
    INT16: (v) => clampSigned(32767, v), UINT16: (v) => clampUnsigned(65535, v),
    FLOAT32: (v) => v, AUTO: (v) => clampUnsigned(255, `255 * ${v}`),
  };

  let pixels = new Float32Array(0);
  let results = [];

  function output(returned, id, bands, single) {
    const list = Array.isArray(returned) || ArrayBuffer.isView(returned)
      ? (single ? returned : undefined)
      : returned === null || typeof returned !== "object" ? undefined : returned[id];
    if (!Array.isArray(list) && !ArrayBuffer.isView(list)) {
      throw new TypeError(single
        ? `evaluatePixel must return an array of ${bands} values (output '${id}')`
        : `evaluatePixel must return an object with an array for output '${id}'`);
    }
    if (list.length !== bands) {
      throw new RangeError(`evaluatePixel returned ${list.length} values for output '${id}', which has ${bands} bands`);
    }
    return list;
  }

  function sampleOf(source, scene, n) {
    const first = source.offset + scene * source.bands.length * n;
    return `{${source.bands.map((name, k) => `${JSON.stringify(name)}: A[${first + k * n} + i]`).join(", ")}}`;
  }

  function samplesOf(sources, n) {
    const lists = sources.map((source) => {
      const each = Array.from({ length: source.scenes.length }, (_, scene) => sampleOf(source, scene, n));
      return source.simple && sources.length === 1 ? each[0] : `[${each.join(", ")}]`;
    });
    if (sources.length === 1) return lists[0];
    return `{${sources.map((source, k) => `${JSON.stringify(source.id)}: ${lists[k]}`).join(", ")}}`;
  }

  // The second argument of evaluatePixel: the scenes in order, also by the name that the mosaicking gives them.
  function scenesOf(source) {
    const scenes = source.scenes.map((scene) => ({ ...scene, date: new Date(scene.date) }));
    return Object.assign({}, scenes, { [source.mosaicking === "TILE" ? "tiles" : "orbits"]: scenes });
  }

  return Object.freeze({
    allocate(length) {
      return (pixels = new Float32Array(length));
    },

    // `job`: pixels (count), sources [{id, bands, simple, mosaicking, scenes, offset}], outputs [{id, bands, type}].
    run(job, evaluatePixel) {
      const n = job.pixels;
      const single = job.outputs.length === 1;
      results = job.outputs.map((one) => new ARRAYS[one.type](one.bands * n));
      const lines = job.outputs.map((one, o) => {
        const stores = Array.from({ length: one.bands }, (_, k) =>
          `O${o}[${k * n} + i] = ${STORED[one.type](`+list[${k}]`)};`);
        return `list = output(returned, ${JSON.stringify(one.id)}, ${one.bands}, ${single}); ${stores.join(" ")}`;
      });
      const loop = new Function("A", "results", "evaluatePixel", "output", "scenes", "inputMetadata", "outputMetadata", `
        "use strict";
        const [${job.outputs.map((_, o) => `O${o}`).join(", ")}] = results;
        let list, returned, x;
        for (let i = 0; i < ${n}; i++) {
          returned = evaluatePixel(${samplesOf(job.sources, n)}, scenes, inputMetadata, undefined, outputMetadata);
          ${lines.join("\n          ")}
        }`);
      const scenes = job.sources.length === 1
        ? scenesOf(job.sources[0])
        : Object.fromEntries(job.sources.map((source) => [source.id, { scenes: scenesOf(source) }]));
      loop(pixels, results, evaluatePixel, output, scenes, { serviceVersion: "1.0.0" }, { userData: {} });
    },

    result(index) {
      return results[index];
    },
  });
})();
