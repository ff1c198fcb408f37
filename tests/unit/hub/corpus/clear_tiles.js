//VERSION=3
function setup() {
  return { input: ["B04", "dataMask"], output: { bands: 2, sampleType: "FLOAT32" }, mosaicking: "TILE" };
}
function preProcessScenes(collections) {
  collections.scenes.tiles = collections.scenes.tiles.filter((tile) => tile.cloudCoverage < 14 && new Date(tile.date) < new Date("2019-07-08"));
  return collections;
}
function evaluatePixel(samples, scenes) {
  return [samples[0].B04, scenes.tiles.length];
}
