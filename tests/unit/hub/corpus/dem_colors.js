//VERSION=3
var viz = ColorRampVisualizer.createOceanColor(0, 1500);

function setup() {
  return { input: ["DEM", "dataMask"], output: { bands: 4 } };
}

function evaluatePixel(samples) {
  return viz.process(samples.DEM).concat(samples.dataMask);
}
