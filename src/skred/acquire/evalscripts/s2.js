//VERSION=3
// Sentinel-2 L2A: four bands as digital numbers (reflectance x 10,000, harmonised by the service) and the scene
// classification. SCL 0 is "no data", and every band is 0 there.
function setup() {
  return {
    input: [{ bands: ["B02", "B03", "B04", "B08", "SCL", "dataMask"], units: "DN" }],
    output: { bands: 5, sampleType: "UINT16" },
  };
}

function evaluatePixel(sample) {
  if (sample.dataMask === 0 || sample.SCL === 0) {
    return [0, 0, 0, 0, 0];
  }
  return [sample.B02, sample.B03, sample.B04, sample.B08, sample.SCL];
}
