// What stands around the user's script inside V8.
//
// It is evaluated before the user's script and apart from it, so that user scripts stay in sloppy mode (the service's
// documentation has examples with undeclared loop variables). Pixels lie in one Float32Array, per data source
// (scene, band, pixel); results in one typed array per output, (band, pixel). Only the loop of `run` touches a pixel,
// and it is generated per request, so that V8 sees literal property names and inlines the user's function.
//
// A `job` comes from render.py:
//   pixels   their number
//   fusion   whether the request has several data sources: then everything is given by their ids
//   sources  [{id, bands, mosaicking, from, to, scenes, dates, offset}]: `scenes` as the script sees them, `dates` when
//            they were acquired, `offset` where the pixels of the source begin
//   outputs  [{id, bands, type}]
//   inputMetadata  as the script sees it
//   silent   whether evaluatePixel may return nothing: only its user data is asked for

const __hub = (() => {
  "use strict";

  // No timers, threads or machine code: a script is a function of its pixels.
  for (const name of ["WebAssembly", "SharedArrayBuffer", "Atomics"]) delete globalThis[name];
  for (const name of ["setTimeout", "clearTimeout", "__timer_manager"]) globalThis[name] = undefined;

  const stringify = JSON.stringify;  // ours, whatever the script does to its own
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
  const LISTS = { ORBIT: "orbits", TILE: "tiles" };

  const outputMetadata = { userData: {} };
  let pixels = new Float32Array(0);
  let results = [];

  // --- what the script is told ---

  const bySource = (job, make) =>
    job.fusion ? Object.fromEntries(job.sources.map((source) => [source.id, make(source)])) : make(job.sources[0]);

  const numbered = (scenes) => scenes.map((scene, k) => ({ ...scene, __idx: k }));

  // `scenes` of evaluatePixel. The elements themselves are its older form: there, but not seen when it is listed.
  function scenesOf(source) {
    if (!(source.mosaicking in LISTS)) return {};
    const list = numbered(source.scenes);
    const scenes = { [LISTS[source.mosaicking]]: list };
    list.forEach((scene, k) =>
      Object.defineProperty(scenes, k, { value: { ...scene, date: new Date(source.dates[k]) } }));
    return Object.defineProperty(scenes, "length", { value: list.length });
  }

  const allScenes = (job) =>
    bySource(job, (source) => (job.fusion ? { scenes: scenesOf(source) } : scenesOf(source)));

  function collectionOf(source) {
    if (!(source.mosaicking in LISTS)) return { scenes: {} };
    const scenes = numbered(source.scenes);
    if (source.mosaicking === "TILE") return { scenes: { tiles: scenes } };
    for (const scene of scenes) delete scene.tiles;
    return { from: new Date(source.from), to: new Date(source.to), scenes: { orbits: scenes } };
  }

  const datesOf = (source) =>
    source.mosaicking in LISTS ? { scenes: source.dates.map((date) => ({ date: new Date(date) })) } : {};

  // --- what the script returns ---

  function keptScenes(source, collection) {
    const name = LISTS[source.mosaicking];
    if (name === undefined) return source.scenes.map((_, k) => k);
    const list = collection?.scenes?.[name];
    if (!Array.isArray(list)) throw new TypeError(`preProcessScenes must return collections with scenes.${name}`);
    const kept = list.map((scene) => scene?.__idx);
    if (new Set(kept).size < kept.length || !kept.every((k) => source.scenes[k] !== undefined)) {
      throw new TypeError(`preProcessScenes must return some of the scenes.${name} that it was given, each once`);
    }
    return kept;
  }

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

  // --- the code of the loop ---

  // A function of the place in `A` of a pixel's first band: V8 inlines it, and the loop stays short with many scenes.
  function sampleMaker(source, k, n) {
    const bands = source.bands.map((name, b) => `${stringify(name)}: A[at + ${b * n}]`);
    return `const sample${k} = (at) => ({ ${bands.join(", ")} });`;
  }

  function samplesCode(job, n) {
    const makers = job.sources.map((source, k) => sampleMaker(source, k, n));
    if (!job.fusion && job.sources[0].mosaicking === "SIMPLE") {
      return { makers, fill: "", samples: `sample0(i + ${job.sources[0].offset})` };
    }
    const fill = job.sources.map((source, k) => {
      const stride = source.bands.length * n, end = source.offset + source.scenes.length * stride;
      return `const samples${k} = [];
          for (let at = i + ${source.offset}; at < ${end}; at += ${stride}) samples${k}.push(sample${k}(at));`;
    });
    const named = job.sources.map((source, k) => `${stringify(source.id)}: samples${k}`);
    return { makers, fill: fill.join("\n          "), samples: job.fusion ? `{ ${named.join(", ")} }` : "samples0" };
  }

  function storeCode(job, n) {
    const single = job.outputs.length === 1;
    return job.outputs.map((one, o) => {
      const stores = Array.from({ length: one.bands }, (_, k) =>
        `O${o}[${k * n} + i] = ${STORED[one.type](`+list[${k}]`)};`);
      return `list = output(returned, ${stringify(one.id)}, ${one.bands}, ${single}); ${stores.join(" ")}`;
    });
  }

  return Object.freeze({
    // JSON in which NaN and the infinities keep their names.
    text(value) {
      const named = (_, one) => (typeof one === "number" && !Number.isFinite(one) ? String(one) : one);
      return stringify(value, named) ?? "null";
    },

    allocate(length) {
      return (pixels = new Float32Array(length));
    },

    // For each source the numbers of the scenes that stay, in order.
    preProcess(job, preProcessScenes) {
      const returned = preProcessScenes(bySource(job, collectionOf));
      return job.sources.map((source) => keptScenes(source, job.fusion ? returned?.[source.id] : returned));
    },

    // The number of bands of each output, by id.
    updateOutput(job, updateOutput) {
      const outputs = Object.fromEntries(job.outputs.map((one) => [one.id, { bands: one.bands }]));
      updateOutput(outputs, bySource(job, datesOf));
      return Object.fromEntries(job.outputs.map((one) => [one.id, outputs[one.id]?.bands]));
    },

    run(job, evaluatePixel) {
      const n = job.pixels;
      results = job.outputs.map((one) => new ARRAYS[one.type](one.bands * n));
      const { makers, fill, samples } = samplesCode(job, n);
      const loop = new Function("A", "results", "evaluatePixel", "output", "scenes", "inputMetadata", "outputMetadata", `
        "use strict";
        const [${job.outputs.map((_, o) => `O${o}`).join(", ")}] = results;
        ${makers.join("\n        ")}
        let list, returned, x;
        for (let i = 0; i < ${n}; i++) {
          ${fill}
          returned = evaluatePixel(${samples}, scenes, inputMetadata, {}, outputMetadata);
          ${job.silent ? "if (returned === undefined) continue;" : ""}
          ${storeCode(job, n).join("\n          ")}
        }`);
      loop(pixels, results, evaluatePixel, output, allScenes(job), job.inputMetadata, outputMetadata);
      return true;
    },

    result(index) {
      return results[index];
    },

    // The content of userdata.json, as text.
    userData(job, updateOutputMetadata) {
      if (updateOutputMetadata) updateOutputMetadata(allScenes(job), job.inputMetadata, outputMetadata);
      return stringify(outputMetadata.userData) ?? "null";
    },
  });
})();
