//VERSION=3
// The outputs of scripts for statistics: values with names for bands, and the mask of what counts.
function setup() {
  return {
    input: [{ bands: ["B04", "B08", "SCL", "dataMask"] }],
    output: [
      { id: "data", bands: ["ndvi", "red"], sampleType: "FLOAT32" },
      { id: "dataMask", bands: 1 },
    ],
  };
}
function evaluatePixel(samples) {
  let validNDVIMask = 1;
  if (samples.B08 + samples.B04 == 0) validNDVIMask = 0;
  var noCloud = 1;
  if ([3, 8, 9, 10].includes(samples.SCL)) noCloud = 0;
  return {
    data: [index(samples.B08, samples.B04), samples.B04],
    dataMask: [samples.dataMask * validNDVIMask * noCloud],
  };
}
