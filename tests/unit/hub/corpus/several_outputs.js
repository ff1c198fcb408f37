//VERSION=3
function setup() {
  return {
    input: ["B02", "B03", "B04", "B08", "dataMask"],
    output: [
      { id: "trueColor", bands: 3 },
      { id: "ndvi", bands: 1, sampleType: "FLOAT32", nodataValue: -9999 },
      { id: "mask", bands: 1, sampleType: SampleType.UINT8 },
    ],
  };
}
function evaluatePixel(sample) {
  return {
    trueColor: [2.5 * sample.B04, 2.5 * sample.B03, 2.5 * sample.B02],
    ndvi: [sample.dataMask ? index(sample.B08, sample.B04) : -9999],
    mask: [sample.dataMask],
  };
}
