//VERSION=3
// Height of the elevation model in metres.
function setup() {
  return {
    input: [{ bands: ["DEM"] }],
    output: { bands: 1, sampleType: "FLOAT32" },
  };
}

function evaluatePixel(sample) {
  return [sample.DEM];
}
