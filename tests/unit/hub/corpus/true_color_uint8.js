//VERSION=3
// True colour as whole numbers of 255: the script scales, the service rounds and clamps.
function setup() {
  return {
    input: [{
      bands: ["B02", "B03", "B04"],
    }],
    output: {
      bands: 3,
      sampleType: "UINT8"
    }
  };
}

function evaluatePixel(sample) {
  return [sample.B04 * 355, sample.B03 * 355 - 20, sample.B02 * 355];
}
