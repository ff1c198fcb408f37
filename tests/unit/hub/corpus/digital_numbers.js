//VERSION=3
function setup() {
  return {
    input: [{ bands: ["B02", "B03", "B04", "B08", "SCL", "dataMask"], units: "DN" }],
    output: { bands: 5, sampleType: "UINT16" },
  };
}
function evaluatePixel(s) {
  return s.dataMask ? [s.B02, s.B03, s.B04, s.B08, s.SCL] : [0, 0, 0, 0, 0];
}
