//VERSION=3
function setup() {
  return {
    input: ["B04", "B08", "dataMask"],
    output: { bands: 1, sampleType: "INT16", nodataValue: -32768 },
  };
}
let L = 0.428;  // how much of the soil is seen
function evaluatePixel(s) {
  let savi = (s.B08 - s.B04) / (s.B08 + s.B04 + L) * (1.0 + L);
  return [s.dataMask ? savi * 10000 : -99999];
}
