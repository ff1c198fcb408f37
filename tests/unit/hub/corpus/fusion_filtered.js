//VERSION=3
function setup() {
  return {
    input: [{ datasource: "optical", bands: ["B08"] }, { datasource: "radar", bands: ["VV"] }],
    output: { bands: 1, sampleType: "FLOAT32" },
    mosaicking: "ORBIT",
  };
}
function preProcessScenes(collections) {
  collections.optical.scenes.orbits = collections.optical.scenes.orbits.slice(-1);
  return collections;
}
function updateOutput(output, collection) {
  output.default.bands = collection.optical.scenes.length + collection.radar.scenes.length;
}
function evaluatePixel({ optical, radar }) {
  return [...optical.map(({ B08 }) => B08), ...radar.map(({ VV }) => VV)];
}
